"""A loan officer's own switch for taking new leads."""

from datetime import datetime
from uuid import UUID

from django.db.transaction import atomic

from rooftree.ledger.write_events import write_event
from rooftree.org.models import LoanOfficer, User


def pause_officer(*, officer_id: UUID | str, by: User, at: datetime) -> None:
    """Stop new leads to an officer; open offers stand. A repeat keeps the first time."""
    with atomic():
        if LoanOfficer.objects.filter(pk=officer_id, paused_at=None).update(paused_at=at):
            write_event("org.officer.paused", at=at, actor=f"user:{by.pk}", officer_id=officer_id)


def resume_officer(*, officer_id: UUID | str, by: User, at: datetime) -> None:
    """Let an officer take leads again. Safe to repeat."""
    with atomic():
        paused = LoanOfficer.objects.filter(pk=officer_id, paused_at__isnull=False)
        if paused.update(paused_at=None):
            write_event("org.officer.resumed", at=at, actor=f"user:{by.pk}", officer_id=officer_id)
