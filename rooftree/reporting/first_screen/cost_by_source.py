"""Cost per funded loan by source: the cost and the outcomes of a cohort of leads."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from math import sqrt
from typing import Any
from uuid import UUID

from django.db.models import Q

from rooftree.db.statements import query_rows
from rooftree.leads.models import Lead, Source
from rooftree.reporting.first_screen import speed_to_lead
from rooftree.reporting.first_screen.cohort_maturity import (
    HISTORY_DAYS,
    HORIZON_DAYS,
    Maturity,
    compute_funding_lags,
    measure_maturity,
)
from rooftree.reporting.first_screen.report_period import ReportPeriod, last_complete_period
from rooftree.reporting.rollups.fold_rollups import CURRENT_SUMS, CURRENT_SUMS_BY_MONTH

# Sources of another system's records, and of lists of past clients: nobody arrived on that day.
NOT_ARRIVED = Q(adapter__startswith="crm_") | Q(setup__people="clients")
_ARRIVED = (
    "source_id not in (select id from source"
    " where adapter like 'crm_%%' or setup->>'people' = 'clients')"
)
_BRANCH_FILTER = "branch_id in (select id from branch where path like any (%(paths)s::text[]))"

# The second part counts leads by week of arrival, to measure the maturity of the cohort. It reads
# only weeks that are not mature yet, because CURRENT_SUMS has many rows.
_CELLS_SQL = f"""
select arrival_month >= %(start)s as is_now, source_id, measure, bucket, null::date as week,
       sum(amount)::bigint
  from {CURRENT_SUMS_BY_MONTH}
 where arrival_month >= %(before)s and arrival_month < %(until)s and {_ARRIVED} and {_BRANCH_FILTER}
 group by 1, 2, 3, 4
union all
select arrival_date >= %(start)s, source_id, 'arrivals', 0,
       date_trunc('week', arrival_date)::date, sum(amount)::bigint
  from {CURRENT_SUMS}
 where measure = 'leads' and {_ARRIVED} and {_BRANCH_FILTER} and arrival_date >= %(mature_before)s
   and arrival_date >= %(before)s and arrival_date < %(until)s
 group by 1, 2, 5
"""  # noqa: S608

_LAGS_SQL = f"""
select event_date - arrival_date, sum(amount)::bigint from {CURRENT_SUMS}
 where measure = 'funded' and arrival_date >= %(oldest)s and arrival_date < %(newest)s
 group by 1
"""  # noqa: S608

_MONTHS_SQL = f"""
select arrival_month, measure, sum(amount)::bigint from {CURRENT_SUMS_BY_MONTH}
 where measure in ('leads', 'spend_cents', 'funded')
   and arrival_month >= %(oldest)s and arrival_month < %(until)s and {_ARRIVED} and {_BRANCH_FILTER}
 group by 1, 2
"""  # noqa: S608
_NEWEST_MONTH_SQL = f"""
select arrival_month from {CURRENT_SUMS_BY_MONTH}
 where measure = 'leads' and arrival_month < %(until)s and {_ARRIVED} and {_BRANCH_FILTER}
 group by 1 having sum(amount) > 0 order by 1 desc limit 1
