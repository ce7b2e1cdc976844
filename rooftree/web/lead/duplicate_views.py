"""Possible duplicates: records that may be one person, with the evidence, for staff to decide."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.capture.identity import duplicate_review, merge_people, split_people
from rooftree.flow import person_merges
from rooftree.leads.models import Lead, Person, PersonMerge, PossibleDuplicate
from rooftree.routing.permissions import leads_visible_to
from rooftree.web.lead.duplicate_filter import DuplicateFilter
from rooftree.web.lists.list_page import get_page
from rooftree.web.lists.open_row import find_open_row
from rooftree.web.shared.htmx_responses import respond_done, respond_refused
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view

PAGE_SIZE, MAX_ANSWERED = 25, 10


@dataclass(frozen=True, slots=True, kw_only=True)
class PairSide:
    """One record of a pair, as the page shows it."""

    person: Person
    leads: Sequence[Lead]  # as borrower or co-borrower, newest first


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicatePair:
    """A pair of records to decide, the older record first."""

    row: PossibleDuplicate
    sides: tuple[PairSide, PairSide]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweredPair:
    """A decided pair, with the merge that can still be undone, if any."""

    row: PossibleDuplicate
    merge: PersonMerge | None


@staff_view("GET")
def list_duplicates(request: StaffRequest) -> HttpResponse:
    """List the pairs to decide, longest waiting first, with the open one's card.

    htmx gets the list and the card only.
    """
    require_permission(request.user, "merge_leads")
    leads = leads_visible_to(request.user, "merge_leads")
    shown = DuplicateFilter(request.user, request.GET)
    waiting = duplicate_review.unanswered_pairs(leads)
    rows = shown.narrow_pairs(waiting)
    opened = find_open_row(
        request, rows, every_row=duplicate_review.pairs_within(leads), moment="found_at"
    )
    page = get_page(request, rows, size=PAGE_SIZE)
    context = {
        "shown": shown,
        "page": page,
        "opened": opened,
        "pair": _build_pair(opened.row) if opened else None,
        "from": request.GET.urlencode(),
        "answered": _build_answered_pairs(
            duplicate_review.recently_answered_pairs(leads, at=request.at)[:MAX_ANSWERED]
        ),
        "reasons": merge_people.MERGE_REASONS.items(),
        "split_reasons": split_people.SPLIT_REASONS.items(),
    }
    template = "lead/duplicates.html#pairs" if request.htmx else "lead/duplicates.html"
    return render(request, template, context)


@staff_view("POST")
def decide_duplicate(request: StaffRequest, likeness_id: UUID) -> HttpResponse:
    """Merge a pair or keep it apart, undo a merge, or reopen a decision.

    `answer` is `same`, `two`, `moved` (two people, and the shared number now belongs to the
    newer record), `apart` (undo a merge) or `again` (reopen).
    """
    require_permission(request.user, "merge_leads")
    pairs = duplicate_review.pairs_within(leads_visible_to(request.user, "merge_leads"))
    pair = get_object_or_404(pairs, pk=likeness_id)
    answer = request.POST.get("answer", "")
    back = f"{reverse('matches')}?{QueryDict(request.POST.get('from', '')).urlencode()}"
    try:
        text = _apply_answer(request, pair, answer)
    except (
        duplicate_review.CannotAnswer,
        person_merges.CannotMerge,
        person_merges.CannotSplit,
    ) as problem:
        return respond_refused(request, str(problem), back_to=back)
    return respond_done(request, text, back_to=back)


def _apply_answer(request: StaffRequest, pair: PossibleDuplicate, answer: str) -> str:
    by, at, reason = request.user, request.at, request.POST.get("reason", "")
    older, newer = pair.older.name, pair.newer.name
    if answer == "same":
        person_merges.merge_people(
            survivor_id=pair.older_id, duplicate_id=pair.newer_id,
            reason=reason, evidence=pair.speaks_for, by=by, at=at,
        )  # fmt: skip
        return f"Merged {older} and {newer}"
    if answer in ("two", "moved"):
        person_merges.keep_people_apart(
            duplicate_pair_id=pair.pk, number_moved=answer == "moved", by=by, at=at
        )
        return f"{older} and {newer} stay two people"
    if answer == "apart":
        merge = get_object_or_404(_find_merges([pair]), split_at=None)
        person_merges.split_people(merge_id=merge.pk, reason=reason, by=by, at=at)
        return f"Merge undone: {older} and {newer} are two people again"
    if answer == "again":
        duplicate_review.reopen_pair(pair.pk, by=by.pk, at=at)
        return f"Reopened {older} and {newer}"
    raise duplicate_review.CannotAnswer("Choose whether these are one person or two people.")


def _build_pair(row: PossibleDuplicate) -> DuplicatePair:
    ids = {row.older_id, row.newer_id}
    people = Person.objects.prefetch_related("phones", "emails").in_bulk(ids)
    leads = _leads_by_person(ids)
    older, newer = (
        PairSide(person=people[key], leads=leads.get(key, ()))
        for key in (row.older_id, row.newer_id)
    )
    return DuplicatePair(row=row, sides=(older, newer))


def _leads_by_person(ids: set[UUID]) -> dict[UUID, list[Lead]]:
    """Return each person's leads by person id: as borrower first, then as co-borrower."""
    leads: dict[UUID, list[Lead]] = {}
    rows = Lead.objects.select_related("source", "officer__user").order_by("-last_inquiry_at")
    for lead in rows.filter(person__in=ids):
        leads.setdefault(lead.person_id, []).append(lead)
    for lead in rows.filter(co_borrower__in=ids):
        assert lead.co_borrower_id
        leads.setdefault(lead.co_borrower_id, []).append(lead)
    return leads


def _build_answered_pairs(rows: Iterable[PossibleDuplicate]) -> list[AnsweredPair]:
    rows = list(rows)
    live = {
        frozenset((merge.survivor_id, merge.merged_id)): merge
        for merge in _find_merges(rows).filter(split_at=None)
    }
    return [
        AnsweredPair(row=row, merge=live.get(frozenset((row.older_id, row.newer_id))))
        for row in rows
    ]


def _find_merges(rows: Sequence[PossibleDuplicate]) -> QuerySet[PersonMerge]:
    ids = [key for row in rows for key in (row.older_id, row.newer_id)]
    return PersonMerge.objects.filter(survivor__in=ids, merged__in=ids)
