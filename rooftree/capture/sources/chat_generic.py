"""Any chat tool that can post a finished conversation: JSON, or a plain-text transcript.

Signed with a secret we issue. Wire format: docs/sources/chat_generic.md.
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

LABEL = "Generic chat (JSON or transcript)"
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
    """Read one conversation. Never raises."""
    if incoming.is_too_large():
        return rejected_envelope(
            Outcome.REJECTED_TOO_LARGE, "too_large", json_answer(413, error="too_large")
        )
    if problem := proof_problem(incoming, default_proof=Proof.HMAC):
        return rejected_envelope(
            Outcome.REJECTED_AUTH, problem, json_answer(401, error="unauthorized")
        )
    notes = ReadingNotes()
    charset = content_charset(incoming.header("content-type"))
    notes.warn_of_secrets(incoming.masked.kinds)
    try:
        first_byte = incoming.body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
        if first_byte == b"{" or "json" in (incoming.header("content-type") or ""):
            lead = _lead_from_json(
                Fields(parse_json_object(incoming.masked.body, notes, declared_charset=charset)),
                incoming,
                notes,
            )
            return build_envelope(lead, _OK_ANSWER, notes)
    except UnreadableBody as error:
        return rejected_envelope(
            Outcome.REJECTED_MALFORMED, str(error), json_answer(400, error=str(error))
        )
    transcript = decode_body(incoming.masked.body, notes, declared_charset=charset).strip()
    if not transcript:
        return rejected_envelope(
            Outcome.REJECTED_MALFORMED, "empty", json_answer(400, error="empty")
        )
    envelope = build_envelope(_lead_from_transcript(transcript, incoming, notes), _OK_ANSWER, notes)
    digest = hashlib.sha256(incoming.masked.body).hexdigest()
    return replace(envelope, idempotency_key=f"{Source.CHAT_GENERIC}:sha256:{digest}")


def _lead_from_json(
    payload: Fields, incoming: IncomingDelivery, notes: ReadingNotes
) -> CanonicalLead:
    zone = incoming.endpoint.zone
    utterances = []
    for message in payload.nested_list("messages")[:MAX_UTTERANCES]:
        at, _ = parse_moment(message.get("at"), "messages.at", notes, zone=zone)
        role = speaker_role(message.get("from"))
        utterances.append(build_utterance(message.get("text"), role, notes, at))
    visitor, form_fields = payload.nested("visitor"), payload.nested("fields")
    fields, rest = fields_from_labels(form_fields.items())
    stated_fields = {"name": visitor.get("name"), "vendor_lead_id": payload.get("conversation_id")}
    stated_fields |= {
        "submitted_at": payload.get("started_at"),
        "landing_page": payload.get("page"),
    }
    lead = _build_lead(
        {**fields, **{key: value for key, value in stated_fields.items() if value}},
        [utterance for utterance in utterances if utterance.text],
        (visitor.get("phone") or fields.get("phone"), visitor.get("email") or fields.get("email")),
        incoming,
        notes,
    )
    ended_at, _ = parse_moment(payload.get("ended_at"), "ended_at", notes, zone=zone)
    for label, value in rest:
        notes.keep_extra(label, value)
    notes.keep_unread(visitor)
    if not lead.interaction or not ended_at or not lead.submitted_at:
        return lead
    duration_s = max(0, int((ended_at - lead.submitted_at).total_seconds()))
    return replace(lead, interaction=replace(lead.interaction, duration_s=duration_s))


def _lead_from_transcript(
    transcript: str, incoming: IncomingDelivery, notes: ReadingNotes
) -> CanonicalLead:
    """Parse lines "[2026-11-23 10:01:00] Visitor: …"; an unlabeled line continues the last one."""
    utterances: list[Utterance] = []
    for line in transcript.splitlines()[: MAX_UTTERANCES * 4]:
        match = _LINE_PATTERN.match(line.strip())
        if match:
            at, _ = parse_moment(match["at"], "messages.at", notes, zone=incoming.endpoint.zone)
            utterances.append(build_utterance(match["said"], speaker_role(match["who"]), notes, at))
        elif utterances and line.strip():
            continued = build_utterance(
                f"{utterances[-1].text}\n{line.strip()}", utterances[-1].role, notes
            )
            utterances[-1] = replace(continued, at=utterances[-1].at)
    return _build_lead(
        {},
        [utterance for utterance in utterances if utterance.text][:MAX_UTTERANCES],
        (None, None),
        incoming,
        notes,
    )


def _build_lead(
    fields: Mapping[str, Any],
    utterances: list[Utterance],
    contact: tuple[Any, Any],
    incoming: IncomingDelivery,
    notes: ReadingNotes,
) -> CanonicalLead:
    phone, email = contact
    lead_fields = {key: value for key, value in fields.items() if key not in ("phone", "email")}
    details = find_consumer_contact(
        utterances,
        notes,
        name=short_text(fields.get("name")) or short_text(fields.get("first_name")),
        phones=[(phone, PhoneType.UNKNOWN)],
        emails=[email],
    )
    if details.name and not fields.get("first_name"):
        lead_fields["name"] = details.name
    lead = build_canonical_lead(
        Fields(lead_fields),
        notes,
        source=Source.CHAT_GENERIC,
        channel=CHANNEL,
        received_at=incoming.received_at,
        zone=incoming.endpoint.zone,
        is_test=incoming.endpoint.is_test,
    )
    started_at = lead.submitted_at or next(
        (utterance.at for utterance in utterances if utterance.at), None
    )
    interaction = Interaction(
        kind=InteractionKind.CHAT,
        direction=Direction.INBOUND,
        started_at=started_at,
        transcript=tuple(utterances),
    )
    return replace(
        lead,
        phones=details.phones,
        emails=details.emails,
        consent=INBOUND_CONSENT,
        interaction=interaction,
        suppression=lead.suppression or find_opt_out(utterances),
    )