"""  # noqa: S608
COVERAGE_GRACE = timedelta(days=7)  # no lead this early in a period: it isn't all on file


@dataclass(slots=True, kw_only=True)
class CostRow:
    """The sums of one source, or of all, for one cohort."""

    source_id: UUID | None = None  # None: all sources
    name: str = "All sources"
    is_in_audit: bool = False  # in audit: its figures are not judged yet
    leads: int = 0
    applications: int = 0
    funded: int = 0
    talked: int = 0
    spend_cents: int = 0
    revenue_cents: int = 0
    amount_cents: int = 0
    wait_counts: dict[int, int] = field(default_factory=dict)  # leads by speed_to_lead bucket
    arrivals: dict[date, int] = field(default_factory=dict)  # leads by the middle of their week
    maturity: Maturity = field(default_factory=lambda: Maturity(share=None))

    @property
    def attempted(self) -> int:
        return sum(self.wait_counts.values())

    @property
    def cost_per_funded_cents(self) -> int | None:
        """The cost per funded loan; None while no loan has funded."""
        return round(self.spend_cents / self.funded) if self.funded > 0 else None

    @property
    def gross_profit_cents(self) -> int:
        return self.revenue_cents - self.spend_cents

    @property
    def pull_through_pct(self) -> float | None:
        return 100 * self.funded / self.applications if self.applications else None

    @property
    def median_seconds(self) -> float | None:
        return speed_to_lead.quantile_seconds(self.wait_counts, 0.5)

    @property
    def p90_seconds(self) -> float | None:
        return speed_to_lead.quantile_seconds(self.wait_counts, 0.9)

    @property
    def expected_fundings(self) -> int | None:
        """The number of further loans this cohort will fund, at the company's own pace."""
        if not self.maturity.share:
            return None
        return round(self.funded * (1 - self.maturity.share) / self.maturity.share)

    @property
    def expected_cost_cents(self) -> tuple[int, int] | None:
        """The range of the final cost per funded loan: plus and minus one standard error."""
        more = self.expected_fundings
        if not more or not self.funded:
            return None
        low, high = self.funded + more + sqrt(more), self.funded + max(more - sqrt(more), 0)
        return round(self.spend_cents / low), round(self.spend_cents / high)

    def add_cell(self, measure: str, bucket: int, week: date | None, amount: int) -> None:
        """Add one cell to the sums; a cell with a week only adds to the arrivals."""
        if measure == "attempted":
            self.wait_counts[bucket] = self.wait_counts.get(bucket, 0) + amount
            return
        if week:
            middle = week + timedelta(days=3)
            self.arrivals[middle] = self.arrivals.get(middle, 0) + amount
            return
        setattr(self, measure, getattr(self, measure) + amount)

    def arrivals_by_day(self, mature_before: date) -> dict[date, int]:
        """Return leads by arrival day; all leads before `mature_before` count on one day."""
        earlier = self.leads - sum(self.arrivals.values())
        return {**self.arrivals, mature_before - timedelta(days=1): earlier}


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """One point of the trend."""

    first_day: date
    leads: int
    spend_cents: int
    funded: int
    maturity: Maturity

    @property
    def cost_per_funded_cents(self) -> int | None:
        return round(self.spend_cents / self.funded) if self.funded > 0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstScreen:
    """The figures of the first screen."""

    period: ReportPeriod
    rows: list[CostRow]  # lowest cost first; then without a funded loan; in audit last
    total: CostRow
    previous_total: CostRow  # for the previous period
    months: list[Month]  # twelve, oldest first
    known_fundings: int  # funded loans that the maturity rests on
    oldest_lead_on: date | None  # arrival of the oldest lead on file

    @property
    def has_full_previous_period(self) -> bool:
        """True if the leads on file cover the previous period, so a comparison is fair."""
        return (
            self.oldest_lead_on is not None
            and self.oldest_lead_on < self.period.previous().from_date + COVERAGE_GRACE
        )


