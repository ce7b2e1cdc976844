"""Cost per funded loan by source: what a cohort of leads cost and what became of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from math import sqrt
from typing import Any
from uuid import UUID

from django.db import connection

from rooftree.leads.models import Lead, Source
from rooftree.reporting.first_screen import speed_to_lead
from rooftree.reporting.first_screen.cohort_maturity import (
    HISTORY_DAYS,
    HORIZON_DAYS,
    Maturity,
    funding_lags,
    measure_maturity,
)
from rooftree.reporting.first_screen.report_period import ReportPeriod
from rooftree.reporting.rollups.fold_rollups import CURRENT_SUMS, CURRENT_SUMS_BY_MONTH

_BRANCH_FILTER = "branch_id in (select id from branch where path like any (%(paths)s::text[]))"

# The leads by week of arrival as well, to tell how ripe the cohort is: only of the weeks
# that may not be ripe yet, as only they are many to read.
_CELLS_SQL = f"""
select arrival_month >= %(start)s as is_now, source_id, measure, bucket, null::date as week,
       sum(amount)::bigint
  from {CURRENT_SUMS_BY_MONTH}
 where arrival_month >= %(before)s and arrival_month < %(until)s and {_BRANCH_FILTER}
 group by 1, 2, 3, 4
union all
select arrival_date >= %(start)s, source_id, 'arrivals', 0,
       date_trunc('week', arrival_date)::date, sum(amount)::bigint
  from {CURRENT_SUMS}
 where measure = 'leads' and {_BRANCH_FILTER} and arrival_date >= %(ripe)s
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
   and arrival_month >= %(oldest)s and arrival_month < %(until)s and {_BRANCH_FILTER}
 group by 1, 2
"""  # noqa: S608
COVERAGE_GRACE = timedelta(days=7)  # into a period: no lead so early says that it is not all there


@dataclass(slots=True, kw_only=True)
class CostRow:
    """The sums of one source, or of all, for one cohort."""

    source_id: UUID | None = None  # None: all of them
    name: str = "All sources"
    is_in_audit: bool = False  # its figures are not judged yet
    leads: int = 0
    applications: int = 0
    funded: int = 0
    talked: int = 0
    spend_cents: int = 0
    revenue_cents: int = 0
    amount_cents: int = 0
    wait_counts: dict[int, int] = field(default_factory=dict)  # leads by bucket of speed
    arrivals: dict[date, int] = field(default_factory=dict)  # by the middle of the week
    maturity: Maturity = field(default_factory=lambda: Maturity(share=None))

    @property
    def attempted(self) -> int:
        return sum(self.wait_counts.values())

    @property
    def cost_per_funded_cents(self) -> int | None:
        """None while nothing has funded: a cost per nothing is no figure."""
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
        """How many more loans this cohort will fund, at the company's own pace."""
        if not self.maturity.share:
            return None
        return round(self.funded * (1 - self.maturity.share) / self.maturity.share)

    @property
    def expected_cost_cents(self) -> tuple[int, int] | None:
        """The cost per funded loan when all have funded, give or take one standard error."""
        more = self.expected_fundings
        if not more or not self.funded:
            return None
        low, high = self.funded + more + sqrt(more), self.funded + max(more - sqrt(more), 0)
        return round(self.spend_cents / low), round(self.spend_cents / high)

    def add_cell(self, measure: str, bucket: int, week: date | None, amount: int) -> None:
        """Take in one cell; one with a week only tells when the leads arrived."""
        if measure == "attempted":
            self.wait_counts[bucket] = self.wait_counts.get(bucket, 0) + amount
            return
        if week:
            middle = week + timedelta(days=3)
            self.arrivals[middle] = self.arrivals.get(middle, 0) + amount
            return
        setattr(self, measure, getattr(self, measure) + amount)

    def arrivals_by_day(self, ripe: date) -> dict[date, int]:
        """The arrivals by week; those of before `ripe`, which need no telling apart, on one day."""
        long_ago = self.leads - sum(self.arrivals.values())
        return {**self.arrivals, ripe - timedelta(days=1): long_ago}


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
    """What the first screen shows."""

    period: ReportPeriod
    rows: list[CostRow]  # lowest cost first; those without a funded loan, and in audit, last
    total: CostRow
    previous_total: CostRow  # the same, of the period before
    months: list[Month]  # twelve, oldest first
    known_fundings: int  # what the ripeness rests on
    oldest_lead_on: date | None  # when the oldest lead on file arrived

    @property
    def has_full_previous_period(self) -> bool:
        """Whether the leads on file cover the period before, so that it may be compared with."""
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
    """Everything of the first screen, from the rollups and what is not in them yet.

    Args:
        branch_paths: leads of these branches and all below them; None is the company.
        today: the company's date.
        only: one source, for its own page.

    Five statements; none of them reads a lead, but for the oldest.
    """
    paths = None if branch_paths is None else [f"{path}%" for path in branch_paths]
    lags = funding_lags(dict(_run_query(_LAGS_SQL, **_history_range(today))))
    ripe = today - timedelta(days=HORIZON_DAYS + 7)
    now: dict[UUID, CostRow] = {}
    total, before = CostRow(), CostRow()
    cells = _run_query(
        _CELLS_SQL,
        start=period.from_date,
        before=period.previous().from_date,
        until=period.until_date,
        paths=paths,
        ripe=ripe,
    )
    known = {source.pk: source for source in Source.objects.only("name", "launched_at")}
    for is_now, source_id, *cell in cells:
        if only and source_id != only:
            continue
        if is_now:
            now.setdefault(source_id, _source_row(known[source_id])).add_cell(*cell)
        (total if is_now else before).add_cell(*cell)
    for row in (total, before, *now.values()):
        row.maturity = measure_maturity(lags, row.arrivals_by_day(ripe), today)
    return FirstScreen(
        period=period,
        rows=sorted((row for row in now.values() if _has_figures(row)), key=_sort_key),
        total=total,
        previous_total=before,
        months=_monthly_trend(lags, paths, today),
        known_fundings=lags.fundings,
        oldest_lead_on=_oldest_lead_date(),
    )


