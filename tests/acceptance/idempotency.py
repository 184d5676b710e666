#!/usr/bin/env python3
"""What an Idempotency-Key promises, asked from outside.

  idempotency.py [--senders 24] [--bursts 10]

One key and one body are one record and the same bytes however often they are sent; another body under the key is 422;
of many that send one key at the same moment exactly one makes the record, and each other gets that record or 409;
another principal's key of the same name is its own; a refused request leaves its key free. That a key runs out after
24 hours is shown with a server whose clock is a day ahead (needs a C compiler) and by the tests with a manual clock
in tests/it. Exit 1 on any violation.
"""
import json, os, sys, threading

import box, later, verdict

HOURS_KEPT = 24


def arguments():
    parser = verdict.parser_of(__doc__)
    parser.add_argument("--senders", type=int, default=24, help="clients that send one key at once")
    parser.add_argument("--bursts", type=int, default=10, help="how many keys are sent so")
    return parser.parse_args()


class Asker:
    def __init__(self, args, found, home, rows):
        self.args, self.verdict, self.home, self.rows = args, found, home, rows
        self.subject = 0

    def of(self, server, token):
        self.server, self.token = server, token
        self.connection, self.admin = server.connect(), server.admin()
        return self

    def row(self):
        self.subject += 1
        return {**self.rows[0], "loan_id": f"I{self.subject}"}

    def send(self, key, row, token=None, path=box.DECISIONS, connection=None):
        headers = [("idempotency-key", key)] if key else []
        return (connection or self.connection).ask("POST", path, row, token or self.token, headers)

    def records(self):
        """The ids of all records of everybody, the newest first."""
        ids, cursor = [], ""
        for _ in range(10_000):
            page = self.admin.ask("GET", f"/v1/decisions?limit=500{cursor}").json()
            ids += [entry["decision_id"] for entry in page["decisions"]]
            if not page["next"]:
                break
            cursor = f"&cursor={page['next']}"
        self.verdict.check(len(set(ids)) == len(ids), "the list has a record twice")
        return ids

    def made(self, work):
        """How many records there are more after this piece of work."""
        before = len(self.records())
        result = work()
        return len(self.records()) - before, result

    def must(self, good, what):
        return self.verdict.check(good, what)

    def problem(self, what, answer, status, code):
        good = answer.status == status and answer.json().get("code") == code
        good = good and answer.header("content-type") == "application/problem+json"
        self.must(good, lambda: f"{what}: {status} {code} is due, not {answer}")


# -- one after the other -------------------------------------------------------------------------

def one_key_is_one_record(asker):
    row = asker.row()
    for what, path in (("decision", box.DECISIONS), ("prediction", f"/v1/models/{box.MODEL}/predict")):
        made, answers = asker.made(lambda: [asker.send(f"same-{what}", row, path=path) for _ in range(5)])
        wanted = 1 if not asker.args.prove else 2
        asker.must(made == wanted, f"five times the same {what}: {made} records")
        asker.must({a.status for a in answers} == {200}, lambda: f"five times the same {what}: {answers}")
        asker.must(len({a.body for a in answers}) == 1, f"five times the same {what}: other bytes")
        asker.must([a.header("idempotent-replayed") for a in answers] == [None] + ["true"] * 4,
                   f"five times the same {what}: which are replays is told wrongly")
        others = [[(n, v) for n, v in a.headers if n not in ("idempotent-replayed", "date", "x-correlation-id")]
                  for a in answers]
        asker.must(all(headers == others[0] for headers in others), f"the headers of a replay differ: {others}")


def another_body_is_refused(asker):
    row = asker.row()
    first = asker.send("other-body", row)
    for what, other in (("another row", {**row, "loan_amnt": row["loan_amnt"] + 1}),
                        ("another subject", {**row, "loan_id": "another"}),
                        ("a space more", None)):
        body = other or b" " + json.dumps(row, separators=(",", ":")).encode()
        made, answer = asker.made(lambda: asker.send("other-body", body))
        asker.problem(what, answer, 422, "idempotency.key_reused")
        asker.must(made == 0, f"{what} under a used key made {made} records")
    made, answer = asker.made(lambda: asker.send("other-body", row, path=f"/v1/models/{box.MODEL}/predict"))
    asker.problem("another route", answer, 422, "idempotency.key_reused")
    asker.must(asker.send("other-body", row).body == first.body, "after refusals the first answer is not repeated")


def another_principal_has_its_own(asker):
    other = asker.server.make_key("other@branch")["secret"]
    row = asker.row()
    mine = asker.send("shared", row)
    made, theirs = asker.made(lambda: asker.send("shared", row, token=other))
    asker.must(made == 1 and theirs.header("idempotent-replayed") is None, f"another principal's key: {theirs}")
    asker.must(mine.json()["decision_id"] != theirs.json()["decision_id"], "two principals share a record")
    second = asker.server.make_key("core@hq")["secret"]
    made, again = asker.made(lambda: asker.send("shared", row, token=second))
    asker.must(made == 0 and again.body == mine.body, f"the same principal by another API key: {again}")


