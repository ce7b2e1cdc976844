"""Records that may be one human: what speaks for it and against, decided by staff, once."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.capture.identity import duplicate_review
from rooftree.capture.identity import merge_people as one_person
from rooftree.capture.identity import split_people as two_people
from rooftree.flow import person_merges
from rooftree.leads.models import Lead, Person, PersonMerge, PossibleDuplicate
from rooftree.routing.permissions import leads_visible_to
from rooftree.web.shared.htmx_responses import respond_done, respond_refused
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view

PAGE_SIZE, MAX_ANSWERED = 20, 10


@dataclass(frozen=True, slots=True, kw_only=True)
class PairSide:
    """One of the two, as the page shows it."""

    person: Person
    leads: Sequence[Lead]  # as borrower or second applicant, newest first


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicatePair:
    """Two records that wait for an answer, the older first."""

    row: PossibleDuplicate
    sides: tuple[PairSide, PairSide]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweredPair:
    """A pair that was decided, and the merge that can be undone."""

    row: PossibleDuplicate
    merge: PersonMerge | None


@staff_view("GET")
def list_duplicates(request: StaffRequest) -> HttpResponse:
    """Those that wait, the longest first; for htmx the list alone."""
    require_permission(request.user, "merge_leads")
    leads = leads_visible_to(request.user)
    page = Paginator(duplicate_review.unanswered_pairs(leads), PAGE_SIZE).get_page(
        request.GET.get("page")
    )
    context = {
        "page": page,
        "pairs": _build_pairs(page.object_list),
        "answered": _build_answered_pairs(
            duplicate_review.recently_answered_pairs(leads, at=request.at)[:MAX_ANSWERED]
        ),
        "reasons": one_person.MERGE_REASONS.items(),
        "split_reasons": two_people.SPLIT_REASONS.items(),
    }
    template = "lead/duplicates.html#pairs" if request.htmx else "lead/duplicates.html"
    return render(request, template, context)


@staff_view("POST")
def decide_duplicate(request: StaffRequest, likeness_id: UUID) -> HttpResponse:
    """One person, two people, two people of whom the newer has the number now, or ask again."""
    require_permission(request.user, "merge_leads")
    pair = _get_pair(request, likeness_id)
    answer = request.POST.get("answer", "")
    try:
        words = _apply_answer(request, pair, answer)
    except (
        duplicate_review.CannotAnswer,
        person_merges.CannotMerge,
        person_merges.CannotSplit,
    ) as problem:
        return respond_refused(request, str(problem), back_to=reverse("matches"))
    return respond_done(request, words, back_to=reverse("matches"))


def _apply_answer(request: StaffRequest, pair: PossibleDuplicate, answer: str) -> str:
    by, at, reason = request.user, request.at, request.POST.get("reason", "")
    older, newer = pair.older.name, pair.newer.name
    if answer == "same":
        person_merges.merge_people(
            kept_id=pair.older_id, gone_id=pair.newer_id,
            reason=reason, evidence=pair.speaks_for, by=by, at=at,
        )  # fmt: skip
        return f"{older} and {newer} are one person now"
    if answer in ("two", "moved"):
        person_merges.keep_people_apart(likeness_id=pair.pk, moved=answer == "moved", by=by, at=at)
        return f"{older} and {newer} stay two people, and are not proposed again"
    if answer == "apart":
        made = get_object_or_404(_find_merges([pair]), split_at=None)
        person_merges.split_people(merge_id=made.pk, reason=reason, by=by, at=at)
        return f"{older} and {newer} are two people again"
    if answer == "again":
        duplicate_review.reopen_pair(pair.pk, by=by.pk, at=at)
        return f"{older} and {newer} are on the list again"
    raise duplicate_review.CannotAnswer("Say whether they are one person or two.")


def _get_pair(request: StaffRequest, likeness_id: UUID) -> PossibleDuplicate:
    return get_object_or_404(
        duplicate_review.pairs_within(leads_visible_to(request.user)), pk=likeness_id
    )


def _build_pairs(rows: Sequence[PossibleDuplicate]) -> list[DuplicatePair]:
    ids = {key for row in rows for key in (row.older_id, row.newer_id)}
    people = Person.objects.prefetch_related("phones", "emails").in_bulk(ids)
    about = _leads_by_person(ids)
    sides = {key: PairSide(person=one, leads=about.get(key, ())) for key, one in people.items()}
    return [
        DuplicatePair(row=row, sides=(sides[row.older_id], sides[row.newer_id])) for row in rows
    ]


def _leads_by_person(ids: set[UUID]) -> dict[UUID, list[Lead]]:
    """Of each their own, and the one they apply for with somebody."""
    found: dict[UUID, list[Lead]] = {}
    rows = Lead.objects.select_related("source", "officer__user").order_by("-warmed_at")
    for lead in rows.filter(person__in=ids):
        found.setdefault(lead.person_id, []).append(lead)
    for lead in rows.filter(co_borrower__in=ids):
        found.setdefault(lead.co_borrower_id, []).append(lead)
    return found


def _build_answered_pairs(rows: Sequence[PossibleDuplicate]) -> list[AnsweredPair]:
    live = {
        frozenset((find_merge.kept_id, find_merge.gone_id)): find_merge
        for find_merge in _find_merges(list(rows)).filter(split_at=None)
    }
    return [
        AnsweredPair(row=row, merge=live.get(frozenset((row.older_id, row.newer_id))))
        for row in rows
    ]


def _find_merges(rows: Sequence[PossibleDuplicate]) -> QuerySet[PersonMerge]:
    ids = [key for row in rows for key in (row.older_id, row.newer_id)]
    return PersonMerge.objects.filter(kept__in=ids, gone__in=ids)
