"""TikTok lead generation: signed, the answers inline, several leads a post.

Wire format: docs/sources/tiktok_lead_gen.md.
"""

import re
from dataclasses import replace
from typing import Any

from rooftree.capture.parsing.ad_form_answers import fields_from_answers
from rooftree.capture.parsing.build_envelope import ParsedInquiry, build_batch_envelope
from rooftree.capture.parsing.build_lead import build_canonical_lead
from rooftree.capture.parsing.envelope import (
    Credential,
    Envelope,
    IncomingDelivery,
    ignored_envelope,
    json_answer,
)
from rooftree.capture.parsing.normalize_values import parse_epoch, short_text, vendor_identifier
from rooftree.capture.parsing.reading_notes import Fields, ReadingNotes
from rooftree.capture.parsing.signed_webhooks import open_webhook, signature_matches
from rooftree.leads.vocabulary import Channel, Precision, Source

LABEL = "TikTok lead generation"
PATHS = ["tiktok_lead_gen/<token>"]
CHANNEL = Channel.PAID_SOCIAL
CREDENTIALS = (
    Credential(key="secret", label="App secret", help="TikTok for Business, My Apps, App Detail"),
)
_OK_ANSWER = json_answer(200, code=0)
_ID_FIELDS = {
    "page_id": "page_id",
    "advertiser_id": "account_id",
    "campaign_id": "campaign_id",
    "adgroup_id": "adset_id",
    "ad_id": "ad_id",
}
_MAX_LEADS = 1_000  # leads of one post
_TIMESTAMPED_SIGNATURE = re.compile(r"\s*t\s*=\s*(\d{1,15})\s*,\s*s\s*=\s*([0-9A-Fa-f]{64})\s*")


def read(incoming: IncomingDelivery) -> Envelope:
    """The leads of one post. Never raises."""
    notes = ReadingNotes()
    found = open_webhook(incoming, notes, is_authentic=_is_authentic(incoming))
    if isinstance(found, Envelope):
        return found
    if short_text(found.get("object")) != "1":
        return ignored_envelope("object_not_lead", _OK_ANSWER)
    named: dict[str, Fields] = {}
    for entry in found.parts("entry"):
        if lead_id := vendor_identifier(entry.get("id")):
            named.setdefault(lead_id, entry)
    if not named:
        return ignored_envelope("no_entry", _OK_ANSWER)
    read = [
        _read_inquiry(entry, incoming, ReadingNotes()) for entry in [*named.values()][:_MAX_LEADS]
    ]
    read[0].notes.warnings.update(notes.warnings)
    key = "tiktok:" + ",".join(one.lead.vendor_lead_id or "" for one in read)
    return build_batch_envelope(read, _OK_ANSWER, key=key)


def escape_non_ascii(body: bytes) -> bytes:
    r"""The text TikTok signs: every character outside ASCII as \uXXXX, pairs for the rare ones."""
    signs = body.decode("utf-8", "surrogateescape")
    if signs.isascii():
        return body
    units = re.sub(r"[^\x00-\x7f]", lambda one: _escape_character(one[0]), signs)
    return units.encode("ascii", "replace")


def _escape_character(sign: str) -> str:
    coded = sign.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{coded[at : at + 4]}" for at in range(0, len(coded), 4))


def _is_authentic(incoming: IncomingDelivery) -> bool:
    """By `X-Open-Signature`; where only their other products' header came, by that."""
    if mark := incoming.header("x-open-signature"):
        return signature_matches(incoming, mark, over=escape_non_ascii(incoming.body))
    stamped = _TIMESTAMPED_SIGNATURE.fullmatch(incoming.header("tiktok-signature") or "")
    return stamped is not None and signature_matches(
        incoming, stamped[2], over=stamped[1].encode() + b"." + incoming.body
    )


def _read_inquiry(entry: Fields, incoming: IncomingDelivery, notes: ReadingNotes) -> ParsedInquiry:
    answers: list[tuple[Any, Any]] = [
        (part.get("field"), part.get("value")) for part in entry.parts("changes")
    ]
    at = parse_epoch(entry.get("create_time"), "create_time", notes)
    ids = {ours: vendor_identifier(entry.get(theirs)) for theirs, ours in _ID_FIELDS.items()}
    lead = build_canonical_lead(
        fields_from_answers(answers, notes),
        notes,
        source=Source.TIKTOK_LEAD_GEN,
        channel=CHANNEL,
        received_at=incoming.received_at,
        zone=incoming.endpoint.zone,
        is_test=incoming.endpoint.is_test,
    )
    lead = replace(
        lead,
        vendor_lead_id=vendor_identifier(entry.get("id")),
        vendor_ids={name: one for name, one in ids.items() if one},
        campaign=short_text(entry.get("campaign_name")) or ids["campaign_id"],
        submitted_at=at,
        submitted_at_precision=Precision.SECOND if at else None,
    )
    notes.keep_unread(entry)
    if not answers:
        notes.warn("empty_fields")
    return ParsedInquiry(lead=lead, notes=notes, problem="" if answers else "no_contact")