def a_refused_request_leaves_its_key_free(asker):
    row = asker.row()
    made, answer = asker.made(lambda: asker.send("after-refusal", {**row, "dti": -1}))
    asker.problem("a wrong row", answer, 422, "row.fields")
    asker.must(made == 0, "a refused row is a record")
    answer = asker.send("after-refusal", row)
    asker.must(answer.status == 200 and answer.header("idempotent-replayed") is None,
               lambda: f"the key of a refused request: {answer}")


def without_a_key_each_is_a_record(asker):
    row = asker.row()
    made, answers = asker.made(lambda: [asker.send(None, row) for _ in range(3)])
    asker.must(made == 3, f"three requests without a key: {made} records")


# -- at the same moment --------------------------------------------------------------------------

def of_many_at_once_one_makes_the_record(asker):
    counts = {"made": 0, "replayed": 0, "under way": 0}
    for burst in range(asker.args.bursts):
        row, key = asker.row(), f"burst-{burst}"
        made, answers = asker.made(lambda: at_once(asker, key, row))
        first = [a for a in answers if a.status == 200 and a.header("idempotent-replayed") is None]
        replays = [a for a in answers if a.status == 200 and a.header("idempotent-replayed") == "true"]
        waiting = [a for a in answers if a.status == 409]
        asker.must(made == 1 and len(first) == 1, f"{key}: {made} records, {len(first)} first answers")
        asker.must(len(answers) == asker.args.senders == len(first) + len(replays) + len(waiting),
                   lambda: f"{key}: other answers: {[a for a in answers if a.status not in (200, 409)]}")
        asker.must(all(a.body == first[0].body for a in replays), f"{key}: a replay has other bytes")
        for answer in waiting:
            asker.problem(key, answer, 409, "idempotency.under_way")
        for name, some in zip(counts, (first, replays, waiting)):
            counts[name] += len(some)
    for name, count in counts.items():
        asker.verdict.figure(f"of {asker.args.bursts} x {asker.args.senders} at once, {name}", count)
    asker.must(counts["under way"] > 0, "no burst ever met a request under way: the bursts prove nothing")


def at_once(asker, key, row):
    barrier, answers = threading.Barrier(asker.args.senders), []

    def send():
        with asker.server.connect() as connection:
            barrier.wait(30)
            answers.append(asker.send(key, row, connection=connection))

    threads = [threading.Thread(target=send) for _ in range(asker.args.senders)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return answers


# -- later ---------------------------------------------------------------------------------------

def keys_outlive_a_restart_and_end_after_a_day(asker, work):
    row = asker.row()
    first = asker.send("until-tomorrow", row)
    asker.connection.close()
    asker.must(asker.server.stop() == 0, lambda: f"the server ended badly: {asker.server.log_tail()}")
    with box.Server(asker.home) as server:
        asker.of(server, asker.token)
        again = asker.send("until-tomorrow", row)
        asker.must(again.body == first.body and again.header("idempotent-replayed") == "true",
                   lambda: f"after a restart: {again}")
    try:
        clock = later.clock(work, hours=HOURS_KEPT + 1)
    except later.NoClock as e:
        asker.verdict.skip(f"that a key runs out after {HOURS_KEPT} hours: {e}")
        return
    with box.Server(asker.home, environment=clock) as server:
        asker.of(server, asker.token)
        made, answer = asker.made(lambda: asker.send("until-tomorrow", {**row, "loan_amnt": row["loan_amnt"] + 1}))
        asker.must(answer.status == 200 and answer.header("idempotent-replayed") is None and made == 1,
                   lambda: f"{HOURS_KEPT + 1} hours later: {made} records, {answer}")
        asker.must(answer.json()["time"] > first.json()["time"], "the clock was not ahead")


def examine(args, binary, work, found):
    home = box.make_home(binary, os.path.join(work, "box"))
    asker = Asker(args, found, home, box.sample_rows(home, 1))
    with box.Server(home) as server:
        asker.of(server, server.make_key("core@hq")["secret"])
        for law in (one_key_is_one_record, another_body_is_refused, another_principal_has_its_own,
                    a_refused_request_leaves_its_key_free, without_a_key_each_is_a_record,
                    of_many_at_once_one_makes_the_record):
            law(asker)
            found.figure(law.__name__.replace("_", " "), "asked")
        keys_outlive_a_restart_and_end_after_a_day(asker, work)
    home.run("audit", "verify")


if __name__ == "__main__":
    sys.exit(verdict.run(arguments(), examine))
