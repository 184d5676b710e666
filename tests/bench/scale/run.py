#!/usr/bin/env python3
"""Whether pages, lists and decisions stay quick beside years of history.

  run.py [--runs 100000] [--chain-runs 20000] [--days 1095] [--requests 200] [--rounds 3] [--seconds 4] [--home FOLDER]
         [--limit-ms 100] [--binary FILE] [--filler FILE] [--fast] [--json]

Makes a home with the five demo projects trained, in production and scheduled, and a copy of it that `benches/fill_lab`
fills through the store's own writes: finished runs, runs of chains, a report a day and model, alerts, proposals. Serves
both by the real binary, and asks every list and page of the full one over TLS, one request after the other; then loads
decisions at 8 connections on the lean home, the full one, and the full one while its lists are polled, in turn in every
round. Needs wrk. With --home the homes are kept in that folder and used again. Exit 1 when an answer is not 200, a p99
is over the limit, or decisions are slower beside the full lab; 7 when it cannot run.
"""
import argparse, json, os, shutil, signal, statistics, subprocess, sys, tempfile, threading, time

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [os.path.join(TESTS, "bench", "serve"), os.path.join(TESTS, "acceptance")]
import box
import figures
import servers
import wire
from servers import Unavailable
from places import Places, log_in

PROJECTS = ["loan-default", "loan-approval", "subscription-churn", "bank-churn", "course-completion"]
CONNECTIONS = 8
# Every page of a store is verified when it is opened: gigabytes take their time, more on a busy machine.
box.START_SECONDS_MAX = 300
STARTS = 3
FILL_SECONDS_MAX = 1800
# Beside the full lab over beside the lean one, p99 within each round, the median of the rounds.
SLOWER_MAX = 1.25
POLLED_MAX = 2.0
# How often each list is asked for while decisions are made.
POLL_SECONDS = 1.0
ALERTS = '[[channel]]\nname = "paper"\ntype = "file"\npath = "alerts.log"\n\n[[route]]\nchannels = ["paper"]\n'


def note(text):
    print(f"scale bench: {text}", file=sys.stderr, flush=True)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=100_000, help="finished training runs")
    parser.add_argument("--chain-runs", type=int, default=20_000, help="ended runs of chains")
    parser.add_argument("--days", type=int, default=1_095, help="days with a report of each model")
    parser.add_argument("--requests", type=int, default=200, help="of each list and page")
    parser.add_argument("--rounds", type=int, default=3, help="of windows of decisions")
    parser.add_argument("--seconds", type=int, default=4, help="a window's length")
    parser.add_argument("--limit-ms", type=float, default=100, help="the p99 of each list and page")
    parser.add_argument("--home", help="a folder in which the homes are kept and found again")
    parser.add_argument("--binary", help="a tallystick already built")
    parser.add_argument("--filler", help="a fill_lab already built")
    parser.add_argument("--fast", action="store_true", help="a small home and one round: a smoke test, no figures to quote")
    parser.add_argument("--no-decisions", action="store_true", help="only lists and pages")
    parser.add_argument("--json", action="store_true", help="one document in place of the tables")
    args = parser.parse_args()
    if args.fast:
        args.runs, args.chain_runs, args.days = 1_000, 200, 120
        args.requests, args.rounds, args.seconds = 20, 1, 2
    return args


def main():
    args = arguments()
    if not args.no_decisions and not shutil.which("wrk"):
        note("wrk is missing; install it (apt-get install wrk)")
        return 7
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # an exit, so that the servers that run are ended
    cache = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "tallystick")
    os.makedirs(cache, exist_ok=True)
    # In the cache and not in /tmp, which may be memory: a sync must be one.
    with tempfile.TemporaryDirectory(prefix="bench-scale-", dir=cache) as work:
        try:
            report = bench(args, work, cache)
        except (Unavailable, box.Unavailable, box.Failed) as e:
            note(f"NOT MEASURED: {e}")
            return 7
        except wire.Broken as e:
            note(f"FAULT: {e}")
            return 1
    print(json.dumps(report, indent=1) if args.json else as_markdown(report))
    for fault in report["faults"]:
        note(f"FAULT: {fault}")
    return 1 if report["faults"] else 0


