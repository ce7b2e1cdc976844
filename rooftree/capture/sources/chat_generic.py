"""Any chat that can post a finished conversation: JSON, or the transcript as plain text.

Signed with a secret of ours. Wire format: docs/sources/chat_generic.md.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rooftree.capture.parsing.build_envelope import build_envelope
from rooftree.capture.parsing.build_lead import build_canonical_lead
from rooftree.capture.parsing.consent_evidence import INBOUND_CONSENT
from rooftree.capture.parsing.envelope import (
    Envelope,
    IncomingDelivery,
    Outcome,
    json_answer,
    rejected_envelope,
)
from rooftree.capture.parsing.field_labels import fields_from_labels
from rooftree.capture.parsing.normalize_values import parse_moment, short_text
from rooftree.capture.parsing.reading_notes import Fields, ReadingNotes
from rooftree.capture.parsing.sender_proof import DEFAULT_HEADERS, Proof, proof_problem
from rooftree.capture.parsing.transcripts import (
    MAX_UTTERANCES,
    build_utterance,
    find_consumer_contact,
    find_opt_out,
    speaker_role,
)
from rooftree.capture.parsing.wire_formats import (
    UnreadableBody,
    content_charset,
    decode_body,
    parse_json_object,
)
from rooftree.leads.canonical import CanonicalLead, Interaction, Utterance
from rooftree.leads.vocabulary import (
    Channel,
    Direction,
    InteractionKind,
    PhoneType,
    Source,
)

LABEL = "Any chat: JSON or a transcript"
SIGNATURE = DEFAULT_HEADERS[Proof.HMAC]
EXAMPLE = """
{"conversation_id": "test-1", "visitor": {"name": "Test Borrower", "phone": "8135550142"},
 "messages": [{"from": "visitor", "text": "I want to buy in Tampa"}]}
