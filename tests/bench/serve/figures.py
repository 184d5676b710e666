"""What the serving bench measures: one window of load on one server, and where its time went.

Owns the counters of /proc, wrk and perf. Never starts a server and compares nothing.
"""
import http.client, itertools, json, os, re, resource, ssl, statistics, subprocess, time

from servers import HERE, Unavailable

TICKS = os.sysconf("SC_CLK_TCK")
PREFIXES = (f"{number:03d}" for number in itertools.count(1))
TOP_SYMBOLS = 40


# -- one window ----------------------------------------------------------------------------------

def measure(server, rows_file, connections, seconds):
    """One window of load: rates, times, and what the server's processes used for it."""
    pid = server.process.pid
    server_before, machine_before, wrk_before = cpu_of(pid), cpu_of_machine(), cpu_of_children()
    began = time.monotonic()
    result = load(server, rows_file, connections, seconds)
    lasted = time.monotonic() - began
    server_cpu, wrk_cpu = cpu_of(pid) - server_before, cpu_of_children() - wrk_before
    machine_cpu = cpu_of_machine() - machine_before
    requests = max(1, result["requests"])
    return {
        "requests": result["requests"],
        "failed": failures(result),
        "per_s": result["requests"] / (result["duration_us"] / 1e6),
        "p50_ms": result["p50_us"] / 1e3,
        "p99_ms": result["p99_us"] / 1e3,
        "cpu_us": server_cpu / requests * 1e6,
        "server_cores": server_cpu / lasted,
        "wrk_cores": wrk_cpu / lasted,
        "other_cores": max(0.0, machine_cpu - server_cpu - wrk_cpu) / lasted,
        "rss_mb": rss_of(pid) / 1e6,
    }


def load(server, rows_file, connections, seconds):
    """wrk with one thread; its p50 and p99 are corrected for requests that a stall kept from being sent."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s",
               os.path.join(HERE, "rows.lua"), server.url]
    environment = {**os.environ, "BENCH_ROWS": rows_file, "BENCH_PREFIX": next(PREFIXES),
                   "BENCH_AUTHORIZATION": server.authorization}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=seconds + 60)
    found = re.search(r"^RESULT (\{.*\})$", ended.stdout, re.MULTILINE)
    if not found:
        raise Unavailable(f"wrk ended with {ended.returncode}: {(ended.stderr or ended.stdout)[-500:]}")
    return json.loads(found.group(1))


def failures(result):
    """Answers that were not 2xx, and requests that were never answered."""
    counted = sum(result[name] for name in ("not_2xx", "connect", "read", "write", "timeout"))
    return counted if result["requests"] else max(1, counted)


def check_answers(server, rows):
    """A few requests by another client: wrk counts 4xx and 5xx, and reads no body."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    prefix = next(PREFIXES)
    connection = http.client.HTTPSConnection("127.0.0.1", server.port, timeout=10, context=context)
    headers = {"Authorization": server.authorization, "Content-Type": "application/json"}
    try:
        for number, row in enumerate(rows):
            body = json.dumps({**row, "loan_id": f"L{prefix}{number:08d}"})
            connection.request("POST", server.url.split(str(server.port), 1)[1], body, headers)
            answer = connection.getresponse()
            text = answer.read()
            if not 200 <= answer.status < 300:
                return f"{server.name} answered {answer.status}: {text[:500].decode(errors='replace')}"
            if not isinstance(json.loads(text), dict):
                return f"{server.name} answered no JSON object: {text[:500].decode(errors='replace')}"
    except (OSError, http.client.HTTPException, ValueError) as e:
        return f"{server.name} gave no answer: {e}"
    finally:
        connection.close()
    return None


# -- counters ------------------------------------------------------------------------------------

def family_of(pid):
    """The process and its children; the threads are counted in each process's own figures."""
    found = [pid]
    for thread in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{thread}/children") as children:
                for child in children.read().split():
                    found += family_of(int(child))
        except OSError:
            pass
    return found


def cpu_of(pid):
    """Seconds of user and system time of all threads, those that ended too."""
    ticks = 0
    for one in family_of(pid):
        with open(f"/proc/{one}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / TICKS


def rss_of(pid):
    pages = 0
    for one in family_of(pid):
        with open(f"/proc/{one}/statm") as statm:
            pages += int(statm.read().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def cpu_of_machine():
    with open("/proc/stat") as stat:
        user, nice, system, _idle, _wait, irq, softirq = map(int, stat.readline().split()[1:8])
    return (user + nice + system + irq + softirq) / TICKS


def cpu_of_children():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def sync_ms(folder):
    """The median time of a 4 KiB write that is synced, in this folder."""
    path, times = os.path.join(folder, "sync-probe"), []
    with open(path, "wb", buffering=0) as file:
        for _ in range(100):
            began = time.perf_counter()
            file.write(b"x" * 4096)
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - began)
    os.remove(path)
    return statistics.median(times) * 1e3


def file_system_of(folder):
    kinds = {}
    with open("/proc/mounts") as mounts:
        for line in mounts:
            _device, point, kind = line.split()[:3]
            kinds[point] = kind
    inside = [point for point in kinds if (folder + "/").startswith(point.rstrip("/") + "/")]
    return kinds[max(inside, key=len)]


# -- where the time goes -------------------------------------------------------------------------

def top_symbols(server, rows_file, connections, seconds, work):
    """The functions in which the server spent most of a window of its own, or the reason why perf cannot say."""
    data = os.path.join(work, "perf.data")
    complaint = "perf is not installed"
    for event in ([], ["-e", "cpu-clock"]):
        command = ["perf", "record", "-q", "-F", "499", *event, "-g", "-p", str(server.process.pid), "-o", data,
                   "--", "sleep", str(seconds)]
        try:
            recorder = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, text=True)
        except OSError as e:
            return [f"perf does not run here: {e}"]
        load(server, rows_file, connections, seconds + 1)
        complaint = recorder.communicate(timeout=60)[1].strip()
        if recorder.returncode == 0 and os.path.exists(data):
            return report_of(data)
    return [f"perf does not work on this machine: {complaint[-500:]}"]


def report_of(data):
    command = ["perf", "report", "--no-children", "--stdio", "-g", "none", "-i", data]
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)
    lines = [line.rstrip() for line in ended.stdout.splitlines() if line.strip() and not line.startswith("#")]
    if not lines:
        return [f"perf recorded nothing: {ended.stderr[-500:].strip()}"]
    # A machine without a cycle counter is sampled by the clock: the head says so.
    head = [line.strip("# ") for line in ended.stdout.splitlines() if line.startswith("# Samples:")]
    return [*head, *lines[:TOP_SYMBOLS]]
