"""CallRail: one JSON object a POST, for a call, a text or a form.

Wire format: docs/sources/phone_callrail.md.
"""

import base64
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from rooftree.capture.parsing.amounts import parse_count
from rooftree.capture.parsing.build_envelope import as_conversation_update, build_envelope
from rooftree.capture.parsing.build_lead import build_canonical_lead
from rooftree.capture.parsing.consent_evidence import INBOUND_CONSENT
from rooftree.capture.parsing.envelope import (
    Credential,
    Envelope,
    IncomingDelivery,
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
_OK_ANSWER = json_answer(200)
_ANONYMOUS_NAMES = frozenset(
    {"", "anonymous", "restricted", "unavailable", "unknown", "private", "blocked"}
)
# What of theirs is of ours, whatever happened.
_FIELD_NAMES = {
    "campaign": "campaign",
    **{f"utm_{one}": f"utm_{one}" for one in ("source", "medium", "campaign", "term", "content")},
    **{one: one for one in ("gclid", "fbclid", "msclkid")},
    "landing_page": "landing_page_url",
    "vendor_lead_id": "resource_id",
}


def read(incoming: IncomingDelivery) -> Envelope:
    """One event. Never raises.

    CallRail never sends twice (SEEN): whatever is authentic and readable gets 200.
    """
    notes = ReadingNotes()
    ours = base64.b64encode(body_hmac(incoming, "sha1")).decode()
    is_signed = secrets_match(incoming.header("signature"), ours)
    found = open_webhook(incoming, notes, is_authentic=is_signed)
    if isinstance(found, Envelope):
        return found
    return _build_envelope(found, incoming, notes)


def _build_envelope(found: Fields, incoming: IncomingDelivery, notes: ReadingNotes) -> Envelope:
    if isinstance(found.get("form_data"), dict):
        return build_envelope(_build_form_lead(found, incoming, notes), _OK_ANSWER, notes)
    if not short_text(found.get("resource_id")) and not short_text(found.get("id")):
        return ignored_envelope("no_call", _OK_ANSWER)
    if _direction(found) == "outbound":
        return ignored_envelope("outbound", _OK_ANSWER)
    if found.get("content") is not None:
        return build_envelope(_build_text_lead(found, incoming, notes), _OK_ANSWER, notes)
    if found.get("duration") is None and found.get("answered") is None:
        return ignored_envelope("call_not_over", _OK_ANSWER)
    whole = build_envelope(_build_call_lead(found, incoming, notes), _OK_ANSWER, notes)
    if not isinstance(found.get("changes"), list):
        return whole
    changed_at, _ = parse_moment(
        found.get("timestamp"), "timestamp", notes, zone=incoming.endpoint.zone
    )
    return as_conversation_update(whole, _format_revision(changed_at))


def _direction(found: Fields) -> str:
    """inbound, outbound, or nothing where the event does not say."""
    return (short_text(found.get("direction")) or "").lower()


def _format_revision(at: datetime | None) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ") if at else "undated"


def _build_call_lead(
    found: Fields, incoming: IncomingDelivery, notes: ReadingNotes
) -> CanonicalLead:
    spoken = split_transcript(found.get("transcription"), notes)
    call = Interaction(
        kind=InteractionKind.CALL,
        direction=Direction.INBOUND,
        duration_s=parse_count(
            found.get("duration"), "interaction.duration", notes, low=0, high=86_400
        ),
        answered=yes_or_no(found.get("answered")),
        voicemail=yes_or_no(found.get("voicemail")),
        recording_url=short_text(found.first("recording_player", "recording")),
        transcript=spoken,
        summary=consumer_message(found.get("call_summary"), notes),
    )
    lead = _build_caller_lead(found, incoming, notes, said_at=found.get("start_time"), call=call)
    return replace(lead, message=consumer_message(found.get("note"), notes))


def _build_text_lead(
    found: Fields, incoming: IncomingDelivery, notes: ReadingNotes
) -> CanonicalLead:
    """A text to a tracking number: a conversation of one line."""
    words = build_utterance(found.get("content"), Speaker.CONSUMER, notes)
    spoken: tuple[Utterance, ...] = (words,) if words.text else ()
    chat = Interaction(kind=InteractionKind.CHAT, direction=Direction.INBOUND, transcript=spoken)
    said_at = found.first("start_time", "timestamp", "created_at")
    return replace(
        _build_caller_lead(found, incoming, notes, said_at=said_at, call=chat),
        message=words.text or None,
    )


def _build_caller_lead(
    found: Fields,
    incoming: IncomingDelivery,
    notes: ReadingNotes,
    *,
    said_at: Any,
    call: Interaction,
) -> CanonicalLead:
    """The caller, the number they chose, and what brought them.

    The name is the carrier's guess (CNAM): a hint that is kept, never a borrower's name.
    """
    lead = _build_base_lead(found, incoming, notes, said_at=said_at)
    number = short_text(found.first("customer_phone_number", "caller_number"))
    if number is None or number.lower() in _ANONYMOUS_NAMES:
        notes.warn("anonymous_caller")
        number = None
    for key in ("customer_name", "customer_state", "customer_city", "keywords", "call_type"):
        notes.keep(key, found.get(key))
    tracked = found.first("tracking_phone_number", "tracking_number")
    return replace(
        lead,
        vendor_ids={"call_id": lead.vendor_lead_id} if lead.vendor_lead_id else {},
        vendor_status=short_text(found.get("lead_status")),
        phones=phone_numbers([(number, PhoneType.UNKNOWN)], notes),
        consent=INBOUND_CONSENT,
        interaction=replace(
            call, started_at=lead.submitted_at, tracking_number=third_party_phone(tracked)
        ),
    )


def _build_form_lead(
    found: Fields, incoming: IncomingDelivery, notes: ReadingNotes
) -> CanonicalLead:
    """A form of the company's own site, whose labels tell what was typed."""
    fields, rest = fields_from_labels(found.part("form_data").items())
    lead = _build_base_lead(
        found, incoming, notes, said_at=found.get("submitted_at"), fields=fields
    )
    for label, value in rest:
        notes.keep(label, value)
    return replace(lead, channel=Channel.WEBSITE)


def _build_base_lead(
    found: Fields,
    incoming: IncomingDelivery,
    notes: ReadingNotes,
    *,
    said_at: Any,
    fields: Mapping[str, Any] | None = None,
) -> CanonicalLead:
    marks = {ours: found.get(theirs) for ours, theirs in _FIELD_NAMES.items()}
    marks["utm_medium"] = marks["utm_medium"] or found.get("medium")
    marks["vendor_lead_id"] = marks["vendor_lead_id"] or found.get("id")
    marks["referrer"] = found.get("referring_url")
    marks["sub_source"] = found.first("source_name", "source")
    marks["submitted_at"] = said_at
    return build_canonical_lead(
        Fields({**(fields or {}), **marks}),
        notes,
        source=Source.PHONE_CALLRAIL,
        channel=CHANNEL,
        received_at=incoming.received_at,
        zone=incoming.endpoint.zone,
        is_test=incoming.endpoint.is_test,
    )
