"""A box under test: the binary, a home with a model in it, and the server that serves the home.

Owns every process it starts and ends it by its own id. Never judges an answer.
"""
import hashlib, json, os, shutil, signal, ssl, subprocess, time

import wire

HERE = os.path.dirname(os.path.abspath(__file__))
PACKAGE = os.path.dirname(os.path.dirname(HERE))
SAMPLE = os.path.join(PACKAGE, "fixtures/loan-default/sample.csv")
PROJECT = os.path.join(PACKAGE, "fixtures/projects/loan-default")
MODEL = "loan-default"
DECISIONS = f"/v1/models/{MODEL}/decisions"
START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 40
COMMAND_SECONDS_MAX = 600


class Unavailable(Exception):
    """What was asked for cannot be run here, and why."""


def find_binary(given):
    target = os.environ.get("CARGO_TARGET_DIR") or os.path.join(PACKAGE, "target")
    known = [given, os.environ.get("TALLYSTICK_TEST_BINARY"),
             os.path.join(target, "debug/tallystick"), os.path.join(target, "release/tallystick")]
    for path in known:
        if path and os.path.exists(path):
            return os.path.abspath(path)
        if path and path == given:
            break
    raise Unavailable("there is no binary: build one, or name it with --binary")


# -- homes ---------------------------------------------------------------------------------------

class Home:
    def __init__(self, binary, folder):
        self.binary, self.folder = binary, folder
        self.path = os.path.join(folder, "home")
        self.run_folder = os.path.join(self.path, "run")
        self.certificate = os.path.join(self.path, "keys/tls.crt")

    def run(self, *words, code=0):
        """Runs a command on this home, which must end with `code`; answers its JSON."""
        environment = {**os.environ, "TALLYSTICK_HOME": self.path}
        ended = subprocess.run([self.binary, "--json", *words], cwd=self.folder, env=environment, text=True,
                               stdin=subprocess.DEVNULL, capture_output=True, timeout=COMMAND_SECONDS_MAX)
        if ended.returncode != code:
            raise Failed(words, ended)
        return json.loads(ended.stdout) if ended.stdout.strip() else None

    def copy(self, folder):
        os.makedirs(folder)
        shutil.copytree(self.folder, folder, symlinks=True, dirs_exist_ok=True)
        return Home(self.binary, folder)

    def bytes_of(self, name):
        return os.path.getsize(os.path.join(self.path, name))

    def trust(self):
        return os.path.join(self.exported(), "trust.json")

    def exported(self):
        """The tally log for another program; made anew. The server must be down."""
        folder = os.path.join(self.folder, "log")
        shutil.rmtree(folder, ignore_errors=True)
        self.run("audit", "export", folder)
        return folder


class Failed(Exception):
    """A command ended otherwise than it must."""

    def __init__(self, words, ended):
        said = (ended.stdout + ended.stderr).strip()[-600:]
        super().__init__(f"`tallystick {' '.join(words)}` ended with {ended.returncode}: {said}")
        self.code = ended.returncode


def make_home(binary, folder, versions=1):
    """A home in which a model is trained and in production; further versions were trained for a moment only, under
    gates that let anything through."""
    os.makedirs(folder, exist_ok=True)
    home = Home(binary, folder)
    project = os.path.join(folder, "project")
    shutil.copytree(PROJECT, project)
    home.run("init")
    home.run("train", "project", "--data", SAMPLE)
    home.run("model", "promote", MODEL, "--to", "production")
    if versions > 1:
        with open(os.path.join(project, "gates.toml"), "w") as gates:
            gates.write('[[gate]]\nmetric = "auc"\nmin = 0.01\n')
    for number in range(2, versions + 1):
        home.run("train", "project", "--set", "logistic.epochs=2", "--set", f"seed={number}")
    return home


def sample_rows(home, count):
    """Rows of the sample as requests; each has the fields of the contract and nobody in it."""
    rows = []
    for number in range(1, count + 1):
        out = f"row-{number}.json"
        home.run("data", "row", "project", SAMPLE, str(number), "--out", out)
        with open(os.path.join(home.folder, out)) as row:
            rows.append(json.load(row))
    return rows


# -- servers -------------------------------------------------------------------------------------

class Server:
    """`tallystick serve` over one home."""

    def __init__(self, home, words=(), environment=None, log_level="warn", authority=None):
        self.home = home
        self.log = os.path.join(home.folder, "serve.log")
        command = [home.binary, "--home", home.path, "serve", "--listen", "127.0.0.1:0", "--log-level", log_level]
        self.begun = time.monotonic()
        with open(self.log, "w") as out:
            self.process = subprocess.Popen([*command, *words], cwd=home.folder, stdin=subprocess.DEVNULL, stdout=out,
                                            stderr=out, env={**os.environ, **(environment or {})})
        self.port = int(self.line("listening on https://127.0.0.1:"))
        self.fingerprint = self.line("certificate SHA-256 ")
        self.context = wire.trusting(authority or home.certificate)
        self.check_certificate()

    def line(self, beginning):
        """What follows this in the first line of the log that begins so."""
        end = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < end:
            with open(self.log, errors="replace") as log:
                for line in log:
                    if line.startswith(beginning) and line.endswith("\n"):
                        return line[len(beginning):].strip()
            if self.process.poll() is not None:
                break
            time.sleep(0.002)
        self.kill()
        raise Unavailable(f"the server did not start: {self.log_tail()}")

    def check_certificate(self):
        """What the log names, the file holds and the port shows must be one certificate."""
        with open(self.home.certificate) as pem:
            der = ssl.PEM_cert_to_DER_cert(pem.read())
        with self.connect() as connection:
            shown = connection.stream.getpeercert(binary_form=True)
        digest = hashlib.sha256(shown).hexdigest().upper()
        if shown != der or self.fingerprint.replace(":", "") != digest:
            self.stop()
            raise Unavailable(f"another certificate is shown than was named: {digest}")

    def log_tail(self):
        with open(self.log, errors="replace") as log:
            return log.read()[-1000:].strip() or "it said nothing"

    def log_text(self):
        with open(self.log, errors="replace") as log:
            return log.read()

    def connect(self, source=None, timeout=30.0):
        return wire.connect_tls(self.port, self.context, source, timeout)

    def admin(self):
        return wire.connect_socket(os.path.join(self.home.run_folder, "admin.sock"))

    def wait_ready(self):
        """Seconds from the start of the process until it says that it can decide."""
        end = self.begun + START_SECONDS_MAX
        while time.monotonic() < end and self.process.poll() is None:
            with self.connect() as connection:
                if connection.ask("GET", "/readyz").status == 200:
                    return time.monotonic() - self.begun
            time.sleep(0.005)
        raise Unavailable(f"the server did not become ready: {self.log_tail()}")

    def make_key(self, name, role="core-banking"):
        """A new API key; the answer has its secret."""
        with self.admin() as admin:
            made = admin.ask("POST", "/v1/keys", {"name": name, "role": role})
        if made.status != 201:
            raise Unavailable(f"no API key could be made: {made}")
        return made.json()

    def memory_mb(self):
        return self.status_kb("VmRSS") / 1024

    def status_kb(self, name):
        with open(f"/proc/{self.process.pid}/status") as status:
            return int(next(line for line in status if line.startswith(name + ":")).split()[1])

    def is_alive(self):
        return self.process.poll() is None

    def kill(self):
        """Ends it as a power cut would."""
        if self.is_alive():
            self.process.kill()
        self.process.wait()

    def stop(self):
        """Ends it as the system does; answers the exit code."""
        if self.is_alive():
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
