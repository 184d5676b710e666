"""A proxy that spoils one documented answer: proof that whoever looks at the server through it would notice.
Listens on the loopback only, hands everything else on as it is, and never keeps anything.
"""
import http.server, json, threading

import wire

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"}


class Proxy:
    """Serves over plain HTTP what the server says over TLS, but for the answer that is spoilt."""

    def __init__(self, server, spoil):
        proxy = self
        self.server, self.spoil, self.spoilt = server, spoil, 0

        class Between(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                lines = [f"{self.command} {self.path} HTTP/1.1"]
                lines += [f"{name}: {value}" for name, value in self.headers.items() if name.lower() != "connection"]
                with proxy.server.connect() as connection:
                    connection.send("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)
                    answer = connection.read_answer(self.command)
                proxy.give(self, answer)

            def __getattr__(self, name):
                if name.startswith("do_"):
                    return self.answer
                raise AttributeError(name)

            def log_message(self, *_):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Between)
        self.port = self.http.server_address[1]
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def give(self, between, answer):
        spoilt = self.spoil(between.command, between.path, answer)
        self.spoilt += spoilt is not None
        answer = spoilt or answer
        between.send_response_only(answer.status)
        for name, value in answer.headers:
            if name not in HOP_BY_HOP:
                between.send_header(name, value)
        between.send_header("content-length", str(len(answer.body)))
        between.end_headers()
        if between.command != "HEAD":
            between.wfile.write(answer.body)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.http.shutdown()
        self.http.server_close()


def leaves(command, path, answer):
    """Nothing is spoilt: through a proxy like this nothing may be found."""
    return None


def fails(command, path, answer):
    """A good answer becomes a fault of the server."""
    if (command, path, answer.status) == ("GET", "/v1/whoami", 200):
        return wire.Answer(500, answer.headers, answer.body)
    return None


def forgets(command, path, answer):
    """A required property is not there."""
    if (command, path, answer.status) == ("GET", "/v1/whoami", 200):
        whole = answer.json()
        del whole["name"]
        return wire.Answer(200, answer.headers, json.dumps(whole).encode())
    return None


def surprises(command, path, answer):
    """A status that the document does not know."""
    if (command, path, answer.status) == ("GET", "/v1/whoami", 200):
        return wire.Answer(299, answer.headers, answer.body)
    return None
