"""The receiver of callbacks: an HTTP server that answers as configured and stores requests."""

import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit


@dataclass
class ReceivedRequest:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


@dataclass
class Receiver:
    """Stores requests; answers 200 without a body unless `answers` or `statuses` are set."""

    url: str = ""
    requests: list[ReceivedRequest] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)  # path -> TwiML
    statuses: list[int] = field(default_factory=list)  # used once each, in order

    def at(self, path: str) -> list[ReceivedRequest]:
        return [request for request in self.requests if urlsplit(request.path).path == path]


def serve(receiver: Receiver) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            request = ReceivedRequest(self.path, dict(self.headers.items()), body)
            receiver.requests.append(request)
            status = receiver.statuses.pop(0) if receiver.statuses else 200
            answer = receiver.answers.get(urlsplit(self.path).path, "").encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/xml")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *words: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    return server
