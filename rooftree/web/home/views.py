"""The Home page: cost per funded loan by source, and the records behind every figure."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery, Sum
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from rooftree.leads.models import Lead, Loan, Source
from rooftree.money.company_day import company_day, company_zone
from rooftree.org.models import Branch
from rooftree.reporting.first_screen import cost_by_source
from rooftree.reporting.first_screen.figure_leads import (
    FIGURE_TITLES,
    FigureScope,
    annotate_amounts,
    leads_behind_figure,
    sum_leadless_costs,
)
from rooftree.reporting.first_screen.report_period import (
    ReportPeriod,
    last_complete_period,
    parse_period,
)
from rooftree.reporting.first_screen.speed_to_lead import CHART_BANDS
from rooftree.routing.permissions import has_permission, leads_visible_to
from rooftree.web.home import home_figures
from rooftree.web.lists.list_page import get_page
from rooftree.web.shared.display_formats import count_noun, money_exact
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import staff_view

PERIOD_KINDS = [("month", "Month"), ("quarter", "Quarter"), ("year", "12 months")]
PAGE_SIZE = 50
FIGURE_COLUMNS = {  # by figure: the annotation that adds up to it, and what its total counts
    "leads": ("", "lead"),
    "attempted": ("", "lead"),
    "talked": ("", "lead"),
    "applications": ("applied_loans", "loan"),
    "funded": ("funded_loans", "loan"),
    "spend": ("spend", "money"),
    "profit": ("profit", "money"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeView:
    """The parameters of a Home URL, limited to the branches this user can see."""

    period: ReportPeriod
    branch: Branch | None
    branches: list[Branch]  # that the user can choose
    branch_paths: list[str] | None  # branch paths; None for the whole company
    params: dict[str, str]

    def records_url(
        self, number: str, source_id: UUID | None = None, band: int | None = None
    ) -> str:
        """Return the URL of the records behind a figure of this view."""
        params = {**self.params, "period": self.period.key}
        if source_id:
            params["source"] = str(source_id)
        if band is not None:
            params["band"] = str(band)
        return f"{reverse('records', args=[number])}?{urlencode(params)}"


@staff_view("GET")
def show_home(request: StaffRequest) -> HttpResponse:
    """Show the Home page."""
    view = _build_view(request)
    today = company_day(request.at)
    shown = cost_by_source.load_first_screen(
        period=view.period, branch_paths=view.branch_paths, today=today
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
        "periods": recent_periods(view.period.kind, today),
        "shown": shown,
        "hero": home_figures.headline_figure(shown, view.records_url),
        "expectation": home_figures.expected_cost_text(total),
        "ring": home_figures.maturity_ring(total.maturity),
        "tiles": home_figures.summary_tiles(shown, view.records_url),
        "lines": home_figures.source_lines(shown, view.records_url),
        "total": home_figures.source_line(total, view.records_url),
        "in_audit": home_figures.sources_in_audit(shown),
        "youngest": home_figures.immature_sources(shown)[:3],
        "funnel": home_figures.funnel_steps(total, view.records_url),
        "columns": home_figures.speed_columns(total, view.records_url),
        "speed": home_figures.summary_tiles(shown, view.records_url)[4],
        "quick": home_figures.share_within_five_minutes(total),
        "trend": home_figures.cost_trend(shown.months),
        "has_sources": bool(shown.rows) or Source.objects.exists(),
    }
    return render(request, "home/show.html", context)


@staff_view("GET")
def list_records(request: StaffRequest, number: str) -> HttpResponse:
    """List the leads behind one figure that the user can see."""
    view = _build_view(request)
    source = _chosen_source(request)
    scope = _build_scope(request, number, view)
    leads = _annotate_money(
        leads_behind_figure(number, scope, visible=leads_visible_to(request.user)),
        scope.source_id,
    )
    page = get_page(request, leads, size=PAGE_SIZE)
    counted = leads_behind_figure(number, scope, visible=Lead.objects.all())
    context = {
        **_figure_total(number, scope, leads),
        "view": view,
        "hidden": counted.count() - page.paginator.count,
        "number": number,
        "may_export": has_permission(request.user, "export"),
        "title": FIGURE_TITLES[number],
        "source": source,
        "band": CHART_BANDS[scope.band][0] if scope.band is not None else "",
        "days": home_figures.period_text(view.period),
        "page": page,
        "ledger_url": _ledger_url(scope) if has_permission(request.user, "see_money") else "",
        "back": f"{reverse('home')}?{urlencode({**view.params, 'period': view.period.key})}",
    }
    return render(request, "home/records.html", context)


def _figure_total(number: str, scope: FigureScope, leads: QuerySet[Lead]) -> dict[str, Any]:
    """Return the column that adds up to the figure, and its total over all pages."""
    column, noun = FIGURE_COLUMNS[number]
    if noun == "lead":
        return {"column": "", "total_text": count_noun(leads.count(), "lead")}
    total = leads.aggregate(total=Sum(column))["total"] or 0
    if noun == "loan":
        return {"column": column, "total_text": count_noun(total, "loan")}
    leadless = sum_leadless_costs(scope)
    return {
        "column": column,
        "total_text": money_exact(total - leadless if number == "profit" else total + leadless),
        "leadless": leadless,
    }


def _ledger_url(scope: FigureScope) -> str:
    """Return the URL of the entries of the period that no lead carries."""
    params = {
        "from": scope.period.from_date,
        "until": scope.period.until_date,
        "source": scope.source_id or "",
        "leads": "none",
    }
    return f"{reverse('money')}?{urlencode(params)}"


def leads_behind(request: StaffRequest, number: str) -> QuerySet[Lead]:
    """Return all the leads that the records page at this URL lists."""
    scope = _build_scope(request, number, _build_view(request))
    return leads_behind_figure(number, scope, visible=leads_visible_to(request.user))


def _build_scope(request: StaffRequest, number: str, view: HomeView) -> FigureScope:
    if number not in FIGURE_TITLES:
        raise Http404
    source = _chosen_source(request)
    band = request.GET.get("band", "")
    return FigureScope(
        period=view.period,
        source_id=source.pk if source else None,
        branch_paths=view.branch_paths,
        band=int(band) if band in {str(n) for n in range(len(CHART_BANDS))} else None,
    )


def _build_view(request: StaffRequest) -> HomeView:
    user = request.user
    if not has_permission(user, "see_home"):
        raise PermissionDenied
    today = company_day(request.at)
    below = user.branch.path if user.branch else ""
    branches = list(Branch.objects.filter(path__startswith=below).order_by("name", "id"))
    branch = next((b for b in branches if str(b.pk) == request.GET.get("branch")), None)
    within = branch or user.branch
    paths = [within.path] if within else None
    period = parse_period(request.GET.get("period", ""), today)
    period = period or cost_by_source.newest_period_with_leads(
        "quarter", branch_paths=paths, today=today
    )
    return HomeView(
        period=period,
        branch=branch,
        branches=branches,
        branch_paths=paths,
        params={"branch": str(branch.pk)} if branch else {},
    )


def _chosen_source(request: StaffRequest) -> Source | None:
    try:
        return Source.objects.filter(pk=UUID(request.GET.get("source", ""))).first()
    except ValueError:
        return None


def recent_periods(kind: str, today: date) -> list[ReportPeriod]:
    """Return the current period, if its kind has one, and the eight before it, newest first."""
    period = last_complete_period(kind, today)
    periods = [period.following()] if kind != "year" else []
    for _ in range(8):
        periods.append(period)
        period = period.previous()
    return periods


def _annotate_money(leads: QuerySet[Lead], source_id: UUID | None) -> QuerySet[Lead]:
    """Annotate each lead with its amounts, and its loan's amount and dates."""
    loans = Loan.objects.filter(lead=OuterRef("pk")).order_by("-funded_date", "-id")
    rows = leads.select_related("person", "source", "officer__user")
    return annotate_amounts(rows, source_id).annotate(
        funded_date=Subquery(loans.values("funded_date")[:1]),
        funded_cents=Subquery(loans.values("amount_cents")[:1]),
    )
