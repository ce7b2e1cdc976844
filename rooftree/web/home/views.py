"""Home: what each source costs per funded loan, and the records behind every figure."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import OuterRef, QuerySet, Subquery, Sum
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from rooftree.leads.models import Lead, Loan, Source
from rooftree.money.company_day import company_day, company_zone
from rooftree.money.models import Entry
from rooftree.org.models import Branch, User
from rooftree.reporting.first_screen import cost_by_source
from rooftree.reporting.first_screen.figure_leads import (
    FIGURE_TITLES,
    FigureScope,
    leads_behind_figure,
)
from rooftree.reporting.first_screen.report_period import (
    ReportPeriod,
    last_complete_period,
    parse_period,
)
from rooftree.reporting.first_screen.speed_to_lead import CHART_BANDS
from rooftree.routing.permissions import has_permission, leads_visible_to
from rooftree.web.home import home_figures
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import staff_view

PERIOD_KINDS = [("month", "Month"), ("quarter", "Quarter"), ("year", "12 months")]
PAGE_SIZE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeView:
    """What the address asks for, held to what this user may see."""

    period: ReportPeriod
    branch: Branch | None
    branches: list[Branch]  # to choose from
    scope: list[str] | None  # paths; None is the whole company
    params: dict[str, str]

    def to(self, number: str, source_id: UUID | None = None, band: int | None = None) -> str:
        """The address of the records behind a figure of this view."""
        asked = {**self.params, "period": self.period.key}
        if source_id:
            asked["source"] = str(source_id)
        if band is not None:
            asked["band"] = str(band)
        return f"{reverse('records', args=[number])}?{urlencode(asked)}"


@staff_view("GET")
def show_home(request: StaffRequest) -> HttpResponse:
    """The first screen."""
    view = _build_view(request)
    today = company_day(request.at)
    shown = cost_by_source.load_first_screen(
        period=view.period, branch_paths=view.scope, today=today
    )
    total = shown.total
    context = {
        "view": view,
        "days": home_figures.period_text(view.period),
        "is_running": view.period.until_date > today,
        "now": request.at.astimezone(company_zone()),
        "kinds": [
            (label, last_complete_period(kind, today).key, kind) for kind, label in PERIOD_KINDS
        ],
        "periods": _recent_periods(view.period.kind, today),
        "shown": shown,
        "hero": home_figures.headline_figure(shown, view.to),
        "expectation": home_figures.expected_cost_text(total),
        "ring": home_figures.maturity_ring(total.ripe),
        "tiles": home_figures.summary_tiles(shown, view.to),
        "lines": home_figures.source_lines(shown, view.to),
        "total": home_figures.source_line(total, view.to),
        "in_audit": home_figures.sources_in_audit(shown),
        "youngest": home_figures.immature_sources(shown)[:3],
        "funnel": home_figures.funnel_steps(total, view.to),
        "columns": home_figures.speed_columns(total, view.to),
        "speed": home_figures.summary_tiles(shown, view.to)[4],
        "quick": home_figures.share_within_five_minutes(total),
        "trend": home_figures.cost_trend(shown.months),
        "has_sources": bool(shown.rows) or Source.objects.exists(),
    }
    return render(request, "home/show.html", context)


@staff_view("GET")
def list_records(request: StaffRequest, number: str) -> HttpResponse:
    """The leads behind one figure, among those the user may see."""
    view = _build_view(request)
    source = _chosen_source(request)
    part = _build_slice(request, number, view)
    leads = _annotate_money(
        leads_behind_figure(number, part, visible=leads_visible_to(request.user))
    )
    page = Paginator(leads, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "view": view,
        "number": number,
        "may_export": has_permission(request.user, "export"),
        "title": FIGURE_TITLES[number],
        "source": source,
        "band": CHART_BANDS[part.band][0] if part.band is not None else "",
        "days": home_figures.period_text(view.period),
        "page": page,
        "back": f"{reverse('home')}?{urlencode({**view.params, 'period': view.period.key})}",
    }
    return render(request, "home/records.html", context)


def leads_behind(request: StaffRequest, number: str) -> QuerySet[Lead]:
    """The leads that the records page of this address lists, all of them."""
    part = _build_slice(request, number, _build_view(request))
    return leads_behind_figure(number, part, visible=leads_visible_to(request.user))


def _build_slice(request: StaffRequest, number: str, view: HomeView) -> FigureScope:
    if number not in FIGURE_TITLES:
        raise Http404
    source = _chosen_source(request)
    band = request.GET.get("band", "")
    return FigureScope(
        period=view.period,
        source_id=source.pk if source else None,
        branch_paths=view.scope,
        band=int(band) if band in {str(n) for n in range(len(CHART_BANDS))} else None,
    )


def _build_view(request: StaffRequest) -> HomeView:
    user = request.user
    if not has_permission(user, "see_home"):
        raise PermissionDenied
    today = company_day(request.at)
    period = parse_period(request.GET.get("period", ""), today) or last_complete_period(
        "quarter", today
    )
    branches = list(_visible_branches(user))
    branch = next((b for b in branches if str(b.pk) == request.GET.get("branch")), None)
    within = branch or user.branch
    return HomeView(
        period=period,
        branch=branch,
        branches=branches,
        scope=[within.path] if within else None,
        params={"branch": str(branch.pk)} if branch else {},
    )


def _visible_branches(user: User) -> QuerySet[Branch]:
    below = user.branch.path if user.branch else ""
    return Branch.objects.filter(path__startswith=below).order_by("name", "id")


def _chosen_source(request: StaffRequest) -> Source | None:
    try:
        return Source.objects.filter(pk=UUID(request.GET.get("source", ""))).first()
    except ValueError:
        return None


def _recent_periods(kind: str, today: Any) -> list[ReportPeriod]:
    """The running period and those before it, newest first."""
    period = last_complete_period(kind, today)
    found = [period.after()] if kind != "year" else []
    for _ in range(8):
        found.append(period)
        period = period.before()
    return found


def _annotate_money(leads: QuerySet[Lead]) -> QuerySet[Lead]:
    """Each lead with what it cost, its loan's amount and the day it funded."""
    entries = Entry.objects.filter(lead=OuterRef("pk")).order_by().values("lead")
    sums = entries.annotate(cents=Sum("amount_cents")).values("cents")
    loans = Loan.objects.filter(lead=OuterRef("pk")).order_by("-funded_date", "-id")
    return leads.select_related("person", "source", "officer__user").annotate(
        cost_cents=Subquery(sums.filter(kind="cost")),
        credit_cents=Subquery(sums.filter(kind="credit")),
        application_date=Subquery(loans.values("application_date")[:1]),
        funded_date=Subquery(loans.values("funded_date")[:1]),
        funded_cents=Subquery(loans.values("amount_cents")[:1]),
    )
