#!/usr/bin/env python3
"""Kills the server in the middle of its work, again and again, and asks what is left.

  kill_loop.py [--rounds 100] [--threads 8] [--acks 120] [--receipts 0]

In every round several clients post decisions, each with an Idempotency-Key and a subject of its own. At a random time
of 0 to 50 ms after a random number of acknowledgements the process is killed (SIGKILL) and started again. Then:
every acknowledged decision is there exactly once, by id and by case and in the list; its receipt verifies by
`tallystick verify --trust` and by the Python reader; every request that got no answer gets one when it is sent again,
the recorded one where the record was durable, and is one record; and `audit verify` holds with the server down. At
the end `store check` holds. Exit 1 on any violation.
"""
import contextlib, io, os, random, subprocess, sys, threading, time

import box, verdict
import wire

sys.path.insert(0, os.path.join(box.PACKAGE, "tests/reader"))
import tallystick_receipt as reader  # noqa: E402

KILL_MS_MAX = 50
ACKS_MIN = 8
ROUND_SECONDS_MAX = 60
PAGE = 500


def arguments():
    parser = verdict.parser_of(__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--threads", type=int, default=8, help="clients at a time")
    parser.add_argument("--acks", type=int, default=120, help="the most acknowledgements before a kill")
    parser.add_argument("--receipts", type=int, default=0, help="receipts verified in a round; 0 for every one")
    parser.add_argument("--seed", type=int, default=None, help="of the kill times; drawn and told otherwise")
    return parser.parse_args()


class Request:
    def __init__(self, row, name):
        self.key = f"key-{name}"
        self.row = {**row, "loan_id": f"K{name}"}

    def send(self, connection, token):
        return connection.ask("POST", box.DECISIONS, self.row, token, [("idempotency-key", self.key)])


class Acknowledged:
    """How many answers have come, for whoever waits for the k-th."""

    def __init__(self):
        self.count, self.condition = 0, threading.Condition()

    def one_more(self):
        with self.condition:
            self.count += 1
            self.condition.notify_all()

    def wait_for(self, count, seconds):
        with self.condition:
            return self.condition.wait_for(lambda: self.count >= count, seconds)


class Sender(threading.Thread):
    """Posts one decision after the other until the server is gone."""

    def __init__(self, server, token, rows, name, count):
        super().__init__(daemon=True)
        self.server, self.token, self.rows, self.prefix, self.count = server, token, rows, name, count
        self.acknowledged, self.unanswered, self.refused = [], [], []

    def run(self):
        try:
            connection = self.server.connect()
        except wire.Broken:
            return
        for number in range(1_000_000):
            request = Request(self.rows[number % len(self.rows)], f"{self.prefix}-{number}")
            try:
                answer = request.send(connection, self.token)
            except wire.Broken:
                self.unanswered.append(request)
                return
            if answer.status != 200:
                self.refused.append(answer)
                return
            self.acknowledged.append((request, answer))
            self.count.one_more()


class Loop:
    def __init__(self, args, binary, work, verdict_):
        self.args, self.work, self.verdict = args, work, verdict_
        self.random = random.Random(args.seed)
        self.home = box.make_home(binary, os.path.join(work, "box"))
        self.rows = box.sample_rows(self.home, 6)
        self.trust = self.home.trust()
        with contextlib.redirect_stdout(io.StringIO()):  # the reader tells of every step
            self.reader_trust = reader.trusted(self.trust, "checkpoint")
        self.ready_s, self.totals = [], {"acknowledged": 0, "unanswered": 0, "durable unanswered": 0, "receipts": 0}
        with box.Server(self.home) as server:
            self.token = server.make_key("core@hq")["secret"]
            self.seen = 0  # the highest place in the log of a record that was looked at

    def all_rounds(self):
        for number in range(1, self.args.rounds + 1):
            before = len(self.verdict.violations)
            self.one_round(number)
            if len(self.verdict.violations) > before:
                verdict.note(f"round {number} violated what must hold; the kill times are those of the seed")

    def one_round(self, number):
        senders = self.killed_round(number)
        acknowledged = [pair for sender in senders for pair in sender.acknowledged]
        unanswered = [request for sender in senders for request in sender.unanswered]
        for sender in senders:
            self.verdict.check(not sender.refused, lambda: f"round {number}: refused under load: {sender.refused[0]}")
        if self.args.prove and number == 1:
            acknowledged.append(never_recorded(acknowledged[0]))
        self.totals["acknowledged"] += len(acknowledged)
        self.totals["unanswered"] += len(unanswered)
        with box.Server(self.home) as server:
            self.ready_s.append(server.wait_ready())
            with server.connect() as connection:
                self.look(number, connection, acknowledged, unanswered)
        self.verdict.check(server.process.returncode == 0, f"round {number}: the server ended with "
                                                           f"{server.process.returncode}: {server.log_tail()}")
        self.home.run("audit", "verify")

    def killed_round(self, number):
        """A server at work, killed; answers what its clients heard."""
        count = Acknowledged()
        server = box.Server(self.home)
        server.wait_ready()
        senders = [Sender(server, self.token, self.rows, f"{number}-{thread}", count)
                   for thread in range(self.args.threads)]
        for sender in senders:
            sender.start()
        wanted = self.random.randint(ACKS_MIN, max(ACKS_MIN, self.args.acks))
        came = count.wait_for(wanted, ROUND_SECONDS_MAX)
        time.sleep(self.random.uniform(0, KILL_MS_MAX) / 1000)
        alive = server.is_alive()
        server.kill()
        for sender in senders:
            sender.join(ROUND_SECONDS_MAX)
        self.verdict.check(came and alive, lambda: f"round {number}: {count.count} of {wanted} answers came, then the "
                                                   f"server was {'alive' if alive else 'dead: ' + server.log_tail()}")
        return senders

    # -- what is left ------------------------------------------------------------------------------

    def look(self, number, connection, acknowledged, unanswered):
        check, seen = self.verdict.check, self.seen
        listed = self.listed_after(connection, seen)
        ids = [entry["decision_id"] for entry in listed]
        check(len(set(ids)) == len(ids), f"round {number}: the list has a record twice")
        cases = [entry["case"] for entry in listed]
        check(len(set(cases)) == len(cases), f"round {number}: two records have one case number")
        for _, answer in acknowledged:
            self.look_for(number, connection, answer, set(ids))
        for _, answer in self.drawn(acknowledged):
            self.verify_receipt(number, connection, answer.json())
        durable = sum(self.send_again(number, connection, request, set(ids)) for request in unanswered)
        self.totals["durable unanswered"] += durable
        check(len(ids) == len(acknowledged) + durable,
              f"round {number}: {len(ids)} records for {len(acknowledged)} answers and {durable} that got lost")
        for request, answer in self.random.sample(acknowledged, min(5, len(acknowledged))):
            self.must_repeat(number, connection, request, answer)
        after = self.listed_after(connection, seen)
        check(len({entry["decision_id"] for entry in after}) == len(acknowledged) + len(unanswered) == len(after),
              f"round {number}: {len(after)} records for {len(acknowledged) + len(unanswered)} requests")
        self.seen = max([entry["seq"] for entry in after], default=seen)

    def drawn(self, acknowledged):
        """The last answers before the kill are those most likely to be lost."""
        return acknowledged if self.args.receipts == 0 else sorted(
            acknowledged, key=lambda pair: -pair[1].json()["seq"])[:self.args.receipts]

    def listed_after(self, connection, seq):
        """Every listed record whose place is beyond this one."""
        found, cursor = [], ""
        for _ in range(10_000):
            page = self.get(connection, f"/v1/decisions?limit={PAGE}{cursor}").json()
            found += page["decisions"]
            if not page["next"] or (found and found[-1]["seq"] <= seq):
                break
            cursor = f"&cursor={page['next']}"
        return [entry for entry in found if entry["seq"] > seq]

    def get(self, connection, path):
        answer = connection.ask("GET", path, token=self.token)
        if answer.status != 200:
            self.verdict.check(False, f"GET {path}: {answer}")
        return answer

    def look_for(self, number, connection, answer, ids):
        record = answer.json()
        name = record["decision_id"]
        self.verdict.check(name in ids, f"round {number}: the acknowledged decision {name} is not in the list")
        for path in (name, record["case"]):
            found = self.get(connection, f"/v1/decisions/{path}")
            self.verdict.check(found.body == answer.body,
                               lambda: f"round {number}: {path} was answered {answer.body[:200]!r} and is {found}")

    def verify_receipt(self, number, connection, record):
        data = self.get(connection, f"/v1/decisions/{record['decision_id']}/receipt").body
        self.totals["receipts"] += 1
        try:
            header, _, _ = reader.receipt(data, *self.reader_trust)
            same = (header["decision"]["id"], header["seq"]) == (record["decision_id"], record["seq"])
            self.verdict.check(same, f"round {number}: the receipt of {record['decision_id']} is another record's")
        except Exception as e:  # whatever the reader stumbles over
            self.verdict.check(False, f"round {number}: the Python reader refuses a receipt: {e!r}")
        path = os.path.join(self.work, "receipt.json")
        with open(path, "wb") as out:
            out.write(data)
        ended = subprocess.run([self.home.binary, "verify", path, "--trust", self.trust], capture_output=True, text=True)
        self.verdict.check(ended.returncode == 0, lambda: f"round {number}: `verify` refuses a receipt: {ended.stderr}")

    def send_again(self, number, connection, request, ids):
        """Sends a request again that got no answer; answers whether its record was there already."""
        first = request.send(connection, self.token)
        if not self.verdict.check(first.status == 200, lambda: f"round {number}: sent again: {first}"):
            return False
        replayed = first.header("idempotent-replayed") == "true"
        was_there = first.json()["decision_id"] in ids
        self.verdict.check(replayed == was_there, f"round {number}: {request.key} was there: {was_there}, "
                                                  f"but was answered as replayed: {replayed}")
        self.must_repeat(number, connection, request, first)
        return was_there

    def must_repeat(self, number, connection, request, answer):
        again = request.send(connection, self.token)
        good = again.header("idempotent-replayed") == "true" and (again.status, again.body) == (200, answer.body)
        self.verdict.check(good, lambda: f"round {number}: {request.key} sent again: {again}, before {answer}")

    def at_the_end(self):
        checked = self.home.run("store", "check")
        with box.Server(self.home) as server, server.connect() as connection:
            listed = self.listed_after(connection, 0)
        ids, expected = {entry["decision_id"] for entry in listed}, self.totals["acknowledged"] + self.totals["unanswered"]
        self.verdict.check(len(ids) == len(listed) == expected,
                           f"at the end {len(listed)} records are listed, {len(ids)} different ones, for {expected}")
        return checked


def never_recorded(pair):
    """The same answer under an id that no record has."""
    request, answer = pair
    other = "01a21eda-fe95-78bd-9789-496ff2751fc8"
    return request, wire.Answer(200, [], answer.body.replace(answer.json()["decision_id"].encode(), other.encode()))


def examine(args, binary, work, found):
    args.seed = args.seed if args.seed is not None else random.randrange(1 << 32)
    loop = Loop(args, binary, work, found)
    loop.all_rounds()
    loop.at_the_end()
    for name, value in [("rounds", args.rounds), ("clients", args.threads), ("seed", args.seed), *loop.totals.items()]:
        found.figure(name, value)
    milliseconds = [1000 * seconds for seconds in loop.ready_s]
    found.figure("ready again, median ms", verdict.percentile(milliseconds, 0.5))
    found.figure("ready again, max ms", max(milliseconds))
    found.figure("ledger MB", loop.home.bytes_of("ledger.redb") / 2**20)


if __name__ == "__main__":
    arguments_ = arguments()
    sys.exit(verdict.run(arguments_, examine))
