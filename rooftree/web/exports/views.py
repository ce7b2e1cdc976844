"""Exports of lead lists: a page that asks for the reason, then the CSV file."""

from dataclasses import replace

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.text import slugify

from rooftree.leads.models import Lead
from rooftree.reporting.exports import export_approval, lead_export
from rooftree.reporting.exports.export_approval import CannotExport, ExportIntent
from rooftree.reporting.first_screen.figure_leads import FIGURE_TITLES
from rooftree.reporting.reports.report_records import RECORD_LISTS
from rooftree.routing.permissions import users_with_permission
from rooftree.web.home import views as home_views
from rooftree.web.lists import listed_loans
from rooftree.web.reports import views as report_views
from rooftree.web.shared.file_responses import csv_response
from rooftree.web.shared.htmx_responses import respond_done
from rooftree.web.shared.request_caller import request_caller
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view


@staff_view("GET", "POST")
def export_records(request: StaffRequest, number: str) -> HttpResponse:
    """Export the leads behind a figure of the Home page."""
    require_permission(request.user, "export")
    leads = home_views.leads_behind(request, number)
    back = f"{reverse('records', args=[number])}?{request.GET.urlencode()}"
    return _ask_or_export(
        request, leads, subject=f"records:{number}", title=FIGURE_TITLES[number], back=back
    )


@staff_view("GET", "POST")
def export_report_records(request: StaffRequest, figure: str) -> HttpResponse:
    """Export the leads behind a figure of a report."""
    require_permission(request.user, "export")
    leads = report_views.leads_behind_report(request, figure)
    back = f"{reverse('report_records', args=[figure])}?{request.GET.urlencode()}"
    title = RECORD_LISTS[figure].title
    return _ask_or_export(request, leads, subject=f"report:{figure}", title=title, back=back)


@staff_view("GET", "POST")
def export_pipeline(request: StaffRequest) -> HttpResponse:
    """Export the leads of the loans in process."""
    require_permission(request.user, "export")
    loans = listed_loans.visible_loans(request.user, request.at)
    leads = Lead.objects.filter(pk__in=loans.values("lead_id")).order_by("-created_at", "-id")
    return _ask_or_export(
        request, leads, subject="pipeline", title="Loans in process", back=reverse("pipeline")
    )


def _ask_or_export(
    request: StaffRequest, leads: QuerySet[Lead], *, subject: str, title: str, back: str
) -> HttpResponse:
    number, problem = leads.count(), ""
    intent = ExportIntent(
        user_id=request.user.pk, subject=subject, reason=request.POST.get("reason", ""),
        caller=request_caller(request), query=request.GET.urlencode(),
    )  # fmt: skip
    needs_approval = export_approval.is_needed(number)
    approval = (
        export_approval.find_open_request(intent, number=number, at=request.at)
        if needs_approval
        else None
    )
    may_export = not needs_approval or (approval is not None and approval.decided_at is not None)
    if request.method == "POST":
        try:
            if may_export:
                approved = replace(intent, reason=approval.reason) if approval else intent
                text, _ = lead_export.export_leads_csv(leads, approved, at=request.at)
                return csv_response(text, f"{slugify(title)}-{request.at:%Y-%m-%d}.csv")
            approvers = users_with_permission("approve_export")
            export_approval.request_approval(
                intent, number=number, approvers=approvers, at=request.at
            )
            return respond_done(request, "Approval requested", back_to=request.get_full_path())
        except CannotExport as refusal:
            problem = str(refusal)
    context = {
        "title": title, "back": back, "number": number, "reason": intent.reason,
        "problem": problem, "longest": export_approval.MAX_REASON_LENGTH, "approval": approval,
        "may_export": may_export, "few": export_approval.MAX_WITHOUT_APPROVAL,
    }  # fmt: skip
    return render(request, "exports/show.html", context, status=422 if problem else 200)
