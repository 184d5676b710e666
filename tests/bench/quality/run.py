#!/usr/bin/env python3
"""Every family on public sets of real rows, on fixed folds, beside the peers on the same folds.

  run.py DATA_DIR --binary target/release/tallystick [--families boosting,forest,...] [--sets a,b] [--folds 0,1,2,3,4]
         [--peers PEERS.folds.csv] [--out OURS.folds.csv] [--share 0.25] [--set KEY=VALUE ...]

DATA_DIR holds NAME.csv (or NAME.csv.gz), NAME.split.csv (row, fold) and datasets.json (target, positive, categorical,
drop). Columns are given neutral names, so that all of the peers' columns are features, protected ones too; the project
is otherwise what `project new` writes, with one set of defaults for all sets. The test fold is seen by nothing but the
last evaluation. With --peers (one row a set, model and fold: dataset, model, fold, auc, logloss) it prints the means,
the paired differences to the best peer and their standard errors, and the mean ranks. Needs only Python.
"""
import argparse, csv, gzip, json, math, os, random, resource, statistics, subprocess, sys, tempfile


def children_cpu():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def open_set(folder, name):
    path = f"{folder}/{name}.csv"
    return open(path, newline="") if os.path.exists(path) else gzip.open(path + ".gz", "rt", newline="")


def write_set(folder, name, meta, out, tested=None, share=1.0):
    """The set as the program gets it: neutral names, levels as text, the fold beside them. Of the folds that are not
    tested a share of the rows, for a learning curve."""
    kept = random.Random(7)
    with open(f"{folder}/{name}.split.csv", newline="") as file:
        fold = {int(row["row"]): row["fold"] for row in csv.DictReader(file)}
    with open_set(folder, name) as source, open(out, "w", newline="") as target:
        rows = csv.reader(source)
        header = next(rows)
        used = [at for at, column in enumerate(header) if column != meta["target"] and column not in meta["drop"]]
        levels = {at for at in used if header[at] in meta["categorical"]}
        label = header.index(meta["target"])
        names = [("level" if at in levels else "number") + f"{place:02}" for place, at in enumerate(used)]
        writer = csv.writer(target)
        writer.writerow(names + ["outcome", "fold"])
        for number, row in enumerate(rows):
            if kept.random() >= share and fold[number] != tested:
                continue
            cell = lambda at: ("L" + row[at] if row[at] not in ("", "NA") else "") if at in levels else row[at]
            outcome = "yes" if row[label] == meta["positive"] else "no"
            writer.writerow([cell(at) for at in used] + [outcome, fold[number]])


