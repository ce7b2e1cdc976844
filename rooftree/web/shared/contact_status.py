"""The three little squares of a queue row: what the gate says of call, text and e-mail now.

The gate is asked for the rows on top, in one reading of their facts. The others
say that they are asked when they are pressed: a square is never green where
pressing it would be refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import prefetch_related_objects

from rooftree.leads.models import Lead
from rooftree.outreach.messages import contact_permissions
from rooftree.outreach.messages.contact_permissions import ContactPermission

MEDIA = (("call", "Call", "phone"), ("text", "Text", "text"), ("email", "E-mail", "mail"))
MAX_CHECKED_LEADS = 12  # rows; three answers of the gate each, about a millisecond a row
DECISION_STYLES = {
    "allow": "ok",
    "defer": "hold",
    "require": "hold",
    "block": "no",
    "none": "quiet",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactStatus:
    """One medium of one lead: how it looks, and the sentence that is its name."""

    medium: str
    label: str
    icon: str
    kind: str  # ok, hold, no or quiet
    sentence: str
    can_press: bool  # it is allowed, or the gate is asked when it is pressed


def build_contact_statuses(leads: Sequence[Lead], at: datetime) -> dict[UUID, list[ContactStatus]]:
    """By lead, in the order call, text, e-mail; `leads` best first, with their persons."""
    prefetch_related_objects([*leads], "person__phones", "person__emails")
    answers = contact_permissions.permissions_of_leads(leads[:MAX_CHECKED_LEADS], at=at)
    return {
        lead.pk: [
            _build_contact_status(lead, answers.get(lead.pk, {}).get(medium[0]), *medium)
            for medium in MEDIA
        ]
        for lead in leads
    }


def _build_contact_status(
    lead: Lead, badge: ContactPermission | None, medium: str, label: str, icon: str
) -> ContactStatus:
    if badge is not None and badge.decision != "none":
        kind, said = DECISION_STYLES[badge.decision], badge.sentence
        can = badge.is_allowed
    else:
        kind, said, can = "quiet", "asked when you press it", True
        if not _has_address(lead, medium):
            said, can = f"no {'address' if medium == 'email' else 'number'} on file", False
    return ContactStatus(
        medium=medium,
        label=label,
        icon=icon,
        kind=kind,
        sentence=f"{label}: {said[:1].lower()}{said[1:]}",
        can_press=can,
    )


def _has_address(lead: Lead, medium: str) -> bool:
    if medium == "email":
        return any(email.bounced_at is None for email in lead.person.emails.all())
    return any(phone.unlinked_at is None for phone in lead.person.phones.all())
