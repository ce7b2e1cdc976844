"""Load on a server on this machine: posts as fast as it answers, or at a given pace."""

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from measurements import latency_summary

NO_TIME_LIMIT = 3600.0  # seconds; longer than any run


@dataclass(slots=True, kw_only=True)
class PostTarget:
    """The address of posts, and the body of the `n`th one."""

    port: int
    path: str
    body: Callable[[int], bytes]
    numbers: Iterator[int] = field(default_factory=count)  # every post is a new lead

    def request(self) -> bytes:
        """Build the next request, with a keep-alive connection."""
        return self.build_request(self.path, self.body(next(self.numbers)))

    def build_request(self, path: str, body: bytes, headers: str = "") -> bytes:
        """Build the bytes of a POST; `headers` are further header lines."""
        head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n{headers}"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


@dataclass(slots=True)
class _LoadResult:
    durations: list[float] = field(default_factory=list)
    refused: int = 0
    remaining: int = -1  # posts still to send; below 0: limited by time only


def post_closed_loop(target: PostTarget, *, connections: int, seconds: float) -> dict[str, Any]:
    """Post on each connection again as soon as it has its answer."""
    return asyncio.run(_run_load(target, connections, seconds))


def post_at_pace(
    target: PostTarget, *, connections: int, seconds: float, pace: float
) -> dict[str, Any]:
    """Post `pace` times per second regardless of answers; waiting for a connection counts."""
    return asyncio.run(_run_load(target, connections, seconds, pace=pace))


def post_number(target: PostTarget, *, connections: int, number: int) -> dict[str, Any]:
    """Post `number` times, as fast as the server answers."""
    return asyncio.run(_run_load(target, connections, NO_TIME_LIMIT, limit=number))


async def _run_load(
    target: PostTarget, connections: int, seconds: float, *, pace: float = 0, limit: int = 0
) -> dict[str, Any]:
    result, started = _LoadResult(remaining=limit or -1), time.perf_counter()
    due: asyncio.Queue[float] = asyncio.Queue()
    until = started + seconds
    workers = [
        _run_connection(target, result, until, due if pace else None) for _ in range(connections)
    ]
    if pace:
        workers.append(_pace_posts(due, pace, until, connections))
    await asyncio.gather(*workers)
    seconds_taken = time.perf_counter() - started
    return {
        "posts": len(result.durations),
        "per_s": round(len(result.durations) / seconds_taken, 1),
        "refused": result.refused,
        **latency_summary(result.durations),
    }


async def _pace_posts(due: "asyncio.Queue[float]", pace: float, until: float, users: int) -> None:
    began, posted = time.perf_counter(), 0
    while (now := time.perf_counter()) < until:
        while posted < (now - began) * pace:
            due.put_nowait(began + posted / pace)
            posted += 1
        await asyncio.sleep(0.002)
    for _ in range(users):
        due.put_nowait(0.0)


async def _run_connection(
    target: PostTarget, result: _LoadResult, until: float, due: "asyncio.Queue[float] | None"
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", target.port)
    while time.perf_counter() < until and result.remaining:
        result.remaining -= 1
        due_at = await due.get() if due else time.perf_counter()
        if not due_at:
            break
        writer.write(target.request())
        status = await _read_status(reader)
        result.durations.append(time.perf_counter() - due_at)
        result.refused += status >= 300
    writer.close()


async def _read_status(reader: asyncio.StreamReader) -> int:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(
        (
            int(line[15:])
            for line in head.lower().split(b"\r\n")
            if line.startswith(b"content-length")
        ),
        0,
    )
    await reader.readexactly(length)
    return int(head[9:12])
