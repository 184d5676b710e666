"""The four servers of the serving bench: how each is built, made ready, started and stopped.

Owns every process it starts and ends it by its own id. Never measures anything and never judges an answer.
"""
import dataclasses, json, os, shutil, signal, socket, subprocess, sys, time

HERE = os.path.dirname(os.path.abspath(__file__))
PACKAGE = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
SAMPLE = os.path.join(PACKAGE, "fixtures/loan-default/sample.csv")
PROJECT = os.path.join(PACKAGE, "fixtures/projects/loan-default")
READY_SECONDS_MAX = 30
STOP_SECONDS_MAX = 10


class Unavailable(Exception):
    """What was asked for cannot be run here, and why."""


class NoPackages(Unavailable):
    """The peer's packages cannot be installed: no fault of anything that is measured."""


@dataclasses.dataclass
class Place:
    """Where a run of the bench happens, and the programs it uses."""
    work: str
    cache: str
    tallystick: str
    baselines: str

    def folder(self, name):
        """An empty folder of that name."""
        path = os.path.join(self.work, name)
        shutil.rmtree(path, ignore_errors=True)
        os.makedirs(path)
        return path


@dataclasses.dataclass
class Server:
    name: str
    process: subprocess.Popen
    port: int
    log: str
    authorization: str = "Bearer tsk_nobody_looks_at_this"

    @property
    def url(self):
        return f"https://127.0.0.1:{self.port}/v1/models/loan-default/decisions"

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def note(text):
    print(f"serve bench: {text}", file=sys.stderr, flush=True)


# -- building ------------------------------------------------------------------------------------

def build(shipped, symbols):
    """The paths of tallystick and of the baselines, all of one profile; with `symbols` neither is stripped."""
    profile = "dist" if shipped else "release"
    tail = ["--", "-C", "strip=none"] if symbols else []
    word = "rustc" if symbols else "build"
    binary = [word, "--profile", profile, "--bin", "tallystick"]
    bench = [word, "--profile", profile, "--bench", "serve_baselines"]
    # The baselines first: cargo makes a tallystick beside every bench, with the tests' features, under the same name.
    baselines = built(bench, "serve_baselines", tail)
    return built(binary, "tallystick", tail), baselines


def built(words, target, tail):
    command = ["cargo", *words, "--message-format=json-render-diagnostics", *tail]
    note(" ".join(command))
    ended = subprocess.run(command, cwd=PACKAGE, stdout=subprocess.PIPE, text=True)
    if ended.returncode != 0:
        raise Unavailable(f"cargo ended with {ended.returncode}")
    messages = [json.loads(line) for line in ended.stdout.splitlines() if line.startswith("{")]
    made = [m["executable"] for m in messages if m.get("executable") and m["target"]["name"] == target]
    if not made:
        raise Unavailable(f"cargo made no {target}")
    return made[-1]


# -- starting ------------------------------------------------------------------------------------

def start_echo(place, turn):
    return start_baseline(place, "echo", [])


def start_durable(place, turn):
    return start_baseline(place, "durable", ["--dir", place.folder("durable")])


def start_tallystick(place, turn):
    """The one place that knows how `tallystick serve` is started and where its key comes from."""
    home = ["--home", home_with_model(place)]
    made = tallystick(place, *home, "--json", "key", "create", "--name", f"bench-{turn}", "--role", "core-banking")
    port = free_port()
    command = [place.tallystick, *home, "serve", "--listen", f"127.0.0.1:{port}"]
    server = started(place, "tallystick", command, port)
    wait_for_line(server, "listening on https://")
    server.authorization = f"Bearer {json.loads(made)['secret']}"
    return server


def start_fastapi(place, turn):
    python = virtual_environment(place)
    made = place.folder("fastapi")
    run([place.baselines, "certificate", "--dir", made])
    port = free_port()
    command = [python, os.path.join(HERE, "fastapi_app.py"), "--port", str(port)]
    for word, name in (("--cert", "cert.pem"), ("--key", "key.pem"), ("--model", "model.onnx")):
        command += [word, os.path.join(made, name)]
    return started(place, "fastapi", command, port)


STARTS = {"echo": start_echo, "durable": start_durable, "tallystick": start_tallystick, "fastapi": start_fastapi}


def start_baseline(place, name, words):
    port = free_port()
    server = started(place, name, [place.baselines, name, "--port", str(port), *words], port)
    wait_for_line(server, "ready ")
    return server


def started(place, name, command, port):
    log = os.path.join(place.work, f"{name}.log")
    with open(log, "w") as out:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=place.work)
    server = Server(name, process, port, log)
    wait_until(server, lambda: answers_on(port))
    return server


def wait_for_line(server, beginning):
    def seen():
        with open(server.log) as log:
            return any(beginning in line for line in log)
    wait_until(server, seen)


def wait_until(server, is_so):
    end = time.monotonic() + READY_SECONDS_MAX
    while server.process.poll() is None and time.monotonic() < end:
        if is_so():
            return
        time.sleep(0.02)
    if server.process.poll() is None:
        server.stop()
    raise Unavailable(f"{server.name} did not become ready: {tail_of(server.log)}")


def tail_of(path):
    with open(path, errors="replace") as log:
        return log.read()[-1000:].strip() or "it said nothing"


def answers_on(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


# -- making ready --------------------------------------------------------------------------------

def run(command, **options):
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, **options)
    if ended.returncode != 0:
        raise Unavailable(f"{' '.join(command[:6])} ... ended with {ended.returncode}: "
                          f"{(ended.stderr or ended.stdout)[-1000:].strip()}")
    return ended.stdout


def tallystick(place, *words):
    return run([place.tallystick, *words], cwd=place.work)


def home_with_model(place):
    """A home in which one model is trained and in production; made once a run."""
    home = os.path.join(place.work, "home")
    if not os.path.exists(home):
        note("making a home and training its model")
        project = os.path.join(place.work, "project")
        shutil.copytree(PROJECT, project)
        tallystick(place, "--home", home, "init")
        tallystick(place, "--home", home, "train", project, "--data", SAMPLE)
        tallystick(place, "--home", home, "model", "promote", "loan-default", "--to", "production")
    return home


def sample_rows(place, count):
    """Rows of the sample as requests."""
    out = os.path.join(place.work, "row.json")
    rows = []
    for number in range(1, count + 1):
        tallystick(place, "data", "row", PROJECT, SAMPLE, str(number), "--out", out)
        with open(out) as row:
            rows.append(json.load(row))
        os.remove(out)
    return rows


def virtual_environment(place):
    """Python with the peer's packages, kept between runs for as long as the list of them is the same."""
    folder = os.path.join(place.cache, "bench-venv")
    python = os.path.join(folder, "bin/python")
    stamp = os.path.join(folder, "requirements.txt")
    wanted = os.path.join(HERE, "requirements.txt")
    with open(wanted) as file:
        text = file.read()
    if os.path.exists(stamp):
        with open(stamp) as file:
            if file.read() == text:
                return python
    note(f"installing {len(text.splitlines())} packages into {folder}")
    try:
        run([sys.executable, "-m", "venv", folder])
        run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", wanted], timeout=900)
    except (Unavailable, OSError, subprocess.TimeoutExpired) as e:
        raise NoPackages(str(e)) from e
    with open(stamp, "w") as file:
        file.write(text)
    return python
