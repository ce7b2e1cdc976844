"""An officer's own switch: taking leads, or not."""

from datetime import datetime
from uuid import UUID

from django.db.transaction import atomic

from rooftree.ledger.write_events import write_event
from rooftree.org.models import LoanOfficer, User


def pause_officer(*, officer_id: UUID | str, by: User, at: datetime) -> None:
    """No new leads from now on; offers made already stand. Pausing twice keeps the first time."""
    with atomic():
        if LoanOfficer.objects.filter(pk=officer_id, paused_at=None).update(paused_at=at):
            write_event("org.officer.paused", at=at, actor=f"user:{by.pk}", officer_id=officer_id)


def resume_officer(*, officer_id: UUID | str, by: User, at: datetime) -> None:
    """Taking leads again. Resuming twice is harmless."""
    with atomic():
        paused = LoanOfficer.objects.filter(pk=officer_id, paused_at__isnull=False)
        if paused.update(paused_at=None):
            write_event("org.officer.resumed", at=at, actor=f"user:{by.pk}", officer_id=officer_id)
