"""Claim of the longest-due row, so that no other process works on it at the same time."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from rooftree.capture.imports.models import CrmImport
from rooftree.capture.models import Certificate, Mailbox, Retrieval, Sweep

CLAIM_DURATION = timedelta(minutes=2)  # longer than any vendor request can take


def claim_due_row[Row: (Retrieval, Certificate, Sweep, CrmImport, Mailbox)](
    rows: QuerySet[Row], *, at: datetime
) -> Row | None:
    """Claim the row that has been due longest and count the attempt; None if none is due.

    The claim expires by itself after `CLAIM_DURATION`, in case this process dies.
    """
    with transaction.atomic():
        due = rows.select_for_update(skip_locked=True, of=("self",)).filter(due_at__lte=at)
        row = due.order_by("due_at").first()
        if row is not None:
            row.attempts, row.due_at = row.attempts + 1, at + CLAIM_DURATION
            row.save(update_fields=["attempts", "due_at"])
    return row
