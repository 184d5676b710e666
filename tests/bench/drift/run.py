#!/usr/bin/env python3
"""Drift by Evidently's default rules: Evidently's own preset beside `data drift`, on the same two files, as whole
processes in turn.

  run.py DATA_DIR --binary target/release/tallystick [--sets lendingclub,uci_default] [--rounds 3]

DATA_DIR as for tests/bench/quality/run.py. Each set is split into a reference and a later part of which two columns were
moved, once with a large reference (distances) and once with 1,000 rows of it (tests). Every method, every figure (to
1e-6) and every verdict must be the same; what we call insufficient is listed and not compared. Prints the time and the
peak memory of both. Needs evidently (made with 0.7) and pandas below 3. Exit 1 where anything differs.
"""
import argparse, csv, json, math, os, statistics, subprocess, sys, tempfile, time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "quality"))
import run as quality

METHODS = {"K-S p_value": "kolmogorov_smirnov", "chi-square p_value": "chi_square", "Z-test p_value": "z_test",
           "Wasserstein distance (normed)": "wasserstein", "Jensen-Shannon distance": "jensen_shannon"}
TESTS = ("kolmogorov_smirnov", "chi_square", "z_test")


def evidently_side(reference, current):
    import warnings
    warnings.simplefilter("ignore")
    import numpy, pandas
    numpy.seterr(all="ignore")
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset
    read = lambda path: pandas.read_csv(path, keep_default_na=False, na_values=[""])
    frames = read(current), read(reference)
    names = list(frames[0].columns)
    definition = DataDefinition(numerical_columns=[n for n in names if n.startswith("number")],
                                categorical_columns=[n for n in names if n.startswith("level")])
    made = Report([DataDriftPreset()], include_tests=True).run(*[Dataset.from_pandas(f, definition) for f in frames])
    said = json.loads(made.json())
    verdict = {t["name"].rsplit(" ", 1)[-1]: t["status"] == "FAIL" for t in said["tests"] if t["id"] == "drift"}
    fields, share = {}, None
    for metric in said["metrics"]:
        config = metric["config"]
        if config["type"].endswith("ValueDrift"):
            column = config["column"]
            fields[column] = {"method": METHODS[config["method"]], "score": metric["value"], "drifted": verdict[column]}
        else:
            share = metric["value"]["share"]
    print(json.dumps({"fields": fields, "share": share}))


def measure(command):
    """What it printed, its wall time and its peak memory in MB, for `measured`."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        begun = time.monotonic()
        child = subprocess.Popen(command, stdout=out, stderr=err)
        _, status, used = os.wait4(child.pid, 0)
        wall = time.monotonic() - begun
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0), err.seek(0)
        if child.returncode:
            sys.exit(f"{' '.join(command)}: exit {child.returncode}\n{out.read()}{err.read()}")
        print(json.dumps([json.loads(out.read()), wall, used.ru_maxrss / 1024]))


def measured(command):
    """From a small process of its own: a child's peak memory is never told as less than its parent's at the start."""
    done = subprocess.run([sys.executable, os.path.abspath(__file__), "--measure", *command], capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    return json.loads(done.stdout)


def columns_of(folder, name, meta):
    """Neutral names, numbers as they are, levels as text; columns that are empty somewhere in a part are left out later."""
    with quality.open_set(folder, name) as source:
        rows = csv.reader(source)
        header = next(rows)
        used = [at for at, c in enumerate(header) if c != meta["target"] and c not in meta["drop"]]
        body = [[row[at] if row[at] != "NA" else "" for at in used] for row in rows]
    names, cells = [], list(zip(*body))
    for place, at in enumerate(used):
        is_level = header[at] in meta["categorical"]
        if not is_level:
            try:
                [float(cell) for cell in cells[place] if cell]
            except ValueError:
                is_level = True
        names.append(("level" if is_level else "number") + f"{place:02}")
        if is_level:
            cells[place] = ["L" + cell.replace(",", " ") if cell else "" for cell in cells[place]]
    return names, [list(column) for column in cells]


def move(names, columns):
    """The first number grows by half a deviation and a fifth of the first level's rows become its rarest level."""
    number = next(at for at, n in enumerate(names) if n.startswith("number"))
    values = [float(cell) for cell in columns[number] if cell]
    step = 0.5 * statistics.pstdev(values)
    columns[number] = [repr(float(cell) + step) if cell else "" for cell in columns[number]]
    level = next((at for at, n in enumerate(names) if n.startswith("level")), None)
    if level is not None:
        filled = [cell for cell in columns[level] if cell]
        rarest = min(sorted(set(filled)), key=filled.count)
        columns[level] = [rarest if at % 5 == 0 and cell else cell for at, cell in enumerate(columns[level])]


