"""A person read what a borrower wrote, and says what it meant."""

from datetime import datetime
from uuid import UUID

from django.db.transaction import atomic

from rooftree.compliance.consent import store_revocation
from rooftree.compliance.models import Revocation
from rooftree.ledger.write_events import write_event
from rooftree.org.models import User


class HoldAlreadyDecided(Exception):
    """There is no such hold any more. The text is fit to show."""


def release_hold(*, revocation_id: UUID | str, by: User, at: datetime) -> Revocation:
    """It was no stop: automatic messages may be decided again from now on.

    Ends this hold alone; a STOP or a do-not-contact entry of the same number
    stands. Raises `CannotRelease`.
    """
    with atomic():
        row = _end_hold(revocation_id, by, at)
        _write_event("compliance.hold.released", row, by, at)
    return row


def confirm_stop(*, revocation_id: UUID | str, by: User, at: datetime) -> Revocation:
    """It was a stop: it counts as one from now on, and the hold is decided.

    Raises `CannotRelease`.
    """
    with atomic():
        row = _end_hold(revocation_id, by, at)
        stop = store_revocation.store_revocation(
            person_id=row.person_id,
            address=row.address,
            kind="stop",
            media=row.media,
            words=row.words,
            origin=row.origin,
            idempotency_key=f"review:{row.pk}",
            at=at,
        )
        _write_event("compliance.hold.was_stop", row, by, at)
    return stop


def _end_hold(revocation_id: UUID | str, by: User, at: datetime) -> Revocation:
    held = Revocation.objects.filter(pk=revocation_id, kind="review", ended_at=None)
    if not held.update(ended_at=at, ended_by=f"user:{by.pk}"):
        raise HoldAlreadyDecided("Somebody has decided about this already.")
    return Revocation.objects.get(pk=revocation_id)


def _write_event(kind: str, row: Revocation, by: User, at: datetime) -> None:
    write_event(kind, at=at, actor=f"user:{by.pk}", person_id=row.person_id, revocation=row.pk)
