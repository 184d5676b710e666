#!/usr/bin/env python3
"""What operators see of a box, asked from outside with a real Prometheus.

  metrics.py [--decisions 120] [--seconds 20]

A server with a model that decides, outcomes, a schedule that was applied and run, and reports; `promtool` finds nothing
wrong with its /metrics, the rules and their tests; Prometheus scrapes it over TLS as packaging/prometheus/scrape.yml says,
and answers every query of the Grafana dashboard and every metric of every rule with data. A query without data is a
violation unless it is named below with the reason why not. Without Prometheus that part is SKIPPED. Exit 1 on any violation.
"""
import datetime, json, os, re, shutil, socket, subprocess, sys, time, urllib.error, urllib.parse, urllib.request

import box, verdict

DASHBOARD = os.path.join(box.PACKAGE, "packaging/grafana/tallystick.json")
PROMETHEUS = os.path.join(box.PACKAGE, "packaging/prometheus")
RULES = os.path.join(PROMETHEUS, "tallystick-rules.yml")
START_SECONDS_MAX = 30
BETWEEN_RUNS_SECONDS = 3
CHAIN_SECONDS_MAX = 120
METRIC = re.compile(r"\b(?:tallystick_\w+|up)\b")

SCHEDULE = """
[[chain]]
name = "daily"
cron = "30 5 * * *"

[[chain.step]]
name = "watch"
run = "monitor"
with = { window_days = 7 }
"""
ALERTS = """
[[channel]]
name = "desk"
type = "file"
path = "alerts.log"

[[route]]
channels = ["desk"]
"""


def arguments():
    parser = verdict.parser_of(__doc__)
    parser.add_argument("--decisions", type=int, default=120)
    parser.add_argument("--seconds", type=int, default=20, help="how long Prometheus scrapes, once a second")
    return parser.parse_args()


# -- what Prometheus is asked --------------------------------------------------------------------

def as_one_box_sees_it(query):
    """A query of the dashboard as Grafana sends it for all boxes and models."""
    return query.replace("$instance", ".*").replace("$model", ".*").replace("$__rate_interval", "15s")


def dashboard_queries():
    with open(DASHBOARD) as file:
        dashboard = json.load(file)
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], as_one_box_sees_it(target["expr"])


def rule_queries(prometheus):
    """The expressions as Prometheus itself read them from the file."""
    for group in prometheus.api("rules")["groups"]:
        for rule in group["rules"]:
            yield rule["name"], rule["query"], rule


# -- Prometheus ----------------------------------------------------------------------------------

