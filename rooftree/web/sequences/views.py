"""Sequences: the list, and every version with its steps and the leads on it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render

from rooftree.nurture import sequence_approval, sequence_starts, step_descriptions
from rooftree.nurture.models import Enrollment, Sequence, SequenceDraft, SequenceSwitch
from rooftree.nurture.sequence_enrollment import plan_of
from rooftree.nurture.sequence_plan import ENDING_EVENTS, STARTS, BadPlan, Plan
from rooftree.outreach.wording import message_templates, version_approval
from rooftree.routing.permissions import has_permission
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view
from rooftree.web.wording import version_actions

EVENT_SENTENCES = {
    "replied": "the borrower replies by text or email",
    "talked": "someone talks with the borrower, or the borrower calls",
}
ALWAYS_ENDS = (
    "the borrower opts out",
    "the lead leaves the stages it is for: handed off to the LOS, funded or closed",
    "the last step is done",
)


@staff_view("GET")
def list_sequences(request: StaffRequest) -> HttpResponse:
    """List the live sequences with their steps, drafts, and proposals waiting for approval."""
    require_permission(request.user, "see_sequences")
    live = (
        annotate_running(Sequence.objects.all())
        .filter(version_approval.in_use_filter(request.at))
        .order_by("name")
    )
    switches = {switch.key: switch for switch in SequenceSwitch.objects.all()}
    context = {
        "lines": [
            {
                "sequence": sequence,
                "is_approved": sequence.is_approved(request.at),
                "switch": switches.get(sequence.key),
                **describe_version(sequence, request.at),
            }
            for sequence in live
        ],
        "waiting": annotate_running(Sequence.objects.all())
        .filter(decided_at=None)
        .order_by("written_at"),
        "drafts": SequenceDraft.objects.select_related("edited_by").order_by("name"),
        "may_edit": has_permission(request.user, "edit_sequences"),
    }
    return render(request, "sequences/index.html", context)


@staff_view("GET")
def show_sequence_version(request: StaffRequest, edition_id: UUID) -> HttpResponse:
    """Show one version with its steps, its approval and the possible actions."""
    require_permission(request.user, "see_sequences")
    version = get_version(edition_id)
    before = (
        version_approval.versions_of_place(version)
        .filter(version__lt=version.version, from_at__isnull=False)
        .first()
    )
    problems = sequence_approval.find_problems(version, at=request.at)
    context = {
        "version": version,
        **describe_version(version, request.at),
        "before": before,
        "steps_before": describe_version(before, request.at)["steps"] if before else (),
        "problems": sequence_approval.name_problems(problems),
        "sha256": version_approval.content_hash(version),
        "history": annotate_running(version_approval.versions_of_place(version)),
        "may_edit": has_permission(request.user, "edit_sequences"),
        **version_actions.action_context(version, request.user, request.at),
    }
    return render(request, "sequences/version.html", context)


def describe_version(sequence: Sequence, at: datetime) -> dict[str, Any]:
    """Return the steps and rules of a version for a page; empty if it has problems."""
    try:
        plan = plan_of(sequence)
    except BadPlan:
        return {"steps": (), "starts": "", "ends": ()}
    return describe_plan(plan, at)


def describe_plan(plan: Plan, at: datetime) -> dict[str, Any]:
    """Return the steps, the start and the ends of a sequence for a page."""
    keys = {step.template for step in plan.steps if step.template}
    live = message_templates.live_templates(keys, at=at)
    names = dict(Sequence.objects.order_by("version").values_list("key", "name"))
    is_counted = plan.start == "segment"
    return {
        "plan": plan,
        "steps": list(step_descriptions.describe_steps(plan, live, names)),
        "starts": _describe_start(plan),
        "ends": [
            *([f"the goal is reached: {plan.goal_text}"] if plan.goal_text else ()),
            *(EVENT_SENTENCES[event] for event in ENDING_EVENTS if event in plan.ends_on),
            *ALWAYS_ENDS,
        ],
        "fitting": sequence_starts.count_fitting_leads(plan, at=at) if is_counted else None,
    }


def _describe_start(plan: Plan) -> str:
    match plan.start:
        case "gone_cold":
            return f"a lead has been quiet for {plan.start_days} days"
        case "funded_date":
            return f"{plan.start_days} days have passed since the loan funded"
        case "milestone":
            return f"the loan reaches “{plan.milestone.replace('_', ' ')}”"
        case _:
            return STARTS[plan.start]


def annotate_running(rows: QuerySet[Sequence]) -> QuerySet[Sequence]:
    """Annotate `running`: how many leads are on each version now, or None if there are none."""
    enrollments = Enrollment.objects.filter(sequence=OuterRef("pk"), ended_at=None).order_by()
    running = enrollments.values("sequence").annotate(number=Count("pk")).values("number")
    return rows.select_related("written_by", "decided_by").annotate(running=Subquery(running))


def get_version(edition_id: UUID) -> Sequence:
    """Return a version with its author and approver. Raises `Http404`."""
    return get_object_or_404(annotate_running(Sequence.objects.all()), pk=edition_id)
