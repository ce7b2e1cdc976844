"""Google Ads lead forms: one lead a POST, its key in the body. docs/sources/google_lead_form.md."""

from dataclasses import replace
from typing import Any

from rooftree.capture.ad_form import fields_of
from rooftree.capture.conclude import conclude
from rooftree.capture.envelope import (
    Credential,
    Envelope,
    Incoming,
    Outcome,
    json_answer,
    refused,
    same_secret,
)
from rooftree.capture.mapped import lead_of
from rooftree.capture.normalise import identifier, moment, text, yes_or_no
from rooftree.capture.notes import Fields, Notes
from rooftree.capture.wire import Unreadable, charset, json_object
from rooftree.leads.canonical import Attribution, CanonicalLead
from rooftree.leads.vocabulary import Channel, Source

LABEL = "Google Ads lead forms"
PATHS = ["google_lead_form/<token>"]
CHANNEL = Channel.PAID_SEARCH
CREDENTIALS = (
    Credential(key="secret", label="Webhook key", help="Any words; type the same at Google Ads"),
)
_IDS = ("form_id", "campaign_id", "adgroup_id", "creative_id", "asset_group_id")


def read(incoming: Incoming) -> Envelope:
    """One lead. Never raises. A 4xx is final to Google, a 5xx is sent again."""
    if incoming.is_too_large():
        answer = json_answer(413, message="too large")
        return refused(Outcome.REJECTED_TOO_LARGE, "too_large", answer)
    notes = Notes()
    told = charset(incoming.header("content-type"))
    try:
        found = Fields(json_object(incoming.masked.body, notes, told=told))
    except Unreadable as error:
        answer = json_answer(400, message=str(error).replace("_", " "))
        return refused(Outcome.REJECTED_MALFORMED, str(error), answer)
    key = text(found.get("google_key"))
    if not (incoming.is_verified or same_secret(key, incoming.endpoint.secret)):
        return refused(Outcome.REJECTED_AUTH, "bad_key", json_answer(400, message="invalid key"))
    notes.warn_of(incoming.masked.found)
    lead = _lead(found, incoming, notes)
    notes.keep_all(found)
    key = f"google:{lead.vendor_lead_id}" if lead.vendor_lead_id else None
    return conclude(lead, json_answer(200), notes, key=key)


def _lead(found: Fields, incoming: Incoming, notes: Notes) -> CanonicalLead:
    at, precision = moment(found.get("lead_submit_time"), "lead_submit_time", notes, zone="UTC")
    lead = lead_of(
        fields_of(_answers(found.parts("user_column_data")), notes),
        notes,
        source=Source.GOOGLE_LEAD_FORM,
        channel=CHANNEL,
        received_at=incoming.received_at,
        zone=incoming.endpoint.zone,
        is_test=incoming.endpoint.is_test or yes_or_no(found.get("is_test")) is True,
    )
    click, through = text(found.get("gcl_id")), text(found.get("lead_source"))
    return replace(
        lead,
        vendor_lead_id=identifier(found.get("lead_id")),
        vendor_ids=_ids(found),
        campaign=_ids(found).get("campaign_id"),
        sub_source=None if through == "LEAD_FORM" else through,
        submitted_at=at,
        submitted_at_precision=precision,
        attribution=Attribution(gclid=click) if click else None,
    )


def _answers(columns: list[Fields]) -> list[tuple[Any, Any]]:
    """A predefined question by its id; one of the advertiser's own by its words."""
    return [
        (one.get("column_id") or one.get("column_name"), one.get("string_value")) for one in columns
    ]


def _ids(found: Fields) -> dict[str, str]:
    """Ids of 0 stand for none."""
    ids = {name: identifier(found.get(name)) for name in _IDS}
    return {name: one for name, one in ids.items() if one and one != "0"}
