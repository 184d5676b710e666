#!/usr/bin/env python3
"""How long a decision takes while the same box trains, beside how long it takes while it does not.

  train_beside.py [--seconds 8] [--rounds 3] [--connections 8] [--rows 100000] [--binary PATH] [--json]

Needs wrk and a tallystick built as a release. Each round has one window of decisions on the idle server and one while
a run trains in its child, on the same cores and the same disk; what is compared is the p99 within each round. Exit 1
when a request fails, no child trains, or the median of the rounds' ratios is above 3; 7 when it cannot run.
"""
import argparse, json, os, shutil, statistics, sys, tempfile, time

import figures
import servers
from servers import Place, Unavailable, note, tallystick

RATIO_MAX = 3.0
CHILD_SECONDS_MAX = 120
ENDLESS = ["--set", "logistic.epochs=10000", "--set", "logistic.patience=10000"]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=8, help="a window's length")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--rows", type=int, default=100_000, help="rows the run trains on")
    parser.add_argument("--binary", help="a tallystick already built")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def main():
    args = arguments()
    if not shutil.which("wrk"):
        note("wrk is missing; install it (apt-get install wrk)")
        return 7
    cache = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "tallystick")
    os.makedirs(cache, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-beside-", dir=cache) as work:
        try:
            binary = args.binary or servers.built(["build", "--release", "--bin", "tallystick"], "tallystick", [])
            report = bench(args, Place(work, cache, os.path.abspath(binary), ""))
        except Unavailable as e:
            note(f"NOT MEASURED: {e}")
            return 7
    print(json.dumps(report, indent=1) if args.json else as_text(report))
    return 1 if report["faults"] or report["ratio"] > RATIO_MAX else 0


def bench(args, place):
    home = ["--home", servers.home_with_model(place)]
    project, data = os.path.join(place.work, "project"), os.path.join(place.work, "loans.csv")
    tallystick(place, "demo", "data", "--rows", str(args.rows), "--out", data)
    rows_file = os.path.join(place.work, "rows.jsonl")
    with open(rows_file, "w") as out:
        for row in servers.sample_rows(place, 100):
            out.write(json.dumps({**row, "loan_id": "@ID@"}, separators=(",", ":")) + "\n")
    report = {"seconds": args.seconds, "connections": args.connections, "rows": args.rows, "cores": os.cpu_count(),
              "windows": [], "faults": []}
    server = servers.start_tallystick(place, 1)
    try:
        figures.load(server, rows_file, args.connections, min(2, args.seconds))
        for turn in range(1, args.rounds + 1):
            window(args, server, rows_file, report, (turn, "idle"))
            run = json.loads(tallystick(place, *home, "--json", "train", project, "--data", data, "--detach",
                                        *ENDLESS, "--set", f"seed={turn}"))["run_id"]
            wait_for_training(place, home, run)
            window(args, server, rows_file, report, (turn, "training"))
            ended = json.loads(tallystick(place, *home, "--json", "run", "cancel", run))
            if ended["status"] != "RUNNING" or ended.get("stage") != "train":
                report["faults"].append(f"round {turn}: the run did not train all the time: {ended}")
            wait_for_end(place, home, run)
    finally:
        server.stop()
    by_turn = {}
    for found in report["windows"]:
        by_turn.setdefault(found["round"], {})[found["while"]] = found["p99_ms"]
    ratios = [both["training"] / both["idle"] for both in by_turn.values()]
    report["ratios"], report["ratio"] = ratios, statistics.median(ratios)
    return report


def window(args, server, rows_file, report, when):
    found = figures.measure(server, rows_file, args.connections, args.seconds)
    report["windows"].append({"round": when[0], "while": when[1], **found})
    note(f"round {when[0]}, {when[1]}: {found['per_s']:.0f}/s, p50 {found['p50_ms']:.2f} ms, "
         f"p99 {found['p99_ms']:.2f} ms")
    if found["failed"]:
        report["faults"].append(f"round {when[0]}, {when[1]}: {found['failed']} requests failed")


def wait_for_training(place, home, run):
    """Until the run's child is past reading and encoding: from then on it only trains."""
    end = time.monotonic() + CHILD_SECONDS_MAX
    while time.monotonic() < end:
        shown = json.loads(tallystick(place, *home, "--json", "run", "show", run))
        if any(metric["key"] == "valid_loss" for metric in shown["data"]["metrics"]):
            return
        if shown["info"]["status"] not in ("SCHEDULED", "RUNNING"):
            break
        time.sleep(0.2)
    raise Unavailable(f"the run {run} does not train")


def wait_for_end(place, home, run):
    end = time.monotonic() + CHILD_SECONDS_MAX
    while time.monotonic() < end:
        if json.loads(tallystick(place, *home, "--json", "run", "show", run))["info"]["status"] == "KILLED":
            return
        time.sleep(0.1)
    raise Unavailable(f"the run {run} does not end")


def as_text(report):
    lines = [f"{report['connections']} connections, {report['cores']} cores, a run over {report['rows']:,} rows beside:",
             "", "| round | while | decisions/s | p50 ms | p99 ms |", "|---|---|---|---|---|"]
    lines += [f"| {w['round']} | {w['while']} | {w['per_s']:,.0f} | {w['p50_ms']:.2f} | {w['p99_ms']:.2f} |"
              for w in report["windows"]]
    verdict = "kept" if report["ratio"] <= RATIO_MAX else "MISSED"
    lines += ["", f"p99 while training over p99 idle: median {report['ratio']:.2f} "
                  f"({min(report['ratios']):.2f} to {max(report['ratios']):.2f}), at most {RATIO_MAX}: {verdict}"]
    return "\n".join(lines + [f"FAULT: {fault}" for fault in report["faults"]])


if __name__ == "__main__":
    sys.exit(main())
