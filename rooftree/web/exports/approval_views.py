"""Compliance > Export requests: approval of large exports by a second person."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.reporting.exports import export_approval
from rooftree.reporting.exports.export_approval import CannotExport
from rooftree.reporting.first_screen.figure_leads import FIGURE_TITLES
from rooftree.reporting.models import ExportRequest
from rooftree.reporting.reports.report_records import RECORD_LISTS
from rooftree.web.shared.htmx_responses import respond_done, respond_refused
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_company_permission, staff_view

MAX_LISTED = 40


@staff_view("GET")
def list_export_requests(request: StaffRequest) -> HttpResponse:
    """List the export requests waiting for approval and the decided ones."""
    require_company_permission(request.user, "approve_export")
    rows = ExportRequest.objects.select_related("requested_by", "decided_by")
    context = {
        "waiting": [
            _request_line(row) for row in rows.filter(decided_at=None).order_by("requested_at")
        ],
        "decided": [
            _request_line(row)
            for row in rows.exclude(decided_at=None).order_by("-decided_at")[:MAX_LISTED]
        ],
        "few": export_approval.MAX_WITHOUT_APPROVAL,
        "days": export_approval.APPROVAL_VALID_FOR.days,
    }
    return render(request, "exports/approvals.html", context)


@staff_view("POST")
def decide_export(request: StaffRequest, ask_id: UUID) -> HttpResponse:
    """Approve or reject an export request as the second person."""
    require_company_permission(request.user, "approve_export")
    export_request = get_object_or_404(ExportRequest, pk=ask_id)
    is_allowed, back = request.POST.get("say") == "allow", reverse("export_asks")
    try:
        export_approval.decide_request(
            export_request.pk, is_allowed=is_allowed, by=request.user, at=request.at
        )
    except CannotExport as problem:
        return respond_refused(request, str(problem), back_to=back)
    words = "Export approved once" if is_allowed else "Export rejected"
    return respond_done(request, words, back_to=back)


def _request_line(row: ExportRequest) -> dict[str, Any]:
    """Build the list line of a request, with the title of its list and its state."""
    kind, _, figure = row.subject.partition(":")
    if kind == "report":
        title = f"{RECORD_LISTS[figure].title}, of a report"
    else:
        title = FIGURE_TITLES.get(figure, "Loans in process")
    if row.downloaded_at:
        state = ("ok", "download", "Exported")
    elif row.is_refused:
        state = ("late", "ban", "Rejected")
    else:
        state = ("ok", "check", "Approved") if row.decided_at else ("soon", "clock", "Waiting")
    return {"row": row, "list": title, "state": state}
