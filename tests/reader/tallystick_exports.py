"""Runs what `model export` wrote as SQL (in SQLite) and as PMML (in JPMML) over the golden rows of the release of the same
model: no code of the product. Margins and probabilities may differ by 1e-9. Exit 7 where PMML cannot be run here.
Usage:  tallystick_exports.py RELEASE_DIR FILE.sql|FILE.pmml..."""
import json, math, os, shutil, sqlite3, sys

GAP_MAX = 1e-9


def load(folder):
    with open(os.path.join(folder, "model.json"), "rb") as file:
        model = json.load(file)
    with open(os.path.join(folder, "blobs", model["golden"]["digest"]), "rb") as file:
        golden = json.load(file)
    names = [field["field"] for field in golden["fields"]]
    rows = [dict(zip(names, row["cells"])) for row in golden["rows"]]
    return model["calibration"], names, rows, [row["margin"] for row in golden["rows"]]


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def by_sql(path, names, rows):
    """Margin and probability of each row, and how many columns the answer has."""
    base = sqlite3.connect(":memory:")
    try:
        base.execute("SELECT EXP(1)")
    except sqlite3.OperationalError:
        base.create_function("EXP", 1, math.exp)
    columns = ", ".join(quoted(name) for name in ["row"] + names)
    base.execute("CREATE TABLE applications (%s)" % columns)
    marks = ", ".join("?" * (1 + len(names)))
    for number, row in enumerate(rows):
        base.execute("INSERT INTO applications VALUES (%s)" % marks, [number] + [row[name] for name in names])
    with open(path, encoding="utf-8") as file:
        found = base.execute(file.read())
    heads = [head[0] for head in found.description]
    told = {answer[heads.index("row")]: answer for answer in found}
    return [tuple(told[number][heads.index(what)] for what in ("margin", "probability")) for number in range(len(rows))]


def by_pmml(path, names, rows):
    if not shutil.which("java"):
        print("NOT RUN: PMML needs Java")
        sys.exit(7)
    try:
        from jpmml_evaluator import make_evaluator
    except ImportError:
        print("NOT RUN: PMML needs the Python package jpmml_evaluator")
        sys.exit(7)
    evaluator = make_evaluator(path)
    evaluator.verify()
    needed = [field.name for field in evaluator.getInputFields()]
    answers = [evaluator.evaluate({name: row[name] for name in needed}) for row in rows]
    return [(float(answer["margin"]), float(answer["probability"])) for answer in answers]


def main(folder, paths):
    calibration, names, rows, margins = load(folder)
    wrong = 0
    for path in paths:
        found = (by_sql if path.endswith(".sql") else by_pmml)(path, names, rows)
        largest = 0.0
        for number, (margin, (seen, probability)) in enumerate(zip(margins, found)):
            expected = 1 / (1 + math.exp(-(calibration["slope"] * margin + calibration["intercept"])))
            gap = max(abs(seen - margin), abs(probability - expected))
            largest = max(largest, gap)
            # A NaN is refused too.
            if not gap <= GAP_MAX:
                wrong += 1
                print("refused: %s, golden row %d has the margin %r, not %r" % (path, number, seen, margin))
        print("%s: %d golden rows, largest gap %.3g, %d different margins" % (path, len(rows), largest, len(set(margins))))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
