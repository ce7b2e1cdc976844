"""Closing a quarantined delivery that staff don't want, with their reason."""

from datetime import datetime
from uuid import UUID

from django.db.transaction import atomic

from rooftree.core.user_errors import UserError
from rooftree.leads.models import Delivery
from rooftree.ledger.write_events import write_event
from rooftree.org.models import User


def discard_delivery(*, delivery_id: UUID, reason: str, by: User, at: datetime) -> None:
    """Close a quarantined delivery; it stays on file and can still be replayed.

    Raises `UserError` if it isn't quarantined anymore.
    """
    with atomic():
        quarantined = Delivery.objects.filter(pk=delivery_id, state="quarantined")
        if not quarantined.update(
            state="closed", reason="discarded", problem=reason, due_at=None, worked_at=at
        ):
            raise UserError("This delivery isn’t quarantined anymore.")
        write_event(
            "capture.delivery.discarded",
            at=at,
            actor=f"user:{by.pk}",
            delivery=delivery_id,
            reason=reason,
        )
