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
        help="Optional: reads the number of a visitor who is known to you",
    ),
)
NEW_TOPIC, REPLY_TOPIC = "conversation.user.created", "conversation.user.replied"
SPEAKERS = {"bot": Speaker.BOT, "admin": Speaker.AGENT, "team": Speaker.AGENT}
_OK_ANSWER = json_answer(200)
_ID_PATTERN = re.compile(r"[\w.-]{1,80}")
classify_failure = find_status_failure


def read(incoming: IncomingDelivery) -> Envelope:
    """One notification, with what was asked since. Never raises."""
    if incoming.method == "HEAD" and not incoming.is_verified:
        return Envelope(http=_OK_ANSWER, outcome=Outcome.HANDSHAKE)
    notes = ReadingNotes()
    ours = f"sha1={body_hmac(incoming, 'sha1').hex()}"
    is_signed = bool(incoming.endpoint.secret) and secrets_match(
        (incoming.header("x-hub-signature") or "").strip().lower(), ours
    )
    found = open_webhook(incoming, notes, is_authentic=is_signed)
    if isinstance(found, Envelope):
        return found
    topic = short_text(found.get("topic")) or ""
    if topic == "ping":
        return Envelope(http=_OK_ANSWER, outcome=Outcome.HANDSHAKE)
    item = found.part("data").part("item")
    if topic not in (NEW_TOPIC, REPLY_TOPIC) or not vendor_identifier(item.get("id")):
        return ignored_envelope("topic_not_used", _OK_ANSWER)
    return _build_envelope(found, item, incoming, notes)


def authorize_lookup(lookup: Lookup, credentials: Mapping[str, str]) -> Lookup:
    """The look-up with the workspace's token, in the version we read."""
    return with_bearer_token(lookup, credentials, ("Intercom-Version", API_VERSION))


def _build_envelope(
    found: Fields, item: Fields, incoming: IncomingDelivery, notes: ReadingNotes
) -> Envelope:
    author = Fields(item.part("source").get("author"))
    who = vendor_identifier(author.get("id")) or ""
    ask = Lookup(path=f"/contacts/{who}") if _ID_PATTERN.fullmatch(who) else None
    told = incoming.told.get(ask.path) if ask else None
    if told is not None and not told.is_ok:
        notes.warn(f"upstream_error:{told.status}")
    answer = told.fields() if told is not None and told.is_ok else Fields()
    lead = _build_lead(item, author, answer, incoming, notes)
    actions = [{"do": "fetch_upstream", "id": f"contacts/{who}"}] if ask else []
    may_ask = bool(incoming.endpoint.credentials.get("access_token"))
    if ask and told is None and may_ask and not (lead.phones and lead.emails):
        waiting = ParsedInquiry(lead=lead, notes=notes, lookups=(ask,))
        key = f"{Source.CHAT_INTERCOM}:{lead.vendor_lead_id}"
        whole = build_batch_envelope([waiting], _OK_ANSWER, key=key, actions=actions)
    else:
        whole = build_envelope(lead, _OK_ANSWER, notes, actions=actions)
    if short_text(found.get("topic")) == NEW_TOPIC:
        return whole
    return as_conversation_update(whole, vendor_identifier(found.get("id")) or "undated")


def _build_lead(
    item: Fields, author: Fields, contact: Fields, incoming: IncomingDelivery, notes: ReadingNotes
) -> CanonicalLead:
    source = item.part("source")
    spoken = _build_transcript(source, author, item.part("conversation_parts"), notes)
    who = {
        key: short_text(author.get(key)) or contact.get(key) for key in ("name", "phone", "email")
    }
    ids = {"conversation_id": item.get("id"), "contact_id": author.get("id")}
    began = parse_epoch(item.get("created_at"), "created_at", notes, per=1)
    return CanonicalLead(
        source=Source.CHAT_INTERCOM,
        channel=CHANNEL,
        vendor_lead_id=vendor_identifier(item.get("id")),
        vendor_ids={name: found for name, one in ids.items() if (found := vendor_identifier(one))},
        received_at=incoming.received_at,
        is_test=incoming.endpoint.is_test,
        attribution=none_if_empty(Attribution(landing_page_url=short_text(source.get("url")))),
        extras=notes.extras,
        **chat_inquiry_parts(spoken, Fields(who), began, notes),
    )


def _build_transcript(
    source: Fields, author: Fields, parts: Fields, notes: ReadingNotes
) -> list[Utterance]:
    """What opened the conversation, and what was said since as far as it was sent."""
    said: list[tuple[Any, Fields, datetime | None]] = [(source.get("body"), author, None)]
    for part in parts.parts("conversation_parts")[:MAX_UTTERANCES]:
        at = parse_epoch(part.get("created_at"), "created_at", notes, per=1)
        said.append((part.get("body"), part.part("author"), at))
    found = [
        build_utterance(chat_html_to_text(body), _speaker_role(who), notes, at)
        for body, who, at in said
    ]
    return [one for one in found if one.text]


def _speaker_role(author: Fields) -> Speaker:
    return SPEAKERS.get(as_text(author.get("type")).lower(), Speaker.CONSUMER)
