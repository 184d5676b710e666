"""An officer's five tasks in a real browser by keyboard alone, with the strokes and seconds each takes; the same path
without a script; an approver's two, both at once and at 320 px; every page under axe-core, light and dark, and at 320 px and four times its size without sideways scroll.
Usage: counter.py --binary FILE --axe FILE [--pictures FOLDER]"""
import argparse, os, sys, tempfile, time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "acceptance"))
import box
from webdriver import Browser, Missing, Refused

NAME, APPROVER, PASSWORD = "erika", "ben", "seven green lamps at noon"
WAIT_SECONDS_MAX = 30
# The chain of the demo project that needs a file of loans.
FAILS = "weekly-training"
SEVERE = {"serious", "critical"}
FORM = "/decide/" + box.MODEL


class Broken(Exception):
    """Something of the pages is not as it must be."""


def need(good, what):
    if not good:
        raise Broken(what)


def wait_for(holds, what):
    end = time.monotonic() + WAIT_SECONDS_MAX
    while time.monotonic() < end:
        try:
            if holds():
                return
        except Refused:
            pass
        time.sleep(0.05)
    raise Broken(f"waited in vain for {what}")


class Desk:
    """One browser at one server."""

    def __init__(self, browser, address, row):
        self.browser, self.address, self.row = browser, address, dict(row)
        self.figures = []

    def open(self, path):
        self.browser.open(self.address + path)

    def at(self, path, what):
        wait_for(lambda: path in self.browser.url() and self.browser.run("return document.readyState") == "complete", what)

    def task(self, name, work):
        strokes, begun = self.browser.strokes, time.monotonic()
        result = work()
        self.figures.append((name, self.browser.strokes - strokes, time.monotonic() - begun))
        return result

    # -- the five tasks ------------------------------------------------------------------------------

    def log_in(self, name=NAME, password=PASSWORD):
        self.browser.tab_to("name")
        self.browser.type(name)
        self.browser.press("Tab")
        self.browser.type(password)
        self.browser.press("Enter")
        wait_for(lambda: self.browser.has(".desks"), "the first page")

    def start_form(self):
        self.browser.tab_to(self.browser.text(".desk .button"))
        self.browser.press("Enter")
        self.at(FORM, "the form")

    def fill(self, changes):
        """Field after field as they stand, by Tab."""
        row = {**self.row, **changes}
        for name, kind in self.fields():
            self.browser.tab_to(name)
            if (value := row.get(name.removeprefix("f."))) is not None:
                self.put(kind, str(value))

    def fields(self):
        script = """return [...document.querySelectorAll('.field')].map(field => {
            const input = field.querySelector('input, select');
            return [input.name, input.tagName === 'SELECT' ? 'list' : input.type];
        });"""
        return self.browser.run(script)

    def put(self, kind, value):
        if kind != "radio":
            return self.browser.type(value)
        if not self.browser.run("return document.activeElement.checked"):
            self.browser.press("Space")
        for _ in range(8):
            if self.browser.run("return document.activeElement.value") == value:
                return None
            self.browser.press("Down")
        raise Broken(f"no choice {value!r}")

    def send(self):
        self.browser.press("Enter")

    def decide(self):
        self.start_form()
        self.fill({})
        self.send()
        self.at("/cases/", "the case")
        return self.browser.text(".case-number .number")

    def correct(self):
        """An amount beyond the most: the summary has the focus, its link leads to the field, which is mended."""
        self.browser.tab_to("Decide")
        self.browser.press("Enter")
        wait_for(lambda: self.browser.has(".desks"), "the first page")
        self.start_form()
        self.fill({"loan_amnt": "99000", "loan_id": "L-second"})
        self.send()
        wait_for(lambda: self.browser.has(".summary"), "the summary of errors")
        in_summary = self.browser.run("return document.activeElement.classList.contains('summary')")
        need(in_summary, f"the focus is not on the summary but on {self.browser.focused()!r}")
        self.browser.press("Tab")
        self.browser.press("Enter")
        label = self.browser.run("return document.activeElement.name")
        need(label == "f.loan_amnt", f"the link leads to {label!r}")
        kept = self.browser.run("return document.activeElement.value")
        need(kept == "99000", f"the field was changed to {kept!r}")
        self.browser.press("Control", "a")
        self.browser.type("9,000")
        self.send()
        self.at("/cases/", "the case")

    def find_why(self, case):
        self.browser.tab_to("Cases")
        self.browser.press("Enter")
        self.at("/cases", "the list")
        self.browser.tab_to("wanted")
        self.browser.type(case.replace("-", " ").lower())
        self.browser.press("Enter")
        self.at("/cases/" + case, "the case that was looked for")
        self.browser.tab_to("Why")
        self.browser.press("Enter")
        self.at("/why", "its why page")
        need(self.browser.has(".box-good") and not self.browser.has(".check-broken"), "not every line holds")

    def print_and_leave(self, case):
        self.browser.tab_to("Case " + case)
        self.browser.press("Enter")
        self.at("/cases/" + case, "the case")
        self.browser.tab_to("Letter")
        self.browser.press("Enter")
        self.at("/letter", "the letter")
        self.browser.run("window.print = () => { document.body.dataset.printed = 'yes'; }")
        self.browser.tab_to("Print")
        self.browser.press("Enter")
        need(self.browser.run("return document.body.dataset.printed") == "yes", "nothing was printed")
        self.open("/cases")
        self.browser.tab_to("Log out")
        self.browser.press("Enter")
        wait_for(lambda: self.browser.has("#password"), "the door")


