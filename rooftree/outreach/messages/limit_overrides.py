"""Overrides of the company's own contact limits: one contact by hand, with a reason.

No law is ever lifted here. The gate decides again with the override among its facts, so the
decision page shows who lifted which limit and why.
"""

from datetime import datetime

from django.db import transaction

from rooftree.core.user_errors import UserError
from rooftree.core.uuid7 import uuid7_at
from rooftree.leads.models import Lead
from rooftree.ledger.write_events import write_event
from rooftree.org.models import User
from rooftree.outreach.messages import contact_permissions
from rooftree.outreach.models import LimitOverride

MAX_REASON_LENGTH = 300  # characters


class CannotOverride(UserError):
    """More than a house limit stands against it, or no reason. The text can be shown to staff."""


def override_limits(
    *, lead: Lead, medium: str, reason: str, by: User, at: datetime
) -> LimitOverride:
    """Lift the house limits for one call, text or email by hand within the hour.

    Raises `CannotOverride`.
    """
    reason = " ".join(reason.replace("\x00", "").split())[:MAX_REASON_LENGTH]
    if not reason:
        raise CannotOverride("Enter a reason. It is kept with the decision.")
    permission = contact_permissions.permissions_of_lead(lead.pk, at=at)[medium]
    if by.overrides_limits_from is None:
        raise CannotOverride("Only people whom your administrator chose can override house limits.")
    if not permission.house_limits:
        raise CannotOverride(f"No house limit to override: {permission.sentence}")
    with transaction.atomic():
        override = LimitOverride.objects.create(
            id=uuid7_at(at),
            lead=lead,
            medium=medium,
            limits=[f"{ruling.rule}:{ruling.reason}" for ruling in permission.house_limits],
            reason=reason,
            by=by,
            at=at,
        )
        write_event(
            "outreach.limit.overridden",
            at=at,
            actor=f"user:{by.pk}",
            lead_id=lead.pk,
            person_id=lead.person_id,
            override=override.pk,
            medium=medium,
            limits=override.limits,
        )
    return override
