"""Compliance > Fair lending: the monitor's months, its findings, and the file of places."""

from datetime import date
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from rooftree.compliance.fair_lending.permitted_factors import FLR_01, RATIO_LIMIT
from rooftree.compliance.models import Finding
from rooftree.reporting.exports.export_approval import MAX_REASON_LENGTH, CannotExport, ExportIntent
from rooftree.reporting.fair_lending_monitor import minority_shares, monthly_comparison
from rooftree.reporting.fair_lending_monitor.group_outcomes import (
    MEASURES,
    MIN_GROUP_SIZE,
    Group,
    Grouping,
    Measure,
    count_comparisons,
    minority_band,
)
from rooftree.reporting.models import FairLendingReport
from rooftree.web.shared.file_responses import csv_response
from rooftree.web.shared.htmx_responses import respond_done
from rooftree.web.shared.request_caller import request_caller
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_company_permission, staff_view

MONTHS = 12  # in the list
FINDINGS = 50
TABLE_TITLES = {
    Grouping.LANGUAGE: "By the language they stated",
    Grouping.PLACE: "By the minority share of the people where the property is",
}


@staff_view("GET", "POST")
def show_monitor(request: StaffRequest) -> HttpResponse:
    """One month of the monitor, the newest unless asked; a POST loads a file of places."""
    require_company_permission(request.user, "see_fair_lending")
    problem = ""
    if request.method == "POST":
        file = request.FILES.get("file")
        try:
            if file is None:
                raise minority_shares.InvalidShareFile("Choose a file.")
            made = minority_shares.load_file(
                file.read(), name=file.name or "", by=request.user, at=request.at
            )
        except minority_shares.InvalidShareFile as refusal:
            problem = str(refusal)
        else:
            said = f"{made.places:,} places; months that are compared from now on use them"
            return respond_done(request, said, back_to=reverse("fair_lending"))
    context = _monitor_context(_chosen_month(request)) | {"problem": problem}
    return render(request, "fairness/fair_lending.html", context, status=422 if problem else 200)


@staff_view("GET", "POST")
def export_month(request: StaffRequest) -> HttpResponse:
    """A month as a file for counsel, with a reason."""
    require_company_permission(request.user, "see_fair_lending")
    month = _chosen_month(request)
    if month is None:
        raise Http404
    reason, problem = request.POST.get("reason", ""), ""
    if request.method == "POST":
        asked = ExportIntent(
            user_id=request.user.pk, subject=f"fair_lending:{month:%Y-%m}", reason=reason,
            caller=request_caller(request),
        )  # fmt: skip
        try:
            text = monthly_comparison.export_csv(month, asked, at=request.at)
        except CannotExport as refusal:
            problem = str(refusal)
        else:
            return csv_response(text, f"privileged-fair-lending-{month:%Y-%m}.csv")
    context = {
        "month": month, "privileged": monthly_comparison.PRIVILEGED, "reason": reason,
        "problem": problem, "longest": MAX_REASON_LENGTH,
    }  # fmt: skip
    return render(request, "fairness/export.html", context, status=422 if problem else 200)


def _chosen_month(request: StaffRequest) -> date | None:
    """The month asked for; without one the newest there is, and None when there is none."""
    months = FairLendingReport.objects.order_by("-month").values_list("month", flat=True)
    asked = request.GET.get("month", "")
    if not asked:
        return months.first()
    return next((month for month in set(months) if f"{month:%Y-%m}" == asked), None)


def _monitor_context(month: date | None) -> dict[str, Any]:
    reports = {
        fair_lending_report.measure: fair_lending_report
        for fair_lending_report in FairLendingReport.objects.filter(month=month)
    }
    months = FairLendingReport.objects.order_by("-month").values_list("month", flat=True).distinct()
    rows = Finding.objects.filter(rule=FLR_01.id).select_related("closed_by")
    return {
        "month": month,
        "months": list(months[:MONTHS]),
        "cards": [_measure_card(Measure(key), reports.get(key)) for key in MEASURES]
        if month
        else [],
        "findings": rows.order_by("closed_at", "-found_at", "-pk")[:FINDINGS],
        "places": minority_shares.newest_file(),
        "fewest": MIN_GROUP_SIZE,
        "limit": RATIO_LIMIT,
        "bands": ", ".join(minority_band(low) for low in (0, 10, 20, 50, 80)),
        "cite": FLR_01.cite,
        "privileged": monthly_comparison.PRIVILEGED,
    }


def _measure_card(measure: Measure, report: FairLendingReport | None) -> dict[str, Any]:
    groups = monthly_comparison.report_groups(report) if report else {}
    return {
        "key": measure.value,
        "said": MEASURES[measure],
        "report": report,
        "comparisons": count_comparisons(groups),
        "tables": [
            (TABLE_TITLES[by], by.value, [_group_line(one, by, measure) for one in some])
            for by, some in groups.items()
        ],
    }


def _group_line(one: Group, by: Grouping, measure: Measure) -> dict[str, Any]:
    name = monthly_comparison.group_label(by, one.name)
    if one.is_small or one.value is None:
        return {"name": name, "is_small": True}
    say = _minutes_text if measure is Measure.RESPONSE else _share_text
    return {
        "name": name,
        "row": one,
        "value": say(one.value),
        "between": f"{say(one.low)} to {say(one.high)}",
        "ratio": _ratio_text(one.ratio),
        "ratio_between": f"{_ratio_text(one.ratio_low)} to {_ratio_text(one.ratio_high)}",
    }


def _minutes_text(value: float | None) -> str:
    if value is None:
        return "no end"
    if value < 60:
        return f"{value:.0f} min"
    return f"{value / 60:.1f} h" if value < 48 * 60 else f"{value / 1440:.1f} days"


def _share_text(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.0f}%"


def _ratio_text(value: float | None) -> str:
    return "no end" if value is None else f"{value:.2f}"
