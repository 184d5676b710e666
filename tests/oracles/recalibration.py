#!/usr/bin/env python3
"""Makes the fixture that the slope and intercept of calibration are held against, from statsmodels.

    python tests/oracles/recalibration.py            writes fixtures/oracles/recalibration.json
    python tests/oracles/recalibration.py --check    recomputes and compares; exit code 1 on a difference

Needs statsmodels (with numpy); the version that made the fixture is named in it.
"""

import argparse
import json
import math
import pathlib
import sys

import numpy as np
import statsmodels
import statsmodels.api as sm

PATH = pathlib.Path(__file__).resolve().parents[2] / "fixtures" / "oracles" / "recalibration.json"
TOLERANCE = 1e-8


def fit(labels, design, offset=None):
    model = sm.GLM(labels, design, family=sm.families.Binomial(), offset=offset)
    return model.fit(tol=1e-14, maxiter=200)


def case(name, labels, probabilities):
    """Cox's slope with a free level, and the level with the slope held at one."""
    log_odds = np.log(probabilities / (1 - probabilities))
    slope = fit(labels, np.column_stack([np.ones_like(log_odds), log_odds]))
    level = fit(labels, np.ones((len(labels), 1)), log_odds)
    return {
        "name": name,
        "labels": labels.tolist(),
        "probabilities": probabilities.tolist(),
        "slope": float(slope.params[1]),
        "slope_error": float(slope.bse[1]),
        "intercept": float(level.params[0]),
        "intercept_error": float(level.bse[0]),
    }


def draw(seed, rows, slope, level):
    rng = np.random.default_rng(seed)
    log_odds = rng.normal(-1.3, 1.1, rows)
    labels = (rng.random(rows) < 1 / (1 + np.exp(-(level + slope * log_odds)))).astype(int)
    return labels, np.round(1 / (1 + np.exp(-log_odds)), 3).clip(0.001, 0.999)


def cases():
    return {
        "made_by": f"statsmodels {statsmodels.__version__}",
        "cases": [
            case("right", *draw(1, 300, 1.0, 0.0)),
            case("too extreme and too high", *draw(2, 300, 0.5, -0.9)),
            case("says nothing", *draw(3, 250, 0.0, 0.4)),
            case("the wrong way round", *draw(4, 250, -0.8, -1.0)),
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
