#!/usr/bin/env python3
"""The scoring server under load, beside three others on the same machine and the same disk.

  run.py [--seconds 8] [--rounds 3] [--only echo,durable] [--fast] [--shipped] [--profile [SERVER]] [--json]

  echo        bare axum and rustls: TLS, HTTP, JSON in and out. The floor.
  durable     the same with one durable, group-committed redb write a request. What keeping a record costs.
  tallystick  `tallystick serve`: the key checked, the row scored with reasons, the record kept.
  fastapi     FastAPI, uvicorn and an ONNX network. What a team would write; keeps no record.

Needs wrk. Owns the order of the windows and the comparison. Every server gets the same rows of the sample, each
request with an id of its own, over TLS 1.3 from wrk with one thread; servers run one after the other, all of them in
every round, so that a machine that grows slower does so for all. Exit 1 when an answer is not 2xx or a server does not
start, 7 when the bench cannot run.
"""
import argparse, json, os, shutil, signal, statistics, sys, tempfile

import figures
import servers
from servers import Place, Unavailable, note

ALL = ["echo", "durable", "tallystick", "fastapi"]
CONNECTIONS = [1, 8, 64]
BUSY = 64
ROWS = 200
# With more than this taken by others, rates and times say more about the machine than about the servers.
OTHER_CORES_MAX = 0.2
# What is compared, at 64 connections: the figure, ours over whose, the limit, the aim, and which way is good.
RATIOS = [
    ("CPU a decision over echo's", "cpu_us", "echo", 6.0, 4.0, "at most"),
    ("CPU a decision over FastAPI's", "cpu_us", "fastapi", 0.5, None, "at most"),
    ("decisions/s over durable's", "per_s", "durable", 0.6, 0.8, "at least"),
]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=8, help="a window's length")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default=",".join(ALL), help="which servers, with commas")
    parser.add_argument("--shipped", action="store_true",
                        help="build tallystick, echo and durable as tallystick is shipped (profile dist; takes long)")
    parser.add_argument("--fast", action="store_true", help="one round of 2 s: a smoke test, no figures to quote")
    parser.add_argument("--profile", nargs="?", const="tallystick", choices=ALL, metavar="SERVER",
                        help="where this server's time goes, by perf, in one more window (tallystick)")
    parser.add_argument("--json", action="store_true", help="one document in place of the tables")
    parser.add_argument("--binary", help="a tallystick already built")
    parser.add_argument("--baselines", help="a serve_baselines already built")
    args = parser.parse_args()
    args.only = [name for name in args.only.split(",") if name]
    unknown = [name for name in args.only if name not in ALL]
    if unknown or not args.only:
        parser.error(f"--only knows {', '.join(ALL)}, not {', '.join(unknown) or 'nothing'}")
    if args.seconds < 1 or args.rounds < 1:
        parser.error("--seconds and --rounds begin at 1")
    if args.fast:
        args.seconds, args.rounds = 2, 1
    return args


def main():
    args = arguments()
    if not shutil.which("wrk"):
        note("wrk is missing; install it (apt-get install wrk)")
        return 7
    # An exit, so that the server that runs is ended on the way.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    cache = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "tallystick")
    os.makedirs(cache, exist_ok=True)
    # In the cache and not in /tmp, which may be memory: a sync must be one.
    with tempfile.TemporaryDirectory(prefix="bench-serve-", dir=cache) as work:
        try:
            report = bench(args, work, cache)
        except Unavailable as e:
            note(f"NOT MEASURED: {e}")
            return 7
    print(json.dumps(report, indent=1) if args.json else as_markdown(report))
    if other_cores(report) > OTHER_CORES_MAX:
        note(f"other work took {other_cores(report):.2f} cores of the machine: quote ratios of CPU, nothing else")
    for fault in report["faults"]:
        note(f"FAULT: {fault}")
    return 1 if report["faults"] else 0


def bench(args, work, cache):
    binary, baselines = args.binary, args.baselines
    if not (binary and baselines):
        made = servers.build(args.shipped, symbols=bool(args.profile))
        binary, baselines = binary or made[0], baselines or made[1]
    place = Place(work, cache, os.path.abspath(binary), os.path.abspath(baselines))
    rows = servers.sample_rows(place, ROWS)
    report = {
        "seconds": args.seconds, "rounds": args.rounds, "rows": len(rows), "cores": os.cpu_count(),
        "file_system": figures.file_system_of(work), "sync_ms": [],
        "windows": [], "skipped": {}, "faults": [], "profile": None,
    }
    if report["file_system"] == "tmpfs":
        note(f"{cache} is in memory: what durable and tallystick pay for a sync is NOT MEASURED")
    load = Load(args, place, rows, report)
    for turn in range(1, args.rounds + 1):
        for name in args.only:
            load.one_server(name, turn)
    report["servers"] = medians(report["windows"])
    report["ratios"] = ratios(report["windows"])
    return report


