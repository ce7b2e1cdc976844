"""Compliance > Calls: the call recording switch, and call records that are incomplete."""

from datetime import timedelta

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from rooftree.leads.models import ContactAttempt, Lead
from rooftree.org.models import Company
from rooftree.outreach.calls import call_record_check, call_recordings
from rooftree.routing.permissions import has_company_permission, leads_visible_to
from rooftree.web.lists.list_page import get_page
from rooftree.web.shared.htmx_responses import respond_done
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import (
    require_company_permission,
    require_permission,
    staff_view,
)

PAGE_SIZE = 20
LOOKBACK = timedelta(days=31)  # what is missing from older calls can't be found out any more


@staff_view("GET", "POST")
def show_call_records(request: StaffRequest) -> HttpResponse:
    """Show incomplete call records of the last month, newest first; a POST switches recording."""
    require_permission(request.user, "see_compliance")
    if request.method == "POST":
        return _switch_recording(request)
    ended_before = request.at - call_recordings.MAX_CALL_LENGTH
    rows = call_record_check.incomplete_calls(before=ended_before).filter(
        lead__in=leads_visible_to(request.user), at__gt=request.at - LOOKBACK
    )
    page = get_page(request, rows.select_related("lead__person", "by"), size=PAGE_SIZE)
    company = Company.objects.first()
    context = {
        "page": page,
        "calls": [{"row": row, "missing": call_record_check.missing_fields(row)} for row in page],
        "not_erased": call_recordings.overdue_erasures(
            before=request.at - call_recordings.RETRY_AFTER
        ),
        "since": company.records_calls_from if company else None,
        "notices": _recording_notices(request) if company else [],
        "may_switch": company is not None and has_company_permission(request.user, "record_calls"),
    }
    return render(request, "compliance/call_records.html", context)


def _recording_notices(request: StaffRequest) -> list[tuple[str, str]]:
    """Return the notices by language, for an outbound and an inbound call of this user."""
    calls = [
        ContactAttempt(lead=Lead(), by=request.user, direction=direction)
        for direction in ("out", "in")
    ]
    return [
        (language, call_recordings.build_notice_text(call, language))
        for language in call_recordings.NOTICES
        for call in calls
    ]


def _switch_recording(request: StaffRequest) -> HttpResponse:
    require_company_permission(request.user, "record_calls")
    is_on = request.POST.get("act") == "on"
    call_recordings.switch_recording(is_on=is_on, by=request.user, at=request.at)
    words = "Call recording is on" if is_on else "Call recording is off"
    return respond_done(request, words, back_to=reverse("call_records"))
