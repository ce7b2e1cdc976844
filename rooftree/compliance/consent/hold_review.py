"""Staff decisions about holds: a reply that could mean stop, or a certificate that isn't theirs."""

from datetime import datetime
from uuid import UUID

from django.db.transaction import atomic

from rooftree.compliance.consent import store_revocation
from rooftree.compliance.models import Revocation
from rooftree.ledger.write_events import write_event
from rooftree.org.models import User


class HoldAlreadyDecided(Exception):
    """The hold has already been decided. The text can be shown to staff."""


def is_certificate_hold(revocation: Revocation) -> bool:
    """Return True if a consent certificate of another person's session caused the hold."""
    return revocation.origin.startswith("certificate:")


def release_hold(*, revocation_id: UUID | str, by: User, at: datetime) -> Revocation:
    """End a hold whose cause is cleared up; automatic messages resume.

    Ends only this hold. A STOP or a do-not-contact entry for the same number stays in force.
    Raises `HoldAlreadyDecided`.
    """
    with atomic():
        row = _end_hold(revocation_id, by, at)
        _write_event("compliance.hold.released", row, by, at)
    return row


def confirm_stop(*, revocation_id: UUID | str, by: User, at: datetime) -> Revocation:
    """End a hold and stop contact from now on.

    An unclear reply becomes the borrower's opt-out. A certificate of another person's session
    puts the number on the internal list: nobody opted out. Raises `HoldAlreadyDecided`.
    """
    with atomic():
        row = _end_hold(revocation_id, by, at)
        stop = store_revocation.store_revocation(
            person_id=row.person_id,
            address=row.address,
            kind="do_not_contact" if is_certificate_hold(row) else "stop",
            media=row.media,
            words=row.borrower_words,
            origin=row.origin,
            idempotency_key=f"review:{row.pk}",
            at=at,
        )
        _write_event("compliance.hold.was_stop", row, by, at)
    return stop


def _end_hold(revocation_id: UUID | str, by: User, at: datetime) -> Revocation:
    open_hold = Revocation.objects.filter(pk=revocation_id, kind="review", ended_at=None)
    if not open_hold.update(ended_at=at, ended_by=f"user:{by.pk}"):
        raise HoldAlreadyDecided("This reply has already been reviewed.")
    return Revocation.objects.get(pk=revocation_id)


def _write_event(kind: str, row: Revocation, by: User, at: datetime) -> None:
    write_event(kind, at=at, actor=f"user:{by.pk}", person_id=row.person_id, revocation=row.pk)
