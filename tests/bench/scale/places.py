"""Every list and page that grows with the years, with the addresses by which it is asked for in the filled home.

Owns who asks: an analyst and an auditor by sessions of the API, an admin by a session of the pages. Never measures.
"""
import base64, dataclasses, datetime, re, urllib.parse

import wire
from servers import Unavailable

PAGES_MAX = 250
# Items of the same kind that are asked for in turn, so that no single one stays in a cache.
ITEMS = 40


@dataclasses.dataclass
class Target:
    kind: str
    what: str
    paths: list
    token: str = None
    headers: tuple = ()
    is_list: bool = False


def log_in(connection, name, password):
    """The cookie of a session of the pages, by its form, as a browser gets it."""
    page = connection.ask("GET", "/login", headers=(("accept", "text/html"),))
    visitor = cookie_of(page)
    token = re.search(rb'name="csrf" value="([^"]+)"', page.body)
    if not (visitor and token):
        raise Unavailable(f"the login page is another than was thought: {page}")
    form = urllib.parse.urlencode({"csrf": token[1].decode(), "name": name, "password": password})
    sent = connection.ask("POST", "/login", form.encode(), headers=(
        ("content-type", "application/x-www-form-urlencoded"), ("cookie", visitor), ("sec-fetch-site", "same-origin")))
    if sent.status != 303:
        raise Unavailable(f"{name} could not log in: {sent}")
    return cookie_of(sent)


def cookie_of(answer):
    return (answer.header("set-cookie") or "").split(";")[0]


def cursor_of(key):
    """As the API writes it: where a page begins that nobody walked to."""
    return base64.urlsafe_b64encode(f"c1.{key}".encode()).decode().rstrip("=")


