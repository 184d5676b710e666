"""The clients that hold a server up: silent ones, heads and bodies a byte at a time, and those that never read.

One process, started by slow_clients.py, so that what it does costs the good client no time of its interpreter. Reads
its task as JSON from stdin, says `ready` when all are connected, keeps every one of them going (whoever is closed comes
again), and tells what became of them when its stdin ends.
"""
import json, resource, select, sys, threading, time

import wire

TICK_SECONDS = 1.0
REQUESTS_UNREAD_MAX = 200
# Who is closed comes again, a few at a time: a flood of handshakes is another attack.
COME_AGAIN_MAX = 30


class Slow:
    """One connection that never comes to an end."""

    def __init__(self, task, kind, source):
        self.task, self.kind, self.source, self.closed, self.sent = task, kind, source, 0, 0
        self.connection = None
        self.connect()

    def connect(self):
        context = self.task["context"]
        try:
            self.connection = wire.connect_tls(self.task["port"], context, self.source, timeout=20)
            self.begin()
            self.connection.stream.setblocking(False)
        except (wire.Broken, OSError):
            self.connection = None

    def begin(self):
        head = f"POST {self.task['path']} HTTP/1.1\r\nhost: localhost\r\n"
        known = f"{head}authorization: Bearer {self.task['token']}\r\n"
        if self.kind == "slow heads":
            self.connection.send(f"{head}x-slow: ".encode())
        if self.kind == "slow bodies":
            self.connection.send(f"{known}content-type: application/json\r\ncontent-length: 100000\r\n\r\n{{".encode())
        self.sent = 0

    def tick(self):
        try:
            if self.kind in ("slow heads", "slow bodies"):
                self.connection.stream.send(b" ")
            elif self.kind == "never reading" and self.sent < REQUESTS_UNREAD_MAX:
                self.connection.stream.send(b"GET /openapi.json HTTP/1.1\r\nhost: localhost\r\n\r\n" * 10)
                self.sent += 10
            self.look()
        except (BlockingIOError, wire.ssl.SSLWantWriteError, wire.ssl.SSLWantReadError):
            pass
        except (OSError, wire.ssl.SSLError):
            self.gone()

    def look(self):
        """Whoever does not even look would hold a dead connection for a living one."""
        if self.kind == "never reading":
            return
        try:
            if self.connection.stream.recv(65536) == b"":
                self.gone()
        except (wire.ssl.SSLWantReadError, BlockingIOError):
            pass

    def gone(self):
        self.closed += 1
        self.connection.close()
        self.connection = None


def connected(task):
    """All of them, from several addresses, by a few threads."""
    wanted = [(kind, task["sources"][n % len(task["sources"])])
              for kind, count in task["counts"].items() for n in range(count)]
    slow, lock = [], threading.Lock()

    def work():
        while True:
            with lock:
                if not wanted:
                    return
                kind, source = wanted.pop()
            one = Slow(task, kind, source)
            with lock:
                slow.append(one)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return slow


def main():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    task = json.loads(sys.stdin.readline())
    task["context"] = wire.trusting(task["certificate"])
    slow = connected(task)
    print("ready", sum(one.connection is not None for one in slow), flush=True)
    end = time.monotonic() + task["seconds_max"]
    while time.monotonic() < end and not select.select([sys.stdin], [], [], TICK_SECONDS)[0]:
        for one in slow:
            if one.connection is not None:
                one.tick()
        for one in [one for one in slow if one.connection is None][:COME_AGAIN_MAX]:
            one.connect()
    told = {kind: {"asked": count, "open": sum(o.kind == kind and o.connection is not None for o in slow),
                   "closed by the server": sum(o.closed for o in slow if o.kind == kind)}
            for kind, count in task["counts"].items()}
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
