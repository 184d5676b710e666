#!/usr/bin/env python3
"""The logistic model on real LendingClub rows beside scikit-learn's binned logistic, on the same folds.

  lendingclub.py DATA_DIR --binary target/release/tallystick [--folds 0,1,2,3,4]

DATA_DIR holds lendingclub.csv.gz, lendingclub.split.csv (row, fold) and datasets.json. The folder is written by
`project new`. With `--columns all` (the default) it sees the raw file, so the leak columns must be found by the program
itself; with `--columns honest` it sees the columns scikit-learn gets, a hand-made list. Needs pandas and scikit-learn.
Exit 1 when the mean AUC is more than 0.005 below scikit-learn's.
"""
import argparse, gzip, json, os, resource, subprocess, sys, tempfile, time


def children_cpu():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def scikit_auc(frame, honest, categorical, y, fold, k):
    import numpy as np
    from sklearn.compose import make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import KBinsDiscretizer, OneHotEncoder
    x = frame[honest].copy()
    numeric = [c for c in honest if c not in categorical]
    x[numeric] = x[numeric].astype(float)
    for c in categorical:
        x[c] = x[c].astype(object).where(x[c].notna(), "?").astype(str)
    test = fold == k
    bins = make_pipeline(SimpleImputer(strategy="constant", fill_value=-1e6),
                         KBinsDiscretizer(n_bins=20, encode="onehot", strategy="quantile",
                                          quantile_method="averaged_inverted_cdf"))
    levels = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=max(5, int((~test).sum()) // 1000))
    model = make_pipeline(make_column_transformer((bins, numeric), (levels, categorical)),
                          LogisticRegression(C=0.1, max_iter=2000))
    model.fit(x[~test], y[~test])
    return roc_auc_score(y[test], model.predict_proba(x[test])[:, 1])


def main():
    import warnings
    import pandas as pd
    warnings.filterwarnings("ignore")
    options = argparse.ArgumentParser()
    options.add_argument("data")
    options.add_argument("--binary", default="target/release/tallystick")
    options.add_argument("--folds", default="0,1,2,3,4")
    options.add_argument("--columns", choices=["all", "honest"], default="all")
    a = options.parse_args()
    binary = os.path.abspath(a.binary)
    meta = json.load(open(f"{a.data}/datasets.json"))["lendingclub"]
    frame = pd.read_csv(gzip.open(f"{a.data}/lendingclub.csv.gz"), low_memory=False)
    fold = pd.read_csv(f"{a.data}/lendingclub.split.csv").sort_values("row")["fold"].to_numpy()
    y = (frame[meta["target"]] == meta["positive"]).astype(int).to_numpy()
    honest = [c for c in frame.columns if c != meta["target"] and c not in meta["drop"]]
    ours, theirs, ratios = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        with gzip.open(f"{a.data}/lendingclub.csv.gz", "rt", newline="") as source, open(f"{folder}/lc.csv", "w", newline="") as out:
            import csv
            writer = csv.writer(out)
            wanted = set(honest) | {meta["target"]} if a.columns == "honest" else set(frame.columns)
            kept = [at for at, name in enumerate(frame.columns) if name in wanted]
            for number, row in enumerate(csv.reader(source)):
                cells = [row[at] for at in kept]
                writer.writerow(cells + ["fold" if number == 0 else str(fold[number - 1])])
        def run(*words):
            done = subprocess.run([binary, "--json", "--home", f"{folder}/home", *words], capture_output=True, text=True, cwd=folder)
            if done.returncode:
                sys.exit(f"{words}: {done.stdout}{done.stderr}")
            return json.loads(done.stdout)
        run("init")
        made = run("project", "new", "--from", "lc.csv", "--name", "lendingclub", "--dir", "project",
                   "--target", meta["target"], "--positive", meta["positive"], "--split", "fold")
        used = [c["name"] for c in made["columns"] if c["role"] == "feature"]
        print(len(used), "features; beyond the honest list:", ", ".join(c for c in used if c not in honest) or "none")
        print("set aside as leaks:", ", ".join(leak["column"] for leak in made["leaks"]))
        for k in map(int, a.folds.split(",")):
            before = children_cpu()
            trained = run("train", "project", "--data", "lc.csv", "--set", f'split.test_values=["{k}"]')
            own_cpu = children_cpu() - before
            ours.append(trained["metrics"]["auc"])
            before = time.process_time()
            theirs.append(scikit_auc(frame, honest, meta["categorical"], y, fold, k))
            their_cpu = time.process_time() - before
            ratios.append(own_cpu / their_cpu)
            print(f"fold {k}: tallystick {ours[-1]:.5f} ({own_cpu:.2f} CPU-s)  scikit-learn {theirs[-1]:.5f} ({their_cpu:.2f} CPU-s)", flush=True)
    difference = sum(ours) / len(ours) - sum(theirs) / len(theirs)
    print(f"mean: tallystick {sum(ours) / len(ours):.5f}  scikit-learn {sum(theirs) / len(theirs):.5f}  difference {difference:+.5f}")
    print(f"CPU, ours over theirs: median {sorted(ratios)[len(ratios) // 2]:.2f} (ours reads, validates, guards, evaluates, draws and signs; theirs fits and scores)")
    sys.exit(0 if difference > -0.005 else 1)


if __name__ == "__main__":
    main()
