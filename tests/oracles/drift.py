#!/usr/bin/env python3
"""Makes the fixture that the statistics of drift are held against, from scipy and from Evidently's own functions.

    python tests/oracles/drift.py            writes fixtures/oracles/drift.json
    python tests/oracles/drift.py --check    recomputes and compares; exit code 1 on a difference

Needs evidently (with scipy, numpy, pandas below 3); the versions that made the fixture are named in it.
"""

import argparse
import json
import math
import pathlib
import sys
import warnings

import evidently
import numpy as np
import pandas as pd
import scipy
from evidently.legacy.calculations.stattests import chi_stat_test, jensenshannon_stat_test, wasserstein_stat_test, z_stat_test
from evidently.legacy.calculations.stattests.registry import get_stattest
from evidently.legacy.core import ColumnType
from scipy import stats

FILE = pathlib.Path(__file__).resolve().parents[2] / "fixtures" / "oracles" / "drift.json"
TOLERANCE = 1e-12


def numbers(plan):
    """Sample i of a plan: the same floats in every language, for only whole numbers are multiplied."""
    rows, factor, modulus, divisor, shift = plan
    return [(i * factor % modulus + shift) / divisor for i in range(rows)]


# Of each sample: rows, factor, modulus, divisor, shift.
PLANS = [
    ("small, different sizes", (37, 7919, 1009, 10, 0), (23, 104729, 1009, 10, 120)),
    ("one size", (60, 7919, 1009, 100, 0), (60, 104729, 1013, 100, 100)),
    ("one size, far apart", (200, 7919, 1009, 100, 0), (200, 104729, 1009, 100, 700)),
    ("a thousand against a few hundred", (1000, 7919, 10007, 100, 0), (321, 104729, 10007, 100, 300)),
    ("a thousand against ten thousand", (1000, 7919, 10007, 100, 0), (10000, 15485863, 10009, 100, 250)),
    ("many ties", (900, 7919, 7, 1, 0), (400, 104729, 9, 1, 0)),
    ("asymptotic, alike", (1000, 7919, 10007, 100, 0), (10007, 15485863, 10009, 100, 0)),
    ("asymptotic, near", (997, 7919, 10007, 100, 0), (12000, 15485863, 10009, 100, 400)),
    ("asymptotic, apart", (400, 7919, 10007, 100, 0), (15000, 15485863, 10009, 100, 1500)),
    ("asymptotic, few", (50, 7919, 10007, 100, 0), (15000, 15485863, 10009, 100, 900)),
    ("asymptotic, three rows", (3, 7919, 10007, 100, 0), (15000, 15485863, 10009, 100, 1)),
    ("beyond a thousand", (1500, 7919, 10007, 100, 0), (700, 104729, 10009, 100, 500)),
    ("beyond a thousand, alike", (2500, 7919, 10007, 100, 0), (1500, 104729, 10007, 100, 0)),
    ("beyond a thousand, a constant reference", (1200, 0, 7, 1, 3), (500, 104729, 11, 10000, 30000)),
    ("beyond a thousand, five values", (1200, 7919, 5, 1, 0), (500, 104729, 3, 1, 0)),
    ("five values", (700, 7919, 5, 1, 0), (500, 104729, 4, 1, 0)),
    ("two values", (700, 7919, 2, 1, 0), (499, 0, 2, 1, 1)),
    ("the same constant", (700, 0, 2, 1, 4), (500, 0, 2, 1, 4)),
    ("two constants", (700, 0, 2, 1, 4), (500, 0, 2, 1, 5)),
]

# Rows by level, then and now.
COUNTS = [
    ("three levels", [310, 402, 188], [120, 90, 110]),
    ("three levels, alike", [310, 402, 188], [155, 201, 94]),
    ("two levels", [612, 288], [201, 140]),
    ("a level that has gone", [400, 300, 200, 100], [90, 80, 30, 0]),
    ("a level that is new", [400, 300, 200, 0], [90, 80, 30, 4]),
    ("many levels", [10 + 7 * i % 90 for i in range(40)], [5 + 11 * i % 60 for i in range(40)]),
    ("thousands", [5200, 3100, 900, 800], [1400, 1500, 210, 310]),
    ("one level", [500], [200]),
]


def finite(value):
    return None if value is None or not math.isfinite(value) else float(value)


def evidently_rule(reference, current, kind):
    reference, current = pd.Series(reference), pd.Series(current)
    test = get_stattest(reference, current, kind, None)
    result = test(reference, current, kind, None)
    return {"method": test.name, "score": finite(float(result.drift_score)), "drifted": bool(result.drifted)}


def numbers_case(name, reference_plan, current_plan):
    reference, current = numbers(reference_plan), numbers(current_plan)
    ks = stats.ks_2samp(reference, current)
    return {
        "name": name,
        "reference": reference_plan,
        "current": current_plan,
        "ks": float(ks.statistic),
        "ks_p": float(ks.pvalue),
        "wasserstein": float(stats.wasserstein_distance(reference, current)),
        "deviation": float(np.std(pd.Series(reference))),
        "wasserstein_normed": wasserstein_stat_test(pd.Series(reference), pd.Series(current), ColumnType.Numerical, None).drift_score,
        "rule": evidently_rule(reference, current, ColumnType.Numerical),
    }


