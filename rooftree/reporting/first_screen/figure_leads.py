"""The leads behind a figure: each figure of the first screen opens the leads it counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db.models import (
    BigIntegerField,
    Case,
    Count,
    Exists,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    When,
)
from django.db.models.functions import Coalesce

from rooftree.leads.models import Lead, Loan, Source
from rooftree.money.company_day import company_zone
from rooftree.money.models import Entry
from rooftree.org.models import Branch
from rooftree.reporting.first_screen.cost_by_source import NOT_ARRIVED
from rooftree.reporting.first_screen.report_period import ReportPeriod
from rooftree.reporting.first_screen.speed_to_lead import CHART_BANDS

FIGURE_TITLES = {  # title of the list, by the figure's name in the URL
    "leads": "Leads",
    "attempted": "Leads attempted",
    "talked": "Leads spoken with",
    "applications": "Applications",
    "funded": "Funded loans",
    "spend": "Leads with spend",
    "profit": "Leads with spend or revenue",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureScope:
    """The leads a figure covers: a cohort, and the filters on it."""

    period: ReportPeriod
    source_id: UUID | None = None
    branch_paths: Sequence[str] | None = None
    band: int | None = None  # index in CHART_BANDS, for attempted


def leads_behind_figure(
    figure: str, scope: FigureScope, *, visible: QuerySet[Lead]
) -> QuerySet[Lead]:
    """Return the leads that a figure counts, among those the user can see; newest first.

    Args:
        figure: a key of FIGURE_TITLES.
        visible: the leads this user can see.

    A lead with two funded loans is listed once and counts two. A cost at another source than the
    lead's first source is listed under the source that was paid.
    """
    leads = visible.filter(is_test=False, **_arrival_filter(scope.period))
    if scope.branch_paths is not None:
        paths = Q(pk__in=[])
        for path in scope.branch_paths:
            paths |= Q(path__startswith=path)
        leads = leads.filter(branch__in=Branch.objects.filter(paths))
    if scope.source_id is None:
        leads = leads.exclude(source__in=Source.objects.filter(NOT_ARRIVED))
    leads = _filter_by_figure(figure, leads, scope)
    return leads.order_by("-created_at", "-id")


def annotate_amounts(leads: QuerySet[Lead], source_id: UUID | None) -> QuerySet[Lead]:
    """Annotate each lead with its loans, spend, revenue and gross profit, as its figures count.

    Args:
        source_id: spend at this source, and revenue of leads that first came from it; None: all.
    """
    costs, revenue = Q(kind__in=["cost", "credit"]), Q(kind__in=["revenue", "reversal"])
    entries = Entry.objects.filter(lead=OuterRef("pk")).order_by().values("lead")
    signed = Case(
        When(kind__in=["credit", "reversal"], then=-F("amount_cents")),
        default=F("amount_cents"),
        output_field=BigIntegerField(),
    )
    sums = entries.annotate(cents=Sum(signed)).values("cents")
    if source_id:
        costs &= Q(source_id=source_id)
    earned: Any = Coalesce(Subquery(sums.filter(revenue)), 0, output_field=BigIntegerField())
    if source_id:
        earned = Case(
            When(source_id=source_id, then=earned), default=0, output_field=BigIntegerField()
        )
    loans = Loan.objects.filter(lead=OuterRef("pk")).order_by().values("lead")
    number = loans.annotate(number=Count("pk")).values("number")
    applied = Q(application_date__isnull=False) | Q(funded_date__isnull=False)
    return leads.annotate(
        spend=Coalesce(Subquery(sums.filter(costs)), 0, output_field=BigIntegerField()),
        revenue=earned,
        profit=F("revenue") - F("spend"),
        applied_loans=Coalesce(Subquery(number.filter(applied)), 0),
        funded_loans=Coalesce(Subquery(number.filter(funded_date__isnull=False)), 0),
    )


def sum_leadless_costs(scope: FigureScope) -> int:
    """Return the spend in cents that no lead carries, such as a source's monthly fee."""
    if scope.branch_paths is not None:
        return 0
    days = (scope.period.from_date, scope.period.until_date - timedelta(days=1))
    rows = Entry.objects.filter(lead=None, on_date__range=days, kind__in=["cost", "credit"])
    if scope.source_id:
        rows = rows.filter(source_id=scope.source_id)
    signed = Case(
        When(kind="credit", then=-F("amount_cents")),
        default=F("amount_cents"),
        output_field=BigIntegerField(),
    )
    return rows.aggregate(cents=Sum(signed))["cents"] or 0


def _filter_by_figure(figure: str, leads: QuerySet[Lead], scope: FigureScope) -> QuerySet[Lead]:
    if figure in ("spend", "profit"):
        return leads.filter(_has_money_entry(figure, scope.source_id))
    if scope.source_id:
        leads = leads.filter(source_id=scope.source_id)
    loans = Loan.objects.filter(lead=OuterRef("pk"))
    conditions = {
        "leads": Q(),
        "attempted": Q(first_attempt_at__isnull=False),
        "talked": Q(first_conversation_at__isnull=False),
        "applications": Exists(
            loans.filter(Q(application_date__isnull=False) | Q(funded_date__isnull=False))
        ),
        "funded": Exists(loans.filter(funded_date__isnull=False)),
    }
    leads = leads.filter(conditions[figure])
    if figure == "attempted" and scope.band is not None:
        leads = _filter_by_speed_band(leads, scope.band)
    return leads


def _has_money_entry(figure: str, source_id: UUID | None) -> Exists | Q:
    """Match costs by the source that was paid, and revenue by the lead's first source."""
    entries = Entry.objects.filter(lead=OuterRef("pk"))
    costs = entries.filter(kind__in=["cost", "credit"])
    if source_id:
        costs = costs.filter(source_id=source_id)
    if figure == "spend":
        return Exists(costs)
    has_revenue = Q(Exists(entries.filter(kind__in=["revenue", "reversal"])))
    if source_id:
        has_revenue &= Q(source_id=source_id)
    return Q(Exists(costs)) | has_revenue


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
