#!/usr/bin/env python3
"""Makes the fixture that Shapley values of trees are held against, from LightGBM's pred_contrib.

    python tests/oracles/shap.py            writes fixtures/oracles/shap.json
    python tests/oracles/shap.py --check    recomputes and compares; exit code 1 on a difference

Needs lightgbm (with numpy); the version that made the fixture is named in it. Columns are codes: 0 is the missing
cell (NaN to LightGBM), the others rise from 1.
"""

import argparse
import json
import pathlib
import sys

import lightgbm as lgb
import numpy as np

FILE = pathlib.Path(__file__).resolve().parents[2] / "fixtures" / "oracles" / "shap.json"
TOLERANCE = 1e-12
CODES = [9, 30, 3, 120, 12, 60]


def coded_rows():
    """3000 rows of made-up codes, some missing, with interactions that make paths ask a column again."""
    rng = np.random.default_rng(20240501)
    codes = np.stack([rng.integers(1, n, 3000) for n in CODES], axis=1)
    codes[rng.random(codes.shape) < 0.06] = 0
    x = codes / np.array(CODES)
    margin = np.sin(9 * x[:, 1]) * x[:, 3] + 2 * x[:, 0] * (x[:, 2] > 0.5) - x[:, 4] + np.abs(x[:, 5] - 0.4)
    return codes, (rng.random(3000) < 1 / (1 + np.exp(-2 * margin))).astype(int)


def tree(node):
    """A branch: [column, codes up to this go left, missing goes left, left, right]; a leaf: [value, rows]."""
    if "leaf_value" in node:
        return [node["leaf_value"], node["leaf_count"]]
    threshold = node["threshold"]
    missing_left = node["default_left"] if node["missing_type"] == "NaN" else threshold >= 0
    last = int(np.clip(np.floor(threshold), 0, 255))
    return [node["split_feature"], last, bool(missing_left), tree(node["left_child"]), tree(node["right_child"])]


def made():
    codes, labels = coded_rows()
    cells = np.where(codes == 0, np.nan, codes)
    params = {
        "objective": "binary",
        "num_leaves": 15,
        "learning_rate": 0.2,
        "num_threads": 1,
        "deterministic": True,
        "seed": 1,
        "verbose": -1,
    }
    model = lgb.train(params, lgb.Dataset(cells, labels), 12)
    contributions = model.predict(cells[:20], pred_contrib=True)
    return {
        "made_by": f"lightgbm {lgb.__version__}",
        "codes": CODES,
        "trees": [tree(info["tree_structure"]) for info in model.dump_model()["tree_info"]],
        "rows": codes[:20].tolist(),
        "values": contributions[:, :-1].tolist(),
        "base": float(contributions[0, -1]),
    }


def alike(a, b):
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(alike(a[key], b[key]) for key in a if key != "made_by")
    if isinstance(a, list):
        return len(a) == len(b) and all(map(alike, a, b))
    return abs(a - b) <= TOLERANCE


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    found = made()
    if parser.parse_args().check:
        same = alike(json.loads(FILE.read_text()), found)
        print(f"{FILE.name}: {'as it was' if same else 'DIFFERS'}")
        return 0 if same else 1
    FILE.write_text(json.dumps(found, separators=(",", ":")) + "\n")
    print(f"{FILE.name}: {FILE.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
