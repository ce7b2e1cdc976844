"""Running Django's WSGI application for a request whose body has been read completely."""

import io
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import IO, Any

MAX_MEMORY_BYTES = 1024 * 1024  # larger response bodies go to a temporary file


@dataclass(frozen=True, slots=True, kw_only=True)
class WsgiResponse:
    """A complete response; `body` is positioned at its start."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: IO[bytes]


def run_application(
    application: Callable[..., Iterable[bytes]], environ: dict[str, Any]
) -> WsgiResponse:
    """Run the application to the end, so that a slow client never holds this thread."""
    started: dict[str, Any] = {}

    def start_response(status: str, headers: list[tuple[str, str]], _: object = None) -> None:
        started["status"] = int(status.split(" ", 1)[0])
        started["headers"] = [
            (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers
        ]

    chunks = application(environ, start_response)
    body = tempfile.SpooledTemporaryFile(MAX_MEMORY_BYTES)  # noqa: SIM115 (the caller closes it after sending)
    try:
        for chunk in chunks:
            body.write(chunk)
    finally:
        close = getattr(chunks, "close", None)
        if close is not None:
            close()
    body.seek(0)
    return WsgiResponse(status=started["status"], headers=started["headers"], body=body)


def build_environ(scope: dict[str, Any], body: bytes) -> dict[str, Any]:
    """Build the WSGI environ of a request from its ASGI scope and body."""
    server = scope.get("server") or ("localhost", 80)
    client = scope.get("client") or ("", 0)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": scope["path"].encode("utf-8", "surrogateescape").decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1]),
        "REMOTE_ADDR": client[0],
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for raw_name, raw_value in scope["headers"]:
        _add_header(environ, raw_name.decode("latin-1"), raw_value.decode("latin-1"))
    return environ


def _add_header(environ: dict[str, Any], name: str, value: str) -> None:
    if "_" in name or name == "content-length":
        return  # an underscore would let one header pass as another
    key = "CONTENT_TYPE" if name == "content-type" else f"HTTP_{name.upper().replace('-', '_')}"
    joint = "; " if key == "HTTP_COOKIE" else ","
    environ[key] = f"{environ[key]}{joint}{value}" if key in environ else value