def load_first_screen(
    *,
    period: ReportPeriod,
    branch_paths: Sequence[str] | None,
    today: date,
    only: UUID | None = None,
) -> FirstScreen:
    """Load the first screen from the rollups and the unfolded deltas.

    Args:
        branch_paths: leads of these branches and all branches below; None: the company.
        today: the date in the company's zone.
        only: id of one source, for its own page; None: all sources.

    Runs five queries. Only one reads the lead table, for the oldest lead.
    """
    paths = None if branch_paths is None else [f"{path}%" for path in branch_paths]
    lags = compute_funding_lags(dict(_run_query(_LAGS_SQL, **_history_range(today))))
    mature_before = today - timedelta(days=HORIZON_DAYS + 7)
    by_source: dict[UUID, CostRow] = {}
    total, previous_total = CostRow(), CostRow()
    cells = _run_query(
        _CELLS_SQL,
        start=period.from_date,
        before=period.previous().from_date,
        until=period.until_date,
        paths=paths,
        mature_before=mature_before,
        only=only,
    )
    sources = {source.pk: source for source in Source.objects.only("name", "launched_at")}
    for is_now, source_id, *cell in cells:
        if only and source_id != only:
            continue
        if is_now:
            if source_id not in by_source:
                source = sources[source_id]
                is_in_audit = source.launched_at is None
                by_source[source_id] = CostRow(
                    source_id=source_id, name=source.name, is_in_audit=is_in_audit
                )
            by_source[source_id].add_cell(*cell)
        (total if is_now else previous_total).add_cell(*cell)
    for row in (total, previous_total, *by_source.values()):
        row.maturity = measure_maturity(lags, row.arrivals_by_day(mature_before), today)
    oldest_leads = Lead.objects.filter(is_test=False).order_by("id")  # ids grow with arrival
    oldest = oldest_leads.values_list("created_at", flat=True).first()
    return FirstScreen(
        period=period,
        rows=_sort_rows(by_source.values()),
        total=total,
        previous_total=previous_total,
        months=_monthly_trend(lags, paths, today),
        known_fundings=lags.fundings,
        oldest_lead_on=oldest and oldest.date(),
    )


def newest_period_with_leads(
    kind: str, *, branch_paths: Sequence[str] | None, today: date
) -> ReportPeriod:
    """Return the newest period of a kind in which leads arrived.

    The last complete one comes first, then the running one, then the earlier ones. Without any
    leads it is the last complete one.
    """
    complete = last_complete_period(kind, today)
    running = complete.following()
    paths = None if branch_paths is None else [f"{path}%" for path in branch_paths]
    for until, candidates in (
        (complete.until_date, (complete,)),
        (running.until_date, (complete, running)),
    ):
        rows = _run_query(_NEWEST_MONTH_SQL, until=until, paths=paths)
        month = rows[0][0] if rows else None
        for period in candidates:
            if month and period.from_date <= month < period.until_date:
                return period
    while month and complete.from_date > month:
        complete = complete.previous()
    return complete


def _monthly_trend(lags: Any, paths: list[str] | None, today: date) -> list[Month]:
    until = today.replace(day=1)
    first_days = [until]
    while len(first_days) <= 12:
        first_days.append((first_days[-1] - timedelta(days=1)).replace(day=1))
    rows = _run_query(_MONTHS_SQL, oldest=first_days[-1], until=until, paths=paths)
    sums: dict[tuple[date, str], int] = {
        (first_day, measure): amount for first_day, measure, amount in rows
    }
    return [
        Month(
            first_day=first_day,
            leads=sums.get((first_day, "leads"), 0),
            spend_cents=sums.get((first_day, "spend_cents"), 0),
            funded=sums.get((first_day, "funded"), 0),
            maturity=measure_maturity(
                lags, {first_day.replace(day=15): sums.get((first_day, "leads"), 0)}, today
            ),
        )
        for first_day in reversed(first_days[1:])
    ]


def _history_range(today: date) -> dict[str, date]:
    """Return the arrival dates of cohorts old enough for all fundings within the horizon."""
    return {
        "oldest": today - timedelta(days=HISTORY_DAYS),
        "newest": today - timedelta(days=HORIZON_DAYS),
    }


def _sort_rows(rows: Iterable[CostRow]) -> list[CostRow]:
    """Drop rows without figures; sort by cost, then rows without a cost, then sources in audit."""

    def sort_key(row: CostRow) -> tuple[bool, bool, int, str]:
        cost = row.cost_per_funded_cents
        return row.is_in_audit, cost is None, cost or 0, row.name

    shown = (
        row for row in rows if row.leads or row.spend_cents or row.revenue_cents or row.applications
    )
    return sorted(shown, key=sort_key)


def _run_query(query: str, **params: Any) -> list[tuple[Any, ...]]:
    if params.get("only"):  # one source's own page shows what was imported, too
        query = query.replace(_ARRIVED, "source_id = %(only)s")
    if params.get("paths") is None:
        query = query.replace(_BRANCH_FILTER, "true")
    return query_rows(query, params)
