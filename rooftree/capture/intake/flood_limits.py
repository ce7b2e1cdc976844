"""A source that floods: how much of it is taken, so that it harms no other.

Every web process counts what it takes by itself, in memory, and looks at the database only
when its own share says that a limit may be near: at most once a second for a source. Nothing
is locked, and an ordinary source costs no statement. With several processes the limit is
kept to within what arrives in that second.
"""

import threading
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection

from rooftree.core.uuid7 import uuid7_at
from rooftree.leads.models import RateLimitCount, Source

MINUTE = timedelta(minutes=1)
RECHECK_INTERVAL = timedelta(
    seconds=1
)  # between two looks at the database, of one process at one source
PROCESS_SHARE = 20  # web processes that may take parts of one flood before a limit is overrun
DEFAULT_PER_MINUTE = 6000  # deliveries a minute that a new source may send
RETRY_AFTER_SECONDS = 30  # seconds after which the sender may try again

_COUNT_TAKEN_SQL = """
select count(*) from (
  select from delivery where source_id = %s and received_at > %s and received_at <= %s limit %s
) lately
"""
_RECORD_TURNED_AWAY_SQL = """
insert into flood (id, source_id, on_date, count, last_at) values (%s, %s, %s, %s, %s)
on conflict (source_id, on_date) do update
set count = flood.count + excluded.count, last_at = greatest(flood.last_at, excluded.last_at)
"""


@dataclass(slots=True)
class _SourceCount:
    """What this process knows of one source."""

    taken: deque[datetime] = field(default_factory=deque)  # here, in the last minute
    of_all: int = 0  # everywhere in the minute before `looked_at`, as the database had it
    since: int = 0  # taken here since then
    looked_at: datetime | None = None
    turned_away: int = 0  # not written down yet
    told_at: datetime | None = None


_counts: dict[UUID, _SourceCount] = {}
_lock = threading.Lock()


def turn_away_flood(source: Source, *, at: datetime) -> bool:
    """Whether one more delivery of this source would be over its limit.

    One that is taken counts at once; one that is turned away is counted for the
    Sources page. A limit of None is none.
    """
    limit = source.per_minute
    if limit is None:
        return False
    with _lock:
        seen = _counts.setdefault(source.pk, _SourceCount())
        while seen.taken and seen.taken[0] <= at - MINUTE:
            seen.taken.popleft()
        is_near = len(seen.taken) * PROCESS_SHARE >= limit
        looks = is_near and not _is_recent(seen.looked_at, at)
        if looks:
            seen.looked_at = at
    if looks:
        of_all = _count_taken(source, limit, at)
        with _lock:
            seen.of_all, seen.since = of_all, 0
    with _lock:
        everywhere = seen.of_all + seen.since if is_near else 0
        is_over = max(len(seen.taken), everywhere) >= limit
        if not is_over:
            seen.taken.append(at)
            seen.since += 1
            return False
        seen.turned_away += 1
    _record_turned_away(source, seen, at)
    return True


def reset_counts() -> None:
    """Know nothing of any source, as a process that has just started."""
    with _lock:
        _counts.clear()


def _is_recent(looked_at: datetime | None, at: datetime) -> bool:
    return looked_at is not None and abs(at - looked_at) < RECHECK_INTERVAL


def _count_taken(source: Source, limit: int, at: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_COUNT_TAKEN_SQL, [source.pk, at - MINUTE, at, limit])
        return int(cursor.fetchone()[0])


def _record_turned_away(source: Source, seen: _SourceCount, at: datetime) -> None:
    """Add what was turned away to the day's count, at most once a second."""
    with _lock:
        if _is_recent(seen.told_at, at):
            return
        number, seen.turned_away, seen.told_at = seen.turned_away, 0, at
    with connection.cursor() as cursor:
        cursor.execute(_RECORD_TURNED_AWAY_SQL, [uuid7_at(at), source.pk, at.date(), number, at])


def recent_floods(at: datetime) -> dict[UUID, RateLimitCount]:
    """The floods of this day and the one before, newest of each source."""
    recent = RateLimitCount.objects.filter(last_at__gt=at - timedelta(days=1)).order_by("last_at")
    return {rate_limit_count.source_id: rate_limit_count for rate_limit_count in recent}
