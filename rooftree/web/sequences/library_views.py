"""The library of sequences: what is in it, and adding one as a proposal that waits."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from rooftree.core.user_errors import UserError
from rooftree.nurture import sequence_library
from rooftree.nurture.models import Sequence
from rooftree.nurture.sequence_plan import parse_plan
from rooftree.nurture.step_descriptions import describe_steps
from rooftree.web.shared.htmx_responses import respond_done, respond_refused
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view


@staff_view("GET", "POST")
def show_library(request: StaffRequest) -> HttpResponse:
    """Show the library; a POST adds the sequence `key`."""
    require_permission(request.user, "edit_sequences")
    address = reverse("sequence_library")
    if request.method == "POST":
        try:
            added = sequence_library.add_from_library(
                request.POST.get("key", ""), by=request.user, at=request.at
            )
        except UserError as problem:
            return respond_refused(request, str(problem), back_to=address)
        words = f"“{added.name}” added. It waits for somebody to make it theirs"
        return respond_done(request, words, back_to=reverse("sequence", args=[added.key]))
    present = set(Sequence.objects.values_list("key", flat=True))
    entries = sequence_library.load_library()
    names = {entry.key: entry.name for entry in entries}
    lines = []
    for entry in entries:
        plan = parse_plan(list(entry.steps), dict(entry.rules))
        bodies = {row["key"]: row for row in entry.templates if row["language"] == "en"}
        lines.append(
            {
                "entry": entry,
                "is_here": entry.key in present,
                "steps": [
                    {"step": step, "text": bodies.get(step.key)}
                    for step in describe_steps(plan, (), names)
                ],
            }
        )
    return render(request, "sequences/library.html", {"lines": lines})