def _oldest_lead_date() -> date | None:
    """The day of the oldest lead: ids grow with the moment of arrival."""
    oldest = Lead.objects.filter(is_test=False).order_by("id").values_list("created_at", flat=True)
    first = oldest.first()
    return first and first.date()


def _monthly_trend(lags: Any, paths: list[str] | None, today: date) -> list[Month]:
    until = today.replace(day=1)
    firsts = [until]
    while len(firsts) <= 12:
        firsts.append((firsts[-1] - timedelta(days=1)).replace(day=1))
    sums: dict[tuple[date, str], int] = {}
    for first, measure, amount in _run_query(
        _MONTHS_SQL, oldest=firsts[-1], until=until, paths=paths
    ):
        sums[first, measure] = amount
    return [
        Month(
            first_day=first,
            leads=sums.get((first, "leads"), 0),
            spend_cents=sums.get((first, "spend_cents"), 0),
            funded=sums.get((first, "funded"), 0),
            maturity=measure_maturity(
                lags, {first.replace(day=15): sums.get((first, "leads"), 0)}, today
            ),
        )
        for first in reversed(firsts[1:])
    ]


def _history_range(today: date) -> dict[str, date]:
    """Cohorts old enough that all they fund within the horizon has happened."""
    return {
        "oldest": today - timedelta(days=HISTORY_DAYS),
        "newest": today - timedelta(days=HORIZON_DAYS),
    }


def _source_row(source: Source) -> CostRow:
    return CostRow(source_id=source.pk, name=source.name, is_in_audit=source.launched_at is None)


def _has_figures(row: CostRow) -> bool:
    return bool(row.leads or row.spend_cents or row.revenue_cents or row.applications)


def _sort_key(row: CostRow) -> tuple[bool, bool, int, str]:
    cost = row.cost_per_funded_cents
    return row.is_in_audit, cost is None, cost or 0, row.name


def _run_query(query: str, **given: Any) -> list[tuple[Any, ...]]:
    if given.get("paths") is None:
        query = query.replace(_BRANCH_FILTER, "true")
    with connection.cursor() as cursor:
        cursor.execute(query, given)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
