"""Acts on a whole sequence: pause, resume, retire, reopen, and move people to a newer version."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.core.user_errors import UserError
from rooftree.nurture import sequence_switches
from rooftree.nurture.models import Sequence
from rooftree.nurture.sequence_enrollment import plan_of
from rooftree.nurture.step_descriptions import media_label, step_title
from rooftree.web.sequences.views import get_version
from rooftree.web.shared.display_formats import count_noun
from rooftree.web.shared.htmx_responses import respond_done, respond_refused
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view

ACTS = {
    "pause": (sequence_switches.pause_sequence, "paused. Everyone stays where they are"),
    "resume": (sequence_switches.resume_sequence, "goes on, after as much time as was left"),
    "retire": (
        sequence_switches.retire_sequence,
        "retired. People on it finish; no one new starts",
    ),
    "reopen": (sequence_switches.reopen_sequence, "takes people again"),
}


@staff_view("POST")
def switch_sequence(request: StaffRequest, key: str) -> HttpResponse:
    """Pause, resume, retire or reopen a sequence; `act` is a key of `ACTS`."""
    require_permission(request.user, "edit_sequences")
    sequence = get_object_or_404(Sequence.objects.filter(key=key).order_by("-version")[:1])
    if request.POST.get("act") not in ACTS:
        return respond_refused(request, "Choose an action.", back_to=reverse("sequences"))
    run, words = ACTS[request.POST["act"]]
    run(key, by=request.user, at=request.at)
    return respond_done(request, f"“{sequence.name}” {words}", back_to=reverse("sequences"))


@staff_view("GET", "POST")
def move_people(request: StaffRequest, edition_id: UUID) -> HttpResponse:
    """Preview where the people of an older version continue; a POST moves them."""
    require_permission(request.user, "edit_sequences")
    old = get_version(edition_id)
    back_to = reverse("sequence_edition", args=[old.pk])
    try:
        if request.method == "POST":
            moved = sequence_switches.move_people(old, by=request.user, at=request.at)
            words = f"{count_noun(moved, 'person', 'people')} moved"
            return respond_done(request, words, back_to=back_to)
        preview = sequence_switches.preview_move(old, at=request.at)
    except UserError as problem:
        if request.method == "POST":
            return respond_refused(request, str(problem), back_to=back_to)
        context = {"version": old, "problem": str(problem)}
        return render(request, "sequences/move.html", context)
    context = {
        "version": old,
        "preview": preview,
        "lines": [
            {
                "before": _name_step(old, number),
                "after": None if target is None else _name_step(preview.new, target),
                "people": people,
            }
            for number, target, people in preview.lines
        ],
    }
    return render(request, "sequences/move.html", context)


def _name_step(sequence: Sequence, number: int) -> str:
    step = plan_of(sequence).steps[number]
    return ", ".join(filter(None, [f"step {number + 1}", media_label(step), step_title(step)]))
