"""The ASGI application: serves live streams and health itself, everything else through Django.

Django runs in a few threads. A request's body is read completely, within a size and time limit,
before a thread is used for it, so stalled senders can't exhaust the threads.
"""

import asyncio
import json
import logging
import re
import secrets
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.conf import settings
from django.db import Error, close_old_connections, connection
from django.db.migrations.executor import MigrationExecutor
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from rooftree.core import log_formatting
from rooftree.db.statements import execute
from rooftree.web.server import http_metrics, live_events, readiness_checks, wsgi_bridge
from rooftree.web.shared import error_pages
from rooftree.web.shared.error_messages import API_PATH, RETRY_AFTER_SECONDS, api_error_body

THREADS = 4
BODY_SECONDS = 15.0  # seconds for a request's whole body to arrive
UPLOAD_PATHS = frozenset({"/setup/imports/", "/compliance/lists/"})  # where staff upload files
FILE_SECONDS = 120.0  # seconds for an uploaded file to arrive
CHUNK_BYTES = 256 * 1024  # bytes of a response passed to the server at a time
ERROR_HEADERS = [
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'self'; frame-ancestors 'none'"),
]
REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{6,64}")
log = logging.getLogger(__name__)
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class BodyTooLarge(Exception):
    """The request body exceeds the size limit."""


class ClientDisconnected(Exception):
    """The client disconnected before its request was complete."""


