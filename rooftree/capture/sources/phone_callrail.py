"""CallRail: one JSON object per POST, for a call, a text or a form.

Wire format: docs/sources/phone_callrail.md.
"""

import base64
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from rooftree.capture.parsing.amounts import parse_count
from rooftree.capture.parsing.build_envelope import as_conversation_update, build_envelope
from rooftree.capture.parsing.build_lead import build_canonical_lead
from rooftree.capture.parsing.consent_evidence import INBOUND_CONSENT
from rooftree.capture.parsing.envelope import (
    Credential,
    Envelope,
    IncomingDelivery,
    Outcome,
    ignored_envelope,
    json_answer,
    secrets_match,
)
from rooftree.capture.parsing.field_labels import fields_from_labels
from rooftree.capture.parsing.normalize_values import (
    consumer_message,
    parse_moment,
    phone_numbers,
    short_text,
    third_party_phone,
    yes_or_no,
)
from rooftree.capture.parsing.reading_notes import Fields, ReadingNotes
from rooftree.capture.parsing.sender_proof import body_hmac
from rooftree.capture.parsing.signed_webhooks import open_webhook
from rooftree.capture.parsing.transcripts import build_utterance, split_transcript
from rooftree.leads.canonical import CanonicalLead, Interaction, Utterance
from rooftree.leads.vocabulary import (
    Channel,
    Direction,
    InteractionKind,
    PhoneType,
    Source,
    Speaker,
)

LABEL = "CallRail"
PATHS = ["phone_callrail/<token>"]
CHANNEL = Channel.PHONE
CREDENTIALS = (
    Credential(key="secret", label="Signing key", help="CallRail, Integrations, Webhooks"),
)
MAX_AGE = timedelta(days=1)  # of a signed event; CallRail sends within 20 minutes of a call's end
_OK_ANSWER = json_answer(200)
_ANONYMOUS_NAMES = frozenset(
    {"", "anonymous", "restricted", "unavailable", "unknown", "private", "blocked"}
)
# Our field: CallRail's name, for every kind of event.
_FIELD_NAMES = {
    "campaign": "campaign",
    **{
        f"utm_{name}": f"utm_{name}" for name in ("source", "medium", "campaign", "term", "content")
    },
    **{name: name for name in ("gclid", "fbclid", "msclkid")},
    "landing_page": "landing_page_url",
    "vendor_lead_id": "resource_id",
}


def read(incoming: IncomingDelivery) -> Envelope:
    """Read one event. Never raises.

    CallRail never retries (SEEN), so every authentic and readable event gets 200. One that was
    signed more than a day ago may be a copy that someone posts again: it waits for staff.
    """
    notes = ReadingNotes()
    expected = base64.b64encode(body_hmac(incoming, "sha1")).decode()
    is_signed = secrets_match(incoming.header("signature"), expected)
    event = open_webhook(incoming, notes, is_authentic=is_signed)
    if isinstance(event, Envelope):
        return event
    envelope = _build_envelope(event, incoming, notes)
    sent_at, _ = parse_moment(event.get("timestamp"), "timestamp", ReadingNotes(), zone="UTC")
    is_stale = sent_at is not None and incoming.received_at - sent_at > MAX_AGE
    if not is_stale or incoming.is_verified or envelope.outcome is Outcome.IGNORED:
        return envelope
    stale_actions = ({"do": "notify_ops"},)
    return replace(
        envelope, outcome=Outcome.QUARANTINED, reason="stale_timestamp", actions=stale_actions
    )


def _build_envelope(event: Fields, incoming: IncomingDelivery, notes: ReadingNotes) -> Envelope:
    if isinstance(event.get("form_data"), dict):
        return build_envelope(_build_form_lead(event, incoming, notes), _OK_ANSWER, notes)
    if not short_text(event.get("resource_id")) and not short_text(event.get("id")):
        return ignored_envelope("no_call", _OK_ANSWER)
    if (short_text(event.get("direction")) or "").lower() == "outbound":
        return ignored_envelope("outbound", _OK_ANSWER)
    if event.get("content") is not None:
        return build_envelope(_build_text_lead(event, incoming, notes), _OK_ANSWER, notes)
    if event.get("duration") is None and event.get("answered") is None:
        return ignored_envelope("call_not_over", _OK_ANSWER)
    envelope = build_envelope(_build_call_lead(event, incoming, notes), _OK_ANSWER, notes)
    if not isinstance(event.get("changes"), list):
        return envelope
    changed_at, _ = parse_moment(
        event.get("timestamp"), "timestamp", notes, zone=incoming.endpoint.zone
    )
    revision = changed_at.strftime("%Y-%m-%dT%H:%M:%SZ") if changed_at else "undated"
    return as_conversation_update(envelope, revision)