def five_tasks(address, row):
    with Browser() as browser:
        desk = Desk(browser, address, row)
        desk.open("/login")
        desk.task("1 log in", desk.log_in)
        case = desk.task("2 decide an application", desk.decide)
        desk.task("3 correct a wrong field", desk.correct)
        desk.task("4 find a case and why it is so", lambda: desk.find_why(case))
        desk.task("5 print the letter and log out", lambda: desk.print_and_leave(case))
        return case, desk.figures


def without_script(address, row):
    """In, decided, its letter, out: and no script has run."""
    with Browser() as browser:
        browser.without_script()
        desk = Desk(browser, address, {**row, "loan_id": "L-no-script"})
        desk.open("/login")
        desk.log_in()
        desk.decide()
        case = browser.url()[len(address):]
        desk.open(case + "/letter")
        need(browser.has(".letter") and browser.has("[data-print][hidden]"), "a script has run")
        desk.open(case + "/why")
        need(browser.has(".checks"), "no why page")
        desk.open("/cases")
        browser.tab_to("Log out")
        browser.press("Enter")
        wait_for(lambda: browser.has("#password"), "the door")


def second_person(address):
    """What somebody proposed is found, read and approved: by keyboard alone, without a script, at 320 px."""
    with Browser(width=320) as browser:
        browser.without_script()
        desk = Desk(browser, address, {})
        desk.open("/login")
        desk.log_in(APPROVER)
        browser.tab_to("Approvals")
        browser.press("Enter")
        desk.at("/approvals", "the list of proposals")
        browser.tab_to(browser.text(".approvals-table tbody a"))
        browser.press("Enter")
        desk.at("/approvals/1", "the proposal")
        browser.tab_to("comment")
        browser.type("the figures hold")
        browser.tab_to("Approve and put in force")
        browser.press("Enter")
        wait_for(lambda: browser.has(".chip-good") and not browser.has("#comment"), "the approved proposal")


def hold_a_chain(address):
    """A chain is found, paused and let go: by keyboard alone, without a script, at 320 px."""
    with Browser(width=320) as browser:
        browser.without_script()
        desk = Desk(browser, address, {})
        desk.open("/login")
        desk.log_in(APPROVER)
        browser.tab_to("Chains")
        browser.press("Enter")
        desk.at("/chains", "the list of chains")
        browser.tab_to("daily")
        browser.press("Enter")
        desk.at(f"/chains/{box.MODEL}/daily", "the chain")
        for button, held in [("Pause", True), ("Let it go on", False)]:
            browser.tab_to(button)
            browser.press("Enter")
            wait_for(lambda: ("Paused by " + APPROVER in browser.text("main")) == held, f"what {button!r} does")


