"""Live pages: one stream per browser, one LISTEN per process, answered without Django.

A stream begins with `resync`: the page reads itself again, so nothing that
happened before the connection is missed. Events carry ids only.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from http.cookies import CookieError, SimpleCookie
from importlib import import_module
from typing import Any

import psycopg
from django.conf import settings
from django.contrib.auth import get_user
from django.db import close_old_connections
from django.http import HttpRequest

from rooftree.tasks.dsn import database_dsn
from rooftree.tasks.live_updates import LIVE_CHANNEL
from rooftree.web.sign_in import login

KEEPALIVE_SECONDS = 20.0  # seconds until a comment line shows that the stream is alive
SESSION_CHECK_SECONDS = 300.0  # seconds after which the session is looked at again
MAX_QUEUED_EVENTS = 100  # notices that a slow reader may leave waiting before it is dropped
RESYNC = b"event: resync\ndata: {}\n\n"
STREAM_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]
log = logging.getLogger(__name__)
Send = Callable[[dict[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[dict[str, Any]]]


def authorized_user_id(cookies: str) -> str | None:
    """The id of the signed-in, active user whose Cookie header this is, or None."""
    close_old_connections()
    try:
        jar = SimpleCookie(cookies)
    except CookieError:
        return None
    morsel = jar.get(settings.SESSION_COOKIE_NAME)
    request = HttpRequest()
    engine = import_module(settings.SESSION_ENGINE)
    request.session = engine.SessionStore(morsel.value if morsel else None)
    user = get_user(request)
    may = (
        user.is_authenticated
        and user.is_active
        and not user.is_partner
        and login.is_fully_authenticated(request)
    )
    return str(user.pk) if may else None


class StreamClient:
    """One open stream and what waits to be sent on it; None in the queue ends it."""

    def __init__(self, user_id: str) -> None:
        self.user_id = user_id
        self.waiting: asyncio.Queue[bytes | None] = asyncio.Queue(MAX_QUEUED_EVENTS)
        self.waiting.put_nowait(RESYNC)

    def give(self, line: bytes) -> bool:
        """Queue a notice; False when the reader is too slow to keep."""
        try:
            self.waiting.put_nowait(line)
        except asyncio.QueueFull:
            return False
        return True


class EventBroadcaster:
    """Everyone who listens in this process, and the one connection that feeds them."""

    def __init__(self) -> None:
        self._open: set[StreamClient] = set()
        self._feeding: asyncio.Task[None] | None = None

    def add(self, reader: StreamClient) -> None:
        """Feed `reader` from now on."""
        self._open.add(reader)
        if self._feeding is None or self._feeding.done():
            self._feeding = asyncio.create_task(self._listen_forever())

    def unsubscribe(self, reader: StreamClient) -> None:
        """Feed `reader` no longer."""
        self._open.discard(reader)

    def tell(self, notice: str) -> None:
        """Pass one notice of the database on to those it is for."""
        try:
            known = json.loads(notice)
            line = f"event: {known['event']}\ndata: {json.dumps(known['data'])}\n\n".encode()
        except (ValueError, KeyError, TypeError):
            log.error("a live notice cannot be read")
            return
        only_to = known.get("to")
        self._deliver(
            line, [one for one in self._open if only_to is None or one.user_id in only_to]
        )

    def _deliver(self, line: bytes, readers: list[StreamClient]) -> None:
        for reader in readers:
            if not reader.give(line):
                self._open.discard(reader)
                reader.waiting.get_nowait()
                reader.waiting.put_nowait(None)

    async def _listen_forever(self) -> None:
        wait = 0.5
        while True:
            try:
                connection = await psycopg.AsyncConnection.connect(database_dsn(), autocommit=True)
                async with connection:
                    await connection.execute(f"listen {LIVE_CHANNEL}")
                    wait = 0.5
                    self._deliver(RESYNC, list(self._open))
                    async for notice in connection.notifies():
                        self.tell(notice.payload)
            except (psycopg.Error, OSError):
                log.warning("live pages wait for the database")
            await asyncio.sleep(wait)
            wait = min(wait * 2, 10)


BROADCASTER = EventBroadcaster()


async def serve_stream(
    cookies: str, receive: Receive, send: Send, in_thread: Callable[..., Awaitable[Any]]
) -> None:
    """Answer one `/events/` request for as long as its reader stays and may listen."""
    user_id = await in_thread(authorized_user_id, cookies)
    if user_id is None:
        await send({"type": "http.response.start", "status": 403, "headers": []})
        await send({"type": "http.response.body", "body": b""})
        return
    reader = StreamClient(user_id)
    BROADCASTER.add(reader)
    gone = asyncio.create_task(_wait_for_disconnect(receive))
    try:
        await send({"type": "http.response.start", "status": 200, "headers": STREAM_HEADERS})
        await _send_chunk(b"retry: 2000\n\n", send)
        await _forward_events(reader, send, gone, lambda: in_thread(authorized_user_id, cookies))
        await send({"type": "http.response.body", "body": b""})
    finally:
        BROADCASTER.unsubscribe(reader)
        gone.cancel()


async def _forward_events(
    reader: StreamClient, send: Send, gone: "asyncio.Task[None]", user: Callable[[], Awaitable[Any]]
) -> None:
    clock = asyncio.get_running_loop().time
    check_at = clock() + SESSION_CHECK_SECONDS
    while not gone.done():
        line = await _next_event(reader, gone)
        if gone.done() or line is None:
            return
        if clock() > check_at:
            if await user() != reader.user_id:
                return
            check_at = clock() + SESSION_CHECK_SECONDS
        await _send_chunk(line, send)


async def _next_event(reader: StreamClient, gone: "asyncio.Task[None]") -> bytes | None:
    """The next notice, a comment when there was none for a while, None at the end."""
    getting = asyncio.create_task(reader.waiting.get())
    await asyncio.wait(
        {getting, gone}, timeout=KEEPALIVE_SECONDS, return_when=asyncio.FIRST_COMPLETED
    )
    if getting.done():
        return getting.result()
    getting.cancel()
    return b": still here\n\n"


async def _wait_for_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send_chunk(body: bytes, send: Send) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": True})
