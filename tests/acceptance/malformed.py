#!/usr/bin/env python3
"""Sends what should never be sent, and looks at how it is refused.

  malformed.py [--passes 50] [--only TEXT]

The corpus is malformed/requests.jsonl; malformed/README.md says what a line may hold. Each request must get the status
and code that its line expects, as problem+json with the pointers and a correlation id, without repeating a personal
value, in the answer or in the server's log; the server must live on, also on the same connection unless that must be
closed; and its memory must be flat over all passes. Exit 1 on any violation.
"""
import json, os, socket, sys, time

import box, later, verdict
import wire

CORPUS = os.path.join(box.HERE, "malformed/requests.jsonl")
# Stands for a person in the corpus: it may come back nowhere.
PERSON = "Mustermann"
# Passes before the memory is looked at: what is kept for good is there by then.
WARM_PASSES = 5


def arguments():
    parser = verdict.parser_of(__doc__)
    parser.add_argument("--passes", type=int, default=50, help="how often the whole corpus is sent")
    parser.add_argument("--only", help="only requests whose name has this text")
    parser.add_argument("--growth-mb-max", type=float, default=8.0, help="how much memory all passes may add")
    return parser.parse_args()


def corpus(only):
    with open(CORPUS) as lines:
        entries = [json.loads(line) for line in lines]
    return [entry for entry in entries if not only or only in entry["name"]]


# -- a line of the corpus as bytes ---------------------------------------------------------------

class Maker:
    """Makes requests of lines; knows who can ask and what a good row looks like."""

    def __init__(self, server, row):
        self.row = row
        keys = {name: server.make_key(f"{name}@hq", role) for name, role in
                (("core", "core-banking"), ("metrics", "metrics"), ("revoked", "core-banking"))}
        with server.admin() as admin:
            gone = admin.ask("DELETE", f"/v1/keys/{keys['revoked']['id']}")
        if gone.status != 200:
            raise box.Unavailable(f"a key could not be revoked: {gone}")
        self.tokens = {name: key["secret"] for name, key in keys.items()}

    def token_of(self, entry):
        return {"nobody": None, "the box": None}.get(entry.get("as"), self.tokens[
            entry.get("as") if entry.get("as") in self.tokens else "core"])

    def fill(self, text):
        token = self.tokens["core"]
        for name, value in (("{token_cut}", token[:-1]), ("{token_upper}", token.upper()), ("{token}", token),
                            ("{decisions}", box.DECISIONS)):
            text = text.replace(name, value)
        return text

    def bytes_of(self, entry):
        if "raw" in entry:
            return self.fill(entry["raw"]).encode("latin-1")
        if "raw_hex" in entry:
            return bytes.fromhex(entry["raw_hex"])
        if "raw_parts" in entry:
            return self.fill(repeated(entry["raw_parts"])).encode("latin-1")
        path = self.fill(repeated(entry["path_parts"]) if "path_parts" in entry else entry.get("path", box.DECISIONS))
        headers = [(name, self.fill(value)) for name, value in entry.get("headers", [])]
        kind = entry.get("content_type", "application/json")
        body = self.body_of(entry)
        if body is not None and kind:
            headers.insert(0, ("content-type", kind))
        if "chunks" in entry:
            return in_chunks(path, self.token_of(entry), headers, entry["chunks"])
        if entry.get("chunked_without_end"):
            headers.append(("transfer-encoding", "chunked"))
            body = b"%x\r\n%s\r\n" % (len(body), body)
        elif body is not None:
            headers.append(("content-length", str(len(body) + entry.get("length_more", 0))))
        head = wire.request(entry.get("method", "POST"), path, None, self.token_of(entry), headers)
        return head + (body or b"")[:len(body or b"") - entry.get("cut", 0)]

    def body_of(self, entry):
        if "body" in entry:
            return entry["body"].encode()
        if "body_hex" in entry:
            return bytes.fromhex(entry["body_hex"])
        if "body_parts" in entry:
            return repeated(entry["body_parts"]).encode()
        if "body_fields" in entry:
            return json.dumps({f"field-{n}": PERSON for n in range(entry["body_fields"])}).encode()
        if "json" in entry:
            return json.dumps(entry["json"]).encode()
        if "row_long" in entry:
            return json.dumps({**self.row, entry["row_long"]["field"]: "x" * entry["row_long"]["chars"]}).encode()
        if "row" in entry:
            row = {**self.row, **entry["row"]}
            return json.dumps({k: v for k, v in row.items() if k not in entry.get("without", [])}).encode()
        return b"" if "chunks" in entry else None


def repeated(parts):
    return "".join(text * count for text, count in parts)


def in_chunks(path, token, headers, count):
    """A body without a length, in so many chunks of 64 KiB."""
    head = wire.request("POST", path, None, token, [*headers, ("transfer-encoding", "chunked")])
    chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
    return head + chunk * count + b"0\r\n\r\n"


# -- sending and looking -------------------------------------------------------------------------

