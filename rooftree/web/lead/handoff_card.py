"""The LOS handoff of a lead as its pages show it: its state, what is missing, what will be sent."""

import json
from dataclasses import dataclass

from django.urls import reverse

from rooftree.core.phone_numbers import format_phone
from rooftree.leads import contact_points, scenario_text
from rooftree.leads.edit_scenario import current_values
from rooftree.leads.models import Lead
from rooftree.leads.scenario_fields import FIELDS
from rooftree.los import connection_choice, handoff_outbox, missing_data_text
from rooftree.los.models import Connection, Handoff

HANDOFF_STATES = {  # state: (badge class, icon, label, explanation)
    "pending": ("hold", "clock", "Waiting to send", "It will be sent automatically."),
    "sending": ("hold", "los", "Sending", "The LOS is creating the loan."),
    "uncertain": (
        "soon",
        "clock",
        "Unconfirmed",
        "The LOS didn’t respond in time. We’ll search it for this lead before sending again, so "
        "the loan can’t be created twice.",
    ),
    "rejected": (
        "late",
        "warn",
        "Rejected",
        "Nothing was created. Fix the problem and hand it off again.",
    ),
    "created": ("ok", "check", "In the LOS", ""),
}


SCENARIO_KEYS = {  # by the end of a missing fact's path: the field of the loan scenario
    "line1": "street",
    "city": "city",
    "state": "state",
    "zip": "zip",
    "purpose": "purpose",
    "amount_cents": "amount",
    "value_cents": "value",
    "estimated_value_cents": "value",
    "purchase_price_cents": "value",
    "down_payment_cents": "down_payment",
    "annual_cents": "income",
    "use": "use",
    "type": "property_type",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoffGap:
    """One fact that the LOS still needs."""

    sentence: str
    field: str  # of the loan scenario; "" if it is entered elsewhere
    contact_url: str = ""  # the page of the borrower's contact data, if it is entered there
    setup_url: str = ""  # the page of setup where an administrator enters it


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoffCard:
    """The content of the card; without a handoff, only `gaps` and `is_connected` say something."""

    handoff: Handoff | None
    tone: str
    icon: str
    state: str
    sentence: str
    gaps: list[HandoffGap]  # what the LOS still needs now
    can_request: bool
    is_connected: bool
    is_stuck: bool  # a person must say what the LOS shows
    absence: str  # why no connection takes the lead


def build_handoff_card(lead: Lead) -> HandoffCard:
    """Build the card from the lead's newest handoff and what the LOS still needs."""
    newest = max(lead.handoffs.all(), key=lambda handoff: handoff.requested_at, default=None)
    tone, icon, state, sentence = HANDOFF_STATES[newest.state] if newest else ("", "", "", "")
    if newest and newest.state == "uncertain" and newest.due_at is None:
        tone, sentence = "late", "It isn’t sent again until you say so."
    can_request = newest is None or newest.state == "rejected"
    connection, absence = connection_choice.find_connection(lead) if can_request else (None, "")
    return HandoffCard(
        handoff=newest,
        tone=tone,
        icon=icon,
        state=state,
        sentence=sentence,
        gaps=_list_gaps(lead, connection) if connection else [],
        can_request=can_request,
        is_connected=connection is not None or not can_request,
        is_stuck=bool(newest and newest.state == "uncertain" and newest.due_at is None),
        absence=absence,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoffPreview:
    """What a hand-off would send now, and the facts of the loan scenario that it lacks."""

    facts: list[tuple[str, str]]  # label and value, as staff read them
    request: str  # the request to the LOS, as text; "" while it can't be built
    required_keys: list[str]  # of the loan scenario: the LOS rejects the loan without them
    optional_keys: list[str]


def build_handoff_preview(lead: Lead, connection: Connection) -> HandoffPreview:
    """Build what the hand-off page shows beside the card's content."""
    values = current_values(lead)
    required = [gap.field for gap in _list_gaps(lead, connection) if gap.field]
    empty = [key for key, field in FIELDS.items() if field.is_main and values[key] in (None, "")]
    known = [(key, scenario_text.format_value(FIELDS[key], values[key])) for key in FIELDS]
    body = handoff_outbox.preview_request(lead, connection)
    return HandoffPreview(
        facts=[
            *_list_people(lead, connection),
            *(
                (scenario_text.field_label(FIELDS[key], lead.purpose), text)
                for key, text in known
                if text
            ),
        ],
        request=body if isinstance(body, str) else json.dumps(body, indent=2, ensure_ascii=False),
        required_keys=list(dict.fromkeys(required)),
        optional_keys=[key for key in empty if key not in required],
    )


def _list_people(lead: Lead, connection: Connection) -> list[tuple[str, str]]:
    person, officer = lead.person, lead.officer
    login = connection.officer_users.get(officer.nmls_id, "") if officer else ""
    phones = [format_phone(phone.e164) for phone in contact_points.usable_phones(person)]
    lines = [
        ("Borrower", person.name),
        ("Phone", ", ".join(phones)),
        ("Email", ", ".join(email.address for email in contact_points.usable_emails(person))),
        ("Co-borrower", lead.co_borrower.name if lead.co_borrower else ""),
        ("Loan officer", officer.user.name if officer else ""),
        ("Officer in the LOS", login),
        ("Folder", connection.folder),
    ]
    return [(label, text) for label, text in lines if text]


def _list_gaps(lead: Lead, connection: Connection) -> list[HandoffGap]:
    gaps = {}
    for item in handoff_outbox.find_missing_data(lead, connection):
        parent, _, name = item.rpartition(" needs ")[2].rpartition(".")
        part = parent.removeprefix("canonical.")
        field = SCENARIO_KEYS.get(name, "") if part in ("property", "loan", "income") else ""
        if (part, name) == ("loan", "type"):
            field = "loan_type"
        sentence = missing_data_text.describe_missing(item)
        is_contact = part.partition("[")[0] in ("borrower", "phones", "emails")
        gaps[sentence] = HandoffGap(
            sentence=sentence,
            field=field,
            contact_url=reverse("edit_contact", args=[lead.pk]) if is_contact else "",
            setup_url=_setup_url(item, lead, connection),
        )
    return list(gaps.values())


def _setup_url(item: str, lead: Lead, connection: Connection) -> str:
    path = item.rpartition(" needs ")[2]
    if path == "officer.los_user" and lead.officer:
        return reverse("setup_officer", args=[lead.officer.user_id])
    if path.startswith("connection."):
        return reverse("setup_connection", args=[connection.pk])
    return ""
