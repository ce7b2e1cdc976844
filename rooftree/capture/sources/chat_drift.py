"""Drift: a message of a conversation, and the contact it is from, who is asked for.

The product is being retired, so this is as much as its leads need and no more. Wire
format: docs/sources/chat_drift.md.
"""

import re
from collections.abc import Mapping

from rooftree.capture.parsing.build_envelope import (
    ParsedInquiry,
    build_batch_envelope,
    build_envelope,
)
from rooftree.capture.parsing.envelope import (
    Credential,
    Envelope,
    IncomingDelivery,
    Outcome,
    ignored_envelope,
    json_answer,
    rejected_envelope,
    secrets_match,
)
from rooftree.capture.parsing.normalize_values import parse_epoch, short_text, vendor_identifier
from rooftree.capture.parsing.reading_notes import Fields, ReadingNotes
from rooftree.capture.parsing.signed_webhooks import open_webhook
from rooftree.capture.parsing.transcripts import (
    build_utterance,
    chat_html_to_text,
    chat_inquiry_parts,
)
from rooftree.capture.parsing.vendor_api import (
    Lookup,
    find_status_failure,
    quarantine_reason,
    with_bearer_token,
)
from rooftree.core.vendor_errors import Misconfigured
from rooftree.leads.canonical import CanonicalLead
from rooftree.leads.vocabulary import Channel, Source, Speaker

LABEL = "Drift"
PATHS = ["chat_drift/<token>"]
CHANNEL = Channel.CHAT
UPSTREAM = "https://driftapi.com"
CREDENTIALS = (
    Credential(key="secret", label="Verification token", help="Drift app, Webhooks"),
    Credential(key="access_token", label="Access token", help="Reads who wrote"),
)
_OK_ANSWER = json_answer(200)
_ID_PATTERN = re.compile(r"\d{1,20}")
classify_failure = find_status_failure


def read(incoming: IncomingDelivery) -> Envelope:
    """One event, with what was asked since. Never raises."""
    notes = ReadingNotes()
    found = open_webhook(incoming, notes, is_authentic=True)  # its proof stands in the body
    if isinstance(found, Envelope):
        return found
    is_theirs = secrets_match(short_text(found.get("token")), incoming.endpoint.secret)
    if not (is_theirs or incoming.is_verified):
        answer = json_answer(401, error="unauthorized")
        return rejected_envelope(Outcome.REJECTED_AUTH, "bad_token", answer)
    data = found.part("data")
    if short_text(found.get("type")) != "new_message" or not vendor_identifier(
        data.get("conversationId")
    ):
        return ignored_envelope("type_not_used", _OK_ANSWER)
    author = data.part("author")
    if short_text(author.get("type")) != "contact" or author.get("bot") is True:
        return ignored_envelope("not_from_contact", _OK_ANSWER)
    return _build_envelope(data, vendor_identifier(author.get("id")) or "", incoming, notes)


def authorize_lookup(lookup: Lookup, credentials: Mapping[str, str]) -> Lookup:
    """The look-up with the account's token."""
    return with_bearer_token(lookup, credentials)


def _build_envelope(
    data: Fields, who: str, incoming: IncomingDelivery, notes: ReadingNotes
) -> Envelope:
    ask = Lookup(path=f"/contacts/{who}") if _ID_PATTERN.fullmatch(who) else None
    told = incoming.told.get(ask.path) if ask else None
    key = f"{Source.CHAT_DRIFT}:{vendor_identifier(data.get('conversationId'))}"
    actions = [{"do": "fetch_upstream", "id": f"contacts/{who}"}] if ask else []
    if ask and told is None:
        lead = _build_lead(data, who, Fields(), incoming, notes)
        waiting = ParsedInquiry(lead=lead, notes=notes, lookups=(ask,))
        return build_batch_envelope([waiting], _OK_ANSWER, key=key, actions=actions)
    failure = classify_failure(told) if told else None
    if told and failure:
        notes.warn(f"upstream_error:{told.status}")
    answer = told.fields().part("data").part("attributes") if told and not failure else Fields()
    lead = _build_lead(data, who, answer, incoming, notes)
    if isinstance(failure, Misconfigured) and not lead.is_reachable():
        unread = ParsedInquiry(lead=lead, notes=notes, problem=quarantine_reason(failure))
        return build_batch_envelope([unread], _OK_ANSWER, key=key)
    return build_envelope(lead, _OK_ANSWER, notes, actions=actions)


def _build_lead(
    data: Fields, who: str, contact: Fields, incoming: IncomingDelivery, notes: ReadingNotes
) -> CanonicalLead:
    said_at = parse_epoch(data.get("createdAt"), "createdAt", notes, per=1000)
    words = build_utterance(chat_html_to_text(data.get("body")), Speaker.CONSUMER, notes)
    spoken = (words,) if words.text else ()
    number = vendor_identifier(data.get("conversationId"))
    return CanonicalLead(
        source=Source.CHAT_DRIFT,
        channel=CHANNEL,
        vendor_lead_id=number,
        vendor_ids={
            name: one for name, one in (("conversation_id", number), ("contact_id", who)) if one
        },
        received_at=incoming.received_at,
        is_test=incoming.endpoint.is_test,
        extras=notes.extras,
        **chat_inquiry_parts(spoken, contact, said_at, notes),
    )