def bench(args, work, cache):
    binary = args.binary or servers.built(["build", "--release", "--bin", "tallystick"], "tallystick", [])
    binary = os.path.abspath(binary)
    report = {"runs": args.runs, "chain_runs": args.chain_runs, "days": args.days, "models": len(PROJECTS),
              "requests": args.requests, "limit_ms": args.limit_ms, "rounds": args.rounds, "seconds": args.seconds,
              "cores": os.cpu_count(), "asked": [], "windows": [], "faults": []}
    lean, full = homes(args, binary, os.path.abspath(args.home) if args.home else work)
    report["stores"] = {name: sizes_of(home) for name, home in (("lean", lean), ("full", full))}
    report["starts"] = {name: starts(home) for name, home in (("lean", lean), ("full", full))}
    with box.Server(full, log_level="error") as server:
        server.wait_ready()
        time.sleep(2)  # what is only done once after a start is over
        ask_all(args, server, report)
        report["memory_mb"] = server.memory_mb()
        if not args.no_decisions:
            decisions(args, binary, work, cache, (lean, server), report)
    judge(args, report)
    return report


# -- the homes -----------------------------------------------------------------------------------

def homes(args, binary, folder):
    """The lean home and the full one; made where they are not yet."""
    lean, full = box.Home(binary, os.path.join(folder, "lean")), box.Home(binary, os.path.join(folder, "full"))
    if not os.path.exists(os.path.join(full.folder, "filled")):
        for home in (lean, full):
            shutil.rmtree(home.folder, ignore_errors=True)
        make_lean(lean)
        lean.copy(full.folder)
        fill(args, full)
        with open(os.path.join(full.folder, "filled"), "w") as done:
            done.write(f"{args.runs} {args.chain_runs} {args.days}\n")
    return lean, full


def make_lean(home):
    note("making a home and training its five models")
    os.makedirs(home.folder)
    home.run("init")
    with open(os.path.join(home.path, "alerts.toml"), "w") as out:
        out.write(ALERTS)
    with open(os.path.join(home.folder, "password"), "w") as out:
        out.write(Places.PASSWORD)
    os.chmod(os.path.join(home.folder, "password"), 0o600)
    for role in Places.ROLES:
        home.run("user", "add", Places.name_of(role), "--role", role, "--password-file", "password")
    for name in PROJECTS:
        home.run("demo", "project", "--project", name, "--out", name)
        home.run("demo", "data", "--project", name, "--out", f"{name}.csv")
        home.run("train", name, "--data", f"{name}.csv")
        home.run("model", "promote", name, "--to", "production")
        home.run("schedule", "apply", name)


def fill(args, home):
    filler = args.filler or servers.built(["bench", "--bench", "fill_lab", "--no-run"], "fill_lab", [])
    words = ["--runs", args.runs, "--chain-runs", args.chain_runs, "--days", args.days]
    begun = time.monotonic()
    ended = subprocess.run([filler, home.path, *map(str, words)], capture_output=True, text=True,
                           stdin=subprocess.DEVNULL, timeout=FILL_SECONDS_MAX)
    if ended.returncode != 0:
        raise Unavailable(f"the home was not filled: {(ended.stderr or ended.stdout)[-1000:]}")
    for line in ended.stdout.splitlines():
        note(line)
    note(f"filled in {time.monotonic() - begun:.0f} s")


def sizes_of(home):
    blobs = sum(os.path.getsize(os.path.join(folder, name))
                for folder, _, names in os.walk(os.path.join(home.path, "blobs")) for name in names)
    return {"lab_mb": home.bytes_of("lab.redb") / 2**20, "ledger_mb": home.bytes_of("ledger.redb") / 2**20,
            "blobs_mb": blobs / 2**20}