class Places:
    PASSWORD = "seven green lamps at noon"
    ROLES = ("analyst", "approver", "auditor", "admin", "officer")

    @staticmethod
    def name_of(role):
        return f"{role}-one"

    def __init__(self, server, projects, days):
        self.server, self.projects, self.days = server, projects, days
        with server.connect() as connection:
            opened = connection.ask("POST", "/v1/sessions", {"name": self.name_of("analyst"), "password": self.PASSWORD})
            if opened.status not in (200, 201):
                raise Unavailable(f"nobody could log in: {opened}")
            self.token = opened.json()["token"]
            self.cookie = (("accept", "text/html"), ("cookie", log_in(connection, self.name_of("analyst"), self.PASSWORD)))
        self.metrics_key = server.make_key(f"metrics-{self.token[-8:].lower()}", "metrics")["secret"]

    def ask(self, path):
        with self.server.connect() as connection:
            answer = connection.ask("GET", path, token=self.token)
        if answer.status != 200:
            raise Unavailable(f"{path}: {answer}")
        return answer.json()

    def walk(self, path, name, most):
        """Items of a list from page to page, at most so many, with the `next` of each page."""
        items, nexts, cursor = [], [], None
        for _ in range(PAGES_MAX):
            page = self.ask(path + ("?" if "?" not in path else "&") + "limit=500" + (f"&cursor={cursor}" if cursor else ""))
            items += page[name]
            cursor = page.get("next")
            nexts.append(cursor)
            if not cursor or len(items) >= most:
                break
        return items, [n for n in nexts if n]

    def list(self):
        return [*self.of_runs(), *self.of_chains(), *self.of_days(), *self.of_desks(), *self.of_pages()]

    def api(self, what, *paths, is_list=False):
        return Target("api", what, list(paths), token=self.token, is_list=is_list)

    def page(self, what, *paths, is_list=False):
        return Target("page", what, list(paths), headers=self.cookie, is_list=is_list)

    def of_runs(self):
        runs, nexts = self.walk("/v1/runs", "runs", 50_000)
        middle, project = nexts[-1] if nexts else cursor_of(runs[-1]["info"]["run_id"]), self.projects[0]
        ids = [run["info"]["run_id"] for run in runs[::max(1, len(runs) // ITEMS)]][:ITEMS]
        key = runs[0]["data"]["metrics"]
        key = next((m["key"] for m in key if "loss" in m["key"]), key[0]["key"])
        experiment = runs[0]["info"]["experiment_id"]
        has = [run["info"]["run_id"] for run in runs[:ITEMS * 5] if any(m["key"] == key for m in run["data"]["metrics"])]
        return [
            self.api("runs, first page", "/v1/runs", is_list=True),
            self.api("runs, 500 on a page", "/v1/runs?limit=500"),
            self.api("runs, a page in the middle", f"/v1/runs?cursor={middle}", is_list=True),
            self.api("runs of a project", f"/v1/runs?project={project}", is_list=True),
            self.api("runs of a project, a page in the middle", f"/v1/runs?project={project}&cursor={middle}"),
            self.api("runs of a project that has none", "/v1/runs?project=nothing-here"),
            self.api("runs of an experiment", f"/v1/runs?experiment={experiment}"),
            self.api("runs of a project in another's experiment", f"/v1/runs?project=nothing-here&experiment={experiment}"),
            self.api("one run", *[f"/v1/runs/{run}" for run in ids]),
            self.api("one run by the beginning of its id", *[f"/v1/runs/{run[:12]}" for run in ids[:3]]),
            self.api("the history of a metric", *[f"/v1/runs/{run}/metrics/{key}" for run in has[:ITEMS]]),
            self.api("the progress of a run", *[f"/v1/runs/{run}/progress" for run in ids]),
            self.api("data sets", "/v1/data-sets"),
        ]

    def of_chains(self):
        rows, nexts = self.walk("/v1/chain-runs", "runs", 10_000)
        middle, project = nexts[-1] if nexts else cursor_of(rows[-1]["id"]), self.projects[0]
        self.chain_ids = [row["id"] for row in rows[::max(1, len(rows) // ITEMS)]][:ITEMS]
        of = f"project={project}&chain=daily"
        of_one, _ = self.walk(f"/v1/chain-runs?{of}", "runs", 1_000)
        self.chain_middle = cursor_of(of_one[-1]["id"])
        return [
            self.api("runs of chains, first page", "/v1/chain-runs", is_list=True),
            self.api("runs of chains, a page in the middle", f"/v1/chain-runs?cursor={middle}"),
            self.api("runs of one chain", f"/v1/chain-runs?{of}", is_list=True),
            self.api("one run of a chain", *[f"/v1/chain-runs/{run}" for run in self.chain_ids]),
            self.api("chains", "/v1/schedules", is_list=True),
            self.api("one project's chains", f"/v1/schedules/{project}"),
        ]

    def of_days(self):
        model = self.projects[0]
        reports = self.ask(f"/v1/models/{model}/reports?limit=1")["reports"]
        newest = datetime.date.fromisoformat(reports[0]["day"])
        self.newest = newest.isoformat()
        self.middle_days = [(newest - datetime.timedelta(days=self.days // 2 + n)).isoformat() for n in range(ITEMS)]
        names = self.ask(f"/v1/models/{model}/trends")["series"]
        fields = [name["about"] for name in names if name["name"] == "psi"]
        since = f"since_days={self.days + 5}"
        trend = [f"/v1/models/{model}/trends/psi?about={urllib.parse.quote(field)}&{since}" for field in fields]
        return [
            self.api("models", "/v1/models", is_list=True),
            self.api("reports of a model", f"/v1/models/{model}/reports", is_list=True),
            self.api("one report", *[f"/v1/models/{model}/reports/{day}" for day in self.middle_days]),
            self.api("one report as a page", *[f"/v1/models/{model}/reports/{day}/page" for day in self.middle_days]),
            self.api("the names of all series", f"/v1/models/{model}/trends"),
            self.api("a field's index, all years", *trend, is_list=True),
            self.api("the same as CSV", *[f"{path}&format=csv" for path in trend]),
            self.api("rows a day, all years", f"/v1/models/{model}/trends/rows?{since}"),
            self.api("AUC with its interval, all years", f"/v1/models/{model}/trends/auc?{since}"),
        ]

    def of_desks(self):
        alerts, nexts = self.walk("/v1/alerts", "alerts", 5_000)
        middle = nexts[-1] if nexts else cursor_of(alerts[-1]["id"])
        self.alert_ids = [alert["id"] for alert in alerts[::max(1, len(alerts) // ITEMS)]][:ITEMS]
        proposals, nexts = self.walk("/v1/proposals", "proposals", 1_000)
        self.proposals_middle = nexts[-1] if nexts else None
        if not self.proposals_middle:
            half = self.ask(f"/v1/proposals?limit={max(1, len(proposals) // 2)}")
            self.proposals_middle = half["next"]
        self.proposal_ids = [row["id"] for row in proposals[::max(1, len(proposals) // ITEMS)]][:ITEMS]
        return [
            self.api("alerts, first page", "/v1/alerts", is_list=True),
            self.api("alerts, a page in the middle", f"/v1/alerts?cursor={middle}"),
            self.api("open alerts", "/v1/alerts?open=true", is_list=True),
            self.api("one alert", *[f"/v1/alerts/{alert}" for alert in self.alert_ids]),
            self.api("proposals, first page", "/v1/proposals", is_list=True),
            self.api("proposals, a page in the middle", f"/v1/proposals?cursor={self.proposals_middle}"),
            self.api("proposals of a model in a state that none has",
                     f"/v1/proposals?model={self.projects[0]}&state=superseded"),
            self.api("one proposal", *[f"/v1/proposals/{proposal}" for proposal in self.proposal_ids]),
            self.api("decisions, first page", "/v1/decisions", is_list=True),
            Target("api", "/metrics", ["/metrics"], token=self.metrics_key, is_list=True),
        ]

    def of_pages(self):
        model = self.projects[0]
        chain = f"/chains/{model}/daily"
        charts = [f"/monitoring/{model}/{day}?days=1095" for day in (self.newest, *self.middle_days)]
        return [
            self.page("first page", "/", is_list=True),
            self.page("cases", "/cases", is_list=True),
            self.page("chains", "/chains", is_list=True),
            self.page("one chain", chain, is_list=True),
            self.page("one chain, further back", f"{chain}?cursor={self.chain_middle}"),
            self.page("one run of a chain", *[f"/chain-runs/{run}" for run in self.chain_ids]),
            self.page("monitoring", "/monitoring", is_list=True),
            self.page("a model, charts of 90 days", f"/monitoring/{model}", is_list=True),
            self.page("a model, charts of three years", charts[0], is_list=True),
            self.page("days further back, charts of three years", *charts[1:]),
            self.page("the report itself", *[f"/monitoring/{model}/{day}/report" for day in self.middle_days]),
            self.page("the report as JSON", *[f"/monitoring/{model}/{day}/report.json" for day in self.middle_days]),
            self.page("alerts", "/alerts", is_list=True),
            self.page("open alerts", "/alerts?open=true"),
            self.page("one alert", *[f"/alerts/{alert}" for alert in self.alert_ids]),
            self.page("approvals", "/approvals", is_list=True),
            self.page("approvals, further back", f"/approvals?cursor={self.proposals_middle}"),
            self.page("one approval", *[f"/approvals/{proposal}" for proposal in self.proposal_ids]),
        ]
