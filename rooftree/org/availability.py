"""The officer's own switch: taking new leads, or not now."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from rooftree.ledger.write import write
from rooftree.org.models import LoanOfficer, User


def turn(*, officer_id: UUID, takes: bool, by: User, at: datetime) -> bool:
    """Take leads from now on, or pause; whether that changed anything. Repeat-safe."""
    officer = LoanOfficer.objects.filter(pk=officer_id)
    with transaction.atomic():
        if takes:
            changed = officer.filter(paused_at__isnull=False).update(paused_at=None)
        else:
            changed = officer.filter(paused_at=None).update(paused_at=at)
        if changed:
            write(
                f"org.officer.{'resumed' if takes else 'paused'}",
                at=at,
                actor=f"user:{by.pk}",
                officer_id=officer_id,
            )
    return bool(changed)
