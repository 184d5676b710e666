#!/usr/bin/env python3
"""Exported models in other programs: SQL in SQLite, PMML in JPMML, each against the golden rows of the signed release.

  exports.py [--families scorecard,boosting,forest] [--rows N]

For each family: train the demo of bank-churn, export the release, the SQL and the PMML, and run both over the golden
rows (missing values and rare levels among them). PMML needs Java and the Python package jpmml_evaluator (installed from
PyPI into a virtual environment); without them it is said and only SQL is run. With --prove a number of the SQL is changed.
Exit 1 on any violation, 7 where nothing runs.
"""
import json, os, re, subprocess, sys

import box, scanners, verdict

CHECKER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "reader", "tallystick_exports.py")
# Small and soon trained; an answer of a small model is as exact as one of a large.
SETTINGS = {
    "scorecard": [],
    "boosting": ["--set", "boosting.rounds=40"],
    "forest": ["--set", "forest.trees=20"],
}
SECONDS_MAX = 600


def arguments():
    parser = verdict.parser_of(__doc__)
    parser.add_argument("--families", default=",".join(SETTINGS), help="which, with commas")
    parser.add_argument("--rows", type=int, default=3000, help="rows to train on")
    return parser.parse_args()


def run(binary, folder, *words):
    environment = dict(os.environ, TALLYSTICK_HOME=os.path.join(folder, "home"))
    ended = subprocess.run([binary, "--json", *words], cwd=folder, env=environment, capture_output=True, text=True,
                           timeout=SECONDS_MAX)
    if ended.returncode != 0:
        raise box.Failed(f"{' '.join(words)} ended with {ended.returncode}: {ended.stdout}{ended.stderr}")
    return json.loads(ended.stdout)


def reader():
    """The Python that reads exports: the one with JPMML, where it can be had."""
    try:
        return scanners.program("python")
    except box.Unavailable as e:
        verdict.note(str(e))
        return sys.executable


def check_family(found, binary, folder, family, prove):
    run(binary, folder, "train", "project", "--family", family, *SETTINGS[family], "--data", "rows.csv")
    run(binary, folder, "model", "export", "bank-churn", f"release-{family}")
    for form in ("sql", "pmml"):
        path = f"{family}.{form}"
        run(binary, folder, "model", "export", "bank-churn", "--format", form, "--key", "row", "--out", path)
        if prove and form == "sql":
            spoil(os.path.join(folder, path))
        ended = subprocess.run([reader(), CHECKER, f"release-{family}", path], cwd=folder, capture_output=True, text=True,
                               timeout=SECONDS_MAX)
        if ended.returncode == 7:
            found.skip(f"{path}: {ended.stdout.strip()}")
            continue
        found.figure(path, (ended.stdout.strip().splitlines() or ["no answer"])[-1])
        found.check(ended.returncode == 0, lambda: f"{path}: {ended.stdout}{ended.stderr}")


def spoil(path):
    """Another value where the first condition holds."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    with open(path, "w", encoding="utf-8") as file:
        file.write(re.sub(r"THEN (-?[0-9.e-]+)", "THEN 7.25", text))


def main():
    args = arguments()

    def examine(args, binary, work, found):
        run(binary, work, "init")
        run(binary, work, "demo", "project", "--project", "bank-churn", "--out", "project")
        run(binary, work, "demo", "data", "--project", "bank-churn", "--rows", str(args.rows), "--out", "rows.csv")
        for family in args.families.split(","):
            check_family(found, binary, work, family, args.prove)

    return verdict.run(args, examine)


if __name__ == "__main__":
    sys.exit(main())