def run(binary, folder, *words):
    done = subprocess.run([binary, "--json", "--home", f"{folder}/home", *words], capture_output=True, text=True, cwd=folder)
    if done.returncode:
        sys.exit(f"{' '.join(words)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return json.loads(done.stdout)


def measure(a, name, meta, out):
    binary = os.path.abspath(a.binary)
    with tempfile.TemporaryDirectory() as folder:
        write_set(a.data, name, meta, f"{folder}/rows.csv")
        run(binary, folder, "init")
        made = run(binary, folder, "project", "new", "--from", "rows.csv", "--name", "measured", "--dir", "project",
                   "--target", "outcome", "--positive", "yes", "--split", "fold", "--purpose", "marketing")
        features = [c["name"] for c in made["columns"] if c["role"] == "feature"]
        missed = [c["name"] for c in made["columns"] if c["role"] not in ("feature", "target", "split")]
        if missed:
            print(f"{name}: {len(features)} features, not used: {', '.join(missed)}", flush=True)
        for family in a.families.split(","):
            for k in a.folds.split(","):
                if a.share < 1:
                    write_set(a.data, name, meta, f"{folder}/rows.csv", k, a.share)
                chosen = ["--auto"] if family == "auto" else ["--family", family]
                words = ["train", "project", "--data", "rows.csv", *chosen,
                         "--set", f'split.test_values=["{k}"]', "--set", "split.valid=0.12"]
                for setting in a.set:
                    words += ["--set", setting]
                before = children_cpu()
                trained = run(binary, folder, *words)
                cpu = children_cpu() - before
                metrics = trained["metrics"]
                row = dict(dataset=name, model=family, fold=k, auc=metrics["auc"], logloss=metrics["log_loss"],
                           ece=metrics["ece"], train_cpu_s=round(cpu, 3))
                out.append(row)
            own = [row for row in out if row["dataset"] == name and row["model"] == family]
            mean = lambda key: statistics.fmean(float(row[key]) for row in own)
            print(f"{name:14} {family:10} auc {mean('auc'):.4f}  log loss {mean('logloss'):.4f}  ece {mean('ece'):.4f}  cpu {mean('train_cpu_s'):.2f}", flush=True)


def compare(ours, peers):
    """Means, differences and ranks; a fold of a set that one side lacks is left out."""
    names = sorted({row["dataset"] for row in ours})
    families = list(dict.fromkeys(row["model"] for row in ours))
    models = [m for m in dict.fromkeys(row["model"] for row in peers) if m != "logreg"]
    at = {}
    for row in peers:
        at[row["dataset"], "peer " + row["model"], str(row["fold"])] = row
    for row in ours:
        at[row["dataset"], row["model"], str(row["fold"])] = row
    ranks = {}
    for key, better in (("auc", 1), ("logloss", -1)):
        print(f"\n{key}: mean (sd over folds); best peer; ours minus best peer, paired (standard error); minus LightGBM")
        for name in names:
            values = {}
            for model in families + ["peer " + m for m in models]:
                own = {fold: float(row[key]) for (d, m, fold), row in at.items() if d == name and m == model}
                if own:
                    values[model] = own
            if not values:
                continue
            means = {model: statistics.fmean(own.values()) for model, own in values.items()}
            order = sorted(means, key=lambda model: -better * means[model])
            for place, model in enumerate(order, 1):
                ranks.setdefault((key, model), []).append(place)
            rivals = [model for model in order if model.startswith("peer ") and model != "peer mlp"]
            for family in families:
                if family not in values:
                    continue
                told = f"{name:14} {family:10} {means[family]:.5f} ({sd(values[family].values()):.5f})"
                for rival in rivals[:1] + ["peer lgbm", "peer mlp"]:
                    if rival not in values:
                        continue
                    both = [better * (values[family][f] - values[rival][f]) for f in values[family] if f in values[rival]]
                    told += f"  {rival[5:]} {means[rival]:.5f} {statistics.fmean(both):+.5f} ({sd(both) / math.sqrt(len(both)):.5f})"
                print(told)
    print("\nmean rank (auc, log loss) over the sets")
    for model in families + ["peer " + m for m in models]:
        told = [statistics.fmean(ranks[key, model]) for key in ("auc", "logloss") if (key, model) in ranks]
        if told:
            print(f"{model:16} " + "  ".join(f"{value:.2f}" for value in told))


def sd(values):
    values = list(values)
    return statistics.stdev(values) if len(values) > 1 else 0.0


def main():
    options = argparse.ArgumentParser()
    options.add_argument("data")
    options.add_argument("--binary", default="target/release/tallystick")
    options.add_argument("--families", default="logistic,scorecard,boosting,forest,mlp,ensemble,auto")
    options.add_argument("--sets")
    options.add_argument("--folds", default="0,1,2,3,4")
    options.add_argument("--share", type=float, default=1.0, help="of the training rows, for a learning curve")
    options.add_argument("--peers")
    options.add_argument("--out")
    options.add_argument("--set", action="append", default=[])
    a = options.parse_args()
    meta = json.load(open(f"{a.data}/datasets.json"))
    ours = []
    for name in a.sets.split(",") if a.sets else list(meta):
        measure(a, name, meta[name], ours)
        if a.out:
            with open(a.out, "w", newline="") as file:
                writer = csv.DictWriter(file, ours[0].keys())
                writer.writeheader()
                writer.writerows(ours)
    if a.peers:
        with open(a.peers, newline="") as file:
            compare(ours, list(csv.DictReader(file)))


if __name__ == "__main__":
    main()
