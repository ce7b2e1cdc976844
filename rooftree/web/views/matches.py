"""Records that may be one human: what speaks for it and against, decided by staff, once."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.capture import likeness
from rooftree.capture import merge as one_person
from rooftree.capture import split as two_people
from rooftree.flow import merging
from rooftree.leads.models import Lead, Likeness, Person, PersonMerge
from rooftree.routing.visible import leads_visible_to
from rooftree.web.answers import done, refused
from rooftree.web.page import must, staff

PAGE, LATELY = 20, 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two, as the page shows it."""

    person: Person
    leads: Sequence[Lead]  # as borrower or second applicant, newest first


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two records that wait for an answer, the older first."""

    row: Likeness
    sides: tuple[Side, Side]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A pair that was decided, and the merge that can be undone."""

    row: Likeness
    merge: PersonMerge | None


@staff("GET")
def index(request: HttpRequest) -> HttpResponse:
    """Those that wait, the longest first; for htmx the list alone."""
    must(request.user, "merge_leads")
    leads = leads_visible_to(request.user)
    page = Paginator(likeness.waiting(leads), PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "pairs": _pairs(page.object_list),
        "answered": _answered(likeness.answered(leads, at=request.at)[:LATELY]),
        "reasons": one_person.REASONS.items(),
        "split_reasons": two_people.REASONS.items(),
    }
    template = "matches/index.html#pairs" if request.htmx else "matches/index.html"
    return render(request, template, context)


@staff("POST")
def decide(request: HttpRequest, likeness_id: UUID) -> HttpResponse:
    """One person, two people, two people of whom the newer has the number now, or ask again."""
    must(request.user, "merge_leads")
    pair = _pair(request, likeness_id)
    answer = request.POST.get("answer", "")
    try:
        words = _decide(request, pair, answer)
    except (likeness.CannotAnswer, merging.CannotMerge, merging.CannotSplit) as problem:
        return refused(request, str(problem), back_to=reverse("matches"))
    return done(request, words, back_to=reverse("matches"))


def _decide(request: HttpRequest, pair: Likeness, answer: str) -> str:
    by, at, reason = request.user, request.at, request.POST.get("reason", "")
    older, newer = pair.older.name, pair.newer.name
    if answer == "same":
        merging.merge(
            kept_id=pair.older_id, gone_id=pair.newer_id,
            reason=reason, evidence=pair.speaks_for, by=by, at=at,
        )  # fmt: skip
        return f"{older} and {newer} are one person now"
    if answer in ("two", "moved"):
        merging.keep_apart(likeness_id=pair.pk, moved=answer == "moved", by=by, at=at)
        return f"{older} and {newer} stay two people, and are not proposed again"
    if answer == "apart":
        made = get_object_or_404(_merges([pair]), split_at=None)
        merging.split(merge_id=made.pk, reason=reason, by=by, at=at)
        return f"{older} and {newer} are two people again"
    if answer == "again":
        likeness.ask_again(pair.pk, by=by.pk, at=at)
        return f"{older} and {newer} are on the list again"
    raise likeness.CannotAnswer("Say whether they are one person or two.")


def _pair(request: HttpRequest, likeness_id: UUID) -> Likeness:
    return get_object_or_404(likeness.within(leads_visible_to(request.user)), pk=likeness_id)


def _pairs(rows: Sequence[Likeness]) -> list[Pair]:
    ids = {key for one in rows for key in (one.older_id, one.newer_id)}
    people = Person.objects.prefetch_related("phones", "emails").in_bulk(ids)
    about = _leads(ids)
    sides = {key: Side(person=one, leads=about.get(key, ())) for key, one in people.items()}
    return [Pair(row=one, sides=(sides[one.older_id], sides[one.newer_id])) for one in rows]


def _leads(ids: set[UUID]) -> dict[UUID, list[Lead]]:
    """Of each their own, and the one they apply for with somebody."""
    found: dict[UUID, list[Lead]] = {}
    rows = Lead.objects.select_related("source", "officer__user").order_by("-warmed_at")
    for lead in rows.filter(person__in=ids):
        found.setdefault(lead.person_id, []).append(lead)
    for lead in rows.filter(co_borrower__in=ids):
        found.setdefault(lead.co_borrower_id, []).append(lead)
    return found


def _answered(rows: Sequence[Likeness]) -> list[Answered]:
    live = {
        frozenset((one.kept_id, one.gone_id)): one
        for one in _merges(list(rows)).filter(split_at=None)
    }
    return [
        Answered(row=one, merge=live.get(frozenset((one.older_id, one.newer_id)))) for one in rows
    ]


def _merges(rows: Sequence[Likeness]) -> QuerySet[PersonMerge]:
    ids = [key for one in rows for key in (one.older_id, one.newer_id)]
    return PersonMerge.objects.filter(kept__in=ids, gone__in=ids)
