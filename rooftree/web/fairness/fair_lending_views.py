"""Compliance > Fair lending: monthly comparisons, their findings, and the census file."""

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

MONTHS = 12  # listed
FINDINGS = 50  # listed
FINDINGS_HINT = (
    "A ratio above the limit appears here once and stays until you record your conclusion."
)
TABLE_TITLES = {
    Grouping.LANGUAGE: "By stated language",
    Grouping.PLACE: "By minority share of the property’s location",
}


@staff_view("GET", "POST")
def show_monitor(request: StaffRequest) -> HttpResponse:
    """Show one month, by default the newest; a POST loads a census file."""
    require_company_permission(request.user, "see_fair_lending")
    problem = ""
    if request.method == "POST":
        file = request.FILES.get("file")
        try:
            if file is None:
                raise minority_shares.InvalidShareFile("Choose a file.")
            loaded = minority_shares.load_file(
                file.read(), name=file.name or "", by=request.user, at=request.at
            )
        except minority_shares.InvalidShareFile as refusal:
            problem = str(refusal)
        else:
            words = f"{loaded.places:,} locations loaded. Future comparisons use them"
            return respond_done(request, words, back_to=reverse("fair_lending"))
    context = _monitor_context(_chosen_month(request)) | {"problem": problem}
    return render(request, "fairness/fair_lending.html", context, status=422 if problem else 200)


@staff_view("GET", "POST")
def export_month(request: StaffRequest) -> HttpResponse:
    """Export a month as a file for counsel; the user must give a reason."""
    require_company_permission(request.user, "see_fair_lending")
    month = _chosen_month(request)
    if month is None:
        raise Http404
    reason, problem = request.POST.get("reason", ""), ""
    if request.method == "POST":
        intent = ExportIntent(
            user_id=request.user.pk, subject=f"fair_lending:{month:%Y-%m}", reason=reason,
            caller=request_caller(request),
        )  # fmt: skip
        try:
            text = monthly_comparison.export_csv(month, intent, at=request.at)
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
    """Return the month of the query, by default the newest; None if it has no report."""
    months = FairLendingReport.objects.order_by("-month").values_list("month", flat=True)
    chosen = request.GET.get("month", "")
    if not chosen:
        return months.first()
    return next((month for month in set(months) if f"{month:%Y-%m}" == chosen), None)


def _monitor_context(month: date | None) -> dict[str, Any]:
    rows = FairLendingReport.objects.filter(month=month) if month else ()
    reports = {report.measure: report for report in rows}
    months = FairLendingReport.objects.order_by("-month").values_list("month", flat=True).distinct()
    findings = Finding.objects.filter(rule=FLR_01.id).select_related("closed_by")
    return {
        "month": month,
        "months": list(months[:MONTHS]),
        "cards": [_measure_card(Measure(key), reports.get(key)) for key in MEASURES]
        if month
        else [],
        "findings": findings.order_by("closed_at", "-found_at", "-pk")[:FINDINGS],
        "findings_hint": FINDINGS_HINT,
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
        "measure": MEASURES[measure],
        "report": report,
        "comparisons": count_comparisons(groups),
        "tables": [
            (TABLE_TITLES[by], by.value, [_group_line(group, by, measure) for group in rows])
            for by, rows in groups.items()
        ],
    }


def _group_line(group: Group, by: Grouping, measure: Measure) -> dict[str, Any]:
    name = monthly_comparison.group_label(by, group.name)
    if group.is_small or group.value is None:
        return {"name": name, "is_small": True}
    format_value = _minutes_text if measure is Measure.RESPONSE else _share_text
    return {
        "name": name,
        "row": group,
        "value": format_value(group.value),
        "interval": f"{format_value(group.low)} to {format_value(group.high)}",
        "ratio": _ratio_text(group.ratio),
        "ratio_interval": f"{_ratio_text(group.ratio_low)} to {_ratio_text(group.ratio_high)}",
    }


def _minutes_text(value: float | None) -> str:
    if value is None:
        return "no limit"
    if value < 60:
        return f"{value:.0f} min"
    return f"{value / 60:.1f} h" if value < 48 * 60 else f"{value / 1440:.1f} days"


def _share_text(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.0f}%"


def _ratio_text(value: float | None) -> str:
    return "no limit" if value is None else f"{value:.2f}"
