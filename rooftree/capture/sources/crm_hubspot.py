"""HubSpot contacts: exported files, and answers of its interface. Format: docs/sources/crm.md."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rooftree.capture.crms.crm_pages import list_objects
from rooftree.capture.imports.import_records import (
    Cells,
    RecordFormat,
    build_system_error,
    nonempty_ids,
    read_records,
)
from rooftree.capture.parsing.envelope import Credential, Envelope, IncomingDelivery
from rooftree.capture.parsing.normalize_values import (
    email_addresses,
    phone_numbers,
    short_text,
    third_party_email,
)
from rooftree.capture.parsing.reading_notes import Fields, ReadingNotes, as_text
from rooftree.leads.canonical import CanonicalLead, Recipient
from rooftree.leads.vocabulary import Channel, PhoneType, Precision, Source

LABEL = "HubSpot: exported contacts"
PATHS = ["crm_hubspot/<token>"]
CHANNEL = Channel.IMPORT
CREDENTIALS = (
    Credential(
        key="access_token",
        label="Access token",
        help="Settings, Integrations, Private apps; it begins with pat-",
    ),
)
FIELD_NAMES = {
    **dict.fromkeys(("phone", "phonenumber", "mobilephone", "mobilephonenumber", "email"), ""),
    "hsobjectid": "vendor_lead_id",
    "hsanalyticssource": "sub_source",
    "originalsource": "sub_source",
    "originaltrafficsource": "sub_source",
    **dict.fromkeys(("lifecyclestage", "leadstatus", "hsleadstatus", "id"), ""),
    "hsemailoptout": "do_not_email",
    "unsubscribedfromallemail": "do_not_email",
    "streetaddress": "address",
    "stateregion": "state",
}
FIXED_COLUMNS = {
    **dict.fromkeys(("phone", "phonenumber", "mobilephone", "mobilephonenumber"), "phone"),
    **dict.fromkeys(("email", "hsadditionalemails", "additionalemailaddresses"), "email"),
    **dict.fromkeys(("lifecyclestage", "leadstatus", "hsleadstatus"), "vendor_status"),
    **dict.fromkeys(("hubspotownerid", "contactowner", "hsmergedobjectids"), "vendor_ids"),
}
_OWNER_PATTERN = re.compile(r"(.*?)\s*\(([^()\s]+@[^()\s]+)\)")
_MINUTE_PATTERN = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d")


def read(incoming: IncomingDelivery) -> Envelope:
    """An export, an answer, or one row. Never raises."""
    return read_records(incoming, RECORD_FORMAT)


def _extract_records(found: Mapping[str, Any]) -> list[Cells]:
    if found.get("status") == "error":
        raise build_system_error(found.get("category") or found.get("message"))
    return [_flatten_record(list_object) for list_object in list_objects(found.get("results"))]


def _flatten_record(one: Cells) -> Cells:
    inside = one.get("properties")
    told = inside if isinstance(inside, dict) else {}
    return {"hs_object_id": one.get("id"), "createdate": one.get("createdAt"), **told}


def _normalize_column(column: str) -> str:
    """An opt-out of one kind of e-mail has its number in its name."""
    return "hs_email_optout" if column.startswith("hs_email_optout_") else column


def _split_values(value: Any) -> list[str]:
    """Values of merged contacts stand in one field, with semicolons between."""
    return [one for one in as_text(value).split(";") if one.strip()]


def _finish_lead(lead: CanonicalLead, cells: Fields, notes: ReadingNotes) -> CanonicalLead:
    mobile = _split_values(cells.first("mobilephone", "Mobile Phone Number"))
    number = _split_values(cells.first("phone", "Phone Number"))
    more = _split_values(cells.first("hs_additional_emails", "Additional email addresses"))
    stage = (
        short_text(cells.first("lifecyclestage", "Lifecycle Stage")),
        short_text(cells.first("hs_lead_status", "Lead Status")),
    )
    made = as_text(cells.first("createdate", "Create Date"))
    is_rough = bool(_MINUTE_PATTERN.fullmatch(made))
    return replace(
        lead,
        submitted_at_precision=Precision.MINUTE if is_rough else lead.submitted_at_precision,
        phones=phone_numbers(
            [(split_value, PhoneType.MOBILE) for split_value in mobile]
            + [(split_value, PhoneType.UNKNOWN) for split_value in number],
            notes,
        ),
        emails=email_addresses([*_split_values(cells.first("email", "Email")), *more], notes),
        vendor_status="/".join(filter(None, stage)) or None,
        recipient=_parse_owner(cells.first("Contact owner")),
        vendor_ids=nonempty_ids(
            owner_id=cells.get("hubspot_owner_id"), merged_ids=cells.get("hs_merged_object_ids")
        ),
    )


def _parse_owner(value: Any) -> Recipient | None:
    """Written "Dana Okafor (dana@example.com)"."""
    said = short_text(value)
    if said is None:
        return None
    found = _OWNER_PATTERN.fullmatch(said)
    if found is None:
        return Recipient(name=said)
    return Recipient(name=short_text(found[1]), email=third_party_email(found[2]))


RECORD_FORMAT = RecordFormat(
    source=Source.CRM_HUBSPOT,
    names=FIELD_NAMES,
    finish=_finish_lead,
    records=_extract_records,
    plain=_normalize_column,
    beside=FIXED_COLUMNS,
)
