"""Any chat that can post a finished conversation: JSON, or the transcript as plain text.

Signed with a secret of ours. Wire format: docs/sources/chat_generic.md.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rooftree.capture.conclude import conclude
from rooftree.capture.consent import CAME_TO_US
from rooftree.capture.conversation import MOST, refused_in, said_of, speaker, utterance
from rooftree.capture.envelope import Envelope, Incoming, Outcome, json_answer, refused
from rooftree.capture.labels import fields_of
from rooftree.capture.mapped import lead_of
from rooftree.capture.normalise import moment, text
from rooftree.capture.notes import Fields, Notes
from rooftree.capture.proof import HEADERS, Proof, problem_with
from rooftree.capture.wire import Unreadable, charset, json_object, text_of
from rooftree.leads.canonical import CanonicalLead, Interaction, Utterance
from rooftree.leads.vocabulary import (
    Channel,
    Direction,
    InteractionKind,
    PhoneType,
    Source,
)

LABEL = "Any chat: JSON or a transcript"
SIGNATURE = HEADERS[Proof.HMAC]
EXAMPLE = """
{"conversation_id": "test-1", "visitor": {"name": "Test Borrower", "phone": "8135550142"},
 "messages": [{"from": "visitor", "text": "I want to buy in Tampa"}]}
"""
PATHS = ["chat_generic/<token>"]
CHANNEL = Channel.CHAT
_OK = json_answer(200, status="ok")
_LINE = re.compile(r"^(?:\[(?P<at>[^\]]{8,40})\]\s*)?(?P<who>[^:\[\]]{1,60}):\s(?P<said>.*)$")


def read(incoming: Incoming) -> Envelope:
    """One conversation. Never raises."""
    if incoming.is_too_large():
        return refused(Outcome.REJECTED_TOO_LARGE, "too_large", json_answer(413, error="too_large"))
    if problem := problem_with(incoming, usual=Proof.HMAC):
        return refused(Outcome.REJECTED_AUTH, problem, json_answer(401, error="unauthorized"))
    notes = Notes()
    told = charset(incoming.header("content-type"))
    notes.warn_of(incoming.masked.found)
    try:
        if _is_json(incoming):
            lead = _of_object(
                Fields(json_object(incoming.masked.body, notes, told=told)), incoming, notes
            )
            return conclude(lead, _OK, notes)
    except Unreadable as error:
        return refused(Outcome.REJECTED_MALFORMED, str(error), json_answer(400, error=str(error)))
    words = text_of(incoming.masked.body, notes, told=told).strip()
    if not words:
        return refused(Outcome.REJECTED_MALFORMED, "empty", json_answer(400, error="empty"))
    whole = conclude(_of_text(words, incoming, notes), _OK, notes)
    digest = hashlib.sha256(incoming.masked.body).hexdigest()
    return replace(whole, idempotency_key=f"{Source.CHAT_GENERIC}:sha256:{digest}")


def _is_json(incoming: Incoming) -> bool:
    first = incoming.body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    return first == b"{" or "json" in (incoming.header("content-type") or "")


def _of_object(found: Fields, incoming: Incoming, notes: Notes) -> CanonicalLead:
    zone = incoming.endpoint.zone
    spoken = [_said(one, zone, notes) for one in found.parts("messages")[:MOST]]
    visitor, typed = found.part("visitor"), found.part("fields")
    fields, rest = fields_of(typed.items())
    given = {"name": visitor.get("name"), "vendor_lead_id": found.get("conversation_id")}
    given |= {"submitted_at": found.get("started_at"), "landing_page": found.get("page")}
    lead = _lead(
        {**fields, **{key: value for key, value in given.items() if value}},
        [one for one in spoken if one.text],
        (visitor.get("phone") or fields.get("phone"), visitor.get("email") or fields.get("email")),
        incoming,
        notes,
    )
    ended_at, _ = moment(found.get("ended_at"), "ended_at", notes, zone=zone)
    for label, value in rest:
        notes.keep(label, value)
    notes.keep_all(visitor)
    if not lead.interaction or not ended_at or not lead.submitted_at:
        return lead
    lasted = max(0, int((ended_at - lead.submitted_at).total_seconds()))
    return replace(lead, interaction=replace(lead.interaction, duration_s=lasted))


def _said(one: Fields, zone: str, notes: Notes) -> Utterance:
    at, _ = moment(one.get("at"), "messages.at", notes, zone=zone)
    return utterance(one.get("text"), speaker(one.get("from")), notes, at)


def _of_text(words: str, incoming: Incoming, notes: Notes) -> CanonicalLead:
    """Lines as "[2026-11-23 10:01:00] Visitor: …"; one without a label goes on with the last."""
    spoken: list[Utterance] = []
    for line in words.splitlines()[: MOST * 4]:
        found = _LINE.match(line.strip())
        if found:
            at, _ = moment(found["at"], "messages.at", notes, zone=incoming.endpoint.zone)
            spoken.append(utterance(found["said"], speaker(found["who"]), notes, at))
        elif spoken and line.strip():
            more = utterance(f"{spoken[-1].text}\n{line.strip()}", spoken[-1].role, notes)
            spoken[-1] = replace(more, at=spoken[-1].at)
    return _lead({}, [one for one in spoken if one.text][:MOST], (None, None), incoming, notes)


def _lead(
    fields: Mapping[str, Any],
    spoken: list[Utterance],
    given: tuple[Any, Any],
    incoming: Incoming,
    notes: Notes,
) -> CanonicalLead:
    phone, email = given
    known = {key: value for key, value in fields.items() if key not in ("phone", "email")}
    said = said_of(
        spoken,
        notes,
        name=text(fields.get("name")) or text(fields.get("first_name")),
        written=[(phone, PhoneType.UNKNOWN)],
        addresses=[email],
    )
    if said.name and not fields.get("first_name"):
        known["name"] = said.name
    lead = lead_of(
        Fields(known),
        notes,
        source=Source.CHAT_GENERIC,
        channel=CHANNEL,
        received_at=incoming.received_at,
        zone=incoming.endpoint.zone,
        is_test=incoming.endpoint.is_test,
    )
    began = lead.submitted_at or next((one.at for one in spoken if one.at), None)
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
        consent=CAME_TO_US,
        interaction=talk,
        suppression=lead.suppression or refused_in(spoken),
    )
