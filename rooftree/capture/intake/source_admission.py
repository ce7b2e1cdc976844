"""Admission of deliveries: find the source an address belongs to, and limit its rate.

A cached source carries the version of its row, and `store_delivery` stores nothing for a source
whose row has another version. So a process cannot accept a delivery by outdated settings; before
it refuses one, it must check the source first (`require_current_source`).

A source that floods us slows down no other. Every web process counts the deliveries it takes in
memory, and queries the database only when its own share suggests that a limit is near: at most
once a second per source. No row is locked, and an ordinary source costs no query. With several
processes the limit can be exceeded by what arrives in that second.
"""

import hashlib
import threading
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import TextField
from django.db.models.expressions import RawSQL

from rooftree.core.uuid7 import uuid7_at
from rooftree.db.statements import execute, query_row
from rooftree.leads.models import RateLimitCount, Source

ROW_VERSION_SQL = "source.xmin::text || source.ctid::text"  # unique to one version of the row
# Adapters whose address is the source's name, not a secret.
ADAPTERS_ADDRESSED_BY_NAME = frozenset({"website_form"})
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

_sources_by_address: dict[tuple[str, str], Source] = {}


class SourceChanged(Exception):
    """The source was changed after this process read it and must be looked up again."""


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
_counts_lock = threading.Lock()


def cached_source(adapter: str, token: str) -> Source | None:
    """Return the cached source at an address, if it was accepting leads when it was read."""
    return _sources_by_address.get((adapter, token))


def look_up_source(adapter: str, token: str) -> Source | None:
    """Return the source at an address as it is now, paused or not; None if there is none."""
    _sources_by_address.pop((adapter, token), None)
    if "\0" in token:
        return None
    address: dict[str, Any] = (
        {"slug": token}
        if adapter in ADAPTERS_ADDRESSED_BY_NAME
        else {"token_hash": hash_token(token)}
    )
    stamped = Source.objects.annotate(stamp=RawSQL(ROW_VERSION_SQL, [], output_field=TextField()))  # noqa: S611
    source = stamped.filter(adapter=adapter, **address).first()
    if source is not None and source.paused_at is None:
        _sources_by_address[adapter, token] = source
    return source


def require_current_source(source: Source) -> None:
    """Raise `SourceChanged` if a source was changed since it was looked up."""
    if (stamp := row_version(source)) is None:
        return
    query = f"select from source where id = %s and {ROW_VERSION_SQL} = %s"
    if execute(query, [source.pk, stamp]) == 0:
        raise SourceChanged(f"{source} was changed.")


def row_version(source: Source) -> str | None:
    """Return the version of the source's row; None for a source not read by `look_up_source`."""
    return getattr(source, "stamp", None)


def hash_token(token: str) -> str:
    """Return the SHA-256 (hex) by which a source's token is looked up."""
    return hashlib.sha256(token.encode()).hexdigest()


def turn_away_flood(source: Source, *, at: datetime) -> bool:
    """Count one more delivery; return True if it is over the source's limit.

    A delivery within the limit counts at once. A delivery over the limit is counted
    for the Sources page. A limit of None means unlimited.
    """
    limit = source.per_minute
    if limit is None:
        return False
    with _counts_lock:
        count = _counts.setdefault(source.pk, _SourceCount())
        while count.taken and count.taken[0] <= at - MINUTE:
            count.taken.popleft()
        is_near = len(count.taken) * PROCESS_SHARE >= limit
        is_check_due = is_near and not _is_recent(count.checked_at, at)
        if is_check_due:
            count.checked_at = at
    if is_check_due:
        taken_everywhere = int(query_row(_COUNT_TAKEN_SQL, [source.pk, at - MINUTE, at, limit])[0])
        with _counts_lock:
            count.taken_everywhere, count.taken_since = taken_everywhere, 0
    with _counts_lock:
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
    with _counts_lock:
        _counts.clear()


def recent_floods(at: datetime) -> dict[UUID, RateLimitCount]:
    """Return each source's newest flood of the last 24 hours, by source id."""
    recent = RateLimitCount.objects.filter(last_at__gt=at - timedelta(days=1)).order_by("last_at")
    return {rate_limit_count.source_id: rate_limit_count for rate_limit_count in recent}


def _is_recent(checked_at: datetime | None, at: datetime) -> bool:
    return checked_at is not None and abs(at - checked_at) < RECHECK_INTERVAL


def _record_turned_away(source: Source, count: _SourceCount, at: datetime) -> None:
    """Add the rejected deliveries to the day's count, at most once a second."""
    with _counts_lock:
        if _is_recent(count.stored_at, at):
            return
        number, count.turned_away, count.stored_at = count.turned_away, 0, at
    execute(_RECORD_TURNED_AWAY_SQL, [uuid7_at(at), source.pk, at.date(), number, at])
