"""A second person says whether people's data may be taken out (SEC-01; 16 CFR 314.4(c))."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from rooftree.core.uuid7 import uuid7_at
from rooftree.ledger.write import write
from rooftree.org import notices
from rooftree.org.caller import Caller
from rooftree.org.models import User
from rooftree.reporting.models import ExportAsk

FEW = 10  # people that one member of staff may take out alone
GOOD_FOR = timedelta(days=3)  # after it was allowed; then it is asked for again
SHORTEST = 10  # characters of a reason
LONGEST = 300
PAGE = "/compliance/exports/"


class CannotExport(Exception):
    """An export without a reason or a second person, or too large. The text is fit to show."""


class NotAllowed(CannotExport):
    """No second person has agreed to it, or not to this much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Who takes what out, why, and from where."""

    user_id: UUID
    subject: str  # which list: `records:funded`
    reason: str
    caller: Caller
    query: str = ""  # what narrows the list, as in its address

    def words(self) -> str:
        """The reason as it is kept. Raises `CannotExport` when it is none."""
        reason = " ".join(self.reason.split())
        if len(reason) < SHORTEST:
            raise CannotExport("Say why, in a few words: it is kept beside your name.")
        return reason[:LONGEST]


def is_needed(number: int) -> bool:
    """Whether so many people's data is more than one person takes out alone."""
    return number > FEW


def open_ask(asked: Asked, *, number: int, at: datetime) -> ExportAsk | None:
    """What this person asked for this very list that still waits, or may be taken as it is now."""
    waits = Q(decided_at=None) | Q(number__gte=number - FEW)
    return _open(asked, at).filter(waits).order_by("-asked_at").first()


def ask(asked: Asked, *, number: int, approvers: QuerySet[User], at: datetime) -> ExportAsk:
    """Ask for a second person; asked twice it is one. Raises `CannotExport` without a reason."""
    reason = asked.words()
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(
            pk=asked.user_id
        )  # the mutex of two presses
        if known := open_ask(asked, number=number, at=at):
            return known
        row = ExportAsk.objects.create(
            id=uuid7_at(at), subject=asked.subject, query=asked.query[:500], number=number,
            reason=reason, asked_by_id=asked.user_id, asked_at=at,
        )  # fmt: skip
        write(
            "reporting.export.asked", at=at, actor=f"user:{asked.user_id}", ask=row.pk,
            subject=asked.subject, number=number,
        )  # fmt: skip
        notices.tell_all(
            [
                notices.made(
                    user_id=one.pk, kind="export", cause=f"export:{row.pk}",
                    text=f"{row.asked_by.name} wants to take {number:,} people's data out.",
                    link=PAGE, at=at,
                )
                for one in approvers.exclude(pk=asked.user_id)
            ]
        )  # fmt: skip
    return row


def decide(ask_id: UUID, *, is_allowed: bool, by: User, at: datetime) -> ExportAsk:
    """The second person agrees, or not. Raises `CannotExport` for one's own, or decided ones."""
    with transaction.atomic():
        waits = ExportAsk.objects.filter(pk=ask_id, decided_at=None)
        if waits.filter(asked_by=by).exists():
            raise CannotExport("You asked for it. Somebody else decides.")
        if not waits.update(decided_by=by, decided_at=at, is_refused=not is_allowed):
            raise CannotExport("It is decided already.")
        row = ExportAsk.objects.get(pk=ask_id)
        said = "allowed" if is_allowed else "refused"
        write(f"reporting.export.{said}", at=at, actor=f"user:{by.pk}", ask=row.pk)
        notices.tell(
            user_id=row.asked_by_id, kind="export", cause=f"export:{row.pk}:decided",
            text=f"{by.name} {said} your export of {row.number:,} people."
            + (f" It is good for {GOOD_FOR.days} days, once." if is_allowed else ""),
            at=at,
        )  # fmt: skip
    return row


def spend(asked: Asked, *, number: int, at: datetime) -> None:
    """Use up the permission to take out this list, in the transaction that does. Once.

    Raises `NotAllowed` without one, or when the list has grown by more than a few since.
    """
    row = _open(asked, at).filter(decided_at__isnull=False).order_by("-decided_at").first()
    if row is None:
        raise NotAllowed(f"More than {FEW} people: a second person must agree first.")
    if number > row.number + FEW:
        raise NotAllowed(f"It was allowed for {row.number:,} people and holds {number:,} now.")
    if not ExportAsk.objects.filter(pk=row.pk, taken_at=None).update(taken_at=at):
        raise NotAllowed("It was taken out already.")


def _open(asked: Asked, at: datetime) -> QuerySet[ExportAsk]:
    fresh = Q(decided_at=None) | Q(decided_at__gt=at - GOOD_FOR)
    return ExportAsk.objects.filter(
        fresh, asked_by_id=asked.user_id, subject=asked.subject, query=asked.query[:500],
        is_refused=False, taken_at=None,
    )  # fmt: skip