"""
PATHS = ["chat_generic/<token>"]
CHANNEL = Channel.CHAT
_OK_ANSWER = json_answer(200, status="ok")
_LINE_PATTERN = re.compile(
    r"^(?:\[(?P<at>[^\]]{8,40})\]\s*)?(?P<who>[^:\[\]]{1,60}):\s(?P<said>.*)$"
)


def read(incoming: IncomingDelivery) -> Envelope:
    """One conversation. Never raises."""
    if incoming.is_too_large():
        return rejected_envelope(
            Outcome.REJECTED_TOO_LARGE, "too_large", json_answer(413, error="too_large")
        )
    if problem := proof_problem(incoming, usual=Proof.HMAC):
        return rejected_envelope(
            Outcome.REJECTED_AUTH, problem, json_answer(401, error="unauthorized")
        )
    notes = ReadingNotes()
    told = content_charset(incoming.header("content-type"))
    notes.warn_of_secrets(incoming.masked.found)
    try:
        if _is_json(incoming):
            lead = _lead_from_json(
                Fields(parse_json_object(incoming.masked.body, notes, told=told)), incoming, notes
            )
            return build_envelope(lead, _OK_ANSWER, notes)
    except UnreadableBody as error:
        return rejected_envelope(
            Outcome.REJECTED_MALFORMED, str(error), json_answer(400, error=str(error))
        )
    words = decode_body(incoming.masked.body, notes, told=told).strip()
    if not words:
        return rejected_envelope(
            Outcome.REJECTED_MALFORMED, "empty", json_answer(400, error="empty")
        )
    whole = build_envelope(_lead_from_transcript(words, incoming, notes), _OK_ANSWER, notes)
    digest = hashlib.sha256(incoming.masked.body).hexdigest()
    return replace(whole, idempotency_key=f"{Source.CHAT_GENERIC}:sha256:{digest}")


def _is_json(incoming: IncomingDelivery) -> bool:
    first = incoming.body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    return first == b"{" or "json" in (incoming.header("content-type") or "")


def _lead_from_json(
    found: Fields, incoming: IncomingDelivery, notes: ReadingNotes
) -> CanonicalLead:
    zone = incoming.endpoint.zone
    spoken = [
        _parse_utterance(part, zone, notes) for part in found.parts("messages")[:MAX_UTTERANCES]
    ]
    visitor, typed = found.part("visitor"), found.part("fields")
    fields, rest = fields_from_labels(typed.items())
    given = {"name": visitor.get("name"), "vendor_lead_id": found.get("conversation_id")}
    given |= {"submitted_at": found.get("started_at"), "landing_page": found.get("page")}
    lead = _build_lead(
        {**fields, **{key: value for key, value in given.items() if value}},
        [one for one in spoken if one.text],
        (visitor.get("phone") or fields.get("phone"), visitor.get("email") or fields.get("email")),
        incoming,
        notes,
    )
    ended_at, _ = parse_moment(found.get("ended_at"), "ended_at", notes, zone=zone)
    for label, value in rest:
        notes.keep(label, value)
    notes.keep_unread(visitor)
    if not lead.interaction or not ended_at or not lead.submitted_at:
        return lead
    lasted = max(0, int((ended_at - lead.submitted_at).total_seconds()))
    return replace(lead, interaction=replace(lead.interaction, duration_s=lasted))


def _parse_utterance(one: Fields, zone: str, notes: ReadingNotes) -> Utterance:
    at, _ = parse_moment(one.get("at"), "messages.at", notes, zone=zone)
    return build_utterance(one.get("text"), speaker_role(one.get("from")), notes, at)


def _lead_from_transcript(
    words: str, incoming: IncomingDelivery, notes: ReadingNotes
) -> CanonicalLead:
    """Lines as "[2026-11-23 10:01:00] Visitor: …"; one without a label goes on with the last."""
    spoken: list[Utterance] = []
    for line in words.splitlines()[: MAX_UTTERANCES * 4]:
        found = _LINE_PATTERN.match(line.strip())
        if found:
            at, _ = parse_moment(found["at"], "messages.at", notes, zone=incoming.endpoint.zone)
            spoken.append(build_utterance(found["said"], speaker_role(found["who"]), notes, at))
        elif spoken and line.strip():
            more = build_utterance(f"{spoken[-1].text}\n{line.strip()}", spoken[-1].role, notes)
            spoken[-1] = replace(more, at=spoken[-1].at)
    return _build_lead(
        {},
        [utterance for utterance in spoken if utterance.text][:MAX_UTTERANCES],
        (None, None),
        incoming,
        notes,
    )


def _build_lead(
    fields: Mapping[str, Any],
    spoken: list[Utterance],
    given: tuple[Any, Any],
    incoming: IncomingDelivery,
    notes: ReadingNotes,
) -> CanonicalLead:
    phone, email = given
    known = {key: value for key, value in fields.items() if key not in ("phone", "email")}
    said = find_consumer_contact(
        spoken,
        notes,
        name=short_text(fields.get("name")) or short_text(fields.get("first_name")),
        written=[(phone, PhoneType.UNKNOWN)],
        addresses=[email],
    )
    if said.name and not fields.get("first_name"):
        known["name"] = said.name
    lead = build_canonical_lead(
        Fields(known),
        notes,
        source=Source.CHAT_GENERIC,
        channel=CHANNEL,
        received_at=incoming.received_at,
        zone=incoming.endpoint.zone,
        is_test=incoming.endpoint.is_test,
    )
    began = lead.submitted_at or next((utterance.at for utterance in spoken if utterance.at), None)
    talk = Interaction(
        kind=InteractionKind.CHAT,
        direction=Direction.INBOUND,
        started_at=began,
        transcript=tuple(spoken),
    )
    return replace(
        lead,
        phones=said.phones,
        emails=said.emails,
        consent=INBOUND_CONSENT,
        interaction=talk,
        suppression=lead.suppression or find_opt_out(spoken),
    )
