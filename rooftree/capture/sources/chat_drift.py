"""Drift: a message of a conversation, and the contact it is from, who is asked for.

The product is being retired, so this is as much as its leads need and no more. Wire
format: docs/sources/chat_drift.md.
"""

import re
from collections.abc import Mapping

from rooftree.capture.conclude import Read, conclude, conclude_each
from rooftree.capture.conversation import of_chat, plain_of, utterance
from rooftree.capture.envelope import (
    Credential,
    Envelope,
    Incoming,
    Outcome,
    ignored,
    json_answer,
    refused,
    same_secret,
)
from rooftree.capture.normalise import epoch, identifier, text
from rooftree.capture.notes import Fields, Notes
from rooftree.capture.upstream import Lookup, failure_by_status, reason_of, with_bearer
from rooftree.capture.webhook import opened
from rooftree.core.failures import Misconfigured
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
_OK = json_answer(200)
_ID = re.compile(r"\d{1,20}")
failure_of = failure_by_status


def read(incoming: Incoming) -> Envelope:
    """One event, with what was asked since. Never raises."""
    notes = Notes()
    found = opened(incoming, notes, is_authentic=True)  # its proof stands in the body
    if isinstance(found, Envelope):
        return found
    is_theirs = same_secret(text(found.get("token")), incoming.endpoint.secret)
    if not (is_theirs or incoming.is_verified):
        answer = json_answer(401, error="unauthorized")
        return refused(Outcome.REJECTED_AUTH, "bad_token", answer)
    data = found.part("data")
    if text(found.get("type")) != "new_message" or not identifier(data.get("conversationId")):
        return ignored("type_not_used", _OK)
    author = data.part("author")
    if text(author.get("type")) != "contact" or author.get("bot") is True:
        return ignored("not_from_contact", _OK)
    return _enveloped(data, identifier(author.get("id")) or "", incoming, notes)


def authorized(lookup: Lookup, credentials: Mapping[str, str]) -> Lookup:
    """The look-up with the account's token."""
    return with_bearer(lookup, credentials)


def _enveloped(data: Fields, who: str, incoming: Incoming, notes: Notes) -> Envelope:
    ask = Lookup(path=f"/contacts/{who}") if _ID.fullmatch(who) else None
    told = incoming.told.get(ask.path) if ask else None
    key = f"{Source.CHAT_DRIFT}:{identifier(data.get('conversationId'))}"
    actions = [{"do": "fetch_upstream", "id": f"contacts/{who}"}] if ask else []
    if ask and told is None:
        lead = _lead(data, who, Fields(), incoming, notes)
        waiting = Read(lead=lead, notes=notes, lookups=(ask,))
        return conclude_each([waiting], _OK, key=key, actions=actions)
    failure = failure_of(told) if told else None
    if told and failure:
        notes.warn(f"upstream_error:{told.status}")
    answer = told.fields().part("data").part("attributes") if told and not failure else Fields()
    lead = _lead(data, who, answer, incoming, notes)
    if isinstance(failure, Misconfigured) and not lead.is_reachable():
        unread = Read(lead=lead, notes=notes, problem=reason_of(failure))
        return conclude_each([unread], _OK, key=key)
    return conclude(lead, _OK, notes, actions=actions)


def _lead(
    data: Fields, who: str, contact: Fields, incoming: Incoming, notes: Notes
) -> CanonicalLead:
    said_at = epoch(data.get("createdAt"), "createdAt", notes, per=1000)
    words = utterance(plain_of(data.get("body")), Speaker.CONSUMER, notes)
    spoken = (words,) if words.text else ()
    number = identifier(data.get("conversationId"))
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
        **of_chat(spoken, contact, said_at, notes),
    )
