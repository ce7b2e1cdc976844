"""Home: what each source costs per funded loan, and the records behind every figure."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import OuterRef, QuerySet, Subquery, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from rooftree.leads.models import Lead, Loan, Source
from rooftree.money.company_day import company_day, company_zone
from rooftree.money.models import Entry
from rooftree.org.models import Branch, User
from rooftree.reporting import first_screen
from rooftree.reporting.period import Period, last_complete, named
from rooftree.reporting.records import NUMBERS, Slice, behind
from rooftree.reporting.speed import BANDS
from rooftree.routing.visible import leads_visible_to, may
from rooftree.web import home_figures
from rooftree.web.page import staff

KINDS = [("month", "Month"), ("quarter", "Quarter"), ("year", "12 months")]
PAGE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What the address asks for, held to what this user may see."""

    period: Period
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


@staff("GET")
def show(request: HttpRequest) -> HttpResponse:
    """The first screen."""
    view = _view(request)
    today = company_day(request.at)
    shown = first_screen.by_source(period=view.period, branch_paths=view.scope, today=today)
    total = shown.total
    context = {
        "view": view,
        "days": home_figures.days(view.period),
        "is_running": view.period.until_date > today,
        "now": request.at.astimezone(company_zone()),
        "kinds": [(label, last_complete(kind, today).key, kind) for kind, label in KINDS],
        "periods": _recent(view.period.kind, today),
        "shown": shown,
        "hero": home_figures.hero(shown, view.to),
        "expectation": home_figures.expectation(total),
        "ring": home_figures.ring(total.ripe),
        "tiles": home_figures.tiles(shown, view.to),
        "lines": home_figures.lines(shown, view.to),
        "total": home_figures.line(total, view.to),
        "in_audit": home_figures.in_audit(shown),
        "youngest": home_figures.youngest(shown)[:3],
        "funnel": home_figures.funnel(total, view.to),
        "columns": home_figures.columns(total, view.to),
        "speed": home_figures.tiles(shown, view.to)[4],
        "quick": home_figures.within_five_minutes(total),
        "trend": home_figures.trend(shown.months),
        "has_sources": bool(shown.rows) or Source.objects.exists(),
    }
    return render(request, "home/show.html", context)


@staff("GET")
def records(request: HttpRequest, number: str) -> HttpResponse:
    """The leads behind one figure, among those the user may see."""
    view = _view(request)
    source = _source(request)
    part = _part(request, number, view)
    leads = _with_money(behind(number, part, visible=leads_visible_to(request.user)))
    page = Paginator(leads, PAGE).get_page(request.GET.get("page"))
    context = {
        "view": view,
        "number": number,
        "may_export": may(request.user, "export"),
        "title": NUMBERS[number],
        "source": source,
        "band": BANDS[part.band][0] if part.band is not None else "",
        "days": home_figures.days(view.period),
        "page": page,
        "back": f"{reverse('home')}?{urlencode({**view.params, 'period': view.period.key})}",
    }
    return render(request, "home/records.html", context)


def leads_behind(request: HttpRequest, number: str) -> QuerySet[Lead]:
    """The leads that the records page of this address lists, all of them."""
    part = _part(request, number, _view(request))
    return behind(number, part, visible=leads_visible_to(request.user))


def _part(request: HttpRequest, number: str, view: View) -> Slice:
    if number not in NUMBERS:
        raise Http404
    source = _source(request)
    band = request.GET.get("band", "")
    return Slice(
        period=view.period,
        source_id=source.pk if source else None,
        branch_paths=view.scope,
        band=int(band) if band in {str(n) for n in range(len(BANDS))} else None,
    )


def _view(request: HttpRequest) -> View:
    user = request.user
    if not may(user, "see_home"):
        raise PermissionDenied
    today = company_day(request.at)
    period = named(request.GET.get("period", ""), today) or last_complete("quarter", today)
    branches = list(_branches_of(user))
    branch = next((b for b in branches if str(b.pk) == request.GET.get("branch")), None)
    within = branch or user.branch
    return View(
        period=period,
        branch=branch,
        branches=branches,
        scope=[within.path] if within else None,
        params={"branch": str(branch.pk)} if branch else {},
    )


def _branches_of(user: User) -> QuerySet[Branch]:
    below = user.branch.path if user.branch else ""
    return Branch.objects.filter(path__startswith=below).order_by("name", "id")


def _source(request: HttpRequest) -> Source | None:
    try:
        return Source.objects.filter(pk=UUID(request.GET.get("source", ""))).first()
    except ValueError:
        return None


def _recent(kind: str, today: Any) -> list[Period]:
    """The running period and those before it, newest first."""
    period = last_complete(kind, today)
    found = [period.after()] if kind != "year" else []
    for _ in range(8):
        found.append(period)
        period = period.before()
    return found


def _with_money(leads: QuerySet[Lead]) -> QuerySet[Lead]:
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