def starts(home):
    """Seconds from the start of the process until it can decide, a few times."""
    found = []
    for _ in range(STARTS):
        with box.Server(home, log_level="error") as server:
            found.append(server.wait_ready())
    note(f"ready after {', '.join(f'{s:.2f}' for s in found)} s")
    return found


# -- lists and pages -----------------------------------------------------------------------------

def ask_all(args, server, report):
    places = Places(server, PROJECTS, args.days)
    for target in places.list():
        found = ask_one(server, target, args.requests, report)
        report["asked"].append(found)
        note(f"{found['kind']:4} {found['what']}: p50 {found['p50_ms']:.1f} ms, p99 {found['p99_ms']:.1f} ms, "
             f"{found['kb']:.0f} kB")


def ask_one(server, target, requests, report):
    """One request after the other over one connection, the target's addresses in turn."""
    times, sizes, bad = [], [], None
    with server.connect() as connection:
        for turn in range(requests + 2):
            path = target.paths[turn % len(target.paths)]
            began = time.perf_counter()
            answer = connection.ask("GET", path, token=target.token, headers=target.headers)
            took = time.perf_counter() - began
            if answer.status != 200:
                bad = bad or f"{path}: {answer}"
            if turn >= 2:  # the first ones bring pages of the file into memory
                times.append(took * 1e3)
                sizes.append(len(answer.body))
    if bad:
        report["faults"].append(bad)
    times.sort()
    at = lambda share: times[min(int(len(times) * share), len(times) - 1)]
    return {"kind": target.kind, "what": target.what, "path": target.paths[0], "p50_ms": at(0.5), "p99_ms": at(0.99),
            "max_ms": times[-1], "kb": statistics.median(sizes) / 1024}


# -- decisions -----------------------------------------------------------------------------------

class Poller(threading.Thread):
    """Asks for every list once a second, as a few open browsers and programs do."""

    def __init__(self, server, targets):
        super().__init__(daemon=True)
        self.server, self.targets, self.over, self.asked, self.fault = server, targets, threading.Event(), 0, None

    def run(self):
        try:
            with self.server.connect() as connection:
                while not self.over.is_set():
                    began = time.monotonic()
                    for target in self.targets:
                        answer = connection.ask("GET", target.paths[0], token=target.token, headers=target.headers)
                        self.asked += 1
                        if answer.status != 200:
                            self.fault = f"while polling {target.paths[0]}: {answer}"
                    self.over.wait(max(0.0, POLL_SECONDS - (time.monotonic() - began)))
        except wire.Broken as e:
            self.fault = f"while polling: {e}"


def decisions(args, binary, work, cache, where, report):
    lean, full = where
    place = servers.Place(work, cache, binary, "")
    rows_file = os.path.join(work, "rows.jsonl")
    with open(rows_file, "w") as out:
        for row in servers.sample_rows(place, 100):
            out.write(json.dumps({**row, "loan_id": "@ID@"}, separators=(",", ":")) + "\n")
    lists = [target for target in Places(full, PROJECTS, args.days).list() if target.is_list]
    with box.Server(lean, log_level="error") as other:
        other.wait_ready()
        loaded = {"lean": loadable(other, "lean"), "full": loadable(full, "full")}
        for server in loaded.values():
            figures.load(server, rows_file, CONNECTIONS, min(2, args.seconds))
        for turn in range(1, args.rounds + 1):
            for beside in ("lean", "full", "polled"):
                poller = Poller(full, lists) if beside == "polled" else None
                if poller:
                    poller.start()
                found = figures.measure(loaded["lean" if beside == "lean" else "full"], rows_file, CONNECTIONS, args.seconds)
                if poller:
                    poller.over.set()
                    poller.join(60)
                    found["polls"] = poller.asked
                    if poller.fault:
                        report["faults"].append(poller.fault)
                if found["failed"]:
                    report["faults"].append(f"round {turn}, {beside}: {found['failed']} requests failed")
                report["windows"].append({"round": turn, "beside": beside, **found})
                note(f"round {turn}, {beside}: {found['per_s']:.0f}/s, p50 {found['p50_ms']:.2f} ms, "
                     f"p99 {found['p99_ms']:.2f} ms")


