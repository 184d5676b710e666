#!/usr/bin/env python3
"""What a long log costs a server that does nothing: memory, and the time until it is ready again.

  big_ledger.py [--mb 1000] [--clients 64] [--seconds-max 1800] [--home FOLDER]

Fills a ledger over the API until its file has so many megabytes, then starts the server a few times, with the file in
the system's cache and, where the machine lets us drop it, without; beside an empty ledger. With --home the filled home
is kept in that folder and used again by the next run. Exit 1 where idle memory or time to ready is over its limit.
"""
import os, sys, threading, time

import box, verdict
import wire

DROP_CACHES = "/proc/sys/vm/drop_caches"
STARTS = 3
SETTLE_SECONDS = 3
FILLINGS_MAX = 6


def arguments():
    parser = verdict.parser_of(__doc__)
    parser.add_argument("--mb", type=int, default=1000, help="size of ledger.redb at which filling ends")
    parser.add_argument("--clients", type=int, default=64, help="that fill it")
    parser.add_argument("--seconds-max", type=int, default=1800, help="filling ends after that in any case")
    parser.add_argument("--home", help="an empty or filled folder of this script that is kept")
    parser.add_argument("--memory-mb-max", type=float, default=300, help="idle, with the big ledger")
    parser.add_argument("--ready-s-max", type=float, default=30, help="until it is ready, with the big ledger")
    return parser.parse_args()


class Filler(threading.Thread):
    def __init__(self, server, token, rows, number, is_over, found):
        super().__init__(daemon=True)
        self.connection, self.token, self.rows, self.number = server.connect(), token, rows, number
        self.is_over, self.found, self.made = is_over, found, 0

    def run(self):
        try:
            while not self.is_over():
                row = {**self.rows[self.made % len(self.rows)], "loan_id": f"B{self.number}-{self.made}"}
                answer = self.connection.ask("POST", box.DECISIONS, row, self.token)
                if not self.found.check(answer.status == 200, lambda: f"while filling: {answer}"):
                    return
                self.made += 1
        except wire.Broken as e:
            self.found.check(False, f"while filling: {e}")


def fill(args, home, found):
    """Fills until the closed file is large enough: what is free in it is given back when it is closed."""
    rows, end, wanted = box.sample_rows(home, 20), time.monotonic() + args.seconds_max, args.mb << 20
    made, seconds, target = 0, 0.0, 1.1 * wanted
    for _ in range(FILLINGS_MAX):
        more, took = fill_once(args, home, found, rows, target, end)
        made, seconds = made + more, seconds + took
        closed = home.bytes_of("ledger.redb")
        if closed >= wanted or time.monotonic() >= end or not more:
            break
        target *= 1.1 * wanted / closed
    found.figure("decisions made now", made)
    found.figure("decisions a second while filling (debug and busy machines: no figure to quote)", made / seconds)


def fill_once(args, home, found, rows, target, end):
    """Answers how many decisions were made in how many seconds."""
    over = threading.Event()
    with box.Server(home, log_level="error") as server:
        token = server.make_key("filler")["secret"]
        name = f"{int(time.time())}-{os.getpid()}"
        fillers = [Filler(server, token, rows, f"{name}-{n}", over.is_set, found) for n in range(args.clients)]
        begun = time.monotonic()
        for filler in fillers:
            filler.start()
        while any(f.is_alive() for f in fillers) and time.monotonic() < end and not over.is_set():
            time.sleep(0.5)
            if home.bytes_of("ledger.redb") >= target:
                over.set()
        over.set()
        for filler in fillers:
            filler.join(60)
        seconds = time.monotonic() - begun
        found.figure("memory while filling, MB", server.memory_mb())
    return sum(filler.made for filler in fillers), seconds


def drop_caches():
    os.sync()
    try:
        with open(DROP_CACHES, "w") as out:
            out.write("3")
        return True
    except OSError:
        return False


def look(what, home, found, cold):
    """The median seconds to ready and the idle memory."""
    ready, memory, peak = [], [], []
    for _ in range(STARTS):
        if cold and not drop_caches():
            found.skip(f"{what}: {DROP_CACHES} cannot be written; the file was in the cache")
            return None
        with box.Server(home, log_level="error") as server:
            ready.append(server.wait_ready())
            time.sleep(SETTLE_SECONDS)
            memory.append(server.memory_mb())
            peak.append(server.status_kb("VmHWM") / 1024)
        found.check(server.process.returncode == 0, f"{what}: the server ended with {server.process.returncode}")
    found.figure(f"{what}: ready after, median s", verdict.percentile(ready, 0.5))
    found.figure(f"{what}: ready after, max s", max(ready))
    found.figure(f"{what}: idle memory, MB", verdict.percentile(memory, 0.5))
    found.figure(f"{what}: most memory until then, MB", max(peak))
    return max(ready), max(memory)


def count(home):
    """How many decisions the log has, by the server's own list of the newest."""
    with box.Server(home, log_level="error") as server, server.admin() as admin:
        newest = admin.ask("GET", "/v1/decisions?limit=1").json()["decisions"]
    return newest[0]["seq"] + 1 if newest else 0


def examine(args, binary, work, found):
    empty = box.make_home(binary, os.path.join(work, "box"))
    look("empty ledger, cached", empty, found, cold=False)
    look("empty ledger, cold", empty, found, cold=True)
    folder = os.path.abspath(args.home) if args.home else os.path.join(work, "big")
    home = box.Home(binary, folder) if os.path.exists(os.path.join(folder, "home")) else empty.copy(folder)
    if home.bytes_of("ledger.redb") < args.mb << 20:
        fill(args, home, found)
    found.figure("ledger MB", home.bytes_of("ledger.redb") / 2**20)
    found.figure("records in the log", count(home))
    reached = home.bytes_of("ledger.redb") >= 0.9 * (args.mb << 20)
    found.check(reached, f"the ledger did not reach {args.mb} MB within {args.seconds_max} s")
    for cold in (False, True):
        seen = look(f"big ledger, {'cold' if cold else 'cached'}", home, found, cold)
        if seen:
            ready_max, memory_max = (args.ready_s_max, args.memory_mb_max) if not args.prove else (0, 0)
            found.check(seen[0] <= ready_max, f"ready after {seen[0]:.1f} s, at most {ready_max}")
            found.check(seen[1] <= memory_max, f"idle memory {seen[1]:.0f} MB, at most {memory_max}")


if __name__ == "__main__":
    sys.exit(verdict.run(arguments(), examine))