class Load:
    """The windows of one run, written into its report."""

    def __init__(self, args, place, rows, report):
        self.args, self.place, self.rows, self.report = args, place, rows, report
        self.rows_file = os.path.join(place.work, "rows.jsonl")
        with open(self.rows_file, "w") as out:
            for row in rows:
                out.write(json.dumps({**row, "loan_id": "@ID@"}, separators=(",", ":")) + "\n")

    def one_server(self, name, turn):
        if name in self.report["skipped"]:
            return
        try:
            server = servers.STARTS[name](self.place, turn)
        except Unavailable as e:
            self.skip(name, e)
            return
        try:
            self.windows(server, turn)
        finally:
            server.stop()

    def skip(self, name, reason):
        """Without a network FastAPI's packages cannot be had; any other reason is a fault."""
        self.report["skipped"][name] = str(reason)
        note(f"SKIPPED: {name}: {' '.join(str(reason).split())}")
        if not isinstance(reason, servers.NoPackages):
            self.report["faults"].append(f"{name} was not measured")

    def windows(self, server, turn):
        if self.fault(figures.check_answers(server, self.rows[:20])):
            return
        self.report["sync_ms"].append(figures.sync_ms(self.place.work))
        figures.load(server, self.rows_file, BUSY, min(2, self.args.seconds))
        for connections in CONNECTIONS:
            found = figures.measure(server, self.rows_file, connections, self.args.seconds)
            self.report["windows"].append({"server": server.name, "round": turn, "connections": connections, **found})
            note(f"round {turn}, {server.name}, {connections} connections: {found['per_s']:.0f}/s, "
                 f"{found['cpu_us']:.1f} us, p99 {found['p99_ms']:.2f} ms; others {found['other_cores']:.2f} cores")
            if found["failed"]:
                self.fault(f"{server.name}, {connections} connections: {found['failed']} requests failed")
        self.fault(figures.check_answers(server, self.rows[:20]))
        if self.args.profile == server.name and turn == self.args.rounds:
            self.report["profile"] = figures.top_symbols(
                server, self.rows_file, BUSY, max(5, self.args.seconds), self.place.work)

    def fault(self, what):
        if what:
            self.report["faults"].append(what)
            note(f"FAULT: {what}")
        return what


# -- comparison ----------------------------------------------------------------------------------

def medians(windows):
    """One line a server and number of connections."""
    groups = {}
    for window in windows:
        groups.setdefault((window["server"], window["connections"]), []).append(window)
    names = ("per_s", "p50_ms", "p99_ms", "cpu_us", "server_cores", "wrk_cores", "other_cores", "rss_mb")
    return [{"server": server, "connections": connections,
             **{name: statistics.median(w[name] for w in group) for name in names}}
            for (server, connections), group in groups.items()]


def ratios(windows):
    """Ours over theirs, within each round, then the median of the rounds."""
    busy = {(w["round"], w["server"]): w for w in windows if w["connections"] == BUSY}
    found = []
    for what, figure, whose, limit, aim, side in RATIOS:
        pairs = [(ours, busy.get((turn, whose))) for (turn, server), ours in busy.items() if server == "tallystick"]
        each = [ours[figure] / theirs[figure] for ours, theirs in pairs if theirs and theirs[figure]]
        if not each:
            continue
        median = statistics.median(each)
        keeps = median <= limit if side == "at most" else median >= limit
        found.append({"what": what, "median": median, "lowest": min(each), "highest": max(each), "side": side,
                      "limit": limit, "aim": aim, "keeps_limit": keeps})
    return found


def other_cores(report):
    return statistics.median([window["other_cores"] for window in report["windows"]] or [0])


def as_markdown(report):
    others = other_cores(report)
    syncs = report["sync_ms"] or [0]
    lines = [
        f"`tests/bench/serve/run.py --seconds {report['seconds']} --rounds {report['rounds']}`: wrk with one thread "
        f"on the same {report['cores']} cores, TLS 1.3 on",
        f"loopback, {report['rows']} rows of the sample in turn, every id new; medians of the rounds. A synced 4 KiB "
        f"write took {statistics.median(syncs):.2f} ms",
        f"({min(syncs):.2f} to {max(syncs):.2f}, {report['file_system']}); "
        f"other work on the machine took {others:.2f} cores.",
        "",
        "| server | connections | decisions/s | p50 ms | p99 ms | CPU us a decision | server cores | memory MB |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {s['server']} | {s['connections']} | {s['per_s']:,.0f} | {s['p50_ms']:.2f} | {s['p99_ms']:.2f} "
        f"| {s['cpu_us']:.1f} | {s['server_cores']:.2f} | {s['rss_mb']:.0f} |" for s in report["servers"]]
    lines += [f"| {name} | SKIPPED: {' '.join(reason.split())[:200]} | | | | | | |"
              for name, reason in report["skipped"].items()]
    if report["ratios"]:
        lines += ["", f"| tallystick, {BUSY} connections | median | rounds | limit | aim | |"]
        lines += ["|---|---|---|---|---|---|"]
    for r in report["ratios"]:
        aim = f"{r['side']} {r['aim']}" if r["aim"] else ""
        lines.append(f"| {r['what']} | **{r['median']:.2f}** | {r['lowest']:.2f} to {r['highest']:.2f} "
                     f"| {r['side']} {r['limit']} | {aim} | {'kept' if r['keeps_limit'] else 'MISSED'} |")
    if report["profile"]:
        lines += ["", "```", *report["profile"], "```"]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