# -- every page, looked at -----------------------------------------------------------------------

AXE = """const done = arguments[arguments.length - 1];
axe.run(document, {resultTypes: ['violations']}).then(
    found => done(found.violations.map(v => [v.id, v.impact, v.nodes.slice(0, 3).map(n => n.target.join(' ')).join('; ')])),
    error => done([['axe', 'critical', String(error)]]));"""
SIDEWAYS = """const root = document.documentElement;
if (root.scrollWidth <= root.clientWidth) return null;
const wide = [...document.querySelectorAll('body *')].filter(e => !e.closest('.scroll')
    && e.getBoundingClientRect().right > root.clientWidth + 1);
return root.scrollWidth + ' > ' + root.clientWidth + ': ' + wide.slice(0, 4).map(e => e.tagName + '.' + e.className).join(', ');"""
# WCAG 2.2, 2.5.8: 24 by 24, but for links within a sentence.
SMALL = """return [...document.querySelectorAll('a, button, input:not([type=hidden]), select, summary')].filter(e => {
    const box = e.getBoundingClientRect();
    const own = e.closest('label') ? e.closest('label').getBoundingClientRect() : box;
    return box.width > 1 && own.height < 24 && !e.closest('p:not(.crumb)');
}).map(e => e.outerHTML.slice(0, 90));"""


class Looks:
    """What is looked at on each page."""

    def __init__(self, axe, pictures):
        with open(axe) as file:
            self.axe = file.read()
        self.pictures, self.faults, self.count = pictures, [], 0

    def at(self, browser, name):
        self.count += 1
        browser.run(self.axe)
        for rule, impact, where in browser.run_async(AXE):
            if impact in SEVERE:
                self.faults.append(f"{name}: {rule} ({impact}) at {where}")
        if sideways := browser.run(SIDEWAYS):
            self.faults.append(f"{name} scrolls sideways: {sideways}")
        for small in browser.run(SMALL):
            self.faults.append(f"{name} has a small target: {small}")
        if self.pictures:
            os.makedirs(self.pictures, exist_ok=True)
            browser.picture(os.path.join(self.pictures, name.replace(" ", "-") + ".png"))


def every_page(address, row, case, looks, width, dark):
    with Browser(width=width, dark=dark) as browser:
        tag = f"{width} {'dark' if dark else 'light'}"
        desk = Desk(browser, address, row)
        look = lambda name: looks.at(browser, f"{name} {tag}")
        desk.open("/login")
        look("door")
        browser.tab_to("name")
        browser.type("nobody")
        browser.press("Enter")
        browser.press("Tab")
        browser.type("no password at all")
        browser.press("Enter")
        wait_for(lambda: browser.has(".box-bad"), "the refusal")
        look("door refused")
        browser.press("Escape")
        desk.open("/login")
        desk.log_in()
        look("home")
        for name, path in [("form", FORM), ("case", f"/cases/{case}"), ("why", f"/cases/{case}/why"),
                           ("letter", f"/cases/{case}/letter"), ("cases", "/cases"), ("cases own", "/cases?own=true"),
                           ("hint", "/cases/0000-26-12345-A"), ("lost", "/nowhere")]:
            desk.open(path)
            look(name)
        desk.open(FORM)
        browser.run("document.querySelector('#application').submit()")
        wait_for(lambda: browser.has(".summary"), "the summary of errors")
        look("form wrong")
        desk.open(FORM)
        fill = "for (const [name, value] of Object.entries(arguments[0])) for (const e of document.getElementsByName('f.' + name)) "
        browser.run(fill + "if (e.type === 'radio') e.checked = e.value === String(value); else e.value = value;", desk.row)
        browser.run("document.querySelector('#application').submit()")
        wait_for(lambda: browser.has("#same-title"), "the warning of the same applicant")
        look("form same")
        browser.run("document.getElementById('lock').submit()")
        wait_for(lambda: "/unlock" in browser.url(), "the lock")
        look("lock")


