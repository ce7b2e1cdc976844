"""Sequences: their steps, the editor, and every version with the leads on it."""

from collections.abc import Iterable
from collections.abc import Sequence as Many
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.nurture import sequence_approval, step_descriptions
from rooftree.nurture.models import Enrollment, Sequence
from rooftree.outreach.models import Template
from rooftree.outreach.wording import message_templates, version_approval
from rooftree.outreach.wording.occasions import MEDIUM_NAMES, get_occasion
from rooftree.routing.permissions import has_permission
from rooftree.web.sequences import sequence_editor
from rooftree.web.shared.htmx_responses import respond_done
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view
from rooftree.web.wording import version_actions

END_CONDITIONS = (
    "the borrower replies by text or email",
    "someone talks with the borrower, or the borrower calls",
    "the borrower opts out",
    "the lead is handed off to the LOS, funded or closed",
    "the last step is sent",
)
START_CONDITION = "a loan officer records “Voicemail” or “No answer”"


@staff_view("GET")
def list_sequences(request: StaffRequest) -> HttpResponse:
    """List the live sequences with their steps, and proposals waiting for approval."""
    require_permission(request.user, "see_sequences")
    live = _sequence_rows().filter(version_approval.in_use_filter(request.at)).order_by("name")
    context = {
        "has_context": True,
        "lines": [
            {"sequence": sequence, "steps": _describe_steps(sequence.steps, request.at),
             "is_approved": sequence.is_approved(request.at)}
            for sequence in live
        ],
        "waiting": _sequence_rows().filter(decided_at=None).order_by("written_at"),
        "starts": START_CONDITION,
        "ends": END_CONDITIONS,
        "may_edit": has_permission(request.user, "edit_sequences"),
    }  # fmt: skip
    return render(request, "sequences/index.html", context)


@staff_view("GET", "POST")
def edit_sequence(request: StaffRequest, key: str) -> HttpResponse:
    """Show the editor of a sequence; a POST saves the typed steps as a draft."""
    require_permission(request.user, "edit_sequences")
    live = _get_live_sequence(key)
    if request.method == "POST":
        sequence_editor.save_draft(request, key, sequence_editor.parse_steps(request.POST))
        return HttpResponseRedirect(request.path, status=303)
    steps = sequence_editor.load_draft(request, key)
    return _render_editor(request, live, live.steps if steps is None else steps)


@staff_view("POST")
def propose_sequence(request: StaffRequest, key: str) -> HttpResponse:
    """Send the typed steps for approval."""
    require_permission(request.user, "edit_sequences")
    live, steps = _get_live_sequence(key), sequence_editor.parse_steps(request.POST)
    sequence_editor.save_draft(request, key, steps)
    draft = Sequence(key=key, name=live.name, steps=steps)
    try:
        proposal = sequence_approval.propose_draft(
            draft, by=request.user, summary=request.POST.get("summary", ""), at=request.at
        )
    except version_approval.UnfitVersion as refusal:
        return _render_editor(request, live, steps, problems=refusal.problems, status=422)
    except version_approval.CannotDecideVersion as refusal:
        return _render_editor(request, live, steps, problems=[str(refusal)], status=422)
    sequence_editor.delete_draft(request, key)
    return respond_done(
        request, f"v{proposal.version} sent for approval", back_to=reverse("sequences")
    )


@staff_view("POST")
def discard_draft(request: StaffRequest, key: str) -> HttpResponse:
    """Delete the user's draft; the live sequence doesn't change."""
    require_permission(request.user, "edit_sequences")
    sequence_editor.delete_draft(request, key)
    return respond_done(request, "Draft deleted", back_to=reverse("sequence", args=[key]))


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
    context = {
        "version": version,
        "steps": _describe_steps(version.steps, request.at),
        "before": before,
        "steps_before": _describe_steps(before.steps, request.at) if before else (),
        "problems": sequence_approval.find_problems(version.steps, at=request.at),
        "starts": START_CONDITION,
        "ends": END_CONDITIONS,
        "sha256": version_approval.content_hash(version),
        "history": _annotate_running(version_approval.versions_of_place(version)),
        **version_actions.action_context(version, request.user, request.at),
    }
    return render(request, "sequences/version.html", context)


def _sequence_rows() -> QuerySet[Sequence]:
    return _annotate_running(Sequence.objects.all())


def _annotate_running(rows: QuerySet[Sequence]) -> QuerySet[Sequence]:
    """Annotate `running`: how many leads are on each version now, or None if there are none."""
    enrollments = Enrollment.objects.filter(sequence=OuterRef("pk"), ended_at=None).order_by()
    running = enrollments.values("sequence").annotate(number=Count("pk")).values("number")
    return rows.select_related("written_by", "decided_by").annotate(running=Subquery(running))


def get_version(edition_id: UUID) -> Sequence:
    """Return a version with its author and approver. Raises `Http404`."""
    return get_object_or_404(_sequence_rows(), pk=edition_id)


def _get_live_sequence(key: str) -> Sequence:
    """Return the newest version that is or was live. Raises `Http404` if there is none."""
    rows = Sequence.objects.filter(key=key, from_at__isnull=False).order_by("-version")
    return get_object_or_404(rows[:1])


def _describe_steps(
    steps: Many[dict[str, Any]], at: datetime
) -> list[step_descriptions.StepDescription]:
    live = message_templates.live_templates({step["template"] for step in steps}, at=at)
    return list(step_descriptions.describe_steps(steps, live))


def _wording_choices(at: datetime) -> list[tuple[str, str]]:
    """Return the templates that a step can use, by title."""
    live = Template.objects.filter(version_approval.in_use_filter(at), approved_until__gt=at)
    keys = set(live.values_list("key", flat=True))
    return sorted(
        ((key, get_occasion(key).title) for key in keys if get_occasion(key).is_step),
        key=lambda choice: choice[1],
    )


def _render_editor(
    request: StaffRequest,
    live: Sequence,
    steps: Many[dict[str, Any]],
    *,
    problems: Iterable[str] = (),
    status: int = 200,
) -> HttpResponse:
    context = {
        "sequence": live,
        "rows": sequence_editor.build_rows(steps),
        "choices": _wording_choices(request.at),
        "units": step_descriptions.MINUTES_PER_UNIT,
        "media": MEDIUM_NAMES.items(),
        "steps": _describe_steps(steps, request.at),
        "problems": problems,
        "summary": request.POST.get("summary", ""),
        "has_draft": sequence_editor.load_draft(request, live.key) is not None,
        "starts": START_CONDITION,
        "ends": END_CONDITIONS,
        "history": _annotate_running(version_approval.versions_of_place(live)),
    }
    return render(request, "sequences/editor.html", context, status=status)
