#!/usr/bin/env python3
"""Boosting, its scoring and its Shapley values beside LightGBM on the same rows, CPU-seconds of one thread each.

  run.py DATA_DIR [--sets lendingclub,uci_default] [--rounds 3] [--bench PATH]

DATA_DIR as for tests/bench/quality/run.py. Fold 0 tests, the rest teaches. LightGBM: 15 leaves, rate 0.05, stopped on
an inner 12 %; its time includes its Dataset, ours the coding of raw values. Needs lightgbm, pandas and scikit-learn;
builds the bench itself (`cargo bench --bench trees --no-run`) unless told where it is. Exit 1 where a limit is missed:
0.8 of LightGBM's training time, 100 MB, 500,000 rows scored and five times its Shapley rows a CPU-second.
"""
import argparse, csv, json, os, statistics, subprocess, sys, tempfile, time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "quality"))
import run as quality


def lightgbm_side(path):
    import lightgbm, numpy, pandas
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import train_test_split
    frame = pandas.read_csv(path)
    y = (frame["outcome"] == "yes").astype(int).to_numpy()
    test = (frame["test"] == 1).to_numpy()
    x = frame.drop(columns=["outcome", "test"])
    for column in x.columns:
        if column.startswith("level"):
            x[column] = x[column].astype(object).where(x[column].notna(), "?").astype(str)
            x[column] = pandas.Categorical(x[column], sorted(x[column][~test].unique()))
        else:
            x[column] = x[column].astype(float)
    teach, taught = x[~test], y[~test]
    inner, valid = train_test_split(numpy.arange(len(teach)), test_size=0.12, random_state=42, stratify=taught)
    begun = time.process_time()
    model = lightgbm.LGBMClassifier(n_estimators=2000, learning_rate=0.05, num_leaves=15, min_child_samples=40, subsample=0.8,
                                    subsample_freq=1, colsample_bytree=0.8, reg_lambda=1.0, n_jobs=1, random_state=42, verbosity=-1)
    model.fit(teach.iloc[inner], taught[inner], eval_set=[(teach.iloc[valid], taught[valid])],
              callbacks=[lightgbm.early_stopping(60, verbose=False)])
    train_s = time.process_time() - begun
    rows = x[test]

    def rate(work):
        begun, done = time.process_time(), 0
        while time.process_time() - begun < 0.5:
            work()
            done += len(rows)
        return done / (time.process_time() - begun)

    return {"train_s": train_s, "trees": model.best_iteration_, "auc": roc_auc_score(y[test], model.predict_proba(rows, num_threads=1)[:, 1]),
            "score": rate(lambda: model.predict_proba(rows, num_threads=1)),
            "shap": rate(lambda: model.predict_proba(rows, pred_contrib=True, num_threads=1)), "labels": y[test].tolist()}


def find_bench():
    done = subprocess.run(["cargo", "bench", "--bench", "trees", "--no-run", "--message-format=json"], capture_output=True, text=True)
    made = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    found = [m["executable"] for m in made if m.get("target", {}).get("name") == "trees" and m.get("executable")]
    if not found:
        sys.exit(done.stderr)
    return found[-1]


def auc(labels, scores):
    order = sorted(range(len(scores)), key=scores.__getitem__)
    ranks, at = [0.0] * len(scores), 0
    while at < len(order):
        end = at
        while end < len(order) and scores[order[end]] == scores[order[at]]:
            end += 1
        for place in range(at, end):
            ranks[order[place]] = (at + end + 1) / 2
        at = end
    positives = sum(labels)
    return (sum(r for r, l in zip(ranks, labels) if l) - positives * (positives + 1) / 2) / (positives * (len(labels) - positives))


def main():
    options = argparse.ArgumentParser()
    options.add_argument("data")
    options.add_argument("--sets", default="lendingclub,uci_default")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--bench")
    a = options.parse_args()
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = "1"
    bench = a.bench or find_bench()
    meta = json.load(open(f"{a.data}/datasets.json"))
    missed = []
    with tempfile.TemporaryDirectory() as folder:
        for name in a.sets.split(","):
            quality.write_set(a.data, name, meta[name], f"{folder}/all.csv")
            with open(f"{folder}/all.csv", newline="") as source, open(f"{folder}/{name}.csv", "w", newline="") as target:
                rows, writer = csv.reader(source), csv.writer(target)
                writer.writerow(next(rows)[:-1] + ["test"])
                writer.writerows(row[:-1] + ["1" if row[-1] == "0" else "0"] for row in rows)
            ours, theirs = [], []
            for _ in range(a.rounds):
                theirs.append(lightgbm_side(f"{folder}/{name}.csv"))
                ours.append(json.loads(subprocess.run([bench, f"{folder}/{name}.csv"], capture_output=True, text=True, check=True).stdout))
            middle = lambda rounds, key: statistics.median(r[key] for r in rounds)
            train = statistics.median(o["train_s"] / t["train_s"] for o, t in zip(ours, theirs))
            shap = statistics.median(o["shap_rows_per_s"] / t["shap"] for o, t in zip(ours, theirs))
            score = middle(ours, "score_rows_per_s")
            same = shap * ours[0]["trees"] / theirs[0]["trees"]
            print(f"{name}: training {middle(ours, 'train_s'):.3f} s (coding {middle(ours, 'coded_s'):.3f}) against {middle(theirs, 'train_s'):.3f} s: {train:.2f};"
                  f" {middle(ours, 'fit_mb'):.0f} MB more; AUC {auc(theirs[0]['labels'], ours[0]['margins']):.4f} against {theirs[0]['auc']:.4f};"
                  f" {ours[0]['trees']} trees against {theirs[0]['trees']}")
            print(f"  scoring {score / 1e3:.0f}k rows a CPU-second against {middle(theirs, 'score') / 1e3:.0f}k;"
                  f" Shapley {middle(ours, 'shap_rows_per_s') / 1e3:.1f}k against {middle(theirs, 'shap') / 1e3:.1f}k: {shap:.1f} times ({same:.0f} times a tree), adds up to {max(o['shap_gap'] for o in ours):.1e}", flush=True)
            missed += [f"{name}: {what}" for what, bad in (("training", train > 0.8), ("memory", middle(ours, "fit_mb") > 100), ("scoring", score < 5e5), ("Shapley", shap < 5)) if bad]
    print("missed: " + ", ".join(missed) if missed else "within every limit")
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
