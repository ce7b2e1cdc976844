"""Server-sent events for live pages: one stream per browser, one LISTEN per process.

Served without Django. A stream begins with `resync`, which makes the page reload its parts, so
nothing that happened before the connection is missed. Events carry ids only.
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

KEEPALIVE_SECONDS = 20.0  # seconds of silence before a comment line keeps the stream alive
SESSION_CHECK_SECONDS = 300.0  # seconds between checks that the session is still valid
MAX_QUEUED_EVENTS = 100  # events queued for a slow client before it is dropped
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
    """Return the user id of a Cookie header, or None.

    Only for active staff who have passed the second factor; partners get no live pages.
    """
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
    is_authorized = (
        user.is_authenticated
        and user.is_active
        and not user.is_partner
        and login.is_fully_authenticated(request)
    )
    return str(user.pk) if is_authorized else None


class StreamClient:
    """One open stream and its queue of events; None in the queue ends the stream."""

    def __init__(self, user_id: str) -> None:
        self.user_id = user_id
        self.queue: asyncio.Queue[bytes | None] = asyncio.Queue(MAX_QUEUED_EVENTS)
        self.queue.put_nowait(RESYNC)

    def enqueue(self, line: bytes) -> bool:
        """Queue an event; return False when the queue is full because the client is too slow."""
        try:
            self.queue.put_nowait(line)
        except asyncio.QueueFull:
            return False
        return True


class EventBroadcaster:
    """All the clients of this process, and the one database connection that feeds them."""

    def __init__(self) -> None:
        self._clients: set[StreamClient] = set()
        self._listener: asyncio.Task[None] | None = None

    def subscribe(self, client: StreamClient) -> None:
        """Send events to `client` from now on."""
        self._clients.add(client)
        if self._listener is None or self._listener.done():
            self._listener = asyncio.create_task(self._listen_forever())

    def unsubscribe(self, client: StreamClient) -> None:
        """Stop sending events to `client`."""
        self._clients.discard(client)

    def broadcast(self, notice: str) -> None:
        """Send one database notification to the clients it is for: all, or the users in `to`."""
        try:
            event = json.loads(notice)
            line = f"event: {event['event']}\ndata: {json.dumps(event['data'])}\n\n".encode()
        except (ValueError, KeyError, TypeError):
            log.error("cannot parse a live event")
            return
        only_to = event.get("to")
        self._deliver(line, [c for c in self._clients if only_to is None or c.user_id in only_to])

    def _deliver(self, line: bytes, clients: list[StreamClient]) -> None:
        for client in clients:
            if not client.enqueue(line):
                self._clients.discard(client)
                client.queue.get_nowait()
                client.queue.put_nowait(None)

    async def _listen_forever(self) -> None:
        delay = 0.5
        while True:
            try:
                connection = await psycopg.AsyncConnection.connect(database_dsn(), autocommit=True)
                async with connection:
                    await connection.execute(f"listen {LIVE_CHANNEL}")
                    delay = 0.5
                    self._deliver(RESYNC, list(self._clients))
                    async for notice in connection.notifies():
                        self.broadcast(notice.payload)
            except (psycopg.Error, OSError):
                log.warning("live pages: lost the database connection, retrying")
            await asyncio.sleep(delay)
            delay = min(delay * 2, 10)


BROADCASTER = EventBroadcaster()


async def serve_stream(
    cookies: str, receive: Receive, send: Send, in_thread: Callable[..., Awaitable[Any]]
) -> None:
    """Serve one `/events/` request while the client is connected and its session is valid."""
    user_id = await in_thread(authorized_user_id, cookies)
    if user_id is None:
        await send({"type": "http.response.start", "status": 403, "headers": []})
        await send({"type": "http.response.body", "body": b""})
        return
    client = StreamClient(user_id)
    BROADCASTER.subscribe(client)
    disconnect = asyncio.create_task(_wait_for_disconnect(receive))
    try:
        await send({"type": "http.response.start", "status": 200, "headers": STREAM_HEADERS})
        await _send_chunk(b"retry: 2000\n\n", send)
        await _forward_events(
            client, send, disconnect, lambda: in_thread(authorized_user_id, cookies)
        )
        await send({"type": "http.response.body", "body": b""})
    finally:
        BROADCASTER.unsubscribe(client)
        disconnect.cancel()


async def _forward_events(
    client: StreamClient,
    send: Send,
    disconnect: "asyncio.Task[None]",
    read_user_id: Callable[[], Awaitable[Any]],
) -> None:
    clock = asyncio.get_running_loop().time
    check_at = clock() + SESSION_CHECK_SECONDS
    while not disconnect.done():
        line = await _next_event(client, disconnect)
        if disconnect.done() or line is None:
            return
        if clock() > check_at:
            if await read_user_id() != client.user_id:
                return
            check_at = clock() + SESSION_CHECK_SECONDS
        await _send_chunk(line, send)


async def _next_event(client: StreamClient, disconnect: "asyncio.Task[None]") -> bytes | None:
    """Return the next event, a keep-alive comment after a silence, or None at the end."""
    getting = asyncio.create_task(client.queue.get())
    await asyncio.wait(
        {getting, disconnect}, timeout=KEEPALIVE_SECONDS, return_when=asyncio.FIRST_COMPLETED
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