class AsgiApplication:
    """The ASGI application around Django's WSGI application."""

    def __init__(self, django: Callable[..., Any]) -> None:
        self._django = django
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="django")
        # Streams and health checks must work while all of Django's threads are busy.
        self._side_threads = ThreadPoolExecutor(2, thread_name_prefix="side")
        self._migrated = False

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Handle one request, or the server's lifespan events."""
        if scope["type"] == "lifespan":
            await _handle_lifespan(receive, send)
        elif scope["type"] == "http":
            await self._handle_http(scope, receive, send)

    async def _handle_http(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        match scope["path"]:
            case "/healthz":
                await _send_text(send, 200, "alive\n")
            case "/readyz" | "/readyz/all":
                ready, reason = await self._run_in_side_thread(self._check_readiness)
                if ready and scope["path"] == "/readyz/all":
                    ready, reason = await self._run_in_side_thread(
                        _call_on_fresh_connection, readiness_checks.check_processes
                    )
                await _send_text(send, 200 if ready else 503, f"{reason}\n")
            case "/metrics":
                await self._serve_metrics(scope, send)
            case "/events/" if scope["method"] == "GET":
                await live_events.serve_stream(
                    _cookie_header(scope), receive, send, self._run_in_side_thread
                )
            case _:
                await self._serve_page(scope, receive, send)

    async def _serve_metrics(self, scope: dict[str, Any], send: Send) -> None:
        peer = (scope.get("client") or ("", 0))[0]
        if not http_metrics.can_read_metrics(peer, scope["headers"]):
            await _send_text(send, 404, "Not found.\n")
            return
        try:
            text = await self._run_in_side_thread(
                _call_on_fresh_connection, http_metrics.render_metrics
            )
            await _send_complete(send, 200, CONTENT_TYPE_PLAIN_0_0_4.encode(), text)
        except Error:
            await _send_text(send, 503, "The database is not responding.\n")

    async def _serve_page(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        started = time.monotonic()
        try:
            limit, seconds = await self._body_limits(scope)
            async with asyncio.timeout(seconds):
                body = await _read_body(scope, receive, limit)
        except BodyTooLarge:
            await _send_error(scope, send, 413, "The request is too large.\n")
            return
        except TimeoutError:
            await _send_error(scope, send, 408, "The request did not arrive in time.\n")
            return
        except ClientDisconnected:
            return
        if not self._migrated:
            ready, reason = await self._run_in_side_thread(self._check_readiness)
            if not ready:
                text = f"Rooftree is starting: {reason}. Try again in a moment.\n"
                await _send_error(scope, send, 503, text)
                return
        environ = wsgi_bridge.build_environ(scope, body)
        given_id = environ.get("HTTP_X_REQUEST_ID", "")  # the proxy's
        request_id = given_id if REQUEST_ID.fullmatch(given_id) else secrets.token_hex(8)
        loop = asyncio.get_running_loop()
        response = await loop.run_in_executor(self._threads, self._run_django, environ, request_id)
        http_metrics.observe_response(scope["path"], response.status, time.monotonic() - started)
        response.headers.append((b"x-request-id", request_id.encode()))
        with response.body:
            await _send_response(send, response)

    async def _body_limits(self, scope: dict[str, Any]) -> tuple[int, float]:
        """Return the size and time limits of a body; signed-in users get more for file uploads."""
        if scope["method"] == "POST" and scope["path"] in UPLOAD_PATHS:
            try:
                if await self._run_in_side_thread(
                    live_events.authorized_user_id, _cookie_header(scope)
                ):
                    return settings.UPLOAD_LIMIT, FILE_SECONDS
            except Error:
                log.warning("cannot check who is uploading a file: the database is not responding")
        return settings.BODY_LIMIT, BODY_SECONDS

    def _run_django(self, environ: dict[str, Any], request_id: str) -> wsgi_bridge.WsgiResponse:
        """Run Django; log lines and queued tasks carry the request id."""
        log_formatting.request_id.set(request_id)
        return wsgi_bridge.run_application(self._django, environ)

    async def _run_in_side_thread(self, call: Callable[..., Any], *args: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._side_threads, call, *args)

    def _check_readiness(self) -> tuple[bool, str]:
        """Check whether pages can be served now; return the reason if not."""
        close_old_connections()
        try:
            if self._migrated:
                execute("select 1")
            else:
                executor = MigrationExecutor(connection)
                if executor.migration_plan(executor.loader.graph.leaf_nodes()):
                    return False, "the database schema is out of date"
                if readiness_checks.has_newer_migrations(executor.loader):
                    return False, "a newer release of Rooftree has changed the database schema"
                self._migrated = True
        except Error:
            return False, "the database is not responding"
        return True, "ready"


def _call_on_fresh_connection(call: Callable[[], Any]) -> Any:
    """Run `call` after closing database connections that are too old."""
    close_old_connections()
    return call()


async def _handle_lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def _read_body(scope: dict[str, Any], receive: Receive, limit: int) -> bytes:
    """Read the whole body; raise `BodyTooLarge` as soon as it exceeds `limit` bytes."""
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit() and int(value) > limit:
            raise BodyTooLarge
    parts, length = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnected
        part = message.get("body", b"")
        length += len(part)
        if length > limit:
            raise BodyTooLarge
        parts.append(part)
        if not message.get("more_body"):
            return b"".join(parts)


async def _send_response(send: Send, response: wsgi_bridge.WsgiResponse) -> None:
    await send(
        {"type": "http.response.start", "status": response.status, "headers": response.headers}
    )
    while chunk := response.body.read(CHUNK_BYTES):
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _send_text(send: Send, status: int, text: str) -> None:
    await _send_complete(send, status, b"text/plain; charset=utf-8", text)


async def _send_error(scope: dict[str, Any], send: Send, status: int, text: str) -> None:
    """Answer a request that Django never sees: a page for browsers, JSON for the API, or `text`."""
    if scope["path"].startswith(API_PATH):
        body = json.dumps(api_error_body(str(status)))
        await _send_complete(send, status, b"application/json", body)
        return
    headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
    if "text/html" not in headers.get(b"accept", ""):
        await _send_complete(send, status, b"text/plain; charset=utf-8", text)
        return
    page = error_pages.render_error_without_database(
        str(status),
        scope["path"],
        accepted=headers.get(b"accept-language", ""),
        query=scope["query_string"].decode("latin-1"),
    )
    await _send_complete(send, status, b"text/html; charset=utf-8", page)


async def _send_complete(send: Send, status: int, kind: bytes, text: str) -> None:
    headers = [(b"content-type", kind), *ERROR_HEADERS]
    if status == 503:
        headers.append((b"retry-after", str(RETRY_AFTER_SECONDS).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})


def _cookie_header(scope: dict[str, Any]) -> str:
    return "; ".join(
        value.decode("latin-1") for name, value in scope["headers"] if name == b"cookie"
    )
