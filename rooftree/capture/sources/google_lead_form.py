"""Google Ads lead forms: one lead a POST, its key in the body. docs/sources/google_lead_form.md."""

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
    Credential(key="secret", label="Webhook key", help="Any words; type the same at Google Ads"),
)
_ID_FIELDS = ("form_id", "campaign_id", "adgroup_id", "creative_id", "asset_group_id")


def read(incoming: IncomingDelivery) -> Envelope:
    """One lead. Never raises. A 4xx is final to Google, a 5xx is sent again."""
    if incoming.is_too_large():
        answer = json_answer(413, message="too large")
        return rejected_envelope(Outcome.REJECTED_TOO_LARGE, "too_large", answer)
    notes = ReadingNotes()
    told = content_charset(incoming.header("content-type"))
    try:
        found = Fields(parse_json_object(incoming.masked.body, notes, told=told))
    except UnreadableBody as error:
        answer = json_answer(400, message=str(error).replace("_", " "))
        return rejected_envelope(Outcome.REJECTED_MALFORMED, str(error), answer)
    key = short_text(found.get("google_key"))
    if not (incoming.is_verified or secrets_match(key, incoming.endpoint.secret)):
        return rejected_envelope(
            Outcome.REJECTED_AUTH, "bad_key", json_answer(400, message="invalid key")
        )
    notes.warn_of_secrets(incoming.masked.found)
    lead = _build_lead(found, incoming, notes)
    notes.keep_unread(found)
    key = f"google:{lead.vendor_lead_id}" if lead.vendor_lead_id else None
    return build_envelope(lead, json_answer(200), notes, key=key)


def _build_lead(found: Fields, incoming: IncomingDelivery, notes: ReadingNotes) -> CanonicalLead:
    at, precision = parse_moment(
        found.get("lead_submit_time"), "lead_submit_time", notes, zone="UTC"
    )
    lead = build_canonical_lead(
        fields_from_answers(_list_answers(found.parts("user_column_data")), notes),
        notes,
        source=Source.GOOGLE_LEAD_FORM,
        channel=CHANNEL,
        received_at=incoming.received_at,
        zone=incoming.endpoint.zone,
        is_test=incoming.endpoint.is_test or yes_or_no(found.get("is_test")) is True,
    )
    click, through = short_text(found.get("gcl_id")), short_text(found.get("lead_source"))
    return replace(
        lead,
        vendor_lead_id=vendor_identifier(found.get("lead_id")),
        vendor_ids=_build_vendor_ids(found),
        campaign=_build_vendor_ids(found).get("campaign_id"),
        sub_source=None if through == "LEAD_FORM" else through,
        submitted_at=at,
        submitted_at_precision=precision,
        attribution=Attribution(gclid=click) if click else None,
    )


def _list_answers(columns: list[Fields]) -> list[tuple[Any, Any]]:
    """A predefined question by its id; one of the advertiser's own by its words."""
    return [
        (column.get("column_id") or column.get("column_name"), column.get("string_value"))
        for column in columns
    ]


def _build_vendor_ids(found: Fields) -> dict[str, str]:
    """Ids of 0 stand for none."""
    ids = {name: vendor_identifier(found.get(name)) for name in _ID_FIELDS}
    return {name: one for name, one in ids.items() if one and one != "0"}