class Examiner:
    def __init__(self, args, found, server, maker):
        self.args, self.verdict, self.server, self.maker = args, found, server, maker
        self.standing = server.connect()

    def examine(self, entry):
        check = lambda good, what: self.verdict.check(good, lambda: f"{entry['name']}: {what}")
        connection = self.server.admin() if entry.get("as") == "the box" else self.server.connect(timeout=10)
        with connection:
            try:
                connection.send(self.maker.bytes_of(entry))
            except wire.Broken:
                pass  # the server may refuse before it has read all of it
            if entry.get("half_close"):
                end_of_sending(connection)
            try:
                answer = connection.read_answer(entry.get("method", "POST"))
                if not check(entry["status"] != "gone", f"no answer is due, not {answer}"):
                    return
                if entry.get("good"):
                    check(answer.status == entry["status"], f"{entry['status']} is due, not {answer}")
                else:
                    self.look_at(entry, answer, check)
                self.look_after(entry, connection, answer, check)
            except wire.Broken as e:
                check(entry["status"] == "gone" and "timed out" not in str(e), f"no answer: {e}")
        alive = self.standing.ask("GET", "/livez")
        check(alive.status == 200, f"the server is ill afterwards: {alive}")

    def look_at(self, entry, answer, check):
        wanted = entry["status"] if isinstance(entry["status"], list) else [entry["status"]]
        if self.args.prove and entry["name"] == "NaN":
            wanted = [200]
        if not check(answer.status in wanted, f"{entry['status']} is due, not {answer}"):
            return
        try:
            problem = answer.json()
        except ValueError:
            check(False, f"the answer is no JSON: {answer} {answer.headers}")
            return
        codes = entry.get("code")
        codes = codes if isinstance(codes, list) else [codes]
        check(codes == [None] or problem.get("code") in codes, f"the code {entry.get('code')} is due, not {answer}")
        check(answer.header("content-type") == "application/problem+json", "the answer is no problem+json")
        named = problem.get("correlation_id")
        check(named and answer.all_of("x-correlation-id") == [named], f"no one correlation id: {answer.headers}")
        right = problem.get("status") == answer.status and problem.get("type", "").endswith(problem.get("code", "?"))
        check(right, f"status and type do not belong together: {answer}")
        if "pointer" in entry:
            pointers = [error["pointer"] for error in problem.get("errors", [])]
            check(entry["pointer"] in pointers, f"{entry['pointer']} is not among {pointers[:5]}: {answer}")
        if "allow" in entry:
            check(answer.header("allow") == entry["allow"], f"Allow is {answer.header('allow')}")
        if answer.status == 401:
            check(answer.header("www-authenticate") == "Bearer", "401 without WWW-Authenticate")
        whole = answer.body + repr(answer.headers).encode()
        check(PERSON.encode() not in whole, f"a person comes back: {answer}")
        check(not any(token.encode() in whole for token in self.maker.tokens.values()), f"a token comes back")
        check(len(answer.body) < 64 << 10, f"the answer has {len(answer.body)} bytes")

    def look_after(self, entry, connection, answer, check):
        """What was sent behind a request is never taken for one where its length is in doubt."""
        if "late" in entry:
            connection.send(entry["late"].encode("latin-1"))
        if "then" in entry:
            status, code = entry["then"]
            second = connection.read_answer()
            check(second.status == status and f'"code":"{code}"' in second.body.decode(), f"then {second}")
        elif entry.get("alone"):
            check(connection.is_closed(), "the connection stays open")
        elif answer.header("connection") != "close":
            try:
                next_ = connection.ask("GET", "/livez")
                check(next_.status == 200, f"the next request on the same connection: {next_}")
            except wire.Broken as e:
                check(False, f"the next request on the same connection: {e}")


def end_of_sending(connection):
    """Nothing more comes: as if the client had died in the middle."""
    try:
        connection.stream.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def all_passes(args, found, entries, server, maker):
    examiner = Examiner(args, found, server, maker)
    examiner.standing.ask("GET", "/livez")
    memory, begun = [], time.monotonic()
    for number in range(1, args.passes + 1):
        for entry in entries:
            if "hours_later" not in entry and (number == 1 or not entry.get("once")):
                examiner.examine(entry)
        memory.append(server.memory_mb())
    found.figure("requests in the corpus", len(entries))
    found.figure("passes", args.passes)
    found.figure("seconds", time.monotonic() - begun)
    warm = memory[min(WARM_PASSES, len(memory)) - 1]
    found.figure("memory after the first pass, MB", memory[0])
    found.figure(f"memory after {min(WARM_PASSES, len(memory))} passes, MB", warm)
    found.figure("memory after the last pass, MB", memory[-1])
    found.check(memory[-1] - warm <= args.growth_mb_max,
                f"the memory grew by {memory[-1] - warm:.1f} MB after it was warm: {memory}")


def later_ones(args, found, entries, home, maker, work):
    for entry in (entry for entry in entries if "hours_later" in entry):
        try:
            clock = later.clock(work, entry["hours_later"])
        except later.NoClock as e:
            found.skip(f"{entry['name']}: {e}")
            continue
        with box.Server(home, environment=clock) as server:
            Examiner(args, found, server, maker).examine(entry)


def examine(args, binary, work, found):
    entries = corpus(args.only)
    home = box.make_home(binary, os.path.join(work, "box"))
    row = box.sample_rows(home, 1)[0]
    with box.Server(home, log_level="debug") as server:
        maker = Maker(server, {**row, "loan_id": "X1"})
        all_passes(args, found, entries, server, maker)
        with server.admin() as admin:
            records = admin.ask("GET", "/v1/decisions").json()["decisions"]
        found.check(not records, f"malformed requests became {len(records)} records: {records[:2]}")
        log = server.log_text()
    found.check(server.process.returncode == 0, f"the server ended with {server.process.returncode}")
    found.check(PERSON not in log, lambda: f"a person is in the log: {line_with(log, PERSON)}")
    for token in maker.tokens.values():
        found.check(token not in log, "a token is in the log")
    found.check("broke down" not in log, lambda: f"a request broke down: {line_with(log, 'broke down')}")
    later_ones(args, found, entries, home, maker, work)
    home.run("audit", "verify")


def line_with(log, text):
    return next(line for line in log.splitlines() if text in line)[:400]


if __name__ == "__main__":
    sys.exit(verdict.run(arguments(), examine))
