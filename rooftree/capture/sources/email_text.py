"""Lead e-mails in words: "Label: value" lines or an HTML table. Format: docs/sources/email.md."""

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
)
from rooftree.capture.parsing.lead_email_parser import read_lead_email as read_mail
from rooftree.capture.parsing.normalize_values import squash_word
from rooftree.capture.parsing.reading_notes import Fields, ReadingNotes
from rooftree.leads.canonical import CanonicalLead
from rooftree.leads.vocabulary import Channel, Precision, Source

LABEL = "Lead e-mails in words"
PATHS = ["email_text/<token>"]
CHANNEL = Channel.EMAIL
SETTINGS = (
    *EMAIL_SETTINGS,
    Setting(
        key="labels",
        label="Their labels",
        help="As Program wanted = loan_type, one a line: their words, then our field",
        kind=SettingKind.PAIRS,
    ),
)
LOCATION_FIELDS = ("state", "zip", "city", "county")


def read(incoming: IncomingDelivery) -> Envelope:
    """One e-mail. Never raises."""
    return read_mail(incoming, lambda letter: _build_envelope(letter, incoming))


def _build_envelope(letter: LeadEmail, incoming: IncomingDelivery) -> Envelope:
    notes = ReadingNotes()
    notes.warn_of_secrets(incoming.masked.found)
    fields, rest = _richest_part(letter, _custom_labels(incoming.endpoint.setup.get("labels")))
    key = f"email:{letter.reference}"
    if not fields:
        return quarantined_envelope("no_fields", UNSET_ANSWER, key=key, warnings=notes.warnings)
    lead = _build_lead(_move_location_to_property(fields), letter, incoming, notes)
    for label, value in rest:
        notes.keep(label, value)
    return replace(build_envelope(lead, UNSET_ANSWER, notes), idempotency_key=key)


def _richest_part(
    letter: LeadEmail, own: dict[str, str]
) -> tuple[dict[str, Any], list[tuple[str, Any]]]:
    """The part of the letter that tells most: many send a plain part that says nothing."""
    told = [labeled_lines(text) for text in letter.texts] + [
        labeled_rows(page) for page in letter.pages
    ]
    read = [fields_from_labels(pairs, own) for pairs in told]
    return max(read, key=lambda one: len(one[0]), default=({}, []))


def _custom_labels(stored: Any) -> dict[str, str]:
    """A sender's labels as staff set them: their words, our field."""
    if not isinstance(stored, dict):
        return {}
    return {squash_word(str(theirs)): str(ours) for theirs, ours in stored.items()}


def _move_location_to_property(fields: dict[str, Any]) -> dict[str, Any]:
    """A place without a street is where the home is; with one it is where they live."""
    if fields.get("address"):
        return fields
    moved = {
        f"property_{location_field}": fields[location_field]
        for location_field in LOCATION_FIELDS
        if location_field in fields
    }
    kept = {key: value for key, value in fields.items() if key not in LOCATION_FIELDS}
    return {**moved, **kept}


def _build_lead(
    fields: dict[str, Any], letter: LeadEmail, incoming: IncomingDelivery, notes: ReadingNotes
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
    lead = replace(lead, sub_source=lead.sub_source or letter.sender_domain)
    if lead.submitted_at or not letter.sent_at:
        return lead
    return replace(lead, submitted_at=letter.sent_at, submitted_at_precision=Precision.SECOND)
