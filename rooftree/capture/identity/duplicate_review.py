"""Possible duplicates for staff to review: found in the background, answered once.

A pair waiting for review changes nothing for either person or their leads.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from rooftree.capture.identity.duplicate_candidates import DuplicateCandidate, find_duplicates
from rooftree.core.uuid7 import uuid7_at
from rooftree.db.bulk_insert import insert_new_rows
from rooftree.leads.models import Lead, Person, Phone, PossibleDuplicate
from rooftree.ledger.write_events import write_event

BATCH = 100
ANSWERED_SHOWN_FOR = timedelta(days=30)  # how long an answer is listed, so it can be undone


class CannotAnswer(Exception):
    """The pair cannot be answered this way; the text is shown to staff."""


def compare_new_people(*, at: datetime) -> int:
    """Search for duplicates of people who are new or have new contacts; return their number."""
    count = 0
    while count < BATCH and _compare_next_person(at):
        count += 1
    return count


def _compare_next_person(at: datetime) -> bool:
    with transaction.atomic():
        rows = Person.objects.select_for_update(skip_locked=True, no_key=True, of=("self",))
        person = rows.filter(compared_at=None).order_by("created_at").first()
        if person is None:
            return False
        if person.merged_into_id is None:
            insert_new_rows(
                [
                    _build_pair(person, candidate, at)
                    for candidate in find_duplicates(person)
                    if candidate.needs_review
                ]
            )
        Person.objects.filter(pk=person.pk).update(compared_at=at)
    return True


def _build_pair(person: Person, candidate: DuplicateCandidate, at: datetime) -> PossibleDuplicate:
    older, newer = sorted(
        (person, candidate.person), key=lambda person: (person.created_at, person.pk)
    )
    return PossibleDuplicate(
        id=uuid7_at(at),
        older=older,
        newer=newer,
        speaks_for=candidate.evidence,
        against=candidate.counter_evidence,
        number=candidate.recycled_number,
        found_at=at,
    )


def unanswered_pairs(leads: QuerySet[Lead]) -> QuerySet[PossibleDuplicate]:
    """Return the unanswered pairs all of whose leads are among `leads`, oldest first."""
    not_merged = Q(older__merged_into=None, newer__merged_into=None)
    return pairs_within(leads).filter(not_merged, answer="").order_by("found_at", "pk")


def recently_answered_pairs(leads: QuerySet[Lead], *, at: datetime) -> QuerySet[PossibleDuplicate]:
    """Return the pairs answered within `ANSWERED_SHOWN_FOR`, newest first."""
    recent = Q(answered_at__gt=at - ANSWERED_SHOWN_FOR)
    return pairs_within(leads).filter(recent).order_by("-answered_at", "-pk")


def pairs_within(leads: QuerySet[Lead]) -> QuerySet[PossibleDuplicate]:
    """Return the pairs of people all of whose leads are among `leads`."""
    as_borrower = Q(person=OuterRef("older")) | Q(person=OuterRef("newer"))
    as_co_borrower = Q(co_borrower=OuterRef("older")) | Q(co_borrower=OuterRef("newer"))
    other_leads = Lead.objects.filter(as_borrower | as_co_borrower).exclude(
        pk__in=leads.values("pk")
    )
    return PossibleDuplicate.objects.exclude(Exists(other_leads)).select_related(
        "older", "newer", "by"
    )


def record_pair_answer(
    people: Iterable[UUID], answer: str, *, by: UUID | None, at: datetime
) -> None:
    """Record staff's answer about two people, if they are a pair under review."""
    pair = list(people)
    PossibleDuplicate.objects.filter(older__in=pair, newer__in=pair).update(
        answer=answer, by_id=by, answered_at=at
    )


def mark_different_people(
    duplicate_pair_id: UUID, *, number_moved: bool, by: UUID | None, at: datetime
) -> PossibleDuplicate:
    """Record that a pair is two people, never to be proposed again; safe to repeat.

    Raises `CannotAnswer`.

    Args:
        number_moved: the shared phone number now belongs to the newer person only.
    """
    with transaction.atomic():
        pair = PossibleDuplicate.objects.select_for_update(of=("self",)).get(pk=duplicate_pair_id)
        if pair.answer in ("two", "moved"):
            return pair
        if pair.answer:
            raise CannotAnswer("They were merged into one person. Split them first.")
        if number_moved and not pair.number:
            raise CannotAnswer("They share no phone number that could have changed owners.")
        answer = "moved" if number_moved else "two"
        record_pair_answer([pair.older_id, pair.newer_id], answer, by=by, at=at)
        if number_moved:
            phones = Phone.objects.filter(person=pair.older_id, e164=pair.number, unlinked_at=None)
            phones.update(unlinked_at=at)
        _record_events(pair, f"capture.pair.{answer}", by=by, at=at)
    pair.refresh_from_db()
    return pair


def reopen_pair(duplicate_pair_id: UUID, *, by: UUID | None, at: datetime) -> PossibleDuplicate:
    """Undo an answer that a pair is two people: it needs review again, and both have the number."""
    with transaction.atomic():
        pair = PossibleDuplicate.objects.select_for_update(of=("self",)).get(pk=duplicate_pair_id)
        if pair.answer == "same":
            raise CannotAnswer("They are merged into one person. Split them on the contact's page.")
        if pair.answer == "moved":
            phones = Phone.objects.filter(person=pair.older_id, e164=pair.number)
            phones.filter(unlinked_at=pair.answered_at).update(unlinked_at=None)
        PossibleDuplicate.objects.filter(pk=pair.pk).update(answer="", by=None, answered_at=None)
        if pair.answer:
            _record_events(pair, "capture.pair.reopened", by=by, at=at)
    pair.refresh_from_db()
    return pair


def _record_events(pair: PossibleDuplicate, kind: str, *, by: UUID | None, at: datetime) -> None:
    for person_id, other in ((pair.older_id, pair.newer_id), (pair.newer_id, pair.older_id)):
        write_event(
            kind, at=at, actor=f"user:{by}", person_id=person_id, other=other, likeness=pair.pk
        )
