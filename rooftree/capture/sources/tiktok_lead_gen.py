"""TikTok lead generation: signed posts with inline answers, several leads per post.

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
_MAX_LEADS = 1_000  # leads read from one post
_TIMESTAMPED_SIGNATURE = re.compile(r"\s*t\s*=\s*(\d{1,15})\s*,\s*s\s*=\s*([0-9A-Fa-f]{64})\s*")


def read(incoming: IncomingDelivery) -> Envelope:
    """Read the leads of one post. Never raises."""
    notes = ReadingNotes()
    payload = open_webhook(incoming, notes, is_authentic=_is_authentic(incoming))
    if isinstance(payload, Envelope):
        return payload
    if short_text(payload.get("object")) != "1":
        return ignored_envelope("object_not_lead", _OK_ANSWER)
    entries_by_id: dict[str, Fields] = {}
    for entry in payload.nested_list("entry"):
        if lead_id := vendor_identifier(entry.get("id")):
            entries_by_id.setdefault(lead_id, entry)
    if not entries_by_id:
        return ignored_envelope("no_entry", _OK_ANSWER)
    inquiries = [
        _read_inquiry(entry, incoming, ReadingNotes())
        for entry in [*entries_by_id.values()][:_MAX_LEADS]
    ]
    inquiries[0].notes.warnings.update(notes.warnings)
    key = "tiktok:" + ",".join(inquiry.lead.vendor_lead_id or "" for inquiry in inquiries)
    return build_batch_envelope(inquiries, _OK_ANSWER, key=key)


def escape_non_ascii(body: bytes) -> bytes:
    r"""Return the bytes TikTok signs: non-ASCII as \uXXXX, with surrogate pairs where needed."""
    text = body.decode("utf-8", "surrogateescape")
    if text.isascii():
        return body
    escaped = re.sub(r"[^\x00-\x7f]", lambda match: _escape_character(match[0]), text)
    return escaped.encode("ascii", "replace")


def _escape_character(character: str) -> str:
    hex_units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{hex_units[at : at + 4]}" for at in range(0, len(hex_units), 4))


def _is_authentic(incoming: IncomingDelivery) -> bool:
    """Check `X-Open-Signature`, else the `Tiktok-Signature` of TikTok's other products."""
    if signature := incoming.header("x-open-signature"):
        return signature_matches(incoming, signature, over=escape_non_ascii(incoming.body))
    timestamped = _TIMESTAMPED_SIGNATURE.fullmatch(incoming.header("tiktok-signature") or "")
    return timestamped is not None and signature_matches(
        incoming, timestamped[2], over=timestamped[1].encode() + b"." + incoming.body
    )


def _read_inquiry(entry: Fields, incoming: IncomingDelivery, notes: ReadingNotes) -> ParsedInquiry:
    answers: list[tuple[Any, Any]] = [
        (change.get("field"), change.get("value")) for change in entry.nested_list("changes")
    ]
    at = parse_epoch(entry.get("create_time"), "create_time", notes)
    ids = {
        our_name: vendor_identifier(entry.get(vendor_name))
        for vendor_name, our_name in _ID_FIELDS.items()
    }
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
        vendor_ids={name: value for name, value in ids.items() if value},
        campaign=short_text(entry.get("campaign_name")) or ids["campaign_id"],
        submitted_at=at,
        submitted_at_precision=Precision.SECOND if at else None,
    )
    notes.keep_unread(entry)
    if not answers:
        notes.warn("empty_fields")
    return ParsedInquiry(lead=lead, notes=notes, problem="" if answers else "no_contact")
