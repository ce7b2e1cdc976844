"""Intercom: a signed notification for each event of a conversation.

Wire format: docs/sources/chat_intercom.md.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rooftree.capture.parsing.build_envelope import (
    ParsedInquiry,
    as_conversation_update,
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
    secrets_match,
)
from rooftree.capture.parsing.normalize_values import (
    none_if_empty,
    parse_epoch,
    short_text,
    vendor_identifier,
)
from rooftree.capture.parsing.reading_notes import Fields, ReadingNotes, as_text
from rooftree.capture.parsing.sender_proof import body_hmac
from rooftree.capture.parsing.signed_webhooks import open_webhook
from rooftree.capture.parsing.transcripts import (
    MAX_UTTERANCES,
    build_utterance,
    chat_html_to_text,
    chat_inquiry_parts,
)
from rooftree.capture.parsing.vendor_api import Lookup, find_status_failure, with_bearer_token
from rooftree.leads.canonical import Attribution, CanonicalLead, Utterance
from rooftree.leads.vocabulary import Channel, Source, Speaker

LABEL = "Intercom"
PATHS = ["chat_intercom/<token>"]
METHODS = ("POST", "HEAD")
CHANNEL = Channel.CHAT
UPSTREAM = "https://api.intercom.io"
API_VERSION = "2.11"
CREDENTIALS = (
    Credential(key="secret", label="Client secret", help="Developer hub, your app, Basics"),
    Credential(
        key="access_token",
        label="Access token",
        help="Optional: reads the phone number of a known visitor",
    ),
)
NEW_TOPIC, REPLY_TOPIC = "conversation.user.created", "conversation.user.replied"
SPEAKERS = {"bot": Speaker.BOT, "admin": Speaker.AGENT, "team": Speaker.AGENT}
_OK_ANSWER = json_answer(200)
_ID_PATTERN = re.compile(r"[\w.-]{1,80}")
classify_failure = find_status_failure


def read(incoming: IncomingDelivery) -> Envelope:
    """Read one notification, with the lookups answered so far. Never raises."""
    if incoming.method == "HEAD" and not incoming.is_verified:
        return Envelope(http=_OK_ANSWER, outcome=Outcome.HANDSHAKE)
    notes = ReadingNotes()
    expected = f"sha1={body_hmac(incoming, 'sha1').hex()}"
    is_signed = bool(incoming.endpoint.secret) and secrets_match(
        (incoming.header("x-hub-signature") or "").strip().lower(), expected
    )
    notification = open_webhook(incoming, notes, is_authentic=is_signed)
    if isinstance(notification, Envelope):
        return notification
    topic = short_text(notification.get("topic")) or ""
    if topic == "ping":
        return Envelope(http=_OK_ANSWER, outcome=Outcome.HANDSHAKE)
    item = notification.nested("data").nested("item")
    if topic not in (NEW_TOPIC, REPLY_TOPIC) or not vendor_identifier(item.get("id")):
        return ignored_envelope("topic_not_used", _OK_ANSWER)
    return _build_envelope(notification, item, incoming, notes)


def authorize_lookup(lookup: Lookup, credentials: Mapping[str, str]) -> Lookup:
    """Add the workspace's token and the API version we support to a lookup."""
    return with_bearer_token(lookup, credentials, ("Intercom-Version", API_VERSION))


