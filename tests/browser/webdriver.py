"""A browser under test: Chromium by chromedriver, in plain W3C WebDriver and Python's standard library.

Owns the processes it starts and ends them by their own ids. Never judges what a page shows.
"""
import base64, json, os, shutil, subprocess, tempfile, time, urllib.error, urllib.request

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
START_SECONDS_MAX = 30
FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--hide-scrollbars",
         "--force-prefers-reduced-motion"]
# The keys of W3C WebDriver that have no sign of their own.
KEYS = {"Tab": "\ue004", "Enter": "\ue007", "Space": " ", "Down": "\ue015", "Up": "\ue013", "Escape": "\ue00c",
        "Backspace": "\ue003", "Shift": "\ue008", "Control": "\ue009", "End": "\ue010", "Home": "\ue011"}


class Missing(Exception):
    """A program that this needs and that is not installed."""


class Refused(Exception):
    """The browser would not do it."""


def find(names):
    for name in names:
        if path := shutil.which(name):
            return path
    raise Missing(f"none of {', '.join(names)} is installed (Debian: apt-get install chromium chromium-driver)")


class Browser:
    def __init__(self, width=1280, height=900, dark=False, script=True):
        self.profile = tempfile.mkdtemp(prefix="tallystick-browser-")
        self.strokes = 0
        chromium, driver = find(["chromium", "chromium-browser", "google-chrome"]), find(["chromedriver"])
        self.log = open(os.path.join(self.profile, "driver.log"), "w+")
        self.process = subprocess.Popen([driver, "--port=0"], stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL)
        self.session = None
        try:
            self.address = f"http://127.0.0.1:{self.port()}"
            preferences = {} if script else {"profile.managed_default_content_settings.javascript": 2}
            options = {"binary": chromium, "prefs": preferences,
                       "args": [*FLAGS, f"--user-data-dir={self.profile}/profile", f"--window-size={width},{height}"]}
            wanted = {"alwaysMatch": {"acceptInsecureCerts": True, "goog:chromeOptions": options}}
            self.session = self.call("POST", "/session", {"capabilities": wanted})["sessionId"]
            self.set_metrics(width, height)
            if dark:
                self.devtools("Emulation.setEmulatedMedia",
                              {"features": [{"name": "prefers-color-scheme", "value": "dark"}]})
        except Exception:
            self.close()
            raise

    def port(self):
        end = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < end:
            with open(self.log.name) as log:
                for line in log:
                    if "started successfully on port" in line:
                        return int(line.strip().rstrip(".").split()[-1])
            time.sleep(0.02)
        raise Missing("chromedriver did not start")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self.session:
            try:
                self.call("DELETE", f"/session/{self.session}")
            except (Refused, OSError):
                pass
        self.process.terminate()
        self.process.wait(timeout=20)
        self.log.close()
        shutil.rmtree(self.profile, ignore_errors=True)

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            value = json.load(error)["value"]
            raise Refused(f"{value['error']}: {value['message'].splitlines()[0]}") from None

    def of_session(self, method, path, body=None):
        return self.call(method, f"/session/{self.session}{path}", body)

    def devtools(self, command, parameters=None):
        return self.of_session("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters or {}})

    def set_metrics(self, width, height, scale=1):
        self.devtools("Emulation.setDeviceMetricsOverride",
                      {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": False})

    def open(self, url):
        self.of_session("POST", "/url", {"url": url})

    def url(self):
        return self.of_session("GET", "/url")

    def title(self):
        return self.of_session("GET", "/title")

    def run(self, script, *arguments):
        return self.of_session("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def run_async(self, script, *arguments):
        return self.of_session("POST", "/execute/async", {"script": script, "args": list(arguments)})

    def text(self, selector):
        found = self.of_session("POST", "/element", {"using": "css selector", "value": selector})
        return self.of_session("GET", f"/element/{found[ELEMENT]}/text")

    def has(self, selector):
        return bool(self.of_session("POST", "/elements", {"using": "css selector", "value": selector}))

    def attribute(self, selector, name):
        found = self.of_session("POST", "/element", {"using": "css selector", "value": selector})
        return self.of_session("GET", f"/element/{found[ELEMENT]}/attribute/{name}")

    # -- the keyboard, each stroke of which is counted ---------------------------------------------

    def press(self, *keys):
        """One stroke: the last key, with those before it held."""
        self.strokes += 1
        signs = [KEYS.get(key, key) for key in keys]
        actions = [{"type": "keyDown", "value": sign} for sign in signs]
        actions += [{"type": "keyUp", "value": sign} for sign in reversed(signs)]
        self.of_session("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    def type(self, text):
        self.strokes += len(text)
        actions = [action for sign in text for action in
                   ({"type": "keyDown", "value": sign}, {"type": "keyUp", "value": sign})]
        self.of_session("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    def focused(self):
        """Id, name or text of what has the focus."""
        active = self.of_session("GET", "/element/active")[ELEMENT]
        for name in ("id", "name"):
            if value := self.of_session("GET", f"/element/{active}/attribute/{name}"):
                return value
        return self.of_session("GET", f"/element/{active}/text")

    def focused_name(self):
        active = self.of_session("GET", "/element/active")[ELEMENT]
        return self.of_session("GET", f"/element/{active}/attribute/name")

    def tab_to(self, wanted, most=80):
        """Presses Tab until the focus is on what has this id, name or text."""
        for _ in range(most):
            if wanted in (self.focused(), self.focused_name()):
                return
            self.press("Tab")
        raise Refused(f"{wanted!r} was not reached by {most} times Tab; the focus is on {self.focused()!r}")

    # -- pictures ------------------------------------------------------------------------------------

    def picture(self, path):
        """The whole page, however long it is."""
        shot = self.devtools("Page.captureScreenshot", {"captureBeyondViewport": True, "format": "png", "clip": self.whole()})
        with open(path, "wb") as file:
            file.write(base64.b64decode(shot["data"]))

    def whole(self):
        size = self.devtools("Page.getLayoutMetrics")["cssContentSize"]
        return {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}

    def pdf(self, path):
        paper = {"printBackground": False, "paperWidth": 8.27, "paperHeight": 11.69, "preferCSSPageSize": True}
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.devtools("Page.printToPDF", paper)["data"]))

    def without_script(self):
        self.devtools("Emulation.setScriptExecutionDisabled", {"value": True})