def loadable(server, name):
    made = server.make_key(f"bench-{name}-{os.getpid()}-{int(time.time())}")
    return servers.Server(name, server.process, server.port, server.log, f"Bearer {made['secret']}")


# -- verdict -------------------------------------------------------------------------------------

def judge(args, report):
    for found in report["asked"]:
        if found["p99_ms"] > args.limit_ms:
            report["faults"].append(f"{found['what']}: p99 {found['p99_ms']:.1f} ms, at most {args.limit_ms:g}")
    report["ratios"] = {}
    by_turn = {}
    for window in report["windows"]:
        by_turn.setdefault(window["round"], {})[window["beside"]] = window["p99_ms"]
    for beside, limit in (("full", SLOWER_MAX), ("polled", POLLED_MAX)):
        each = [turn[beside] / turn["lean"] for turn in by_turn.values()]
        if each:
            median = statistics.median(each)
            report["ratios"][beside] = {"median": median, "lowest": min(each), "highest": max(each), "limit": limit}
            if median > limit and not args.fast:
                report["faults"].append(f"decisions beside the {beside} lab: p99 {median:.2f} times the lean one's")


def as_markdown(report):
    lean, full = report["stores"]["lean"], report["stores"]["full"]
    ready = {name: f"{statistics.median(s):.2f} s ({min(s):.2f} to {max(s):.2f})" for name, s in report["starts"].items()}
    lines = [
        f"{report['runs']:,} runs, {report['chain_runs']:,} runs of chains, {report['days']:,} days of {report['models']} models; "
        f"{report['requests']} requests each over one TLS connection; {report['cores']} cores.",
        "",
        "| | lean home | full home |", "|---|---|---|",
        f"| lab.redb MB | {lean['lab_mb']:.1f} | {full['lab_mb']:.1f} |",
        f"| ledger.redb MB | {lean['ledger_mb']:.1f} | {full['ledger_mb']:.1f} |",
        f"| blobs MB | {lean['blobs_mb']:.1f} | {full['blobs_mb']:.1f} |",
        f"| ready after a start | {ready['lean']} | {ready['full']} |",
        f"| memory after all lists and pages MB | | {report['memory_mb']:.0f} |",
        "",
        "| | what | p50 ms | p99 ms | kB |", "|---|---|---|---|---|",
    ]
    lines += [f"| {f['kind']} | {f['what']} | {f['p50_ms']:.1f} | {over(f, report)} | {f['kb']:.0f} |" for f in report["asked"]]
    if report["windows"]:
        lines += ["", "| decisions beside | decisions/s | p50 ms | p99 ms (rounds) |", "|---|---|---|---|"]
        for beside, words in (("lean", "the lean lab"), ("full", "the full lab"), ("polled", "the full lab, its lists polled")):
            of = [w for w in report["windows"] if w["beside"] == beside]
            mid = lambda name: statistics.median(w[name] for w in of)
            p99 = [w["p99_ms"] for w in of]
            lines.append(f"| {words} | {mid('per_s'):,.0f} | {mid('p50_ms'):.2f} | {mid('p99_ms'):.2f} ({min(p99):.2f} to {max(p99):.2f}) |")
        lines.append("")
        lines += [f"p99 {beside} over lean, round by round: median {r['median']:.2f} ({r['lowest']:.2f} to {r['highest']:.2f}), "
                  f"at most {r['limit']}" for beside, r in report["ratios"].items()]
    return "\n".join(lines)


def over(found, report):
    text = f"{found['p99_ms']:.1f}"
    return f"**{text}**" if found["p99_ms"] > report["limit_ms"] else text


if __name__ == "__main__":
    sys.exit(main())
