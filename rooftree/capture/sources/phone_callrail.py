"""CallRail: one JSON object a POST, for a call, a text or a form.

Wire format: docs/sources/phone_callrail.md.
"""

import base64
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from rooftree.capture.amounts import count
from rooftree.capture.conclude import as_more, conclude
from rooftree.capture.consent import CAME_TO_US
from rooftree.capture.conversation import labelled, utterance
from rooftree.capture.envelope import (
    Credential,
    Envelope,
    Incoming,
    ignored,
    json_answer,
    same_secret,
)
from rooftree.capture.labels import fields_of
from rooftree.capture.mapped import lead_of
from rooftree.capture.normalise import contact, message, moment, phones, text, yes_or_no
from rooftree.capture.notes import Fields, Notes
from rooftree.capture.proof import digest_of
from rooftree.capture.webhook import opened
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
_OK = json_answer(200)
_NOBODY = frozenset({"", "anonymous", "restricted", "unavailable", "unknown", "private", "blocked"})
# What of theirs is of ours, whatever happened.
_MARKS = {
    "campaign": "campaign",
    **{f"utm_{one}": f"utm_{one}" for one in ("source", "medium", "campaign", "term", "content")},
    **{one: one for one in ("gclid", "fbclid", "msclkid")},
    "landing_page": "landing_page_url",
    "vendor_lead_id": "resource_id",
}


def read(incoming: Incoming) -> Envelope:
    """One event. Never raises.

    CallRail never sends twice (SEEN): whatever is authentic and readable gets 200.
    """
    notes = Notes()
    ours = base64.b64encode(digest_of(incoming, "sha1")).decode()
    is_signed = same_secret(incoming.header("signature"), ours)
    found = opened(incoming, notes, is_authentic=is_signed)
    if isinstance(found, Envelope):
        return found
    return _enveloped(found, incoming, notes)


def _enveloped(found: Fields, incoming: Incoming, notes: Notes) -> Envelope:
    if isinstance(found.get("form_data"), dict):
        return conclude(_form(found, incoming, notes), _OK, notes)
    if not text(found.get("resource_id")) and not text(found.get("id")):
        return ignored("no_call", _OK)
    if _direction(found) == "outbound":
        return ignored("outbound", _OK)
    if found.get("content") is not None:
        return conclude(_texted(found, incoming, notes), _OK, notes)
    if found.get("duration") is None and found.get("answered") is None:
        return ignored("call_not_over", _OK)
    whole = conclude(_call(found, incoming, notes), _OK, notes)
    if not isinstance(found.get("changes"), list):
        return whole
    changed_at, _ = moment(found.get("timestamp"), "timestamp", notes, zone=incoming.endpoint.zone)
    return as_more(whole, _plain(changed_at))


def _direction(found: Fields) -> str:
    """inbound, outbound, or nothing where the event does not say."""
    return (text(found.get("direction")) or "").lower()


def _plain(at: datetime | None) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ") if at else "undated"


def _call(found: Fields, incoming: Incoming, notes: Notes) -> CanonicalLead:
    spoken = labelled(found.get("transcription"), notes)
    call = Interaction(
        kind=InteractionKind.CALL,
        direction=Direction.INBOUND,
        duration_s=count(found.get("duration"), "interaction.duration", notes, low=0, high=86_400),
        answered=yes_or_no(found.get("answered")),
        voicemail=yes_or_no(found.get("voicemail")),
        recording_url=text(found.first("recording_player", "recording")),
        transcript=spoken,
        summary=message(found.get("call_summary"), notes),
    )
    lead = _common(found, incoming, notes, said_at=found.get("start_time"), call=call)
    return replace(lead, message=message(found.get("note"), notes))


def _texted(found: Fields, incoming: Incoming, notes: Notes) -> CanonicalLead:
    """A text to a tracking number: a conversation of one line."""
    words = utterance(found.get("content"), Speaker.CONSUMER, notes)
    spoken: tuple[Utterance, ...] = (words,) if words.text else ()
    chat = Interaction(kind=InteractionKind.CHAT, direction=Direction.INBOUND, transcript=spoken)
    said_at = found.first("start_time", "timestamp", "created_at")
    return replace(
        _common(found, incoming, notes, said_at=said_at, call=chat), message=words.text or None
    )


def _common(
    found: Fields, incoming: Incoming, notes: Notes, *, said_at: Any, call: Interaction
) -> CanonicalLead:
    """The caller, the number they chose, and what brought them.

    The name is the carrier's guess (CNAM): a hint that is kept, never a borrower's name.
    """
    lead = _lead(found, incoming, notes, said_at=said_at)
    number = text(found.first("customer_phone_number", "caller_number"))
    if number is None or number.lower() in _NOBODY:
        notes.warn("anonymous_caller")
        number = None
    for key in ("customer_name", "customer_state", "customer_city", "keywords", "call_type"):
        notes.keep(key, found.get(key))
    tracked = found.first("tracking_phone_number", "tracking_number")
    return replace(
        lead,
        vendor_ids={"call_id": lead.vendor_lead_id} if lead.vendor_lead_id else {},
        vendor_status=text(found.get("lead_status")),
        phones=phones([(number, PhoneType.UNKNOWN)], notes),
        consent=CAME_TO_US,
        interaction=replace(call, started_at=lead.submitted_at, tracking_number=contact(tracked)),
    )


def _form(found: Fields, incoming: Incoming, notes: Notes) -> CanonicalLead:
    """A form of the company's own site, whose labels tell what was typed."""
    fields, rest = fields_of(found.part("form_data").items())
    lead = _lead(found, incoming, notes, said_at=found.get("submitted_at"), fields=fields)
    for label, value in rest:
        notes.keep(label, value)
    return replace(lead, channel=Channel.WEBSITE)


def _lead(
    found: Fields,
    incoming: Incoming,
    notes: Notes,
    *,
    said_at: Any,
    fields: Mapping[str, Any] | None = None,
) -> CanonicalLead:
    marks = {ours: found.get(theirs) for ours, theirs in _MARKS.items()}
    marks["utm_medium"] = marks["utm_medium"] or found.get("medium")
    marks["vendor_lead_id"] = marks["vendor_lead_id"] or found.get("id")
    marks["referrer"] = found.get("referring_url")
    marks["sub_source"] = found.first("source_name", "source")
    marks["submitted_at"] = said_at
    return lead_of(
        Fields({**(fields or {}), **marks}),
        notes,
        source=Source.PHONE_CALLRAIL,
        channel=CHANNEL,
        received_at=incoming.received_at,
        zone=incoming.endpoint.zone,
        is_test=incoming.endpoint.is_test,
    )
