"""Intercom: a signed notification for each event of a conversation.

Wire format: docs/sources/chat_intercom.md.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rooftree.capture.conclude import Read, as_more, conclude, conclude_each
from rooftree.capture.conversation import MOST, of_chat, plain_of, utterance
from rooftree.capture.envelope import (
    Credential,
    Envelope,
    Incoming,
    Outcome,
    ignored,
    json_answer,
    same_secret,
)
from rooftree.capture.normalise import epoch, identifier, known, text
from rooftree.capture.notes import Fields, Notes, as_text
from rooftree.capture.proof import digest_of
from rooftree.capture.upstream import Lookup, failure_by_status, with_bearer
from rooftree.capture.webhook import opened
from rooftree.leads.canonical import Attribution, CanonicalLead, Utterance
from rooftree.leads.vocabulary import Channel, Source, Speaker

LABEL = "Intercom"
PATHS = ["chat_intercom/<token>"]
METHODS = ("POST", "HEAD")
CHANNEL = Channel.CHAT
UPSTREAM = "https://api.intercom.io"
VERSION = "2.11"
CREDENTIALS = (
    Credential(key="secret", label="Client secret", help="Developer hub, your app, Basics"),
    Credential(
        key="access_token",
        label="Access token",
        help="Optional: reads the number of a visitor who is known to you",
    ),
)
NEW, MORE = "conversation.user.created", "conversation.user.replied"
SPEAKERS = {"bot": Speaker.BOT, "admin": Speaker.AGENT, "team": Speaker.AGENT}
_OK = json_answer(200)
_ID = re.compile(r"[\w.-]{1,80}")
failure_of = failure_by_status


def read(incoming: Incoming) -> Envelope:
    """One notification, with what was asked since. Never raises."""
    if incoming.method == "HEAD" and not incoming.is_verified:
        return Envelope(http=_OK, outcome=Outcome.HANDSHAKE)
    notes = Notes()
    ours = f"sha1={digest_of(incoming, 'sha1').hex()}"
    is_signed = bool(incoming.endpoint.secret) and same_secret(
        (incoming.header("x-hub-signature") or "").strip().lower(), ours
    )
    found = opened(incoming, notes, is_authentic=is_signed)
    if isinstance(found, Envelope):
        return found
    topic = text(found.get("topic")) or ""
    if topic == "ping":
        return Envelope(http=_OK, outcome=Outcome.HANDSHAKE)
    item = found.part("data").part("item")
    if topic not in (NEW, MORE) or not identifier(item.get("id")):
        return ignored("topic_not_used", _OK)
    return _enveloped(found, item, incoming, notes)


def authorized(lookup: Lookup, credentials: Mapping[str, str]) -> Lookup:
    """The look-up with the workspace's token, in the version we read."""
    return with_bearer(lookup, credentials, ("Intercom-Version", VERSION))


def _enveloped(found: Fields, item: Fields, incoming: Incoming, notes: Notes) -> Envelope:
    author = Fields(item.part("source").get("author"))
    who = identifier(author.get("id")) or ""
    ask = Lookup(path=f"/contacts/{who}") if _ID.fullmatch(who) else None
    told = incoming.told.get(ask.path) if ask else None
    if told is not None and not told.is_well:
        notes.warn(f"upstream_error:{told.status}")
    answer = told.fields() if told is not None and told.is_well else Fields()
    lead = _lead(item, author, answer, incoming, notes)
    actions = [{"do": "fetch_upstream", "id": f"contacts/{who}"}] if ask else []
    may_ask = bool(incoming.endpoint.credentials.get("access_token"))
    if ask and told is None and may_ask and not (lead.phones and lead.emails):
        waiting = Read(lead=lead, notes=notes, lookups=(ask,))
        key = f"{Source.CHAT_INTERCOM}:{lead.vendor_lead_id}"
        whole = conclude_each([waiting], _OK, key=key, actions=actions)
    else:
        whole = conclude(lead, _OK, notes, actions=actions)
    if text(found.get("topic")) == NEW:
        return whole
    return as_more(whole, identifier(found.get("id")) or "undated")


def _lead(
    item: Fields, author: Fields, contact: Fields, incoming: Incoming, notes: Notes
) -> CanonicalLead:
    source = item.part("source")
    spoken = _spoken(source, author, item.part("conversation_parts"), notes)
    who = {key: text(author.get(key)) or contact.get(key) for key in ("name", "phone", "email")}
    ids = {"conversation_id": item.get("id"), "contact_id": author.get("id")}
    began = epoch(item.get("created_at"), "created_at", notes, per=1)
    return CanonicalLead(
        source=Source.CHAT_INTERCOM,
        channel=CHANNEL,
        vendor_lead_id=identifier(item.get("id")),
        vendor_ids={name: found for name, one in ids.items() if (found := identifier(one))},
        received_at=incoming.received_at,
        is_test=incoming.endpoint.is_test,
        attribution=known(Attribution(landing_page_url=text(source.get("url")))),
        extras=notes.extras,
        **of_chat(spoken, Fields(who), began, notes),
    )


def _spoken(source: Fields, author: Fields, parts: Fields, notes: Notes) -> list[Utterance]:
    """What opened the conversation, and what was said since as far as it was sent."""
    said: list[tuple[Any, Fields, datetime | None]] = [(source.get("body"), author, None)]
    for part in parts.parts("conversation_parts")[:MOST]:
        at = epoch(part.get("created_at"), "created_at", notes, per=1)
        said.append((part.get("body"), part.part("author"), at))
    found = [utterance(plain_of(body), _role(who), notes, at) for body, who, at in said]
    return [one for one in found if one.text]


def _role(author: Fields) -> Speaker:
    return SPEAKERS.get(as_text(author.get("type")).lower(), Speaker.CONSUMER)