def approver_pages(address, looks, width, dark):
    with Browser(width=width, dark=dark) as browser:
        desk = Desk(browser, address, {})
        desk.open("/login")
        desk.log_in(APPROVER)
        for name, path in [("approvals", "/approvals"), ("approval", "/approvals/1"), ("home of approver", "/")]:
            desk.open(path)
            looks.at(browser, f"{name} {width} {'dark' if dark else 'light'}")
        watched_pages(desk, looks, f"{width} {'dark' if dark else 'light'}")


def watched_pages(desk, looks, tag):
    """What runs by itself and what is watched, and the first run, report and alert there are."""
    model = f"/monitoring/{box.MODEL}"
    for name, path, inner in [("chains", "/chains", None), ("chain", f"/chains/{box.MODEL}/{FAILS}", ".runs-table tbody a"),
                              ("monitoring", "/monitoring", None), ("report", model, None),
                              ("alerts", "/alerts", ".alert h2 a")]:
        desk.open(path)
        looks.at(desk.browser, f"{name} {tag}")
        if inner:
            link = desk.browser.run("const a = document.querySelector(arguments[0]); return a && a.getAttribute('href')", inner)
            need(link, f"{path} has no {inner}")
            desk.open(link)
            looks.at(desk.browser, f"{name} one {tag}")


# -- the whole -------------------------------------------------------------------------------------

def make_home(binary, folder):
    home = box.make_home(binary, folder, versions=2)
    home.run("model", "propose", box.MODEL + "@2", "--to", "production", "--why", "quicker to train")
    home.run("schedule", "apply", "project")
    home.run("monitor", "report", box.MODEL, "--make")
    secret = os.path.join(folder, "password")
    with open(secret, "w") as file:
        file.write(PASSWORD)
    for name, role in [(NAME, "officer"), (APPROVER, "approver")]:
        home.run("user", "add", name, "--role", role, "--password-file", secret)
    row = box.sample_rows(home, 1)[0]
    # As an officer types it: a share in percent.
    row["int_rate"] = f"{row['int_rate'] * 100:.2f}"
    return home, row


def fail_a_chain(home):
    """Its file is not there: the run fails, and an alert says so."""
    home.run("schedule", "start", box.MODEL, FAILS, "--wait", code=1)


def judge(address, row, arguments):
    case, figures = five_tasks(address, row)
    print("by keyboard alone:")
    for name, strokes, seconds in figures:
        print(f"  {name:32} {strokes:4} strokes {seconds:6.1f} s")
    without_script(address, row)
    print("without a script: in, decided, explained, its letter, out")
    looks = Looks(arguments.axe, arguments.pictures)
    # 320 px are also what 1280 px at four times their size leave.
    for width, dark in [(1280, False), (1280, True), (320, False), (320, True)]:
        every_page(address, row, case, looks, width, dark)
        approver_pages(address, looks, width, dark)
    second_person(address)
    print("by a second person: found, read, approved, without a script, at 320 px")
    hold_a_chain(address)
    print("a chain: found, paused, let go, without a script, at 320 px")
    for fault in looks.faults:
        print("  " + fault)
    print(f"looked at {looks.count} pages with axe-core: {len(looks.faults)} faults")
    need(not looks.faults, "pages have faults")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", required=True)
    parser.add_argument("--axe", required=True)
    parser.add_argument("--pictures")
    arguments = parser.parse_args()
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tallystick-pages-") as folder:
        home, row = make_home(arguments.binary, folder)
        with box.Server(home, log_level="error") as server:
            fail_a_chain(home)
            judge(f"https://127.0.0.1:{server.port}", row, arguments)
    print(f"everything holds ({time.monotonic() - begun:.0f} s)")


if __name__ == "__main__":
    try:
        main()
    except (Missing, box.Unavailable) as missing:
        print(f"NOT RUN HERE: {missing}", file=sys.stderr)
        sys.exit(7)
    except (Broken, Refused) as broken:
        print(f"VIOLATED: {broken}", file=sys.stderr)
        sys.exit(1)
