"""Time-ordered primary keys: UUID version 7, strictly increasing within a process."""

import os
import threading
import time
import uuid
from datetime import datetime

_lock = threading.Lock()
_last_tick = 0


def uuid7() -> uuid.UUID:
    """Return a new key for a row created now. It reveals that time: never use it as a secret."""
    global _last_tick
    with _lock:
        tick = (time.time_ns() << 12) // 1_000_000
        _last_tick = tick = tick if tick > _last_tick else _last_tick + 1
    return _assemble(tick)


def uuid7_at(at: datetime) -> uuid.UUID:
    """Return a key for a row dated `at` (aware), so that back-dated history sorts correctly."""
    micros = round(at.timestamp() * 1_000_000)
    return _assemble((micros << 12) // 1_000)


def _assemble(tick: int) -> uuid.UUID:
    tail = int.from_bytes(os.urandom(8)) & ((1 << 62) - 1)
    return uuid.UUID(int=(tick >> 12) << 80 | 7 << 76 | (tick & 0xFFF) << 64 | 2 << 62 | tail)
