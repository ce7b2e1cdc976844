"""Posting to a server on this machine: as fast as it answers, or at a given pace."""

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
    """Where posts go, and what the `n`th one says."""

    port: int
    path: str
    body: Callable[[int], bytes]
    numbers: Iterator[int] = field(default_factory=count)  # every post is another lead

    def request(self) -> bytes:
        """The whole next request, kept alive."""
        return self.written(self.path, self.body(next(self.numbers)))

    def written(self, path: str, body: bytes, more: str = "") -> bytes:
        """A post as it goes over the wire; `more` are whole lines of its head."""
        head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n{more}"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


@dataclass(slots=True)
class _LoadResult:
    took: list[float] = field(default_factory=list)
    refused: int = 0
    left: int = -1  # posts still to make; below 0: no end but the time's


def post_closed_loop(target: PostTarget, *, connections: int, seconds: float) -> dict[str, Any]:
    """Each connection posts again as soon as it has its answer."""
    return asyncio.run(_run_load(target, connections, seconds))


def post_at_pace(
    target: PostTarget, *, connections: int, seconds: float, pace: float
) -> dict[str, Any]:
    """`pace` posts a second, whatever the answers do; waiting for a connection counts."""
    return asyncio.run(_run_load(target, connections, seconds, pace=pace))


def post_number(target: PostTarget, *, connections: int, number: int) -> dict[str, Any]:
    """As many posts as that, as fast as they are answered."""
    return asyncio.run(_run_load(target, connections, NO_TIME_LIMIT, most=number))


async def _run_load(
    target: PostTarget, connections: int, seconds: float, *, pace: float = 0, most: int = 0
) -> dict[str, Any]:
    seen, started = _LoadResult(left=most or -1), time.perf_counter()
    due: asyncio.Queue[float] = asyncio.Queue()
    until = started + seconds
    workers = [
        _run_connection(target, seen, until, due if pace else None) for _ in range(connections)
    ]
    if pace:
        workers.append(_pace_posts(due, pace, until, connections))
    await asyncio.gather(*workers)
    lasted = time.perf_counter() - started
    return {
        "posts": len(seen.took),
        "per_s": round(len(seen.took) / lasted, 1),
        "refused": seen.refused,
        **latency_summary(seen.took),
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
    target: PostTarget, seen: _LoadResult, until: float, due: "asyncio.Queue[float] | None"
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", target.port)
    while time.perf_counter() < until and seen.left:
        seen.left -= 1
        asked = await due.get() if due else time.perf_counter()
        if not asked:
            break
        writer.write(target.request())
        status = await _read_status(reader)
        seen.took.append(time.perf_counter() - asked)
        seen.refused += status >= 300
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
