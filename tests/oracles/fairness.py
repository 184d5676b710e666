#!/usr/bin/env python3
"""Makes the fixture that the fairness figures are held against, from Fairlearn.

    python tests/oracles/fairness.py            writes fixtures/oracles/fairness.json
    python tests/oracles/fairness.py --check    recomputes and compares; exit code 1 on a difference

Needs fairlearn (with numpy, pandas and scikit-learn); the version that made the fixture is named in it.
"""

import argparse
import json
import math
import pathlib
import sys

import fairlearn
import fairlearn.metrics as fl
import numpy as np
from sklearn.metrics import accuracy_score

PATH = pathlib.Path(__file__).resolve().parents[2] / "fixtures" / "oracles" / "fairness.json"
TOLERANCE = 1e-12

RATES = {
    "selection_rate": fl.selection_rate,
    "tpr": fl.true_positive_rate,
    "fpr": fl.false_positive_rate,
    "tnr": fl.true_negative_rate,
    "fnr": fl.false_negative_rate,
    "accuracy": accuracy_score,
    "base_rate": lambda good, selected: float(np.mean(good)),
}
DIFFERENCES = {
    "demographic_parity_difference": fl.demographic_parity_difference,
    "demographic_parity_ratio": fl.demographic_parity_ratio,
    "equalized_odds_difference": fl.equalized_odds_difference,
    "equalized_odds_ratio": fl.equalized_odds_ratio,
    "equal_opportunity_difference": fl.equal_opportunity_difference,
}


def draw(seed, groups, lift):
    """Cases of groups of the given sizes; each later group is selected less often by `lift` in log-odds."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(len(groups)), groups)
    good = (rng.random(len(group)) < 0.75 - 0.05 * group).astype(int)
    margin = -0.6 + 1.4 * good - lift * group + rng.normal(size=len(group))
    order = rng.permutation(len(group))
    return group[order], good[order], (margin[order] > 0).astype(int)


def case(name, group, good, selected):
    """Good is the positive class; selected is the positive prediction."""
    names = np.array([f"group {chr(ord('a') + g)}" for g in group])
    frame = fl.MetricFrame(metrics=RATES, y_true=good, y_pred=selected, sensitive_features=names)
    return {
        "name": name,
        "group": names.tolist(),
        "good": good.tolist(),
        "selected": selected.tolist(),
        "rates": {g: {k: float(v) for k, v in row.items()} for g, row in frame.by_group.to_dict("index").items()},
        "differences": {
            key: float(metric(good, selected, sensitive_features=names)) for key, metric in DIFFERENCES.items()
        },
    }


def cases():
    never = draw(5, [60, 60], 0.3)
    never[2][never[0] == 1] = 0
    return {
        "made_by": f"fairlearn {fairlearn.__version__}",
        "cases": [
            case("two groups alike", *draw(1, [180, 120], 0.0)),
            case("two groups apart", *draw(2, [200, 100], 0.9)),
            case("four groups", *draw(3, [120, 80, 70, 60], 0.35)),
            case("one group never selected", *never),
        ],
    }


def same(one, other):
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one if k != "made_by")
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float):
        return math.isclose(one, other, rel_tol=0, abs_tol=TOLERANCE)
    return one == other


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", action="store_true")
    made = cases()
    if parser.parse_args().check:
        sys.exit(0 if same(json.loads(PATH.read_text()), made) else 1)
    PATH.write_text(json.dumps(made, separators=(",", ":")) + "\n")


main()
