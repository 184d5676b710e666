#!/usr/bin/env python3
"""The demo, taken at its word: what its JSON says is asked for again over HTTPS.

  demo.py [--projects loan-default,bank-churn] [--rows N] [--plug]

For each project: `demo --once` twice, the second time reusing what is there; then `demo` serving on: its case is fetched
by the certificate and the key that it names, the process is killed, started again, and the same case fetched again,
byte for byte the same facts; one field of the row is changed step by step, and margin and reasons follow; the
curl line is run as it stands. With --plug also `demo --pull-the-plug`. Exit 1 on any violation, 7 where nothing runs.
"""
import json, os, shutil, signal, socket, ssl, subprocess, sys, time, urllib.parse

import box, verdict, wire

PROJECTS = ["loan-default", "loan-approval", "subscription-churn", "bank-churn", "course-completion"]
# A field that matters in each project, and values of it from one end to the other.
FIELDS = {
    "loan-default": ("int_rate", [0.06, 0.12, 0.2, 0.28]),
    "loan-approval": ("ApplicantIncome", [1500, 4000, 9000, 20000]),
    "subscription-churn": ("tenure", [1, 12, 36, 70]),
    "bank-churn": ("Age", [22, 35, 48, 60]),
    "course-completion": ("videos_watched", [1, 10, 30, 60]),
}
SECONDS_MAX = 600
START_SECONDS_MAX = 180


def arguments():
    parser = verdict.parser_of(__doc__)
    parser.add_argument("--projects", default=",".join(PROJECTS), help="which, with commas")
    parser.add_argument("--rows", type=int, help="rows to train on [default: the demo's own]")
    parser.add_argument("--plug", action="store_true", help="pull the plug as well")
    return parser.parse_args()


class Demo:
    def __init__(self, args, folder, project):
        self.args, self.folder, self.project = args, folder, project

    def words(self, *more):
        rows = ["--rows", str(self.args.rows)] if self.args.rows else []
        return [self.args.binary, "--json", "demo", "--project", self.project, *rows, *more]

    def once(self, *more):
        ended = subprocess.run(self.words(*more), cwd=self.folder, text=True, capture_output=True,
                               stdin=subprocess.DEVNULL, timeout=SECONDS_MAX)
        if ended.returncode != 0:
            raise box.Failed(self.words(*more)[1:], ended)
        return json.loads(ended.stdout)

    def serve(self):
        """Starts the demo and reads the one document that it prints before it serves on."""
        process = subprocess.Popen(self.words(), cwd=self.folder, text=True, stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        text, deadline = "", time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline:
            line = process.stdout.readline()
            if not line:
                break
            text += line
            if line.startswith("}"):
                return process, json.loads(text)
        end(process, signal.SIGKILL)
        raise box.Unavailable(f"demo --project {self.project} printed no document: {text[-300:]!r}")

    def ask(self, told, method, path, body=None):
        url = urllib.parse.urlsplit(told["url"])
        trust = ssl.create_default_context(cafile=os.path.join(self.folder, told["certificate"]))
        token = open(os.path.join(self.folder, told["key_file"])).read().strip()
        stream = trust.wrap_socket(socket.create_connection((url.hostname, url.port), 20),
                                   server_hostname=url.hostname)
        with wire.Connection(stream) as connection:
            return connection.ask(method, path, body, token)


def end(process, how):
    process.send_signal(how)
    process.wait(60)
    process.stdout.close()


def check_project(args, found, folder, project):
    demo = Demo(args, folder, project)
    first, second = demo.once("--once"), demo.once("--once")
    if args.prove:
        second["decision"]["margin"] += 1e-9
    for told in (first, second):
        found.check(told["decision"]["case"] == told["case"], f"{project}: the case is another's")
        found.check(os.path.exists(os.path.join(folder, told["receipt"])), f"{project}: there is no receipt")
    found.check(len(first["decision"]["reasons"]["list"]) > 0, f"{project}: a decision without a reason")
    found.check(second["trained"]["reused"] and not second["promoted"]["moved"], f"{project}: nothing is reused")
    found.check(second["login"]["password"] is None, f"{project}: a password is shown twice")
    found.check(first["decision"]["margin"] == second["decision"]["margin"], f"{project}: another margin")
    process, told = demo.serve()
    try:
        before = demo.ask(told, "GET", f"/v1/decisions/{told['case']}")
        found.check(before.status == 200, f"{project}: the case answers {before}")
    finally:
        end(process, signal.SIGKILL)
    process, again = demo.serve()
    try:
        after = demo.ask(again, "GET", f"/v1/decisions/{told['case']}")
        found.check(after.json() == before.json(), f"{project}: the case is another after the kill")
        follow(demo, again, found)
        run_curl(demo, again, found)
    finally:
        end(process, signal.SIGTERM)
    found.check(process.returncode == 0, f"{project}: the demo ended with {process.returncode}")


def follow(demo, told, found):
    """One field from one end to the other: the margin goes with it, and what is said of the field as well."""
    row = json.load(open(os.path.join(demo.folder, told["row_file"])))
    field, values = FIELDS[demo.project]
    margins, said = [], set()
    for value in values:
        answer = demo.ask(told, "POST", f"/v1/models/{demo.project}/decisions", {**row, field: value})
        found.check(answer.status == 200, f"{demo.project}: {field} = {value} answers {answer}")
        decision = answer.json()
        margins.append(decision["margin"])
        said |= {(r["key"], round(r["contribution"] or 0, 9)) for r in decision["reasons"]["list"] if r["field"] == field}
        why = demo.ask(told, "GET", f"/v1/decisions/{decision['case']}/explanation").json()
        total = why["base"] + sum(share["value"] for share in why["contributions"])
        found.check(abs(total - decision["margin"]) < 1e-6, f"{demo.project}: the shares do not sum to the margin")
    found.check(len(set(margins)) == len(values), f"{demo.project}: the margin does not follow {field}: {margins}")
    found.check(len(said) > 0, f"{demo.project}: {field} is a reason at no value")
    found.figure(f"{demo.project}: margins at {field} = {values}", [round(margin, 3) for margin in margins])


def run_curl(demo, told, found):
    if not shutil.which("curl"):
        found.skip("the curl line: there is no curl")
        return
    ended = subprocess.run(["sh", "-c", told["curl"]], cwd=demo.folder, text=True, capture_output=True, timeout=60)
    try:
        found.check(json.loads(ended.stdout)["name"] == demo.project, f"the curl line answers {ended.stdout[:200]}")
    except (ValueError, KeyError):
        found.check(False, f"the curl line ends with {ended.returncode}: {ended.stdout[:200]} {ended.stderr[:200]}")


def pull_the_plug(args, found, folder, project):
    told = Demo(args, folder, project).once("--pull-the-plug")
    found.check(told["lost"] == [] and told["found"] == told["answered"] > 0, f"the plug: {told}")
    found.check(told["replayed"] + told["decided_now"] == told["unanswered"], f"the plug: {told}")
    found.figure("pulled the plug", told)


def examine(args, binary, work, found):
    args.binary = binary
    projects = [name for name in args.projects.split(",") if name]
    for project in projects:
        check_project(args, found, work, project)
    if args.plug:
        pull_the_plug(args, found, work, projects[0])


if __name__ == "__main__":
    sys.exit(verdict.run(arguments(), examine))
