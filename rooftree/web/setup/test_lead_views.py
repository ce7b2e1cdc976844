"""A test lead with one's own phone: watched stage by stage, then removed from every figure."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.dateparse import parse_datetime

from rooftree.core.user_errors import UserError
from rooftree.flow import own_test_lead
from rooftree.leads.models import Lead, Source
from rooftree.org import setup_steps
from rooftree.web.setup.go_live_steps import TEST_LEAD_STEP
from rooftree.web.setup.guide_step import step_key
from rooftree.web.setup.lead_stages import LeadStage, find_test_touch, list_stages
from rooftree.web.shared.htmx_responses import respond_done, respond_refused
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view


@staff_view("GET", "POST")
def watch_test_lead(request: StaffRequest) -> HttpResponse:
    """Show how to send a test lead, and its stages as they happen; a POST starts the watch."""
    require_permission(request.user, "edit_setup")
    if request.method == "POST":
        query = urlencode({"since": request.at.isoformat()})
        return HttpResponseRedirect(f"{request.path}?{query}", status=303)
    since = _parse_start(request)
    touch = find_test_touch(request.user, since=since) if since else None
    stages = list_stages(touch) if touch else []
    if stages and _count_passed(stages) == len(stages):
        _record_result(request, stages)
    context: dict[str, Any] = {
        "since": since,
        "touch": touch,
        "stages": stages,
        "passed": _count_passed(stages),
        "forms": Source.objects.filter(adapter="website_form", paused_at=None).order_by("name"),
        "sources": Source.objects.filter(paused_at=None, is_test=False)
        .exclude(adapter__in=["website_form", "staff_entry"])
        .order_by("name"),
        "own_page": reverse("setup_person", args=[request.user.pk]),
    }
    return render(request, "setup/test_lead.html", context)


@staff_view("POST")
def remove_test_lead(request: StaffRequest, lead_id: UUID) -> HttpResponse:
    """Remove the user's own test lead from all reports, and keep how far it came."""
    require_permission(request.user, "edit_setup")
    lead = get_object_or_404(Lead, pk=lead_id)
    touch = find_test_touch(request.user, since=lead.created_at)
    stages = list_stages(touch) if touch else []
    try:
        own_test_lead.remove_test_lead(lead_id=lead.pk, by=request.user, at=request.at)
    except UserError as problem:
        return respond_refused(request, str(problem), back_to=reverse("setup_test_lead"))
    finding = _record_result(request, stages)
    return respond_done(request, f"Test lead removed. {finding}", back_to=reverse("setup"))


def _record_result(request: StaffRequest, stages: list[LeadStage]) -> str:
    """Store how far the test lead came, for the go-live list; return it as a sentence."""
    passed = _count_passed(stages)
    finding = f"{passed} of {len(stages)} stages passed, sent by {request.user.name}"
    setup_steps.record_check(
        step_key(TEST_LEAD_STEP), has_passed=passed == len(stages), finding=finding, at=request.at
    )
    return finding


def _parse_start(request: StaffRequest) -> datetime | None:
    try:
        since = parse_datetime(request.GET.get("since", ""))
    except ValueError:
        return None
    return since if since and since.tzinfo else None


def _count_passed(stages: list[LeadStage]) -> int:
    return sum(stage.seconds is not None for stage in stages)
