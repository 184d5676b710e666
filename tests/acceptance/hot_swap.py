#!/usr/bin/env python3
"""Moves the alias `production` to and fro while decisions are asked for at a steady rate.

  hot_swap.py [--seconds 20] [--rate 200] [--every-ms 500]

First the rate alone, then the same rate while the alias moves by promote and rollback over the API. No answer may be
anything but 2xx; both versions must be seen; a request sent after a move was answered must be decided by the version
it moved to. Latency is measured from the moment at which a request was due, so that a server that stands still is not
asked less. Exit 1 on any violation.
"""
import os, sys, threading, time

import box, verdict
import wire

CLIENTS = 8
PROMOTE, ROLLBACK = f"/v1/models/{box.MODEL}/promote", f"/v1/models/{box.MODEL}/rollback"


def arguments():
    parser = verdict.parser_of(__doc__)
    parser.add_argument("--seconds", type=float, default=20, help="of the rate while the alias moves")
    parser.add_argument("--rate", type=int, default=200, help="requests a second, by 8 clients together")
    parser.add_argument("--every-ms", type=int, default=500, help="between two moves")
    parser.add_argument("--p99-ms-max", type=float, default=1000, help="the highest p99 while the alias moves")
    return parser.parse_args()


class Client(threading.Thread):
    """Asks at a steady rate, whether the answers keep up or not."""

    def __init__(self, server, token, row, number, rate, seconds):
        super().__init__(daemon=True)
        self.connection, self.token, self.row = server.connect(), token, row
        self.number, self.rate, self.seconds = number, rate / CLIENTS, seconds
        self.answers, self.broken, self.late_ms = [], None, 0.0

    def run(self):
        begun = time.monotonic() + self.number / (self.rate * CLIENTS)
        for turn in range(int(self.rate * self.seconds)):
            due = begun + turn / self.rate
            pause = due - time.monotonic()
            if pause > 0:
                time.sleep(pause)
            sent = time.monotonic()
            row = {**self.row, "loan_id": f"H{self.number}-{turn}-{self.seconds}"}
            try:
                answer = self.connection.ask("POST", box.DECISIONS, row, self.token)
            except wire.Broken as e:
                self.broken = str(e)
                return
            done = time.monotonic()
            version = answer.json().get("version") if answer.status == 200 else None
            self.answers.append((due, sent, done, answer.status, version))


def at_rate(server, token, rows, args, seconds, found, what):
    """Runs the clients; answers what they heard."""
    clients = [Client(server, token, rows[n % len(rows)], n, args.rate, seconds) for n in range(CLIENTS)]
    for client in clients:
        client.start()
    return clients, lambda: heard(clients, found, what, args.rate * seconds)


def heard(clients, found, what, due):
    for client in clients:
        client.join(600)
        found.check(client.broken is None, f"{what}: a connection broke: {client.broken}")
    answers = [answer for client in clients for answer in client.answers]
    bad = [answer for answer in answers if not 200 <= answer[3] < 300]
    found.check(not bad, f"{what}: {len(bad)} of {len(answers)} answers were no 2xx, the first {bad[:1]}")
    found.check(len(answers) >= 0.98 * due - CLIENTS, f"{what}: {len(answers)} answers of {due:.0f} due")
    late = [1000 * (done - due_) for due_, _, done, _, _ in answers]
    for name, share in (("p50", 0.5), ("p99", 0.99), ("max", 1.0)):
        found.figure(f"{what}, {name} ms", verdict.percentile(late, share))
    found.figure(f"{what}, answers", len(answers))
    return answers


class Mover(threading.Thread):
    """Moves the alias; notes when each move was answered and where it led."""

    def __init__(self, server, seconds, every_ms):
        super().__init__(daemon=True)
        self.server, self.end, self.every = server, time.monotonic() + seconds, every_ms / 1000
        self.moves, self.refused = [], []

    def run(self):
        with self.server.admin() as admin:
            turn = 0
            while time.monotonic() < self.end:
                path, body = ((PROMOTE, {"version": 2, "to": "production", "why": f"move {turn}"}) if turn % 2 == 0
                              else (ROLLBACK, {"alias": "production", "why": f"move {turn}"}))
                asked = time.monotonic()
                answer = admin.ask("POST", path, body)
                if answer.status != 200:
                    self.refused.append(answer)
                    return
                self.moves.append((asked, time.monotonic(), 2 if turn % 2 == 0 else 1))
                turn += 1
                time.sleep(self.every)


def check_versions(answers, moves, found, prove):
    """A request may be decided by the version before a move only if it was sent before the move was answered."""
    seen = {version for _, _, _, _, version in answers}
    found.check(seen == ({1, 2, 3} if prove else {1, 2}), f"the versions {sorted(map(str, seen))} were seen")
    steps = [(0.0, 0.0, 1), *moves]
    wrong = 0
    for _, sent, done, _, version in answers:
        before = max((step for step in steps if step[1] <= sent), key=lambda step: step[1])
        possible = {before[2]} | {to for asked, answered, to in moves if asked <= done and answered > sent}
        wrong += version not in possible
    found.check(wrong == 0, f"{wrong} answers were by a version that could not be in production then")


def examine(args, binary, work, found):
    home = box.make_home(binary, os.path.join(work, "box"), versions=2)
    rows = box.sample_rows(home, 4)
    with box.Server(home) as server:
        token = server.make_key("core@hq")["secret"]
        before = at_rate(server, token, rows, args, args.seconds / 2, found, "the rate alone")[1]
        before()
        _, during = at_rate(server, token, rows, args, args.seconds, found, "while the alias moves")
        mover = Mover(server, args.seconds, args.every_ms)
        mover.start()
        answers = during()
        mover.join(60)
        found.check(not mover.refused, lambda: f"a move was refused: {mover.refused[0]}")
        check_versions(answers, mover.moves, found, args.prove)
        with server.admin() as admin:
            history = admin.ask("GET", f"/v1/models/{box.MODEL}/aliases/production/history")
        found.check(history.status == 200 and history.body.count(b'"move ') == len(mover.moves),
                    lambda: f"the history has not every move: {history}")
    found.figure("moves", len(mover.moves))
    for version in (1, 2):
        found.figure(f"decided by version {version}", sum(answer[4] == version for answer in answers))
    p99 = found.figures["while the alias moves, p99 ms"]
    found.check(p99 <= args.p99_ms_max, f"p99 was {p99:.0f} ms while the alias moved")
    home.run("audit", "verify")


if __name__ == "__main__":
    sys.exit(verdict.run(arguments(), examine))
