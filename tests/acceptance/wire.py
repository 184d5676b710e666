"""HTTP/1.1 as a careful client speaks it: over TLS with the one certificate that was handed over, or over a socket of
this machine. Reads one whole answer or says that it broke off. Never retries and never follows anything.
"""
import json, os, socket, ssl

ANSWER_BYTES_MAX = 64 << 20
HEAD_BYTES_MAX = 256 << 10


class Broken(Exception):
    """The connection ended before a whole answer was there."""


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def all_of(self, name):
        return [value for known, value in self.headers if known == name]

    def header(self, name):
        return next(iter(self.all_of(name)), None)

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.body[:300]!r}"


class Connection:
    """One connection, kept open between requests."""

    def __init__(self, stream):
        self.stream, self.rest = stream, b""

    def close(self):
        try:
            self.stream.close()
        except OSError:
            pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, data):
        try:
            self.stream.sendall(data)
        except (OSError, ssl.SSLError) as e:
            raise Broken(f"while sending: {e}") from e

    def ask(self, method, path, body=None, token=None, headers=()):
        """Sends a request and reads its answer. A body that is no bytes goes as JSON."""
        self.send(request(method, path, body, token, headers))
        return self.read_answer(method)

    def read_answer(self, method="GET"):
        while b"\r\n\r\n" not in self.rest:
            if len(self.rest) > HEAD_BYTES_MAX:
                raise Broken("the head of the answer has no end")
            self.rest += self.receive() or self.broken("in the head")
        head, self.rest = self.rest.split(b"\r\n\r\n", 1)
        first, *lines = head.decode("latin-1").split("\r\n")
        words = first.split(" ", 2)
        if len(words) < 2 or not words[0].startswith("HTTP/1.") or not words[1].isdigit():
            raise Broken(f"no HTTP answer: {first[:80]!r}")
        headers = [(name.strip().lower(), value.strip()) for name, _, value in (l.partition(":") for l in lines)]
        answer = Answer(int(words[1]), headers, b"")
        if answer.status == 100:
            return self.read_answer(method)
        if method != "HEAD" and answer.status not in (204, 304):
            answer.body = self.read_body(answer)
        return answer

    def read_body(self, answer):
        if "chunked" in (answer.header("transfer-encoding") or "").lower():
            return self.read_chunks()
        length = answer.header("content-length")
        if length is None:
            return self.read_to_end()
        return self.take(int(length))

    def take(self, count):
        parts, have = [self.rest], len(self.rest)
        if count > ANSWER_BYTES_MAX:
            raise Broken(f"an answer of {count} bytes")
        while have < count:
            parts.append(self.receive() or self.broken("in the body"))
            have += len(parts[-1])
        whole = b"".join(parts)
        self.rest = whole[count:]
        return whole[:count]

    def read_line(self):
        while b"\r\n" not in self.rest:
            self.rest += self.receive() or self.broken("between chunks")
        line, self.rest = self.rest.split(b"\r\n", 1)
        return line

    def read_chunks(self):
        parts = []
        while True:
            size = int(self.read_line().split(b";")[0], 16)
            if size == 0:
                while self.read_line():
                    pass
                return b"".join(parts)
            parts.append(self.take(size))
            self.take(2)

    def read_to_end(self):
        parts, have = [self.rest], len(self.rest)
        while True:
            more = self.receive()
            have += len(more)
            if not more or have > ANSWER_BYTES_MAX:
                self.rest = b""
                return b"".join(parts)
            parts.append(more)

    def is_closed(self, within=2.0):
        """Whether the other side closes without another word."""
        self.stream.settimeout(within)
        try:
            return not self.rest and self.stream.recv(1) == b""
        except (ssl.SSLError, ConnectionError):
            return True
        except OSError:
            return False

    def receive(self):
        try:
            return self.stream.recv(65536)
        except (OSError, ssl.SSLError) as e:
            raise Broken(str(e)) from e

    def broken(self, where):
        raise Broken(f"the connection ended {where}")


def request(method, path, body=None, token=None, headers=()):
    """The bytes of a request."""
    lines = [f"{method} {path} HTTP/1.1", "host: localhost"]
    if token:
        lines.append(f"authorization: Bearer {token}")
    lines += [f"{name}: {value}" for name, value in headers]
    if body is None:
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
    data = body if isinstance(body, bytes) else json.dumps(body, separators=(",", ":")).encode()
    if not any(name.lower() == "content-type" for name, _ in headers):
        lines.append("content-type: application/json")
    lines.append(f"content-length: {len(data)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + data


def trusting(certificate):
    """A TLS context that trusts this one certificate and no other."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(certificate)
    return context


def connect_tls(port, context, source=None, timeout=30.0):
    try:
        plain = socket.create_connection(("127.0.0.1", port), timeout, (source, 0) if source else None)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return Connection(context.wrap_socket(plain, server_hostname="localhost"))
    except (OSError, ssl.SSLError) as e:
        raise Broken(f"no connection: {e}") from e


def connect_socket(path, timeout=30.0):
    """A socket's path may be longer than the system takes: it is named from its folder."""
    plain = socket.socket(socket.AF_UNIX)
    plain.settimeout(timeout)
    folder = os.open(os.path.dirname(path), os.O_RDONLY)
    try:
        plain.connect(f"/proc/self/fd/{folder}/{os.path.basename(path)}")
    except OSError as e:
        raise Broken(f"no connection: {e}") from e
    finally:
        os.close(folder)
    return Connection(plain)
