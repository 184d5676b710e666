#!/usr/bin/env python3
"""Makes the fixtures that the metrics are held against, from scikit-learn and scipy.

    python tests/oracles/metrics.py            writes fixtures/oracles/metrics*.json
    python tests/oracles/metrics.py --check    recomputes and compares; exit code 1 on a difference

Needs scikit-learn (with numpy and scipy); the version that made a fixture is named in it.
"""

import argparse
import json
import math
import pathlib
import sys

import numpy as np
import scipy.stats
import sklearn
from sklearn import metrics as sk
from sklearn.isotonic import IsotonicRegression

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "fixtures" / "oracles"
TOLERANCE = 1e-12


def plain_rows():
    """400 rows, a fifth positive, three decimals: some ties."""
    rng = np.random.default_rng(20240501)
    labels = (rng.random(400) < 0.2).astype(int)
    margin = -1.6 + 1.3 * labels + rng.normal(size=400)
    return labels, np.round(1 / (1 + np.exp(-margin)), 3)


def tied_rows():
    """601 rows, few positives, seven distinct scores; a positive at 0 and a negative at 1 make the log loss clip."""
    rng = np.random.default_rng(7)
    labels = (rng.random(601) < 0.04).astype(int)
    levels = np.array([0.0, 0.02, 0.05, 0.1, 0.3, 0.8, 1.0])
    place = np.clip(np.round(rng.normal(1.4 + 1.6 * labels, 1.2)), 0, 6).astype(int)
    labels[:2], place[:2] = [1, 0], [0, 6]
    return labels, levels[place]


def ece(labels, scores, bins=15):
    parts = reliability(labels, scores, bins)
    return sum(p["rows"] * abs(p["probability_mean"] - p["positive_rate"]) for p in parts) / len(labels)


def reliability(labels, scores, bins=15):
    order = np.argsort(scores, kind="stable")
    return [
        {
            "rows": len(part),
            "positives": int(labels[part].sum()),
            "probability_mean": float(scores[part].mean()),
            "positive_rate": float(labels[part].mean()),
        }
        for part in np.array_split(order, bins)
        if len(part)
    ]


def captured(labels, scores, rank):
    """Positives expected among the `rank` highest rows if rows of one score stand in random order."""
    found, left = 0.0, rank
    for score in np.unique(scores)[::-1]:
        tied = labels[scores == score]
        take = min(left, len(tied))
        found += tied.sum() * take / len(tied)
        left -= take
    return found


def gain(labels, scores):
    rows, base = [], labels.mean()
    borders = np.cumsum([0] + [len(part) for part in np.array_split(np.arange(len(labels)), 10)])
    for decile, (start, end) in enumerate(zip(borders[:-1], borders[1:]), 1):
        above, below = captured(labels, scores, end), captured(labels, scores, start)
        rows.append({
            "decile": decile,
            "rows": int(end - start),
            "positives": float(above - below),
            "rate": float((above - below) / (end - start)),
            "lift": float((above - below) / (end - start) / base),
            "captured": float(above / labels.sum()),
            "cumulative_lift": float(above / end / base),
        })
    return rows


def ranking(labels, scores):
    top = math.ceil(len(labels) / 10)
    auc = sk.roc_auc_score(labels, scores)
    return {
        "rows": float(len(labels)),
        "positives": float(labels.sum()),
        "base_rate": float(labels.mean()),
        "auc": float(auc),
        "pr_auc": float(sk.average_precision_score(labels, scores)),
        "gini": float(2 * auc - 1),
        "ks": float(scipy.stats.ks_2samp(scores[labels == 1], scores[labels == 0]).statistic),
        "log_loss": float(sk.log_loss(labels, scores)),
        "brier": float(sk.brier_score_loss(labels, scores)),
        "ece": float(ece(labels, scores)),
        "lift_10": float(captured(labels, scores, top) / top / labels.mean()),
        "captured_10": float(captured(labels, scores, top) / labels.sum()),
    }


def at_threshold(labels, scores, threshold):
    flagged = (scores >= threshold).astype(int)
    (tn, fp), (fn, tp) = sk.confusion_matrix(labels, flagged)
    return {
        "threshold": threshold,
        "true_positives": float(tp),
        "false_positives": float(fp),
        "true_negatives": float(tn),
        "false_negatives": float(fn),
        "accuracy": float(sk.accuracy_score(labels, flagged)),
        "balanced_accuracy": float(sk.balanced_accuracy_score(labels, flagged)),
        "precision": float(sk.precision_score(labels, flagged, zero_division=0.0)),
        "recall": float(sk.recall_score(labels, flagged)),
        "specificity": float(sk.recall_score(labels, flagged, pos_label=0)),
        "f1": float(sk.f1_score(labels, flagged, zero_division=0.0)),
        "f2": float(sk.fbeta_score(labels, flagged, beta=2, zero_division=0.0)),
        "mcc": float(sk.matthews_corrcoef(labels, flagged)),
    }


def delong(labels, scores):
    """The variance of the AUC from all pairs, as DeLong, DeLong and Clarke-Pearson (1988) write it."""
    ones, zeros = scores[labels == 1], scores[labels == 0]
    won = (ones[:, None] > zeros[None, :]) + 0.5 * (ones[:, None] == zeros[None, :])
    return float(won.mean(axis=1).var(ddof=1) / len(ones) + won.mean(axis=0).var(ddof=1) / len(zeros))


def isotonic(labels, scores):
    """What scikit-learn's isotonic regression gives each distinct score, from the lowest up."""
    fitted = IsotonicRegression(out_of_bounds="clip").fit(scores, labels)
    return {"probability": np.unique(scores).tolist(), "rate": fitted.predict(np.unique(scores)).tolist()}


