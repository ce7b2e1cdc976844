"""The sequence of a lead on its page: what came, what is next and when, on or off in one tap."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.urls import reverse

from rooftree.leads.models import Lead
from rooftree.nurture import sequence_enrollment
from rooftree.nurture.models import Enrollment, EnrollmentStep
from rooftree.nurture.sequence_enrollment import CannotEnroll, plan_of
from rooftree.nurture.sequence_plan import Step
from rooftree.nurture.step_descriptions import media_label, step_title
from rooftree.routing.permissions import can_act_on, leads_visible_to
from rooftree.web.shared.htmx_responses import respond_done, respond_refused
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import staff_view

MAX_DONE = 5  # steps that came, shown newest first
OUTCOMES = {"done": "done", "skipped": "skipped", "passed": "passed", "ended": "last"}


def build_sequence_card(lead: Lead, *, may_act: bool, at: datetime) -> dict[str, Any]:
    """Return where a lead stands on its sequence, and which ones it can start."""
    enrollments = Enrollment.objects.filter(lead=lead).select_related("sequence").in_bulk()
    live = next((row for row in enrollments.values() if row.ended_at is None), None)
    rows = EnrollmentStep.objects.filter(enrollment__in=enrollments)
    done = rows.order_by("-at", "-number")[:MAX_DONE] if enrollments else []
    card: dict[str, Any] = {
        "live": live,
        "done": [
            {
                "name": _name(plan_of(enrollments[row.enrollment_id].sequence).steps[row.number]),
                "outcome": OUTCOMES[row.outcome],
                "at": row.at,
            }
            for row in done
        ],
    }
    if live:
        steps = plan_of(live.sequence).steps
        is_paused = live.sequence.key in sequence_enrollment.switched_off_keys(paused_only=True)
        card |= {"next": _name(steps[live.next_step]), "number": live.next_step + 1}
        card |= {"size": len(steps), "is_paused": is_paused}
    elif may_act and not lead.is_test:
        card["choices"] = [
            (sequence.key, sequence.name)
            for sequence in sequence_enrollment.sequences_to_start(at)
            if lead.state in plan_of(sequence).stages
        ]
    return card


@staff_view("POST")
def change_sequence(request: StaffRequest, lead_id: UUID) -> HttpResponse:
    """Put a lead on a sequence, or take it off the one it is on if `sequence` is empty."""
    lead = leads_visible_to(request.user).filter(pk=lead_id).first()
    if lead is None:
        raise Http404("No such lead.")
    if not can_act_on(request.user, "contact_lead", lead):
        raise PermissionDenied("You can view this lead, but only its loan officer can change it.")
    back_to, key = reverse("lead", args=[lead_id]), request.POST.get("sequence", "")
    if not key:
        because = f"taken off by {request.user.name}"
        stopped = sequence_enrollment.stop_sequence(lead_id=lead_id, because=because, at=request.at)
        words = "Taken off the sequence" if stopped else "The lead is on no sequence"
        return respond_done(request, words, back_to=back_to)
    try:
        enrollment = sequence_enrollment.start_sequence(
            lead_id=lead_id, key=key, by=request.user.pk, at=request.at
        )
    except CannotEnroll as problem:
        return respond_refused(request, str(problem), back_to=back_to)
    return respond_done(request, f"On the sequence “{enrollment.sequence.name}”", back_to=back_to)


def _name(step: Step) -> str:
    return ", ".join(filter(None, [media_label(step), step_title(step) or step.condition_text]))
