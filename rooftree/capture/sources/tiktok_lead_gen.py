"""TikTok lead generation: signed, the answers inline, several leads a post.

Wire format: docs/sources/tiktok_lead_gen.md.
"""

import re
from dataclasses import replace
from typing import Any

from rooftree.capture.ad_form import fields_of
from rooftree.capture.conclude import Read, conclude_each
from rooftree.capture.envelope import Credential, Envelope, Incoming, ignored, json_answer
from rooftree.capture.mapped import lead_of
from rooftree.capture.normalise import epoch, identifier, text
from rooftree.capture.notes import Fields, Notes
from rooftree.capture.webhook import opened, signed
from rooftree.leads.vocabulary import Channel, Precision, Source

LABEL = "TikTok lead generation"
PATHS = ["tiktok_lead_gen/<token>"]
CHANNEL = Channel.PAID_SOCIAL
CREDENTIALS = (
    Credential(key="secret", label="App secret", help="TikTok for Business, My Apps, App Detail"),
)
_DONE = json_answer(200, code=0)
_IDS = {
    "page_id": "page_id",
    "advertiser_id": "account_id",
    "campaign_id": "campaign_id",
    "adgroup_id": "adset_id",
    "ad_id": "ad_id",
}
_MOST = 1_000  # leads of one post
_STAMPED = re.compile(r"\s*t\s*=\s*(\d{1,15})\s*,\s*s\s*=\s*([0-9A-Fa-f]{64})\s*")


def read(incoming: Incoming) -> Envelope:
    """The leads of one post. Never raises."""
    notes = Notes()
    found = opened(incoming, notes, is_authentic=_is_authentic(incoming))
    if isinstance(found, Envelope):
        return found
    if text(found.get("object")) != "1":
        return ignored("object_not_lead", _DONE)
    named: dict[str, Fields] = {}
    for entry in found.parts("entry"):
        if lead_id := identifier(entry.get("id")):
            named.setdefault(lead_id, entry)
    if not named:
        return ignored("no_entry", _DONE)
    read = [_inquiry(entry, incoming, Notes()) for entry in [*named.values()][:_MOST]]
    read[0].notes.warnings.update(notes.warnings)
    key = "tiktok:" + ",".join(one.lead.vendor_lead_id or "" for one in read)
    return conclude_each(read, _DONE, key=key)


def escaped(body: bytes) -> bytes:
    r"""The text TikTok signs: every character outside ASCII as \uXXXX, pairs for the rare ones."""
    signs = body.decode("utf-8", "surrogateescape")
    if signs.isascii():
        return body
    units = re.sub(r"[^\x00-\x7f]", lambda one: _escape(one[0]), signs)
    return units.encode("ascii", "replace")


def _escape(sign: str) -> str:
    coded = sign.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{coded[at : at + 4]}" for at in range(0, len(coded), 4))


def _is_authentic(incoming: Incoming) -> bool:
    """By `X-Open-Signature`; where only their other products' header came, by that."""
    if mark := incoming.header("x-open-signature"):
        return signed(incoming, mark, over=escaped(incoming.body))
    stamped = _STAMPED.fullmatch(incoming.header("tiktok-signature") or "")
    return stamped is not None and signed(
        incoming, stamped[2], over=stamped[1].encode() + b"." + incoming.body
    )


def _inquiry(entry: Fields, incoming: Incoming, notes: Notes) -> Read:
    answers: list[tuple[Any, Any]] = [
        (one.get("field"), one.get("value")) for one in entry.parts("changes")
    ]
    at = epoch(entry.get("create_time"), "create_time", notes)
    ids = {ours: identifier(entry.get(theirs)) for theirs, ours in _IDS.items()}
    lead = lead_of(
        fields_of(answers, notes),
        notes,
        source=Source.TIKTOK_LEAD_GEN,
        channel=CHANNEL,
        received_at=incoming.received_at,
        zone=incoming.endpoint.zone,
        is_test=incoming.endpoint.is_test,
    )
    lead = replace(
        lead,
        vendor_lead_id=identifier(entry.get("id")),
        vendor_ids={name: one for name, one in ids.items() if one},
        campaign=text(entry.get("campaign_name")) or ids["campaign_id"],
        submitted_at=at,
        submitted_at_precision=Precision.SECOND if at else None,
    )
    notes.keep_all(entry)
    if not answers:
        notes.warn("empty_fields")
    return Read(lead=lead, notes=notes, problem="" if answers else "no_contact")