def _build_envelope(
    notification: Fields, item: Fields, incoming: IncomingDelivery, notes: ReadingNotes
) -> Envelope:
    author = _find_visitor(item)
    contact_id = vendor_identifier(author.get("id")) or ""
    lookup = Lookup(path=f"/contacts/{contact_id}") if _ID_PATTERN.fullmatch(contact_id) else None
    answer = incoming.vendor_answers.get(lookup.path) if lookup else None
    if answer is not None and not answer.is_ok:
        notes.warn(f"upstream_error:{answer.status}")
    contact = answer.json_fields() if answer is not None and answer.is_ok else Fields()
    lead = _build_lead(item, author, contact, incoming, notes)
    actions = [{"do": "fetch_upstream", "id": f"contacts/{contact_id}"}] if lookup else []
    can_look_up = bool(incoming.endpoint.credentials.get("access_token"))
    if lookup and answer is None and can_look_up and not (lead.phones and lead.emails):
        waiting = ParsedInquiry(lead=lead, notes=notes, lookups=(lookup,))
        key = f"{Source.CHAT_INTERCOM}:{lead.vendor_lead_id}"
        envelope = build_batch_envelope([waiting], _OK_ANSWER, key=key, actions=actions)
    else:
        envelope = build_envelope(lead, _OK_ANSWER, notes, actions=actions)
    if short_text(notification.get("topic")) == NEW_TOPIC:
        return envelope
    return as_conversation_update(envelope, vendor_identifier(notification.get("id")) or "undated")


def _find_visitor(item: Fields) -> Fields:
    """Return the visitor: an author, `user` or contact who is not of the workspace.

    Older notifications name the visitor in `user` and in the author of a part; a conversation
    that staff began has a colleague as its first author.
    """
    parts = item.nested("conversation_parts").nested_list("conversation_parts")[:MAX_UTTERANCES]
    people = [
        item.nested("source").nested("author"),
        item.nested("user"),
        item.nested("conversation_message").nested("author"),
        *(part.nested("author") for part in parts),
        *item.nested("contacts").nested_list("contacts")[:1],
    ]
    visitors = [
        person
        for person in people
        if person and as_text(person.get("type")).lower() not in SPEAKERS
    ]
    first_id = next(
        filter(None, (vendor_identifier(person.get("id")) for person in visitors)), None
    )
    visitor: dict[str, Any] = {}
    for person in visitors:
        if vendor_identifier(person.get("id")) in (first_id, None):
            filled = {key: value for key, value in person.items() if value not in (None, "")}
            visitor = {**filled, **visitor}
    return Fields(visitor)


def _build_lead(
    item: Fields, author: Fields, contact: Fields, incoming: IncomingDelivery, notes: ReadingNotes
) -> CanonicalLead:
    source = item.nested("source") or item.nested("conversation_message")
    utterances = _build_transcript(source, item.nested("conversation_parts"), notes)
    visitor = {
        key: short_text(author.get(key)) or contact.get(key) for key in ("name", "phone", "email")
    }
    ids = {"conversation_id": item.get("id"), "contact_id": author.get("id")}
    started_at = parse_epoch(item.get("created_at"), "created_at", notes, per=1)
    return CanonicalLead(
        source=Source.CHAT_INTERCOM,
        channel=CHANNEL,
        vendor_lead_id=vendor_identifier(item.get("id")),
        vendor_ids={
            name: vendor_id
            for name, value in ids.items()
            if (vendor_id := vendor_identifier(value))
        },
        received_at=incoming.received_at,
        is_test=incoming.endpoint.is_test,
        attribution=none_if_empty(Attribution(landing_page_url=short_text(source.get("url")))),
        extras=notes.extras,
        **chat_inquiry_parts(utterances, Fields(visitor), started_at, notes),
    )


def _build_transcript(source: Fields, parts: Fields, notes: ReadingNotes) -> list[Utterance]:
    """Build the transcript: the opening message and the parts sent with this notification."""
    messages: list[tuple[Any, Fields, datetime | None]] = [
        (source.get("body"), source.nested("author"), None)
    ]
    for part in parts.nested_list("conversation_parts")[:MAX_UTTERANCES]:
        at = parse_epoch(part.get("created_at"), "created_at", notes, per=1)
        messages.append((part.get("body"), part.nested("author"), at))
    utterances = [
        build_utterance(
            chat_html_to_text(body),
            SPEAKERS.get(as_text(message_author.get("type")).lower(), Speaker.CONSUMER),
            notes,
            at,
        )
        for body, message_author, at in messages
    ]
    return [utterance for utterance in utterances if utterance.text]
