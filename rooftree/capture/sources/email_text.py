"""Lead emails with "Label: value" lines or an HTML table. Format: docs/sources/email.md."""

from dataclasses import replace
from typing import Any

from rooftree.capture.parsing.build_envelope import build_envelope
from rooftree.capture.parsing.build_lead import build_canonical_lead
from rooftree.capture.parsing.envelope import (
    Envelope,
    IncomingDelivery,
    Setting,
    SettingKind,
    quarantined_envelope,
)
from rooftree.capture.parsing.field_labels import fields_from_labels
from rooftree.capture.parsing.lead_email_parser import (
    EMAIL_SETTINGS,
    UNSET_ANSWER,
    LeadEmail,
    labeled_lines,
    labeled_rows,
    read_lead_email,
)
from rooftree.capture.parsing.letter_contacts import fill_contact
from rooftree.capture.parsing.normalize_values import squash_word
from rooftree.capture.parsing.reading_notes import Fields, ReadingNotes
from rooftree.leads.canonical import CanonicalLead
from rooftree.leads.vocabulary import Channel, Precision, Source

LABEL = "Lead emails with labels"
PATHS = ["email_text/<token>"]
CHANNEL = Channel.EMAIL
SETTINGS = (
    *EMAIL_SETTINGS,
    Setting(
        key="labels",
        label="Sender's labels",
        help="Such as Program wanted = loan_type, one per line: label, then our field",
        kind=SettingKind.PAIRS,
    ),
)
LOCATION_FIELDS = ("state", "zip", "city", "county")


def read(incoming: IncomingDelivery) -> Envelope:
    """Read one email. Never raises."""
    return read_lead_email(incoming, lambda email: _build_envelope(email, incoming))


def _build_envelope(email: LeadEmail, incoming: IncomingDelivery) -> Envelope:
    notes = ReadingNotes()
    notes.warn_of_secrets(incoming.masked.kinds)
    stored_labels = incoming.endpoint.setup.get("labels")  # entered by staff: label -> our field
    custom_labels = {
        squash_word(str(label)): str(field)
        for label, field in (stored_labels if isinstance(stored_labels, dict) else {}).items()
    }
    labeled, rest = _richest_part(email, custom_labels)
    fields = fill_contact(
        labeled, rest, subject=email.subject, reply_to=email.reply_to, notes=notes
    )
    key = f"email:{email.reference}"
    if not fields:
        return quarantined_envelope("no_fields", UNSET_ANSWER, key=key, warnings=notes.warnings)
    lead = _build_lead(_move_location_to_property(fields), email, incoming, notes)
    for label, value in rest:
        notes.keep_extra(label, value)
    return replace(build_envelope(lead, UNSET_ANSWER, notes), idempotency_key=key)


def _richest_part(
    email: LeadEmail, custom_labels: dict[str, str]
) -> tuple[dict[str, Any], list[tuple[str, Any]]]:
    """Read the part of the email with the most fields; many have an empty plain-text part."""
    pairs_by_part = [labeled_lines(text) for text in email.text_parts] + [
        labeled_rows(page) for page in email.html_parts
    ]
    readings = [fields_from_labels(pairs, custom_labels) for pairs in pairs_by_part]
    return max(readings, key=lambda reading: (len(reading[0]), len(reading[1])), default=({}, []))


def _move_location_to_property(fields: dict[str, Any]) -> dict[str, Any]:
    """Treat a location without a street as the property's; with a street it is a home address."""
    if fields.get("address"):
        return fields
    moved = {f"property_{field}": fields[field] for field in LOCATION_FIELDS if field in fields}
    others = {key: value for key, value in fields.items() if key not in LOCATION_FIELDS}
    return {**moved, **others}


def _build_lead(
    fields: dict[str, Any], email: LeadEmail, incoming: IncomingDelivery, notes: ReadingNotes
) -> CanonicalLead:
    lead = build_canonical_lead(
        Fields(fields),
        notes,
        source=Source.EMAIL_TEXT,
        channel=CHANNEL,
        received_at=incoming.received_at,
        zone=incoming.endpoint.zone,
        is_test=incoming.endpoint.is_test,
    )
    lead = replace(lead, sub_source=lead.sub_source or email.sender_domain)
    if lead.submitted_at or not email.sent_at:
        return lead
    return replace(lead, submitted_at=email.sent_at, submitted_at_precision=Precision.SECOND)