def _build_call_lead(
    event: Fields, incoming: IncomingDelivery, notes: ReadingNotes
) -> CanonicalLead:
    utterances = split_transcript(event.get("transcription"), notes)
    call = Interaction(
        kind=InteractionKind.CALL,
        direction=Direction.INBOUND,
        duration_s=parse_count(
            event.get("duration"), "interaction.duration", notes, low=0, high=86_400
        ),
        answered=yes_or_no(event.get("answered")),
        voicemail=yes_or_no(event.get("voicemail")),
        recording_url=short_text(event.first_value("recording_player", "recording")),
        transcript=utterances,
        summary=consumer_message(event.get("call_summary"), notes),
    )
    lead = _build_caller_lead(
        event, incoming, notes, submitted_at=event.get("start_time"), call=call
    )
    return replace(lead, message=consumer_message(event.get("note"), notes))


def _build_text_lead(
    event: Fields, incoming: IncomingDelivery, notes: ReadingNotes
) -> CanonicalLead:
    """Build the lead of a text to a tracking number: a conversation of one line."""
    utterance = build_utterance(event.get("content"), Speaker.CONSUMER, notes)
    utterances: tuple[Utterance, ...] = (utterance,) if utterance.text else ()
    chat = Interaction(
        kind=InteractionKind.CHAT, direction=Direction.INBOUND, transcript=utterances
    )
    sent_at = event.first_value("start_time", "timestamp", "created_at")
    return replace(
        _build_caller_lead(event, incoming, notes, submitted_at=sent_at, call=chat),
        message=utterance.text or None,
    )


def _build_caller_lead(
    event: Fields,
    incoming: IncomingDelivery,
    notes: ReadingNotes,
    *,
    submitted_at: Any,
    call: Interaction,
) -> CanonicalLead:
    """Build the lead of a caller: contact, tracking number and attribution.

    The name is the carrier's guess (CNAM): kept as an extra, never used as the borrower's name.
    """
    lead = _build_base_lead(event, incoming, notes, submitted_at=submitted_at)
    number = short_text(event.first_value("customer_phone_number", "caller_number"))
    if number is None or number.lower() in _ANONYMOUS_NAMES:
        notes.warn("anonymous_caller")
        number = None
    for key in ("customer_name", "customer_state", "customer_city", "keywords", "call_type"):
        notes.keep_extra(key, event.get(key))
    tracking_number = event.first_value("tracking_phone_number", "tracking_number")
    return replace(
        lead,
        vendor_ids={"call_id": lead.vendor_lead_id} if lead.vendor_lead_id else {},
        vendor_status=short_text(event.get("lead_status")),
        phones=phone_numbers([(number, PhoneType.UNKNOWN)], notes),
        consent=INBOUND_CONSENT,
        interaction=replace(
            call, started_at=lead.submitted_at, tracking_number=third_party_phone(tracking_number)
        ),
    )


def _build_form_lead(
    event: Fields, incoming: IncomingDelivery, notes: ReadingNotes
) -> CanonicalLead:
    """Build the lead of a form on the company's own site; its labels name the fields."""
    fields, rest = fields_from_labels(event.nested("form_data").items())
    lead = _build_base_lead(
        event, incoming, notes, submitted_at=event.get("submitted_at"), fields=fields
    )
    for label, value in rest:
        notes.keep_extra(label, value)
    return replace(lead, channel=Channel.WEBSITE)


def _build_base_lead(
    event: Fields,
    incoming: IncomingDelivery,
    notes: ReadingNotes,
    *,
    submitted_at: Any,
    fields: Mapping[str, Any] | None = None,
) -> CanonicalLead:
    own_fields = {name: event.get(vendor_name) for name, vendor_name in _FIELD_NAMES.items()}
    own_fields["utm_medium"] = own_fields["utm_medium"] or event.get("medium")
    own_fields["vendor_lead_id"] = own_fields["vendor_lead_id"] or event.get("id")
    own_fields["referrer"] = event.get("referring_url")
    own_fields["sub_source"] = event.first_value("source_name", "source")
    own_fields["submitted_at"] = submitted_at
    return build_canonical_lead(
        Fields({**(fields or {}), **own_fields}),
        notes,
        source=Source.PHONE_CALLRAIL,
        channel=CHANNEL,
        received_at=incoming.received_at,
        zone=incoming.endpoint.zone,
        is_test=incoming.endpoint.is_test,
    )
