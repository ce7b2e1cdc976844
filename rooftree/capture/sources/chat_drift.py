"""Drift: a message of a conversation, then a lookup of its contact.

The product is being retired, so this adapter does only what its leads need. Wire format:
docs/sources/chat_drift.md.
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
    Credential(
        key="access_token", label="Access token", help="Reads the visitor's contact details"
    ),
)
_OK_ANSWER = json_answer(200)
_ID_PATTERN = re.compile(r"\d{1,20}")
classify_failure = find_status_failure


def read(incoming: IncomingDelivery) -> Envelope:
    """Read one event, with the lookups answered so far. Never raises."""
    notes = ReadingNotes()
    # the proof is in the body, checked below
    event = open_webhook(incoming, notes, is_authentic=True)
    if isinstance(event, Envelope):
        return event
    is_authentic = secrets_match(short_text(event.get("token")), incoming.endpoint.secret)
    if not (is_authentic or incoming.is_verified):
        answer = json_answer(401, error="unauthorized")
        return rejected_envelope(Outcome.REJECTED_AUTH, "bad_token", answer)
    data = event.nested("data")
    if short_text(event.get("type")) != "new_message" or not vendor_identifier(
        data.get("conversationId")
    ):
        return ignored_envelope("type_not_used", _OK_ANSWER)
    author = data.nested("author")
    if short_text(author.get("type")) != "contact" or author.get("bot") is True:
        return ignored_envelope("not_from_contact", _OK_ANSWER)
    return _build_envelope(data, vendor_identifier(author.get("id")) or "", incoming, notes)


def authorize_lookup(lookup: Lookup, credentials: Mapping[str, str]) -> Lookup:
    """Add the account's token to a lookup."""
    return with_bearer_token(lookup, credentials)


def _build_envelope(
    data: Fields, contact_id: str, incoming: IncomingDelivery, notes: ReadingNotes
) -> Envelope:
    lookup = Lookup(path=f"/contacts/{contact_id}") if _ID_PATTERN.fullmatch(contact_id) else None
    answer = incoming.vendor_answers.get(lookup.path) if lookup else None
    key = f"{Source.CHAT_DRIFT}:{vendor_identifier(data.get('conversationId'))}"
    actions = [{"do": "fetch_upstream", "id": f"contacts/{contact_id}"}] if lookup else []
    if lookup and answer is None:
        lead = _build_lead(data, contact_id, Fields(), incoming, notes)
        inquiry = ParsedInquiry(lead=lead, notes=notes, lookups=(lookup,))
        return build_batch_envelope([inquiry], _OK_ANSWER, key=key, actions=actions)
    failure = classify_failure(answer) if answer else None
    if answer and failure:
        notes.warn(f"upstream_error:{answer.status}")
    contact = (
        answer.json_fields().nested("data").nested("attributes")
        if answer and not failure
        else Fields()
    )
    lead = _build_lead(data, contact_id, contact, incoming, notes)
    if isinstance(failure, Misconfigured) and not lead.is_reachable():
        inquiry = ParsedInquiry(lead=lead, notes=notes, problem=quarantine_reason(failure))
        return build_batch_envelope([inquiry], _OK_ANSWER, key=key)
    return build_envelope(lead, _OK_ANSWER, notes, actions=actions)


def _build_lead(
    data: Fields, contact_id: str, contact: Fields, incoming: IncomingDelivery, notes: ReadingNotes
) -> CanonicalLead:
    sent_at = parse_epoch(data.get("createdAt"), "createdAt", notes, per=1000)
    utterance = build_utterance(chat_html_to_text(data.get("body")), Speaker.CONSUMER, notes)
    utterances = (utterance,) if utterance.text else ()
    conversation_id = vendor_identifier(data.get("conversationId"))
    return CanonicalLead(
        source=Source.CHAT_DRIFT,
        channel=CHANNEL,
        vendor_lead_id=conversation_id,
        vendor_ids={
            name: value
            for name, value in (("conversation_id", conversation_id), ("contact_id", contact_id))
            if value
        },
        received_at=incoming.received_at,
        is_test=incoming.endpoint.is_test,
        extras=notes.extras,
        **chat_inquiry_parts(utterances, contact, sent_at, notes),
    )
