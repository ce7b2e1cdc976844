"""The pairs that staff are asked about: found in the background, answered once.

A pair that waits here changes nothing for either: both are leads like all others.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from rooftree.capture.alike import Alike, alike
from rooftree.core.uuid7 import uuid7_at
from rooftree.leads.models import Lead, Likeness, Person, Phone
from rooftree.ledger.write import write
from rooftree.org.insert import insert_all_once

BATCH = 100
SETTLED = timedelta(days=30)  # for so long an answer is shown, to be taken back


class CannotAnswer(Exception):
    """This pair cannot be answered so. The text is fit to show."""


def look(*, at: datetime) -> int:
    """Compare the people that are new, or have a new number, with all others; how many were."""
    done = 0
    while done < BATCH and _compare_next(at):
        done += 1
    return done


def _compare_next(at: datetime) -> bool:
    with transaction.atomic():
        rows = Person.objects.select_for_update(skip_locked=True, no_key=True, of=("self",))
        person = rows.filter(compared_at=None).order_by("created_at").first()
        if person is None:
            return False
        if person.merged_into_id is None:
            found = [one for one in alike(person) if one.is_doubtful]
            insert_all_once([_row(person, one, at) for one in found])
        Person.objects.filter(pk=person.pk).update(compared_at=at)
    return True


def _row(person: Person, found: Alike, at: datetime) -> Likeness:
    older, newer = sorted((person, found.person), key=lambda one: (one.created_at, one.pk))
    return Likeness(
        id=uuid7_at(at),
        older=older,
        newer=newer,
        speaks_for=found.why,
        against=found.against,
        number=found.number,
        found_at=at,
    )


def waiting(leads: QuerySet[Lead]) -> QuerySet[Likeness]:
    """Those without an answer, of people all of whose leads are among `leads`; oldest first."""
    whole = Q(older__merged_into=None, newer__merged_into=None)
    return within(leads).filter(whole, answer="").order_by("found_at", "pk")


def answered(leads: QuerySet[Lead], *, at: datetime) -> QuerySet[Likeness]:
    """Those answered lately, newest first."""
    lately = Q(answered_at__gt=at - SETTLED)
    return within(leads).filter(lately).order_by("-answered_at", "-pk")


def within(leads: QuerySet[Lead]) -> QuerySet[Likeness]:
    """The pairs of people all of whose leads are among `leads`."""
    of_either = Q(person=OuterRef("older")) | Q(person=OuterRef("newer"))
    joined = Q(co_borrower=OuterRef("older")) | Q(co_borrower=OuterRef("newer"))
    elsewhere = Lead.objects.filter(of_either | joined).exclude(pk__in=leads.values("pk"))
    return Likeness.objects.exclude(Exists(elsewhere)).select_related("older", "newer", "by")


def settle(people: Iterable[UUID], answer: str, *, by: UUID | None, at: datetime) -> None:
    """Note on the pair, if it is one, what was decided about these two people."""
    pair = list(people)
    Likeness.objects.filter(older__in=pair, newer__in=pair).update(
        answer=answer, by_id=by, answered_at=at
    )


def keep_apart(likeness_id: UUID, *, moved: bool, by: UUID | None, at: datetime) -> Likeness:
    """They are two people, and are never proposed again. Answered twice it is the same.

    Raises `CannotAnswer`.

    Args:
        moved: also the number they share is the newer one's alone now.
    """
    with transaction.atomic():
        pair = Likeness.objects.select_for_update(of=("self",)).get(pk=likeness_id)
        if pair.answer in ("two", "moved"):
            return pair
        if pair.answer:
            raise CannotAnswer("They were made one person; take that back first.")
        if moved and not pair.number:
            raise CannotAnswer("No number of theirs is in question.")
        answer = "moved" if moved else "two"
        settle([pair.older_id, pair.newer_id], answer, by=by, at=at)
        if moved:
            held = Phone.objects.filter(person=pair.older_id, e164=pair.number, unlinked_at=None)
            held.update(unlinked_at=at)
        _tell(pair, f"capture.pair.{answer}", by=by, at=at)
    pair.refresh_from_db()
    return pair


def ask_again(likeness_id: UUID, *, by: UUID | None, at: datetime) -> Likeness:
    """Take back that they are two people: the pair waits again, and the number is both's."""
    with transaction.atomic():
        pair = Likeness.objects.select_for_update(of=("self",)).get(pk=likeness_id)
        if pair.answer == "same":
            raise CannotAnswer("They are one person now; take them apart on their page.")
        if pair.answer == "moved":
            held = Phone.objects.filter(person=pair.older_id, e164=pair.number)
            held.filter(unlinked_at=pair.answered_at).update(unlinked_at=None)
        Likeness.objects.filter(pk=pair.pk).update(answer="", by=None, answered_at=None)
        if pair.answer:
            _tell(pair, "capture.pair.reopened", by=by, at=at)
    pair.refresh_from_db()
    return pair


def _tell(pair: Likeness, kind: str, *, by: UUID | None, at: datetime) -> None:
    for one, other in ((pair.older_id, pair.newer_id), (pair.newer_id, pair.older_id)):
        write(kind, at=at, actor=f"user:{by}", person_id=one, other=other, likeness=pair.pk)
