"""Taking what is longest due, so that no other process asks a vendor for it in the meantime."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from rooftree.capture.imports.models import CrmImport
from rooftree.capture.models import Certificate, Mailbox, Retrieval, Sweep

CLAIM_DURATION = timedelta(minutes=2)  # longer than any answer may take


def claim_due_row[Row: (Retrieval, Certificate, Sweep, CrmImport, Mailbox)](
    rows: QuerySet[Row], *, at: datetime
) -> Row | None:
    """The row that is longest due, one try more on it; None when none is.

    It falls due again by itself, should its program die.
    """
    with transaction.atomic():
        due = rows.select_for_update(skip_locked=True, of=("self",)).filter(due_at__lte=at)
        row = due.order_by("due_at").first()
        if row is not None:
            row.attempts, row.due_at = row.attempts + 1, at + CLAIM_DURATION
            row.save(update_fields=["attempts", "due_at"])
    return row
