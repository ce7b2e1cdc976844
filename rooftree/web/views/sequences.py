"""Sequences: their steps, an editor of them, and every edition with who follows it."""

from collections.abc import Iterable
from collections.abc import Sequence as Many
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.nurture import publish_sequence, step_words
from rooftree.nurture.models import Enrolment, Sequence
from rooftree.outreach import editions, wording
from rooftree.outreach.models import Template
from rooftree.outreach.purposes import MEDIA, occasion
from rooftree.routing.visible import may
from rooftree.web import edition_acts, sequence_form
from rooftree.web.answers import done
from rooftree.web.page import must, staff

ENDS = (
    "They write back, by text or e-mail",
    "Somebody speaks with them, or they call us",
    "They ask us to stop",
    "The lead goes to the LOS, is funded or retired",
    "The last step is out",
)
STARTS = "An officer says “Voicemail” or “No answer”"


@staff("GET")
def index(request: HttpRequest) -> HttpResponse:
    """Every sequence in use with its steps, and what waits for approval."""
    must(request.user, "see_sequences")
    used = _rows().filter(editions.used_at(request.at)).order_by("name")
    context = {
        "has_context": True,
        "lines": [
            {"sequence": one, "steps": _steps(one.steps, request.at),
             "is_approved": one.is_approved(request.at)}
            for one in used
        ],
        "waiting": _rows().filter(decided_at=None).order_by("written_at"),
        "starts": STARTS,
        "ends": ENDS,
        "may_edit": may(request.user, "edit_sequences"),
    }  # fmt: skip
    return render(request, "sequences/index.html", context)


@staff("GET", "POST")
def editor(request: HttpRequest, key: str) -> HttpResponse:
    """The steps of one sequence to change; a POST keeps them as a draft."""
    must(request.user, "edit_sequences")
    live = _live(key)
    if request.method == "POST":
        sequence_form.keep_draft(request, key, sequence_form.typed(request.POST))
        return HttpResponseRedirect(request.path, status=303)
    steps = sequence_form.draft_of(request, key)
    return _page(request, live, live.steps if steps is None else steps)


@staff("POST")
def proposal(request: HttpRequest, key: str) -> HttpResponse:
    """Send the steps as typed for approval."""
    must(request.user, "edit_sequences")
    live, steps = _live(key), sequence_form.typed(request.POST)
    sequence_form.keep_draft(request, key, steps)
    draft = Sequence(key=key, name=live.name, steps=steps)
    try:
        made = publish_sequence.propose(
            draft, by=request.user, summary=request.POST.get("summary", ""), at=request.at
        )
    except editions.NotFit as bad:
        return _page(request, live, steps, problems=bad.problems, status=422)
    except editions.CannotDecide as bad:
        return _page(request, live, steps, problems=[str(bad)], status=422)
    sequence_form.drop_draft(request, key)
    return done(request, f"v{made.version} waits for approval", back_to=reverse("sequences"))


@staff("POST")
def drop(request: HttpRequest, key: str) -> HttpResponse:
    """Forget what was typed; the sequence in use stays as it is."""
    must(request.user, "edit_sequences")
    sequence_form.drop_draft(request, key)
    said = "The draft is gone; nothing else changed"
    return done(request, said, back_to=reverse("sequence", args=[key]))


@staff("GET")
def edition(request: HttpRequest, edition_id: UUID) -> HttpResponse:
    """One edition as it is or was followed, and what may be done with it."""
    must(request.user, "see_sequences")
    one = _edition(edition_id)
    before = editions.of_place(one).filter(version__lt=one.version, from_at__isnull=False).first()
    context = {
        "edition": one,
        "steps": _steps(one.steps, request.at),
        "before": before,
        "steps_before": _steps(before.steps, request.at) if before else (),
        "problems": publish_sequence.problems(one.steps, at=request.at),
        "starts": STARTS,
        "ends": ENDS,
        "sha256": editions.sha256(one),
        "history": _with_people(editions.of_place(one)),
        **edition_acts.context(one, request.user, request.at),
    }
    return render(request, "sequences/edition.html", context)


@staff("POST")
def act(request: HttpRequest, edition_id: UUID, what: str) -> HttpResponse:
    """Approve, refuse, take back, stop, put back or renew an edition."""
    must(request.user, "see_sequences")
    one = _edition(edition_id)
    back = reverse("sequence_edition", args=[one.pk])
    return edition_acts.act(request, one, what, publish=publish_sequence, back_to=back)


def _rows() -> "QuerySet[Sequence]":
    return _with_people(Sequence.objects.all())


def _with_people(rows: "QuerySet[Sequence]") -> "QuerySet[Sequence]":
    """With how many leads follow each edition now; none is None."""
    followed = Enrolment.objects.filter(sequence=OuterRef("pk"), ended_at=None).order_by()
    running = followed.values("sequence").annotate(number=Count("pk")).values("number")
    return rows.select_related("written_by", "decided_by").annotate(running=Subquery(running))


def _edition(edition_id: UUID) -> Sequence:
    return get_object_or_404(_rows(), pk=edition_id)


def _live(key: str) -> Sequence:
    """The edition in use, else the newest there was, to begin from."""
    rows = Sequence.objects.filter(key=key, from_at__isnull=False).order_by("-version")
    return get_object_or_404(rows[:1])


def _steps(steps: Many[dict[str, Any]], at: datetime) -> list[step_words.Step]:
    live = wording.live_templates({one["template"] for one in steps}, at=at)
    return list(step_words.of(steps, live))


def _choices(at: datetime) -> list[tuple[str, str]]:
    """The wording that a step may use, by its name."""
    there = Template.objects.filter(editions.used_at(at), approved_until__gt=at)
    keys = set(there.values_list("key", flat=True))
    return sorted(
        ((key, occasion(key).title) for key in keys if occasion(key).is_step),
        key=lambda one: one[1],
    )


def _page(
    request: HttpRequest,
    live: Sequence,
    steps: Many[dict[str, Any]],
    *,
    problems: Iterable[str] = (),
    status: int = 200,
) -> HttpResponse:
    context = {
        "sequence": live,
        "rows": sequence_form.rows(steps),
        "choices": _choices(request.at),
        "units": step_words.UNITS,
        "media": MEDIA.items(),
        "steps": _steps(steps, request.at),
        "problems": problems,
        "summary": request.POST.get("summary", ""),
        "has_draft": sequence_form.draft_of(request, live.key) is not None,
        "starts": STARTS,
        "ends": ENDS,
        "history": _with_people(editions.of_place(live)),
    }
    return render(request, "sequences/editor.html", context, status=status)