def write_pair(folder, names, columns, reference_rows, current_rows):
    """Reference and a moved later part, in files; both parts have a value in every column that is kept."""
    cut = lambda start, rows: [column[start:start + rows] for column in columns]
    reference, current = cut(0, reference_rows), cut(len(columns[0]) - current_rows, current_rows)
    kept = [at for at in range(len(names)) if any(reference[at]) and any(current[at])]
    names = [names[at] for at in kept]
    reference, current = [reference[at] for at in kept], [current[at] for at in kept]
    move(names, current)
    for path, part in (("reference.csv", reference), ("current.csv", current)):
        with open(f"{folder}/{path}", "w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(names)
            writer.writerows(zip(*part))
    return len(names)


def compare(ours, theirs, where):
    """What differs, what was left insufficient, and the largest difference of a figure."""
    wrong, withheld, worst = [], [], 0.0
    found = {field["field"]: field for field in ours["fields"]}
    if set(found) != set(theirs["fields"]):
        wrong.append(f"{where}: other columns: {sorted(set(found) ^ set(theirs['fields']))}")
    for name, field in found.items():
        their = theirs["fields"].get(name)
        if their is None:
            continue
        if field["method"] != their["method"]:
            wrong.append(f"{where} {name}: {field['method']}, Evidently {their['method']}")
        elif field["verdict"] == "insufficient":
            withheld.append(f"{name} (Evidently: {their['score']:.3g}, {'drift' if their['drifted'] else 'no drift'})")
        else:
            score = field["p_value"] if field["method"] in TESTS else field["statistic"]
            gap = abs(score - their["score"])
            worst = max(worst, gap)
            if gap > 1e-6 or math.isnan(gap):
                wrong.append(f"{where} {name}: {score}, Evidently {their['score']}")
            if (field["verdict"] == "shifted") != their["drifted"]:
                wrong.append(f"{where} {name}: {field['verdict']}, Evidently {their['drifted']}")
    if not withheld and (abs(ours["share_shifted"] - theirs["share"]) > 1e-9 or (ours["verdict"] == "shifted") != (theirs["share"] >= 0.5)):
        wrong.append(f"{where}: share {ours['share_shifted']} {ours['verdict']}, Evidently {theirs['share']}")
    return wrong, withheld, worst


def pair(options, where, folder, columns):
    commands = {"ours": [os.path.abspath(options.binary), "data", "drift", "--reference", f"{folder}/reference.csv",
                         "--current", f"{folder}/current.csv", "--json"],
                "evidently": [sys.executable, os.path.abspath(__file__), "--evidently", f"{folder}/reference.csv", f"{folder}/current.csv"]}
    said, walls, peaks = {}, {"ours": [], "evidently": []}, {"ours": [], "evidently": []}
    for _ in range(options.rounds):
        for side, command in commands.items():
            said[side], wall, peak = measured(command)
            walls[side].append(wall), peaks[side].append(peak)
    wrong, withheld, worst = compare(said["ours"], said["evidently"], where)
    drifted = sum(f["drifted"] for f in said["evidently"]["fields"].values())
    methods = sorted({f["method"] for f in said["ours"]["fields"]})
    print(f"{where}: {columns} columns ({', '.join(methods)}), {drifted} drifted, {len(wrong)} differ, largest gap {worst:.1e}")
    for line in withheld:
        print(f"  left insufficient: {line}")
    for side in commands:
        print(f"  {side:>9}: {statistics.median(walls[side]):8.3f} s, {max(peaks[side]):7.1f} MB")
    return wrong


def main():
    if sys.argv[1:2] == ["--evidently"]:
        return evidently_side(*sys.argv[2:4])
    if sys.argv[1:2] == ["--measure"]:
        return measure(sys.argv[2:])
    options = argparse.ArgumentParser()
    options.add_argument("data")
    options.add_argument("--binary", required=True)
    options.add_argument("--sets", default="lendingclub,uci_default")
    options.add_argument("--rounds", type=int, default=3)
    a = options.parse_args()
    with open(f"{a.data}/datasets.json") as file:
        metas = json.load(file)
    wrong = []
    for name in a.sets.split(","):
        names, columns = columns_of(a.data, name, metas[name])
        rows = len(columns[0])
        for kind, reference_rows, current_rows in (("large", rows * 6 // 10, rows * 4 // 10), ("small", 1_000, 600)):
            with tempfile.TemporaryDirectory() as folder:
                used = write_pair(folder, names, columns, reference_rows, current_rows)
                wrong += pair(a, f"{name}, {kind} ({reference_rows} and {current_rows} rows)", folder, used)
    for line in wrong:
        print(f"DIFFERS {line}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