def roc(labels, scores):
    fpr, tpr, thresholds = sk.roc_curve(labels, scores, drop_intermediate=True)
    return {"fpr": fpr.tolist(), "tpr": tpr.tolist(), "threshold": thresholds[1:].tolist()}


def precision_recall(labels, scores):
    precision, recall, thresholds = sk.precision_recall_curve(labels, scores, drop_intermediate=True)
    return {
        "precision": precision[::-1].tolist(),
        "recall": recall[::-1].tolist(),
        "threshold": thresholds[::-1].tolist(),
    }


def best_threshold(labels, scores, value):
    """The highest threshold with the smallest value; `None` stands for flagging no row."""
    best = (value(np.zeros(len(labels), dtype=int)), None)
    for threshold in np.unique(scores)[::-1]:
        here = value((scores >= threshold).astype(int))
        if here < best[0]:
            best = (here, float(threshold))
    return {"threshold": best[1], "value": float(abs(best[0]))}


def thresholds(labels, scores):
    def cost(missed, refused):
        def total(flagged):
            return missed * ((labels == 1) & (flagged == 0)).sum() + refused * ((labels == 0) & (flagged == 1)).sum()

        return best_threshold(labels, scores, total)

    def share(at_most):
        return best_threshold(labels, scores, lambda f: -f.mean() if f.mean() <= at_most else 1.0)

    def f_score(beta):
        return best_threshold(labels, scores, lambda f: -sk.fbeta_score(labels, f, beta=beta, zero_division=0.0))

    return {
        "cost_5_1": cost(5.0, 1.0),
        "cost_20_1": cost(20.0, 1.0),
        "rate_0.1": share(0.1),
        "rate_0.25": share(0.25),
        "f_beta_1": f_score(1.0),
        "f_beta_2": f_score(2.0),
    }


def bootstrap(labels, scores, threshold, rounds=2000):
    """Stratified percentile intervals by a generator of numpy's: for comparison within sampling error only."""
    rng = np.random.default_rng(1)
    ones, zeros = np.flatnonzero(labels == 1), np.flatnonzero(labels == 0)
    drawn = {name: [] for name in ("auc", "pr_auc", "ks", "log_loss", "brier", "f1")}
    for _ in range(rounds):
        rows = np.concatenate([rng.choice(ones, len(ones)), rng.choice(zeros, len(zeros))])
        y, p = labels[rows], scores[rows]
        drawn["auc"].append(sk.roc_auc_score(y, p))
        drawn["pr_auc"].append(sk.average_precision_score(y, p))
        drawn["ks"].append(np.abs(np.subtract(*sk.roc_curve(y, p)[:2])).max())
        drawn["log_loss"].append(sk.log_loss(y, p))
        drawn["brier"].append(sk.brier_score_loss(y, p))
        drawn["f1"].append(sk.f1_score(y, (p >= threshold).astype(int), zero_division=0.0))
    return {
        "threshold": threshold,
        "rounds": rounds,
        "intervals": {name: np.quantile(values, [0.025, 0.975]).tolist() for name, values in drawn.items()},
    }


def fixture(labels, scores, cuts, bootstrap_at):
    return {
        "made_by": {"scikit-learn": sklearn.__version__, "numpy": np.__version__, "scipy": scipy.__version__},
        "labels": labels.tolist(),
        "probabilities": scores.tolist(),
        "ranking": ranking(labels, scores),
        "at_thresholds": [at_threshold(labels, scores, cut) for cut in cuts],
        "auc_variance": delong(labels, scores),
        "isotonic": isotonic(labels, scores),
        "reliability": reliability(labels, scores),
        "gain": gain(labels, scores),
        "roc": roc(labels, scores),
        "precision_recall": precision_recall(labels, scores),
        "choices": thresholds(labels, scores),
        "bootstrap": bootstrap(labels, scores, bootstrap_at),
    }


def fixtures():
    yield "metrics.json", fixture(*plain_rows(), [0.1, 0.25, 0.5, 0.99], 0.25)
    yield "metrics_ties.json", fixture(*tied_rows(), [0.05, 0.3, 1.0], 0.1)


def differences(stored, made, path=""):
    """Where two values differ beyond rounding, by path."""
    if isinstance(made, dict) and isinstance(stored, dict):
        for key in sorted(set(stored) | set(made)):
            yield from differences(stored.get(key), made.get(key), f"{path}/{key}")
    elif isinstance(made, list) and isinstance(stored, list) and len(made) == len(stored):
        for index, (one, other) in enumerate(zip(stored, made)):
            yield from differences(one, other, f"{path}/{index}")
    elif isinstance(made, float) and isinstance(stored, float):
        if abs(made - stored) > TOLERANCE:
            yield f"{path}: stored {stored!r}, made {made!r}"
    elif made != stored:
        yield f"{path}: stored {stored!r}, made {made!r}"


def to_text(made):
    """One line a top-level key: small to read in a diff; floats keep every digit (repr)."""
    lines = [f"{json.dumps(key)}: {json.dumps(value, allow_nan=False)}" for key, value in made.items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with the stored fixtures, write nothing")
    check = parser.parse_args().check
    wrong = 0
    for name, made in fixtures():
        path = FOLDER / name
        if not check:
            FOLDER.mkdir(parents=True, exist_ok=True)
            path.write_text(to_text(made), encoding="utf-8")
            print(f"{path}: written")
            continue
        stored = json.loads(path.read_text(encoding="utf-8"))
        # Another release of the libraries may make the same numbers.
        for side in (stored, made):
            side.pop("made_by")
        found = list(differences(stored, made))
        wrong += len(found)
        print(f"{path}: {len(found)} differences", *found[:20], sep="\n  ")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
