"""The leads behind a figure: every number of the first screen opens the ones it counted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from rooftree.leads.models import Lead, Loan
from rooftree.money.company_day import company_zone
from rooftree.money.models import Entry
from rooftree.org.models import Branch
from rooftree.reporting.first_screen.report_period import ReportPeriod
from rooftree.reporting.first_screen.speed_to_lead import CHART_BANDS

FIGURE_TITLES = {  # by name in the address: what the list behind it is called
    "leads": "Leads",
    "attempted": "Leads a person tried",
    "talked": "Leads a person talked with",
    "applications": "Applications",
    "funded": "Funded loans",
    "spend": "Leads that cost something",
    "profit": "Leads that cost or earned something",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureScope:
    """Which leads a figure is about: a cohort, and what narrows it."""

    period: ReportPeriod
    source_id: UUID | None = None
    branch_paths: Sequence[str] | None = None
    band: int | None = None  # of speed.BANDS, for attempted


def leads_behind_figure(
    number: str, part: FigureScope, *, visible: QuerySet[Lead]
) -> QuerySet[Lead]:
    """The leads that a figure counts, among those the user may see; newest first.

    Args:
        number: a key of NUMBERS.
        visible: what the one place that decides lets this user see.

    A lead with two funded loans is listed once and counts two. A cost at
    another source than the lead's first is found at the source that was paid.
    """
    leads = visible.filter(is_test=False, **_arrival_filter(part.period))
    if part.branch_paths is not None:
        paths = Q(pk__in=[])
        for path in part.branch_paths:
            paths |= Q(path__startswith=path)
        leads = leads.filter(branch__in=Branch.objects.filter(paths))
    leads = _filter_by_figure(number, leads, part)
    return leads.order_by("-created_at", "-id")


def _filter_by_figure(number: str, leads: QuerySet[Lead], part: FigureScope) -> QuerySet[Lead]:
    if number in ("spend", "profit"):
        return leads.filter(_has_money_entry(number, part.source_id))
    if part.source_id:
        leads = leads.filter(source_id=part.source_id)
    of_lead = Loan.objects.filter(lead=OuterRef("pk"))
    conditions = {
        "leads": Q(),
        "attempted": Q(first_attempt_at__isnull=False),
        "talked": Q(first_talk_at__isnull=False),
        "applications": Exists(
            of_lead.filter(Q(application_date__isnull=False) | Q(funded_date__isnull=False))
        ),
        "funded": Exists(of_lead.filter(funded_date__isnull=False)),
    }
    leads = leads.filter(conditions[number])
    if number == "attempted" and part.band is not None:
        leads = _filter_by_speed_band(leads, part.band)
    return leads


def _has_money_entry(number: str, source_id: UUID | None) -> Exists | Q:
    """Costs belong to the source that was paid, earnings to the lead's first source."""
    entries = Entry.objects.filter(lead=OuterRef("pk"))
    cost = entries.filter(kind__in=["cost", "credit"])
    if source_id:
        cost = cost.filter(source_id=source_id)
    if number == "spend":
        return Exists(cost)
    earned = Q(Exists(entries.filter(kind__in=["revenue", "reversal"])))
    if source_id:
        earned &= Q(source_id=source_id)
    return Q(Exists(cost)) | earned


def _filter_by_speed_band(leads: QuerySet[Lead], band: int) -> QuerySet[Lead]:
    leads = leads.annotate(waited=F("first_attempt_at") - F("created_at"))
    low = CHART_BANDS[band - 1][1] if band else None
    high = CHART_BANDS[band][1]
    if low is not None:
        leads = leads.filter(waited__gte=timedelta(seconds=low))
    if high is not None:
        leads = leads.filter(waited__lt=timedelta(seconds=high))
    return leads


def _arrival_filter(period: ReportPeriod) -> dict[str, datetime]:
    zone = company_zone()
    return {
        "created_at__gte": datetime.combine(period.from_date, time(), zone),
        "created_at__lt": datetime.combine(period.until_date, time(), zone),
    }
