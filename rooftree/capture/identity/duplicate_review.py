"""The pairs that staff are asked about: found in the background, answered once.

A pair that waits here changes nothing for either: both are leads like all others.
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
ANSWERED_SHOWN_FOR = timedelta(days=30)  # for so long an answer is shown, to be taken back


class CannotAnswer(Exception):
    """This pair cannot be answered so. The text is fit to show."""


def compare_new_people(*, at: datetime) -> int:
    """Compare the people that are new, or have a new number, with all others; how many were."""
    done = 0
    while done < BATCH and _compare_next_person(at):
        done += 1
    return done


def _compare_next_person(at: datetime) -> bool:
    with transaction.atomic():
        rows = Person.objects.select_for_update(skip_locked=True, no_key=True, of=("self",))
        person = rows.filter(compared_at=None).order_by("created_at").first()
        if person is None:
            return False
        if person.merged_into_id is None:
            found = [
                find_duplicate
                for find_duplicate in find_duplicates(person)
                if find_duplicate.needs_review
            ]
            insert_new_rows([_build_pair(person, one, at) for one in found])
        Person.objects.filter(pk=person.pk).update(compared_at=at)
    return True


def _build_pair(person: Person, found: DuplicateCandidate, at: datetime) -> PossibleDuplicate:
    older, newer = sorted((person, found.person), key=lambda one: (one.created_at, one.pk))
    return PossibleDuplicate(
        id=uuid7_at(at),
        older=older,
        newer=newer,
        speaks_for=found.evidence,
        against=found.counter_evidence,
        number=found.recycled_number,
        found_at=at,
    )


def unanswered_pairs(leads: QuerySet[Lead]) -> QuerySet[PossibleDuplicate]:
    """Those without an answer, of people all of whose leads are among `leads`; oldest first."""
    whole = Q(older__merged_into=None, newer__merged_into=None)
    return pairs_within(leads).filter(whole, answer="").order_by("found_at", "pk")


def recently_answered_pairs(leads: QuerySet[Lead], *, at: datetime) -> QuerySet[PossibleDuplicate]:
    """Those answered lately, newest first."""
    lately = Q(answered_at__gt=at - ANSWERED_SHOWN_FOR)
    return pairs_within(leads).filter(lately).order_by("-answered_at", "-pk")


def pairs_within(leads: QuerySet[Lead]) -> QuerySet[PossibleDuplicate]:
    """The pairs of people all of whose leads are among `leads`."""
    of_either = Q(person=OuterRef("older")) | Q(person=OuterRef("newer"))
    joined = Q(co_borrower=OuterRef("older")) | Q(co_borrower=OuterRef("newer"))
    elsewhere = Lead.objects.filter(of_either | joined).exclude(pk__in=leads.values("pk"))
    return PossibleDuplicate.objects.exclude(Exists(elsewhere)).select_related(
        "older", "newer", "by"
    )


def record_pair_answer(
    people: Iterable[UUID], answer: str, *, by: UUID | None, at: datetime
) -> None:
    """Note on the pair, if it is one, what was decided about these two people."""
    pair = list(people)
    PossibleDuplicate.objects.filter(older__in=pair, newer__in=pair).update(
        answer=answer, by_id=by, answered_at=at
    )


def mark_different_people(
    likeness_id: UUID, *, number_moved: bool, by: UUID | None, at: datetime
) -> PossibleDuplicate:
    """They are two people, and are never proposed again. Answered twice it is the same.

    Raises `CannotAnswer`.

    Args:
        moved: also the number they share is the newer one's alone now.
    """
    with transaction.atomic():
        pair = PossibleDuplicate.objects.select_for_update(of=("self",)).get(pk=likeness_id)
        if pair.answer in ("two", "moved"):
            return pair
        if pair.answer:
            raise CannotAnswer("They were made one person; take that back first.")
        if number_moved and not pair.number:
            raise CannotAnswer("No number of theirs is in question.")
        answer = "moved" if number_moved else "two"
        record_pair_answer([pair.older_id, pair.newer_id], answer, by=by, at=at)
        if number_moved:
            held = Phone.objects.filter(person=pair.older_id, e164=pair.number, unlinked_at=None)
            held.update(unlinked_at=at)
        _record_events(pair, f"capture.pair.{answer}", by=by, at=at)
    pair.refresh_from_db()
    return pair


def reopen_pair(likeness_id: UUID, *, by: UUID | None, at: datetime) -> PossibleDuplicate:
    """Take back that they are two people: the pair waits again, and the number is both's."""
    with transaction.atomic():
        pair = PossibleDuplicate.objects.select_for_update(of=("self",)).get(pk=likeness_id)
        if pair.answer == "same":
            raise CannotAnswer("They are one person now; take them apart on their page.")
        if pair.answer == "moved":
            held = Phone.objects.filter(person=pair.older_id, e164=pair.number)
            held.filter(unlinked_at=pair.answered_at).update(unlinked_at=None)
        PossibleDuplicate.objects.filter(pk=pair.pk).update(answer="", by=None, answered_at=None)
        if pair.answer:
            _record_events(pair, "capture.pair.reopened", by=by, at=at)
    pair.refresh_from_db()
    return pair


def _record_events(pair: PossibleDuplicate, kind: str, *, by: UUID | None, at: datetime) -> None:
    for one, other in ((pair.older_id, pair.newer_id), (pair.newer_id, pair.older_id)):
        write_event(kind, at=at, actor=f"user:{by}", person_id=one, other=other, likeness=pair.pk)
