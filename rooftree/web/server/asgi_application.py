"""The front: streams and health are answered here, all else by Django in a few threads.

A request's body is read completely, within a size and a time, before a thread
is given to it: twenty stalled senders harm nobody.
"""

import asyncio
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

from rooftree.core import log_formatting
from rooftree.web.server import http_metrics, live_events, readiness_checks, wsgi_bridge
from rooftree.web.shared import error_pages
from rooftree.web.shared.error_messages import RETRY_AFTER_SECONDS

THREADS = 4
BODY_SECONDS = 15.0  # for the whole body of a request to arrive
UPLOAD_PATHS = frozenset({"/setup/imports/", "/compliance/lists/"})  # where staff send files
FILE_SECONDS = 120.0  # for a file of theirs
CHUNK_BYTES = 256 * 1024  # bytes of an answer handed to the server at once
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
    """The body is longer than we take."""


class ClientDisconnected(Exception):
    """The sender went away before the end of its request."""


class AsgiApplication:
    """The ASGI application."""

    def __init__(self, django: Callable[..., Any]) -> None:
        self._django = django
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="django")
        # Streams and health must be answered while all of Django's threads are busy.
        self._side_threads = ThreadPoolExecutor(2, thread_name_prefix="side")
        self._migrated = False

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await _handle_lifespan(receive, send)
        elif scope["type"] == "http":
            await self._handle_http(scope, receive, send)

    async def _handle_http(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        match scope["path"]:
            case "/healthz":
                await _send_text(send, 200, "alive\n")
            case "/readyz" | "/readyz/all":
                ready, why = await self._run_in_side_thread(self._readiness)
                if ready and scope["path"] == "/readyz/all":
                    ready, why = await self._run_in_side_thread(
                        _call_on_fresh_connection, readiness_checks.check_processes
                    )
                await _send_text(send, 200 if ready else 503, f"{why}\n")
            case "/metrics":
                await self._serve_metrics(scope, send)
            case "/events/" if scope["method"] == "GET":
                await live_events.serve_stream(
                    _cookie_header(scope), receive, send, self._run_in_side_thread
                )
            case _:
                await self._page(scope, receive, send)

    async def _serve_metrics(self, scope: dict[str, Any], send: Send) -> None:
        peer = (scope.get("client") or ("", 0))[0]
        if not http_metrics.can_read_metrics(peer, scope["headers"]):
            await _send_text(send, 404, "There is nothing here.\n")
            return
        try:
            await _send_text(
                send,
                200,
                await self._run_in_side_thread(
                    _call_on_fresh_connection, http_metrics.render_metrics
                ),
            )
        except Error:
            await _send_text(send, 503, "The database does not answer.\n")

    async def _page(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        began = time.monotonic()
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
            ready, why = await self._run_in_side_thread(self._readiness)
            if not ready:
                words = f"Rooftree is starting: {why}. Try again in a moment.\n"
                await _send_error(scope, send, 503, words)
                return
        environ = wsgi_bridge.build_environ(scope, body)
        asked = _choose_request_id(environ.get("HTTP_X_REQUEST_ID", ""))
        loop = asyncio.get_running_loop()
        answer = await loop.run_in_executor(self._threads, self._answer, environ, asked)
        http_metrics.LATENCY_HISTOGRAM.add(scope["path"], answer.status, time.monotonic() - began)
        answer.headers.append((b"x-request-id", asked.encode()))
        with answer.body:
            await _send_response(send, answer)

    async def _body_limits(self, scope: dict[str, Any]) -> tuple[int, float]:
        """The bytes and seconds of a body: more for a file, which only who is signed in sends."""
        if scope["method"] == "POST" and scope["path"] in UPLOAD_PATHS:
            try:
                if await self._run_in_side_thread(
                    live_events.authorized_user_id, _cookie_header(scope)
                ):
                    return settings.UPLOAD_LIMIT, FILE_SECONDS
            except Error:
                log.warning("nobody can be known to send a file: the database does not answer")
        return settings.BODY_LIMIT, BODY_SECONDS

    def _answer(self, environ: dict[str, Any], asked: str) -> wsgi_bridge.WsgiResponse:
        """Django's answer; what is logged and queued on the way carries the request's id."""
        log_formatting.request_id.set(asked)
        return wsgi_bridge.run_application(self._django, environ)

    async def _run_in_side_thread(self, call: Callable[..., Any], *args: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._side_threads, call, *args)

    def _readiness(self) -> tuple[bool, str]:
        """Whether pages can be served now, and why not."""
        close_old_connections()
        try:
            if self._migrated:
                with connection.cursor() as cursor:
                    cursor.execute("select 1")
            else:
                executor = MigrationExecutor(connection)
                if executor.migration_plan(executor.loader.graph.leaf_nodes()):
                    return False, "the tables are not up to date"
                if readiness_checks.has_newer_migrations(executor.loader):
                    return False, "a newer release of Rooftree has changed the tables"
                self._migrated = True
        except Error:
            return False, "the database does not answer"
        return True, "ready"


def _call_on_fresh_connection(call: Callable[[], Any]) -> Any:
    """What `call` says on a connection that is not too old."""
    close_old_connections()
    return call()


def _choose_request_id(given: str) -> str:
    """The id the proxy gave, if it is one; else a new one."""
    return given if REQUEST_ID.fullmatch(given) else secrets.token_hex(8)


async def _handle_lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def _read_body(scope: dict[str, Any], receive: Receive, limit: int) -> bytes:
    """The whole body; `TooLarge` as soon as its length is known to be."""
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


async def _send_response(send: Send, answer: wsgi_bridge.WsgiResponse) -> None:
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
    while piece := answer.body.read(CHUNK_BYTES):
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _send_text(send: Send, status: int, text: str) -> None:
    await _send_complete(send, status, b"text/plain; charset=utf-8", text)


async def _send_error(scope: dict[str, Any], send: Send, status: int, text: str) -> None:
    """A request that Django never sees: a page for who reads pages, `text` for the rest."""
    said = {name: value.decode("latin-1") for name, value in scope["headers"]}
    if "text/html" not in said.get(b"accept", ""):
        await _send_complete(send, status, b"text/plain; charset=utf-8", text)
        return
    page = error_pages.render_error_without_database(
        str(status),
        scope["path"],
        accepted=said.get(b"accept-language", ""),
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
