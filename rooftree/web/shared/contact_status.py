"""The contact icons of a queue row: what the gate says now about calling, texting and emailing.

The gate is asked about the top rows only, with one read of their facts. On the other rows the
icon says that the check happens on click, so an icon is never green when the contact would be
refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from rooftree.leads import contact_points
from rooftree.leads.models import Lead
from rooftree.outreach.messages import contact_permissions
from rooftree.outreach.messages.contact_permissions import ContactPermission

MEDIA = (("call", "Call", "phone"), ("text", "Text", "text"), ("email", "Email", "mail"))
MAX_CHECKED_LEADS = 12  # leads; three gate decisions each, about a millisecond per lead
DECISION_STYLES = {
    "allow": "ok",
    "defer": "hold",
    "require": "hold",
    "block": "no",
    "none": "quiet",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactStatus:
    """The status of one medium for one lead: its style, and the sentence that labels it."""

    medium: str
    label: str
    icon: str
    kind: str  # ok, hold, no or quiet
    sentence: str
    can_press: bool  # allowed now, or checked on click


def build_contact_statuses(leads: Sequence[Lead], at: datetime) -> dict[UUID, list[ContactStatus]]:
    """Return each lead's statuses by lead id, in the order call, text, email.

    `leads` are best first, with their persons loaded.
    """
    contact_points.prefetch_contacts([lead.person for lead in leads], "phones", "emails")
    permissions = contact_permissions.permissions_of_leads(leads[:MAX_CHECKED_LEADS], at=at)
    return {
        lead.pk: [
            _build_contact_status(
                lead, permissions.get(lead.pk, {}).get(medium), medium, label, icon
            )
            for medium, label, icon in MEDIA
        ]
        for lead in leads
    }


def _build_contact_status(
    lead: Lead, permission: ContactPermission | None, medium: str, label: str, icon: str
) -> ContactStatus:
    if permission is not None and permission.decision != "none":
        kind, text = DECISION_STYLES[permission.decision], permission.sentence
        can_click = permission.is_allowed
    else:
        kind, text, can_click = "quiet", "checked when you click", True
        if not _has_address(lead, medium):
            text = f"no {'email' if medium == 'email' else 'phone number'} on file"
            can_click = False
    return ContactStatus(
        medium=medium,
        label=label,
        icon=icon,
        kind=kind,
        sentence=f"{label}: {text[:1].lower()}{text[1:]}",
        can_press=can_click,
    )


def _has_address(lead: Lead, medium: str) -> bool:
    if medium == "email":
        return any(email.bounced_at is None for email in lead.person.emails.all())
    return any(phone.unlinked_at is None for phone in lead.person.phones.all())
