#!/usr/bin/env python3
"""Asks for everything the OpenAPI document has, in good and bad ways, and holds every answer against the document.

  openapi_fuzz.py [--examples 40] [--seed 7]

Needs schemathesis (installed from PyPI into a virtual environment). Runs it twice, with an API key of core-banking and
with the session of a user who is admin, auditor and analyst: no 5xx, no status, type, header or shape that is not
documented. Before that through a proxy that spoils one answer, which schemathesis must find, and where nothing is
spoilt nothing: otherwise its silence means nothing. Exit 1 on any violation.
"""
import os, re, subprocess, sys

import box, scanners, seeded_proxy, verdict

CHECKS = ("not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
          "response_schema_conformance,unsupported_method,allow_header_conformance,ignored_auth")
RUN_SECONDS_MAX = 1800
PASSWORD = "seven green lamps at noon"
# Ends the session that asks: it has a run of its own, the last one.
LOGS_OUT = "/v1/sessions/current"
# What is done to one answer, and how schemathesis must end then.
SPOILT = [("nothing", seeded_proxy.leaves, 0), ("a fault", seeded_proxy.fails, 1),
          ("a property missing", seeded_proxy.forgets, 1), ("another status", seeded_proxy.surprises, 1)]


def arguments():
    parser = verdict.parser_of(__doc__)
    parser.add_argument("--examples", type=int, default=40, help="made-up requests for each operation and phase")
    parser.add_argument("--seed", type=int, default=7)
    return parser.parse_args()


class Fuzzer:
    def __init__(self, args, work, found):
        self.args, self.work, self.found = args, work, found
        self.environment = {**os.environ, "NO_COLOR": "1", "COLUMNS": "140"}

    def run(self, url, token, examples, *words):
        """Exit code and words of one run."""
        command = [scanners.program("schemathesis"), "run", f"{url}/openapi.json", "--checks", CHECKS,
                   "--header", f"Authorization: Bearer {token}", "--tls-verify", os.path.join(self.work, "trusted.crt"),
                   "--max-examples", str(examples), "--seed", str(self.args.seed), "--phases",
                   "examples,coverage,fuzzing", "--no-shrink", "--request-timeout", "30", "--continue-on-failure",
                   "--suppress-health-check", "all", "--warnings", "off", *words]
        ended = subprocess.run(command, cwd=self.work, env=self.environment, capture_output=True, text=True,
                               timeout=RUN_SECONDS_MAX)
        if ended.returncode not in (0, 1):
            raise box.Unavailable(f"schemathesis ended with {ended.returncode}: {(ended.stdout + ended.stderr)[-800:]}")
        return ended.returncode, ended.stdout

    def must_pass(self, what, url, token, examples, *words):
        code, said = self.run(url, token, examples, *words)
        cases = re.search(r"(\d+) generated", said)
        self.found.figure(f"{what}: requests made up", int(cases.group(1)) if cases else "not told")
        operations = re.search(r"Operations:\s+(.*)", said) or re.search(r"Selected:\s+(.*)", said)
        self.found.figure(f"{what}: operations", operations.group(1).strip() if operations else "not told")
        self.found.check(cases and int(cases.group(1)) > 0, f"{what}: nothing was asked: {said[-600:]}")
        if not self.found.check(code == 0, f"{what}: schemathesis found {failures_of(said)}"):
            path = os.path.join(verdict.cache_folder(), "acceptance-openapi.txt")
            with open(path, "w") as out:
                out.write(said)
            verdict.note(f"the whole report: {path}")

    def through_proxy(self, what, spoil, server, token, wanted):
        with seeded_proxy.Proxy(server, spoil) as proxy:
            code, said = self.run(f"http://127.0.0.1:{proxy.port}", token, 5, "--include-path", "/v1/whoami")
            self.found.figure(f"spoilt ({what}): answers spoilt", proxy.spoilt)
            self.found.figure(f"spoilt ({what}): found", failures_of(said) or "nothing")
            self.found.check(code == wanted and bool(proxy.spoilt) == bool(wanted),
                             f"spoilt ({what}): schemathesis ended with {code}: {said[-900:]}")


def failures_of(said):
    """The titles of what was found, each with how often."""
    titles = re.findall(r"^- (ST\d+ .+)$|^\s+🚫 (.+)$", said, re.MULTILINE)
    titles = [one or other for one, other in titles]
    counts = {title: titles.count(title) for title in dict.fromkeys(titles)}
    return ", ".join(f"{title} ({count})" for title, count in counts.items())


def session_of(server, name, found):
    with server.admin() as admin:
        made = admin.ask("POST", "/v1/users", {"name": name, "roles": ["admin", "auditor", "analyst"],
                                               "password": PASSWORD})
        found.check(made.status == 201, lambda: f"no user could be made: {made}")
    with server.connect() as connection:
        opened = connection.ask("POST", "/v1/sessions", {"name": name, "password": PASSWORD})
    found.check(opened.status == 201, lambda: f"nobody could log in: {opened}")
    return opened.json()["token"]


def examine(args, binary, work, found):
    scanners.environment()
    home = box.make_home(binary, os.path.join(work, "box"), versions=2)
    fuzzer = Fuzzer(args, work, found)
    with box.Server(home, log_level="warn") as server:
        with open(home.certificate) as source, open(os.path.join(work, "trusted.crt"), "w") as out:
            out.write(source.read())
        url = f"https://localhost:{server.port}"
        key, session = server.make_key("core@hq")["secret"], session_of(server, "frieda", found)
        for what, spoil, wanted in SPOILT:
            fuzzer.through_proxy(what, spoil, server, session, wanted if not args.prove else 1)
        fuzzer.must_pass("with a key", url, key, args.examples, "--exclude-path", LOGS_OUT)
        fuzzer.must_pass("with a session", url, session, args.examples, "--exclude-path", LOGS_OUT)
        fuzzer.must_pass("logging out", url, session_of(server, "gerda", found), 5, "--include-path", LOGS_OUT)
        found.figure("memory at the end, MB", server.memory_mb())
        found.check("broke down" not in server.log_text(), "a request broke down")
    found.check(server.process.returncode == 0, f"the server ended with {server.process.returncode}")
    home.run("audit", "verify")


if __name__ == "__main__":
    sys.exit(verdict.run(arguments(), examine))
