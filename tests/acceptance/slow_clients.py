#!/usr/bin/env python3
"""A good client beside thousands of bad ones.

  slow_clients.py [--seconds 20] [--idle 2000] [--heads 300] [--bodies 300] [--unread 100]

Silent TLS connections, heads and bodies that come a byte a second, and clients that ask for much and never read, from
several addresses of the loopback, all held for as long as the measurement lasts. A good client posts decisions at a
steady rate over a connection of its own, and opens a new one for every tenth; first alone, then beside the others. No
request of it may fail, and its p99 must stay below a factor of its p99 alone (or below a floor under which a factor
says nothing). Exit 1 on any violation.
"""
import json, os, resource, subprocess, sys, time

import box, verdict
import wire

SOURCES = [f"127.0.0.{last}" for last in range(2, 10)]
GOOD_SOURCE = "127.0.0.1"
CONNECT_SECONDS_MAX = 300


def arguments():
    parser = verdict.parser_of(__doc__)
    parser.add_argument("--seconds", type=float, default=20, help="of each of the two measurements")
    parser.add_argument("--rate", type=int, default=25, help="decisions a second of the good client")
    parser.add_argument("--idle", type=int, default=2000)
    parser.add_argument("--heads", type=int, default=300)
    parser.add_argument("--bodies", type=int, default=300)
    parser.add_argument("--unread", type=int, default=100)
    parser.add_argument("--factor", type=float, default=5, help="of the p99 alone that the p99 beside them may reach")
    parser.add_argument("--floor-ms", type=float, default=100, help="a p99 below this is good in any case")
    return parser.parse_args()


class Good:
    def __init__(self, server, token, row, rate, found):
        self.server, self.token, self.row, self.rate, self.found = server, token, row, rate, found
        self.number = 0

    def measure(self, seconds, what):
        """The p99 of decisions and of new connections, in milliseconds."""
        asked, opened = [], []
        with self.server.connect(GOOD_SOURCE) as connection:
            begun = time.monotonic()
            for turn in range(int(seconds * self.rate)):
                due = begun + turn / self.rate
                time.sleep(max(0.0, due - time.monotonic()))
                asked.append(self.timed(what, lambda: self.decide(connection)))
                if turn % 10 == 0:
                    opened.append(self.timed(what, self.come_anew))
        for name, times in (("a decision", asked), ("a new connection and a decision", opened)):
            for label, share in (("p50", 0.5), ("p99", 0.99)):
                self.found.figure(f"{what}: {name}, {label} ms", verdict.percentile(times, share))
        return verdict.percentile(asked, 0.99), verdict.percentile(opened, 0.99)

    def timed(self, what, work):
        begun = time.monotonic()
        try:
            answer = work()
            self.found.check(answer.status == 200, lambda: f"{what}: a good request was answered {answer}")
        except wire.Broken as e:
            self.found.check(False, f"{what}: a good request failed: {e}")
        return 1000 * (time.monotonic() - begun)

    def decide(self, connection):
        self.number += 1
        return connection.ask("POST", box.DECISIONS, {**self.row, "loan_id": f"G{self.number}"}, self.token)

    def come_anew(self):
        with self.server.connect(GOOD_SOURCE) as connection:
            return self.decide(connection)


class Attack:
    def __init__(self, args, server, token):
        self.counts = {"silent": args.idle, "slow heads": args.heads, "slow bodies": args.bodies,
                       "never reading": args.unread}
        task = {"port": server.port, "certificate": server.home.certificate, "token": token, "path": box.DECISIONS,
                "sources": SOURCES, "counts": self.counts,
                "seconds_max": CONNECT_SECONDS_MAX + 10 * args.seconds}
        self.process = subprocess.Popen([sys.executable, os.path.join(box.HERE, "slow_attack.py")], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.process.stdin.write(json.dumps(task) + "\n")
        self.process.stdin.flush()
        word, _, count = self.process.stdout.readline().strip().partition(" ")
        if word != "ready":
            raise box.Unavailable("the other clients could not be started")
        self.connected = int(count)

    def end(self):
        self.process.stdin.close()
        try:
            return json.loads(self.process.stdout.readline() or "{}")
        finally:
            self.process.wait(60)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def examine(args, binary, work, found):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    wanted = args.idle + args.heads + args.bodies + args.unread
    if hard != resource.RLIM_INFINITY and hard < wanted + 100:
        raise box.Unavailable(f"{hard} open files are allowed, {wanted + 100} are needed")
    home = box.make_home(binary, os.path.join(work, "box"))
    row = box.sample_rows(home, 1)[0]
    with box.Server(home, log_level="error") as server:
        good = Good(server, server.make_key("core@hq")["secret"], row, args.rate, found)
        token = server.make_key("bad@branch")["secret"]
        good.measure(2, "warming up")
        found.figure("memory alone, MB", server.memory_mb())
        alone = good.measure(args.seconds, "alone")
        begun = time.monotonic()
        with Attack(args, server, token) as attack:
            found.figure("bad clients connected", attack.connected)
            found.figure("seconds until they were", time.monotonic() - begun)
            found.check(attack.connected >= 0.98 * wanted, f"only {attack.connected} of {wanted} bad clients got in")
            beside = good.measure(args.seconds, "beside them")
            found.figure("memory beside them, MB", server.memory_mb())
            for kind, told in attack.end().items():
                found.figure(kind, ", ".join(f"{count} {word}" for word, count in told.items()))
        time.sleep(2)
        after = good.measure(2, "afterwards")
        judge(args, found, alone, beside)
        found.check(after[0] <= max(args.factor * alone[0], args.floor_ms), f"afterwards p99 was {after[0]:.1f} ms")
    found.check(server.process.returncode == 0, f"the server ended with {server.process.returncode}")
    home.run("audit", "verify")


def judge(args, found, alone, beside):
    for name, was, is_ in zip(("a decision", "a new connection and a decision"), alone, beside):
        limit = max(args.factor * was, args.floor_ms) if not args.prove else 0.0
        found.figure(f"{name}: p99 beside them over p99 alone", is_ / was)
        found.check(is_ <= limit, f"{name}: p99 {is_:.1f} ms beside the others, {was:.1f} ms alone, at most {limit:.1f}")


if __name__ == "__main__":
    sys.exit(verdict.run(arguments(), examine))
