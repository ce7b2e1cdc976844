"""A loan officer's switch for taking new leads, with the time at which it turns on again."""

from datetime import datetime
from uuid import UUID

from django.db.transaction import atomic

from rooftree.ledger.write_events import write_event
from rooftree.org.models import LoanOfficer, User


def pause_officer(
    *,
    officer_id: UUID | str,
    by: User | None,
    at: datetime,
    until: datetime | None = None,
    reason: str = "",
) -> None:
    """Stop new leads to an officer; open offers stand. A repeat keeps the first time.

    Args:
        by: None when the product pauses the officer.
        until: None pauses until somebody resumes.
        reason: a phrase to show after "Not taking leads".
    """
    with atomic():
        changes = {"paused_until": until, "pause_reason": reason}
        officers = LoanOfficer.objects.filter(pk=officer_id)
        if officers.filter(paused_at=None).update(paused_at=at, **changes):
            write_event(
                "org.officer.paused",
                at=at,
                actor=_actor(by),
                officer_id=officer_id,
                until=until,
                because=reason,
            )
        elif by:  # somebody chose another end
            officers.filter(paused_at__isnull=False).update(**changes)


def resume_officer(*, officer_id: UUID | str, by: User | None, at: datetime) -> bool:
    """Let an officer take leads again; return False if they weren't paused."""
    with atomic():
        paused = LoanOfficer.objects.filter(pk=officer_id, paused_at__isnull=False)
        changed = bool(
            paused.update(paused_at=None, paused_until=None, pause_reason="", resumed_at=at)
        )
        if changed:
            write_event("org.officer.resumed", at=at, actor=_actor(by), officer_id=officer_id)
    return changed


def resume_due_officers(*, at: datetime) -> int:
    """Resume the officers whose pause is over; return how many."""
    due = LoanOfficer.objects.filter(paused_at__isnull=False, paused_until__lte=at)
    keys = list(due.values_list("pk", flat=True))
    return sum(resume_officer(officer_id=key, by=None, at=at) for key in keys)


def _actor(by: User | None) -> str:
    return f"user:{by.pk}" if by else "system:availability"
