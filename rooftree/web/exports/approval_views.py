"""Compliance, exports: who wants to take people's data out, and what a second person says to it."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.reporting.exports import export_approval
from rooftree.reporting.exports.export_approval import CannotExport
from rooftree.reporting.first_screen.figure_leads import FIGURE_TITLES
from rooftree.reporting.models import ExportRequest
from rooftree.web.shared.htmx_responses import respond_done, respond_refused
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_company_permission, staff_view

MAX_LISTED = 40


@staff_view("GET")
def list_export_requests(request: StaffRequest) -> HttpResponse:
    """What waits for a second person, and what was decided."""
    require_company_permission(request.user, "approve_export")
    rows = ExportRequest.objects.select_related("asked_by", "decided_by")
    context = {
        "waiting": [
            _request_line(row) for row in rows.filter(decided_at=None).order_by("asked_at")
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
    """The second person agrees or refuses."""
    require_company_permission(request.user, "approve_export")
    ask = get_object_or_404(ExportRequest, pk=ask_id)
    is_allowed, back = request.POST.get("say") == "allow", reverse("export_asks")
    try:
        export_approval.decide_request(
            ask.pk, is_allowed=is_allowed, by=request.user, at=request.at
        )
    except CannotExport as problem:
        return respond_refused(request, str(problem), back_to=back)
    return respond_done(request, "Allowed, once" if is_allowed else "Refused", back_to=back)


def _request_line(one: ExportRequest) -> dict[str, Any]:
    """An ask, with its list by name and how it stands."""
    kind, _, number = one.subject.partition(":")
    if one.taken_at:
        state = ("ok", "download", "Taken")
    elif one.is_refused:
        state = ("late", "ban", "Refused")
    else:
        state = ("ok", "check", "Allowed") if one.decided_at else ("soon", "clock", "Waits")
    return {"one": one, "list": FIGURE_TITLES.get(number, "Loans in process"), "state": state}
