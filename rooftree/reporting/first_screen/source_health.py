"""Health of each source today, compared with its usual deliveries by this time of day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

from rooftree.db.statements import query_rows
from rooftree.leads.models import Source
from rooftree.money.company_day import company_zone
from rooftree.reporting.rollups.fold_rollups import CURRENT_SUMS

BASELINE_WEEKS = 6  # the baseline is the same weekday of this many weeks
SPARKLINE_DAYS = 14  # length of the sparkline
MIN_USUAL_LEADS = 4  # below this usual number, a low day means nothing

# Up to the same time of day as now, so a morning is compared with mornings.
_BY_TIME_OF_DAY_SQL = """
select d.source_id, w.n, count(*)
  from unnest(%s::int[], %s::timestamptz[], %s::timestamptz[]) as w (n, from_at, until_at)
  join delivery d on d.received_at >= w.from_at and d.received_at < w.until_at
 where d.state <> 'duplicate'
 group by 1, 2
"""

_DELIVERY_STATE_SQL = """
select s.id,
       (select max(d.received_at) from delivery d
         where d.source_id = s.id and d.state in ('worked', 'received')),
       (select count(*) from delivery d where d.source_id = s.id and d.state = 'quarantined'),
       (select min(d.received_at) from delivery d
         where d.source_id = s.id and d.state = 'quarantined')
  from source s
"""

_DAILY_LEADS_SQL = f"""
select fact.source_id, %s - arrival_date, sum(amount)::int from {CURRENT_SUMS}
 where measure = 'leads' and arrival_date > %s group by 1, 2
"""  # noqa: S608


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceHealth:
    """The health of one source."""

    source: Source
    status: str  # well | set_aside | silent | drifted | quiet | paused | audit | new
    last_at: datetime | None
    today: int
    usual_range: tuple[int, int] | None  # least and most by this time of day; None: too new
    days: list[int]  # leads a day, oldest first, today last
    quarantined: int
    quarantined_since: datetime | None


def load_source_health(*, at: datetime) -> list[SourceHealth]:
    """Load the health of every source, by name, in four queries."""
    counts = _counts_by_time_of_day(at)
    today = at.astimezone(company_zone()).date()
    rows = _run_query(_DAILY_LEADS_SQL, today, today - timedelta(days=SPARKLINE_DAYS))
    days = {(source_id, days_ago): number for source_id, days_ago, number in rows}
    states = {row[0]: row[1:] for row in _run_query(_DELIVERY_STATE_SQL)}
    return [
        _build_health(source, states[source.pk], counts.get(source.pk, {}), days, at)
        for source in Source.objects.select_related("baseline").order_by("name", "id")
    ]


def count_received_today(*, at: datetime) -> dict[str, int]:
    """Count today's deliveries by state."""
    start = datetime.combine(at.astimezone(company_zone()).date(), time(), company_zone())
    query = "select state, count(*) from delivery where received_at >= %s group by 1"
    return dict(_run_query(query, start))


def _build_health(
    source: Source,
    delivery_state: tuple[Any, ...],
    counts: dict[int, int],
    days: dict[tuple[UUID, int], int],
    at: datetime,
) -> SourceHealth:
    last_at, quarantined, since = delivery_state
    past = [counts.get(n, 0) for n in range(1, BASELINE_WEEKS + 1)]
    usual = (min(past), max(past)) if any(past) else None
    today = counts.get(0, 0)
    return SourceHealth(
        source=source,
        status=_status(source, last_at, quarantined, usual, today, at),
        last_at=last_at,
        today=today,
        usual_range=usual,
        days=[days.get((source.pk, days_ago), 0) for days_ago in range(SPARKLINE_DAYS - 1, -1, -1)],
        quarantined=quarantined,
        quarantined_since=since,
    )


def _status(
    source: Source,
    last_at: datetime | None,
    quarantined: int,
    usual: tuple[int, int] | None,
    today: int,
    at: datetime,
) -> str:
    if source.paused_at:
        return "paused"
    if quarantined:
        return "set_aside"
    baseline = getattr(source, "baseline", None)
    if baseline and (baseline.silent_at or baseline.drifted_at):
        return "silent" if baseline.silent_at else "drifted"
    if source.launched_at is None:
        return "audit"
    if last_at is None:
        return "new"
    is_silent = bool(source.expected_gap and at - last_at > source.expected_gap)
    is_low = usual is not None and usual[0] >= MIN_USUAL_LEADS and today < usual[0] / 2
    return "quiet" if is_silent or is_low else "well"


def _counts_by_time_of_day(at: datetime) -> dict[UUID, dict[int, int]]:
    zone = company_zone()
    local = at.astimezone(zone)
    weeks = list(range(BASELINE_WEEKS + 1))
    ends = [
        datetime.combine(local.date() - timedelta(weeks=week), local.time(), zone) for week in weeks
    ]
    starts = [datetime.combine(end.date(), time(), zone) for end in ends]
    counts: dict[UUID, dict[int, int]] = {}
    for source_id, week, number in _run_query(_BY_TIME_OF_DAY_SQL, weeks, starts, ends):
        counts.setdefault(source_id, {})[week] = number
    return counts


def _run_query(query: str, *params: Any) -> Sequence[tuple[Any, ...]]:
    return query_rows(query, params or None)
