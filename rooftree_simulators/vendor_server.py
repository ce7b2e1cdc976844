"""HTTP on loopback for one vendor: one thread per connection, one write per answer."""

import socket
import sys
import threading
import time
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

from rooftree_simulators.vendor_base import Reply, ReplyPlan, Request, Vendor, answer_request

_MAX_BODY = 8 * 1024 * 1024
_DRIP_PIECES = 8


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512
    vendor: Vendor

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore a client that disconnected; print anything else, because it is a bug."""
        if not isinstance(sys.exception(), OSError):
            traceback.print_exc()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    timeout = 120
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing; the request log has the requests."""

    def _serve_request(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if length > _MAX_BODY or self.headers.get("Transfer-Encoding"):
            self.close_connection = True
            self._send_reply(Reply(status=413 if length > _MAX_BODY else 411))
            return
        parts = urlsplit(self.path)
        request = Request(
            method=self.command,
            path=unquote(parts.path),
            query_string=parts.query,
            headers=tuple(self.headers.items()),
            body=self.rfile.read(length) if length else b"",
        )
        self._send_plan(answer_request(self.server.vendor, request))

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _serve_request

    def _send_plan(self, plan: ReplyPlan) -> None:
        if plan.reply is None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        if plan.only_bytes is not None:
            self.close_connection = True
            head = self._response_head(plan.reply)
            self.wfile.write(head + plan.reply.body[: plan.only_bytes])
            return
        if plan.drip_ms is not None:
            self._send_slowly(plan.reply, plan.drip_ms)
            return
        self._send_reply(plan.reply)

    def _send_slowly(self, reply: Reply, pause_ms: int) -> None:
        self.wfile.write(self._response_head(reply))
        size = max(1, -(-len(reply.body) // _DRIP_PIECES))
        for start in range(0, len(reply.body), size):
            time.sleep(pause_ms / 1000)
            self.wfile.write(reply.body[start : start + size])
            self.wfile.flush()

    def _send_reply(self, reply: Reply) -> None:
        body = b"" if self.command == "HEAD" or reply.status == 204 else reply.body
        self.wfile.write(self._response_head(reply) + body)

    def _response_head(self, reply: Reply) -> bytes:
        lines = [f"HTTP/1.1 {reply.status} {self.responses.get(reply.status, ('',))[0]}"]
        if reply.status != 204:
            lines.append(f"Content-Length: {len(reply.body)}")
            if reply.body:
                lines.append(f"Content-Type: {reply.content_type}")
        lines += [f"{name}: {value}" for name, value in reply.headers]
        lines.append("Connection: close" if self.close_connection else "Connection: keep-alive")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


class HttpListener:
    """A vendor listening on 127.0.0.1. Port 0 takes a free port."""

    def __init__(self, vendor: Vendor, port: int) -> None:
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.vendor = vendor
        self.port: int = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name=f"sim-{vendor.key}", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=2)