class Prometheus:
    """Over one box, below `folder`; its own port, found by asking the system for a free one."""

    def __init__(self, program, folder, server, key):
        os.makedirs(folder)
        with open(os.path.join(folder, "tallystick.key"), "w") as file:
            file.write(key)
        with open(os.path.join(PROMETHEUS, "scrape.yml")) as file:
            scrape = file.read()
        for ours, there in ((os.path.join(folder, "tallystick.key"), "/etc/prometheus/tallystick.key"),
                            (server.home.certificate, "/etc/prometheus/tallystick.crt"),
                            (f"127.0.0.1:{server.port}", "branch-0421.bank.example:8443"),
                            ("scrape_interval: 1s", "scrape_interval: 15s"), ("scrape_timeout: 1s", "scrape_timeout: 10s")):
            if there not in scrape:
                raise box.Unavailable(f"scrape.yml does not say {there} any more")
            scrape = scrape.replace(there, ours)
        self.config = os.path.join(folder, "prometheus.yml")
        with open(self.config, "w") as file:
            file.write(f"global: {{evaluation_interval: 1s}}\nrule_files: [{RULES}]\nscrape_configs:\n")
            file.write("".join(f"  {line}\n" for line in scrape.splitlines()))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.log = os.path.join(folder, "prometheus.log")
        with open(self.log, "w") as out:
            self.process = subprocess.Popen(
                [program, f"--config.file={self.config}", f"--storage.tsdb.path={folder}/data",
                 f"--web.listen-address=127.0.0.1:{self.port}"], cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=out)

    def api(self, path, **words):
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(words)}"
        with urllib.request.urlopen(url, timeout=30) as answer:
            return json.load(answer)["data"]

    def values(self, query, found):
        """The series of a query; none, and a violation, where Prometheus does not understand it."""
        try:
            return self.api("query", query=query)["result"]
        except urllib.error.HTTPError as e:
            found.check(False, f"Prometheus refuses {query}: {e.read()[:300]!r}")
            return []

    def wait_up(self):
        end = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < end and self.process.poll() is None:
            try:
                targets = self.api("targets")["activeTargets"]
                if targets and targets[0]["health"] == "up":
                    return
            except OSError:
                pass
            time.sleep(0.1)
        with open(self.log, errors="replace") as log:
            raise box.Unavailable(f"Prometheus does not scrape the box: {log.read()[-800:]}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


# -- the scenario --------------------------------------------------------------------------------

class Scenario:
    def __init__(self, args, found, home, server):
        self.args, self.verdict, self.home, self.server = args, found, home, server
        self.rows = box.sample_rows(home, 20)
        self.key = server.make_key("core@hq")["secret"]
        # Metrics that no series of this run has, each with the reason.
        not_mature = "what is known within seconds is not mature"
        figures = ("report_auc", "report_release_auc", "report_release_auc_drop")
        self.absent = {f"tallystick_{figure}": not_mature for figure in figures}

    def post(self, path, body=None, may_be=()):
        with self.server.admin() as admin:
            answer = admin.ask("POST", path, body if body is not None else {})
        if answer.status in may_be:
            return None
        if answer.status not in (200, 201, 202):
            raise box.Unavailable(f"POST {path}: {answer}")
        return answer.json()

    def decide(self, count):
        cases = []
        with self.server.connect() as connection:
            for number in range(count):
                row = {**self.rows[number % len(self.rows)], "loan_id": f"M{time.monotonic_ns()}"}
                answer = connection.ask("POST", box.DECISIONS, row, self.key)
                if not self.verdict.check(answer.status == 200, lambda: f"a decision: {answer}"):
                    break
                cases.append(answer.json()["case"])
        return cases

    def report_outcomes(self, cases):
        values = ("Fully Paid", "Fully Paid", "Charged Off")
        outcomes = [{"decision": case, "value": values[at % 3]} for at, case in enumerate(cases)]
        self.post(f"/v1/models/{box.MODEL}/outcomes", {"outcomes": outcomes})

    def apply(self):
        """Puts a schedule in force; whether this binary can."""
        files = {}
        folder = os.path.join(self.home.folder, "project")
        for name in os.listdir(folder) + ["text/en.toml"]:
            if name.endswith(".toml"):
                with open(os.path.join(folder, name)) as file:
                    files[name] = file.read()
        files["schedule.toml"] = SCHEDULE
        applied = self.post("/v1/schedules", {"project": files}, may_be=(404, 405))
        if applied is None:
            why = "this binary has no way to apply a schedule"
            for name in ("chain_runs_total", "chain_duration_seconds", "chain_steps_total", "chain_step_duration_seconds",
                         "chain_late", "chain_failing", "chain_paused", "chain_next_start_timestamp_seconds",
                         "chain_longest_wait_seconds", "chain_last_success_timestamp_seconds",
                         "chain_starts_passed_over_total", "chain_starts_queued", "report_made_timestamp_seconds",
                         "report_verdict", "report_score_psi", "report_field_psi_max", "report_fields_shifted",
                         "report_rows", "report_missing_rate_max", "report_approval_rate", "report_bad_rate"):
                self.absent[f"tallystick_{name}"] = why
            self.verdict.skip(f"chains and reports: {why}")
        return applied is not None

    def run_chain(self):
        """Twice, some seconds apart: a figure that is first told with its first run has risen only with the second."""
        for _ in range(2):
            self.run_chain_once()
            time.sleep(BETWEEN_RUNS_SECONDS)

    def run_chain_once(self):
        self.post(f"/v1/schedules/{box.MODEL}/chains/daily/start")
        end = time.monotonic() + CHAIN_SECONDS_MAX
        while time.monotonic() < end:
            with self.server.admin() as admin:
                shown = admin.ask("GET", "/v1/chain-runs").json()
            if all(run.get("ended") for run in shown.get("chain_runs") or shown.get("runs") or [{}]):
                return
            time.sleep(0.2)
        raise box.Unavailable(f"the chain does not end: {shown}")

    def make_report(self):
        """Of today: what the chain looks at ended yesterday, when this box did not exist."""
        day = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
        self.post(f"/v1/models/{box.MODEL}/reports", {"day": day})

    def why_absent(self, query):
        for name in METRIC.findall(query):
            family = re.sub(r"_(bucket|sum|count)$", "", name)
            if name in self.absent or family in self.absent:
                return self.absent.get(name) or self.absent[family]
        return None


# -- the laws ------------------------------------------------------------------------------------

def promtool_finds_nothing(found, work, text):
    tool = shutil.which("promtool")
    for what, words, given in (("rules", ["check", "rules", RULES], None),
                               ("tests of the rules", ["test", "rules", os.path.join(PROMETHEUS, "tests.yml")], None),
                               ("figures", ["check", "metrics"], text)):
        ended = subprocess.run([tool, *words], input=given, cwd=work, text=True, capture_output=True, timeout=120)
        said = (ended.stdout + ended.stderr).strip()
        found.check(ended.returncode == 0, lambda: f"promtool on the {what}: {said[-600:]}")
        found.figure(f"promtool on the {what}", "nothing wrong" if ended.returncode == 0 else "wrong")


def counters_match_what_was_asked(scenario, before, after, made):
    def count(text, begin):
        return sum(float(line.split()[-1]) for line in text.splitlines() if line.startswith(begin))
    told = count(after, 'tallystick_decisions_total{kind="decision"') - count(before, 'tallystick_decisions_total{kind="decision"')
    scenario.verdict.check(told == made, f"{made} decisions were made and {told} are told")


def every_query_has_data(scenario, prometheus, prove):
    asked = answered = 0
    queries = list(dashboard_queries())
    if prove:
        queries.append(("a panel that asks for nothing there is", "tallystick_no_such_metric"))
    without = {}
    for title, query in queries:
        asked += 1
        result = prometheus.values(query, scenario.verdict)
        if any(value["value"][1] != "NaN" for value in result):
            answered += 1
            continue
        why = scenario.why_absent(query)
        without.setdefault(why, []).append(title)
        scenario.verdict.check(why is not None, f"{title}: no data for {query}")
    scenario.verdict.figure("queries of the dashboard", asked)
    scenario.verdict.figure("of these with data", answered)
    for why, titles in sorted((why, titles) for why, titles in without.items() if why):
        scenario.verdict.figure(f"without data, as {why}", ", ".join(sorted(set(titles))))


def every_rule_can_be_judged(scenario, prometheus):
    names, firing = set(), []
    for name, query, rule in rule_queries(prometheus):
        scenario.verdict.check(rule["health"] == "ok", f"the rule {name} fails: {rule.get('lastError')}")
        prometheus.values(query, scenario.verdict)
        names |= set(METRIC.findall(query))
        firing += [name] if rule["state"] == "firing" else []
    scenario.verdict.check(names, "Prometheus has no rules")
    for name in sorted(names):
        good = prometheus.values(name, scenario.verdict) or scenario.why_absent(name)
        scenario.verdict.check(good, f"a rule asks for {name}, which this box does not tell")
    # What shifts in a scenario of seconds may be told; that the box itself is ill may not.
    ill = [name for name in firing if not name.endswith("Shifted")]
    scenario.verdict.check(not ill, f"rules fire over a box that is well: {ill}")
    scenario.verdict.figure("metrics that rules are judged by", len(names))
    scenario.verdict.figure("rules that fire", ", ".join(firing) or "none")


def examine(args, binary, work, found):
    home = box.make_home(binary, os.path.join(work, "box"))
    with open(os.path.join(home.path, "alerts.toml"), "w") as file:
        file.write(ALERTS)
    with box.Server(home) as server:
        server.wait_ready()
        scenario = Scenario(args, found, home, server)
        key = server.make_key("prometheus@hq", "metrics")["secret"]

        def text():
            with server.connect() as connection:
                answer = connection.ask("GET", "/metrics", None, key)
            found.check(answer.status == 200, lambda: f"/metrics: {answer}")
            return answer.body.decode()

        scheduled = scenario.apply()
        before = text()
        cases = scenario.decide(args.decisions)
        counters_match_what_was_asked(scenario, before, text(), len(cases))
        scenario.report_outcomes(cases)
        if not shutil.which("prometheus") or not shutil.which("promtool"):
            found.skip("everything that needs Prometheus: it is not installed (Debian: apt-get install prometheus)")
            return
        with Prometheus(shutil.which("prometheus"), os.path.join(work, "prometheus"), server, key) as prometheus:
            prometheus.wait_up()
            # Counts that rise are seen only by who asked before.
            time.sleep(3)
            begun = time.monotonic()
            if scheduled:
                scenario.run_chain()
                scenario.make_report()
            while time.monotonic() - begun < args.seconds:
                scenario.decide(5)
                time.sleep(0.5)
            every_query_has_data(scenario, prometheus, args.prove)
            every_rule_can_be_judged(scenario, prometheus)
            told = text()
        promtool_finds_nothing(found, work, told)


if __name__ == "__main__":
    sys.exit(verdict.run(arguments(), examine))