def psi(reference, current):
    """An empty bin is half a row, at most the other side's share; one that is empty on both sides is none."""
    p, q = np.array(reference) / sum(reference), np.array(current) / sum(current)
    used = (p > 0) | (q > 0)
    p, q = p[used], q[used]
    first = np.where(p == 0, np.minimum(0.5 / sum(reference), q), p)
    second = np.where(q == 0, np.minimum(0.5 / sum(current), p), q)
    return float(np.sum((second - first) * np.log(second / first)))


def chance(used, rows):
    """The lesser of the test of all bins, sparse ones pooled, and of the exact test of each, as often as there are bins; doubled."""
    alone = len(used) * min(two_shares(hits, rows) for hits in used)
    least = min(rows) / sum(rows)
    kept = [np.array(bin) for bin in used if sum(bin) * least >= 5]
    pooled = sum((np.array(bin) for bin in used if sum(bin) * least < 5), np.zeros(2))
    if sum(pooled) * least >= 5:
        kept.append(pooled)
    elif kept:
        smallest = min(range(len(kept)), key=lambda at: sum(kept[at]))
        kept[smallest] = kept[smallest] + pooled
    together = stats.chi2_contingency(np.array(kept).T, correction=False).pvalue if len(kept) > 1 else 1.0
    return float(min(1.0, 2 * min(alone, together)))


def counts_case(name, reference, current):
    levels = [f"L{i:03}" for i in range(len(reference))]
    series = [pd.Series(np.repeat(levels, counts)) for counts in (reference, current)]
    score = lambda test: finite(float(test(*series, ColumnType.Categorical, None).drift_score))
    used = [(r, c) for r, c in zip(reference, current) if r + c]
    expected = np.array(reference) * (sum(current) / sum(reference))
    two = len(reference) == 2
    return {
        "name": name,
        "reference": reference,
        "current": current,
        "psi": psi(reference, current),
        "chance": chance(used, [sum(reference), sum(current)]),
        "chi_square": finite(float(stats.chisquare(current, expected).statistic)) if len(used) > 1 else 0.0,
        "chi_square_p": score(chi_stat_test) if len(used) > 1 else 1.0,
        "cramers_v": float(stats.contingency.association(np.array(used).T, method="cramer")) if len(used) > 1 else 0.0,
        "jensen_shannon": score(jensenshannon_stat_test),
        "z_p": score(z_stat_test) if two else None,
        "rule": evidently_rule(*series, ColumnType.Categorical),
    }


def tails():
    chi = [(x, k) for k in (1, 2, 3, 9, 30, 101, 1000) for x in (0.01, 0.5, k * 0.5, float(k), k * 1.3 + 3, k * 2.0 + 40)]
    kolmogorov = [(n, x) for n in (1, 2, 5, 20, 100, 140, 141, 400, 999, 5000, 60000)
                  for x in (0.3 / n, 0.7 / n, 1.5 / n, 0.4 / n**0.5, 0.6 / n**0.5, 0.9 / n**0.5, 1.2 / n**0.5, 1.6 / n**0.5, 2.1 / n**0.5, 3 / n**0.5, 0.55, 1 - 0.5 / n)
                  if x < 1]
    shares = [((3, 9), (400, 90)), ((0, 3), (10000, 30)), ((10, 0), (300, 200)), ((50, 25), (1000, 500)), ((700, 300), (20000, 5000)), ((1, 1), (2, 9))]
    return {
        "chi_square": [[x, k, float(stats.chi2.sf(x, k))] for x, k in chi],
        "normal_two_sided": [[z, float(2 * stats.norm.sf(z))] for z in (0.0, 0.001, 0.4, 1.0, 1.96, 3.3, 6.0, 12.0)],
        "kolmogorov": [[n, x, float(stats.kstwo.sf(x, n))] for n, x in kolmogorov],
        "two_shares": [[list(hits), list(rows), two_shares(hits, rows)] for hits, rows in shares],
    }


def two_shares(hits, rows):
    law = stats.hypergeom(sum(rows), sum(hits), rows[1])
    tail = law.sf(hits[1] - 1) if hits[1] >= sum(hits) * rows[1] / sum(rows) else law.cdf(hits[1])
    return float(min(1.0, 2 * tail))


def fixture():
    return {
        "made_with": {"evidently": evidently.__version__, "scipy": scipy.__version__, "numpy": np.__version__, "pandas": pd.__version__},
        "numbers": [numbers_case(*plan) for plan in PLANS],
        "counts": [counts_case(*counts) for counts in COUNTS],
        "tails": tails(),
    }


def differ(ours, theirs, path=""):
    if isinstance(ours, dict):
        return [d for key in ours for d in differ(ours[key], theirs.get(key), f"{path}/{key}")]
    if isinstance(ours, (list, tuple)):
        if len(ours) != len(theirs):
            return [path]
        return [d for at, (a, b) in enumerate(zip(ours, theirs)) for d in differ(a, b, f"{path}/{at}")]
    if isinstance(ours, float) and isinstance(theirs, (int, float)):
        return [] if abs(ours - theirs) <= TOLERANCE * max(1.0, abs(theirs)) else [f"{path}: {ours} {theirs}"]
    return [] if ours == theirs else [f"{path}: {ours} {theirs}"]


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--check", action="store_true")
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    made = fixture()
    if options.parse_args().check:
        kept = json.loads(FILE.read_text())
        made["made_with"] = kept["made_with"]
        found = differ(made, kept)
        print("\n".join(found) or "the fixture holds")
        sys.exit(1 if found else 0)
    FILE.write_text(json.dumps(made, indent=None, separators=(",", ":")).replace("},{", "},\n{") + "\n")


if __name__ == "__main__":
    main()
