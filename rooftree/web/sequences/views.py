"""Sequences: their steps, an editor of them, and every edition with who follows it."""

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
    "They write back, by text or e-mail",
    "Somebody speaks with them, or they call us",
    "They ask us to stop",
    "The lead goes to the LOS, is funded or retired",
    "The last step is out",
)
START_CONDITION = "An officer says “Voicemail” or “No answer”"


@staff_view("GET")
def list_sequences(request: StaffRequest) -> HttpResponse:
    """Every sequence in use with its steps, and what waits for approval."""
    require_permission(request.user, "see_sequences")
    used = _sequence_rows().filter(version_approval.in_use_filter(request.at)).order_by("name")
    context = {
        "has_context": True,
        "lines": [
            {"sequence": sequence_row, "steps": _describe_steps(sequence_row.steps, request.at),
             "is_approved": sequence_row.is_approved(request.at)}
            for sequence_row in used
        ],
        "waiting": _sequence_rows().filter(decided_at=None).order_by("written_at"),
        "starts": START_CONDITION,
        "ends": END_CONDITIONS,
        "may_edit": has_permission(request.user, "edit_sequences"),
    }  # fmt: skip
    return render(request, "sequences/index.html", context)


@staff_view("GET", "POST")
def edit_sequence(request: StaffRequest, key: str) -> HttpResponse:
    """The steps of one sequence to change; a POST keeps them as a draft."""
    require_permission(request.user, "edit_sequences")
    live = _get_live_sequence(key)
    if request.method == "POST":
        sequence_editor.save_draft(request, key, sequence_editor.parse_steps(request.POST))
        return HttpResponseRedirect(request.path, status=303)
    steps = sequence_editor.load_draft(request, key)
    return _render_editor(request, live, live.steps if steps is None else steps)


@staff_view("POST")
def propose_sequence(request: StaffRequest, key: str) -> HttpResponse:
    """Send the steps as typed for approval."""
    require_permission(request.user, "edit_sequences")
    live, steps = _get_live_sequence(key), sequence_editor.parse_steps(request.POST)
    sequence_editor.save_draft(request, key, steps)
    draft = Sequence(key=key, name=live.name, steps=steps)
    try:
        made = sequence_approval.propose_draft(
            draft, by=request.user, summary=request.POST.get("summary", ""), at=request.at
        )
    except version_approval.UnfitVersion as bad:
        return _render_editor(request, live, steps, problems=bad.problems, status=422)
    except version_approval.CannotDecideVersion as bad:
        return _render_editor(request, live, steps, problems=[str(bad)], status=422)
    sequence_editor.delete_draft(request, key)
    return respond_done(
        request, f"v{made.version} waits for approval", back_to=reverse("sequences")
    )


@staff_view("POST")
def discard_draft(request: StaffRequest, key: str) -> HttpResponse:
    """Forget what was typed; the sequence in use stays as it is."""
    require_permission(request.user, "edit_sequences")
    sequence_editor.delete_draft(request, key)
    said = "The draft is gone; nothing else changed"
    return respond_done(request, said, back_to=reverse("sequence", args=[key]))


@staff_view("GET")
def show_sequence_version(request: StaffRequest, edition_id: UUID) -> HttpResponse:
    """One edition as it is or was followed, and what may be done with it."""
    require_permission(request.user, "see_sequences")
    one = _get_version(edition_id)
    before = (
        version_approval.versions_of_place(one)
        .filter(version__lt=one.version, from_at__isnull=False)
        .first()
    )
    context = {
        "edition": one,
        "steps": _describe_steps(one.steps, request.at),
        "before": before,
        "steps_before": _describe_steps(before.steps, request.at) if before else (),
        "problems": sequence_approval.find_problems(one.steps, at=request.at),
        "starts": START_CONDITION,
        "ends": END_CONDITIONS,
        "sha256": version_approval.content_hash(one),
        "history": _annotate_running(version_approval.versions_of_place(one)),
        **version_actions.action_context(one, request.user, request.at),
    }
    return render(request, "sequences/version.html", context)


@staff_view("POST")
def apply_version_action(request: StaffRequest, edition_id: UUID, what: str) -> HttpResponse:
    """Approve, refuse, take back, stop, put back or renew an edition."""
    require_permission(request.user, "see_sequences")
    one = _get_version(edition_id)
    back = reverse("sequence_edition", args=[one.pk])
    return version_actions.apply_action(request, one, what, publish=sequence_approval, back_to=back)


def _sequence_rows() -> "QuerySet[Sequence]":
    return _annotate_running(Sequence.objects.all())


def _annotate_running(rows: "QuerySet[Sequence]") -> "QuerySet[Sequence]":
    """With how many leads follow each edition now; none is None."""
    followed = Enrollment.objects.filter(sequence=OuterRef("pk"), ended_at=None).order_by()
    running = followed.values("sequence").annotate(number=Count("pk")).values("number")
    return rows.select_related("written_by", "decided_by").annotate(running=Subquery(running))


def _get_version(edition_id: UUID) -> Sequence:
    return get_object_or_404(_sequence_rows(), pk=edition_id)


def _get_live_sequence(key: str) -> Sequence:
    """The edition in use, else the newest there was, to begin from."""
    rows = Sequence.objects.filter(key=key, from_at__isnull=False).order_by("-version")
    return get_object_or_404(rows[:1])


def _describe_steps(
    steps: Many[dict[str, Any]], at: datetime
) -> list[step_descriptions.StepDescription]:
    live = message_templates.live_templates({step["template"] for step in steps}, at=at)
    return list(step_descriptions.describe_steps(steps, live))


def _wording_choices(at: datetime) -> list[tuple[str, str]]:
    """The wording that a step may use, by its name."""
    there = Template.objects.filter(version_approval.in_use_filter(at), approved_until__gt=at)
    keys = set(there.values_list("key", flat=True))
    return sorted(
        ((key, get_occasion(key).title) for key in keys if get_occasion(key).is_step),
        key=lambda one: one[1],
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
