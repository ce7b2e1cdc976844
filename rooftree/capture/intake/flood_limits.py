"""Rate limits per source, so that a source that floods us slows down no other.

Every web process counts the deliveries it takes in memory, and queries the database only
when its own share suggests that a limit is near: at most once a second per source. No row
is locked, and an ordinary source costs no query. With several processes the limit can be
exceeded by what arrives in that second.
"""

import threading
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from rooftree.core.uuid7 import uuid7_at
from rooftree.db.statements import execute, query_row
from rooftree.leads.models import RateLimitCount, Source

MINUTE = timedelta(minutes=1)
RECHECK_INTERVAL = timedelta(seconds=1)  # between two queries of one process about one source
PROCESS_SHARE = 20  # web processes that can share one flood before a limit is overrun
DEFAULT_PER_MINUTE = 6000  # deliveries a minute that a new source can send
RETRY_AFTER_SECONDS = 30  # sent to the sender as Retry-After

_COUNT_TAKEN_SQL = """
select count(*) from (
  select from delivery where source_id = %s and received_at > %s and received_at <= %s limit %s
) lately
"""
_RECORD_TURNED_AWAY_SQL = """
insert into rate_limit_count (id, source_id, on_date, count, last_at) values (%s, %s, %s, %s, %s)
on conflict (source_id, on_date) do update
set count = rate_limit_count.count + excluded.count,
    last_at = greatest(rate_limit_count.last_at, excluded.last_at)
"""


@dataclass(slots=True)
class _SourceCount:
    """This process's counts of one source."""

    taken: deque[datetime] = field(default_factory=deque)  # by this process, in the last minute
    taken_everywhere: int = 0  # by all processes in the minute before `checked_at`
    taken_since: int = 0  # by this process since `checked_at`
    checked_at: datetime | None = None
    turned_away: int = 0  # not stored yet
    stored_at: datetime | None = None


_counts: dict[UUID, _SourceCount] = {}
_lock = threading.Lock()


def turn_away_flood(source: Source, *, at: datetime) -> bool:
    """Count one more delivery; return True if it is over the source's limit.

    A delivery within the limit counts at once. A delivery over the limit is counted
    for the Sources page. A limit of None means unlimited.
    """
    limit = source.per_minute
    if limit is None:
        return False
    with _lock:
        count = _counts.setdefault(source.pk, _SourceCount())
        while count.taken and count.taken[0] <= at - MINUTE:
            count.taken.popleft()
        is_near = len(count.taken) * PROCESS_SHARE >= limit
        is_check_due = is_near and not _is_recent(count.checked_at, at)
        if is_check_due:
            count.checked_at = at
    if is_check_due:
        taken_everywhere = int(query_row(_COUNT_TAKEN_SQL, [source.pk, at - MINUTE, at, limit])[0])
        with _lock:
            count.taken_everywhere, count.taken_since = taken_everywhere, 0
    with _lock:
        everywhere = count.taken_everywhere + count.taken_since if is_near else 0
        is_over = max(len(count.taken), everywhere) >= limit
        if not is_over:
            count.taken.append(at)
            count.taken_since += 1
            return False
        count.turned_away += 1
    _record_turned_away(source, count, at)
    return True


def reset_counts() -> None:
    """Forget all counts, as if the process had just started."""
    with _lock:
        _counts.clear()


def _is_recent(checked_at: datetime | None, at: datetime) -> bool:
    return checked_at is not None and abs(at - checked_at) < RECHECK_INTERVAL


def _record_turned_away(source: Source, count: _SourceCount, at: datetime) -> None:
    """Add the rejected deliveries to the day's count, at most once a second."""
    with _lock:
        if _is_recent(count.stored_at, at):
            return
        number, count.turned_away, count.stored_at = count.turned_away, 0, at
    execute(_RECORD_TURNED_AWAY_SQL, [uuid7_at(at), source.pk, at.date(), number, at])


def recent_floods(at: datetime) -> dict[UUID, RateLimitCount]:
    """Return each source's newest flood of the last 24 hours, by source id."""
    recent = RateLimitCount.objects.filter(last_at__gt=at - timedelta(days=1)).order_by("last_at")
    return {rate_limit_count.source_id: rate_limit_count for rate_limit_count in recent}
