"""Google Ads lead forms: one lead per POST, key in the body. docs/sources/google_lead_form.md."""

from dataclasses import replace
from typing import Any

from rooftree.capture.parsing.ad_form_answers import fields_from_answers
from rooftree.capture.parsing.build_envelope import build_envelope
from rooftree.capture.parsing.build_lead import build_canonical_lead
from rooftree.capture.parsing.envelope import (
    Credential,
    Envelope,
    IncomingDelivery,
    Outcome,
    json_answer,
    rejected_envelope,
    secrets_match,
)
from rooftree.capture.parsing.normalize_values import (
    parse_moment,
    short_text,
    vendor_identifier,
    yes_or_no,
)
from rooftree.capture.parsing.reading_notes import Fields, ReadingNotes
from rooftree.capture.parsing.wire_formats import UnreadableBody, content_charset, parse_json_object
from rooftree.leads.canonical import Attribution, CanonicalLead
from rooftree.leads.vocabulary import Channel, Source

LABEL = "Google Ads lead forms"
PATHS = ["google_lead_form/<token>"]
CHANNEL = Channel.PAID_SEARCH
CREDENTIALS = (
    Credential(
        key="secret", label="Webhook key", help="Any text; enter the same text in Google Ads"
    ),
)
_ID_FIELDS = ("form_id", "campaign_id", "adgroup_id", "creative_id", "asset_group_id")


def read(incoming: IncomingDelivery) -> Envelope:
    """Read one lead. Never raises. Google treats a 4xx as final and retries a 5xx."""
    if incoming.is_too_large():
        answer = json_answer(413, message="too large")
        return rejected_envelope(Outcome.REJECTED_TOO_LARGE, "too_large", answer)
    notes = ReadingNotes()
    charset = content_charset(incoming.header("content-type"))
    try:
        payload = Fields(parse_json_object(incoming.masked.body, notes, declared_charset=charset))
    except UnreadableBody as error:
        answer = json_answer(400, message=str(error).replace("_", " "))
        return rejected_envelope(Outcome.REJECTED_MALFORMED, str(error), answer)
    key = short_text(payload.get("google_key"))
    if not (incoming.is_verified or secrets_match(key, incoming.endpoint.secret)):
        return rejected_envelope(
            Outcome.REJECTED_AUTH, "bad_key", json_answer(400, message="invalid key")
        )
    notes.warn_of_secrets(incoming.masked.kinds)
    lead = _build_lead(payload, incoming, notes)
    notes.keep_unread(payload)
    key = f"google:{lead.vendor_lead_id}" if lead.vendor_lead_id else None
    return build_envelope(lead, json_answer(200), notes, key=key)


def _build_lead(payload: Fields, incoming: IncomingDelivery, notes: ReadingNotes) -> CanonicalLead:
    at, precision = parse_moment(
        payload.get("lead_submit_time"), "lead_submit_time", notes, zone="UTC"
    )
    lead = build_canonical_lead(
        fields_from_answers(_list_answers(payload.nested_list("user_column_data")), notes),
        notes,
        source=Source.GOOGLE_LEAD_FORM,
        channel=CHANNEL,
        received_at=incoming.received_at,
        zone=incoming.endpoint.zone,
        is_test=incoming.endpoint.is_test or yes_or_no(payload.get("is_test")) is True,
    )
    click_id, lead_source = (
        short_text(payload.get("gcl_id")),
        short_text(payload.get("lead_source")),
    )
    return replace(
        lead,
        vendor_lead_id=vendor_identifier(payload.get("lead_id")),
        vendor_ids=_build_vendor_ids(payload),
        campaign=_build_vendor_ids(payload).get("campaign_id"),
        sub_source=None if lead_source == "LEAD_FORM" else lead_source,
        submitted_at=at,
        submitted_at_precision=precision,
        attribution=Attribution(gclid=click_id) if click_id else None,
    )


def _list_answers(columns: list[Fields]) -> list[tuple[Any, Any]]:
    """Pair each answer with its question: a predefined one by id, a custom one by its words."""
    return [
        (column.get("column_id") or column.get("column_name"), column.get("string_value"))
        for column in columns
    ]


def _build_vendor_ids(payload: Fields) -> dict[str, str]:
    """Return Google's ids; an id of 0 means none."""
    ids = {name: vendor_identifier(payload.get(name)) for name in _ID_FIELDS}
    return {name: value for name, value in ids.items() if value and value != "0"}
