"""Compliance > Fair lending: the monitor's months, its findings, and the file of places."""

from datetime import date
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from rooftree.compliance.fair_lending import FLR_01, RATIO_LIMIT
from rooftree.compliance.models import Finding
from rooftree.reporting import fair_monitor, place_shares
from rooftree.reporting.fair_outcomes import (
    FEWEST,
    MEASURES,
    By,
    Group,
    Measure,
    band_of,
    comparisons,
)
from rooftree.reporting.models import FairReport
from rooftree.reporting.second_person import LONGEST, Asked, CannotExport
from rooftree.web.answers import done
from rooftree.web.caller import caller
from rooftree.web.files import csv_file
from rooftree.web.page import must_for_all, staff

MONTHS = 12  # in the list
FINDINGS = 50
TITLES = {
    By.LANGUAGE: "By the language they stated",
    By.PLACE: "By the minority share of the people where the property is",
}


@staff("GET", "POST")
def show(request: HttpRequest) -> HttpResponse:
    """One month of the monitor, the newest unless asked; a POST loads a file of places."""
    must_for_all(request.user, "see_fair_lending")
    problem = ""
    if request.method == "POST":
        file = request.FILES.get("file")
        try:
            if file is None:
                raise place_shares.NotPlaces("Choose a file.")
            made = place_shares.load(
                file.read(), name=file.name or "", by=request.user, at=request.at
            )
        except place_shares.NotPlaces as refusal:
            problem = str(refusal)
        else:
            said = f"{made.places:,} places; months that are compared from now on use them"
            return done(request, said, back_to=reverse("fair_lending"))
    context = _page(_month(request)) | {"problem": problem}
    return render(request, "fairness/monitor.html", context, status=422 if problem else 200)


@staff("GET", "POST")
def taken_out(request: HttpRequest) -> HttpResponse:
    """A month as a file for counsel, with a reason."""
    must_for_all(request.user, "see_fair_lending")
    month = _month(request)
    if month is None:
        raise Http404
    reason, problem = request.POST.get("reason", ""), ""
    if request.method == "POST":
        asked = Asked(
            user_id=request.user.pk, subject=f"fair_lending:{month:%Y-%m}", reason=reason,
            caller=caller(request),
        )  # fmt: skip
        try:
            text = fair_monitor.as_csv(month, asked, at=request.at)
        except CannotExport as refusal:
            problem = str(refusal)
        else:
            return csv_file(text, f"privileged-fair-lending-{month:%Y-%m}.csv")
    context = {
        "month": month, "privileged": fair_monitor.PRIVILEGED, "reason": reason,
        "problem": problem, "longest": LONGEST,
    }  # fmt: skip
    return render(request, "fairness/take_out.html", context, status=422 if problem else 200)


def _month(request: HttpRequest) -> date | None:
    """The month asked for; without one the newest there is, and None when there is none."""
    months = FairReport.objects.order_by("-month").values_list("month", flat=True)
    asked = request.GET.get("month", "")
    if not asked:
        return months.first()
    return next((one for one in set(months) if f"{one:%Y-%m}" == asked), None)


def _page(month: date | None) -> dict[str, Any]:
    reports = {one.measure: one for one in FairReport.objects.filter(month=month)}
    months = FairReport.objects.order_by("-month").values_list("month", flat=True).distinct()
    rows = Finding.objects.filter(rule=FLR_01.id).select_related("closed_by")
    return {
        "month": month,
        "months": list(months[:MONTHS]),
        "cards": [_card(Measure(key), reports.get(key)) for key in MEASURES] if month else [],
        "findings": rows.order_by("closed_at", "-found_at", "-pk")[:FINDINGS],
        "places": place_shares.newest(),
        "fewest": FEWEST,
        "limit": RATIO_LIMIT,
        "bands": ", ".join(band_of(low) for low in (0, 10, 20, 50, 80)),
        "cite": FLR_01.cite,
        "privileged": fair_monitor.PRIVILEGED,
    }


def _card(measure: Measure, report: FairReport | None) -> dict[str, Any]:
    groups = fair_monitor.groups_of(report) if report else {}
    return {
        "key": measure.value,
        "said": MEASURES[measure],
        "report": report,
        "comparisons": comparisons(groups),
        "tables": [
            (TITLES[by], by.value, [_line(one, by, measure) for one in some])
            for by, some in groups.items()
        ],
    }


def _line(one: Group, by: By, measure: Measure) -> dict[str, Any]:
    name = fair_monitor.named(by, one.name)
    if one.is_small or one.value is None:
        return {"name": name, "is_small": True}
    say = _minutes if measure is Measure.RESPONSE else _share
    return {
        "name": name,
        "row": one,
        "value": say(one.value),
        "between": f"{say(one.low)} to {say(one.high)}",
        "ratio": _ratio(one.ratio),
        "ratio_between": f"{_ratio(one.ratio_low)} to {_ratio(one.ratio_high)}",
    }


def _minutes(value: float | None) -> str:
    if value is None:
        return "no end"
    if value < 60:
        return f"{value:.0f} min"
    return f"{value / 60:.1f} h" if value < 48 * 60 else f"{value / 1440:.1f} days"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.0f}%"


def _ratio(value: float | None) -> str:
    return "no end" if value is None else f"{value:.2f}"
