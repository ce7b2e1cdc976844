"""HubSpot contacts: exported files and API answers. Format: docs/sources/crm.md."""

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
        help="Settings, Integrations, Private apps; starts with pat-",
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
_OWNER_PATTERN = re.compile(r"(.*)\(([^()\s@]+@[^()\s@]+)\)")
_MINUTE_PATTERN = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d")


def read(incoming: IncomingDelivery) -> Envelope:
    """Read an export, an API answer, or one row. Never raises."""
    return read_records(incoming, RECORD_FORMAT)


def _extract_records(payload: Mapping[str, Any]) -> list[Cells]:
    if payload.get("status") == "error":
        raise build_system_error(payload.get("category") or payload.get("message"))
    records = []
    for contact in list_objects(payload.get("results")):
        properties = contact.get("properties")
        ids = {"hs_object_id": contact.get("id"), "createdate": contact.get("createdAt")}
        records.append({**ids, **(properties if isinstance(properties, dict) else {})})
    return records


def _split_values(value: Any) -> list[str]:
    """Split the values of merged contacts, which share a field separated by semicolons."""
    return [part for part in as_text(value).split(";") if part.strip()]


def _finish_lead(lead: CanonicalLead, cells: Fields, notes: ReadingNotes) -> CanonicalLead:
    mobiles = _split_values(cells.first_value("mobilephone", "Mobile Phone Number"))
    phones = _split_values(cells.first_value("phone", "Phone Number"))
    more_emails = _split_values(
        cells.first_value("hs_additional_emails", "Additional email addresses")
    )
    stage = (
        short_text(cells.first_value("lifecyclestage", "Lifecycle Stage")),
        short_text(cells.first_value("hs_lead_status", "Lead Status")),
    )
    created_text = as_text(cells.first_value("createdate", "Create Date"))
    is_to_the_minute = bool(_MINUTE_PATTERN.fullmatch(created_text))
    return replace(
        lead,
        submitted_at_precision=Precision.MINUTE
        if is_to_the_minute
        else lead.submitted_at_precision,
        phones=phone_numbers(
            [(number, PhoneType.MOBILE) for number in mobiles]
            + [(number, PhoneType.UNKNOWN) for number in phones],
            notes,
        ),
        emails=email_addresses(
            [*_split_values(cells.first_value("email", "Email")), *more_emails], notes
        ),
        vendor_status="/".join(filter(None, stage)) or None,
        recipient=_parse_owner(cells.first_value("Contact owner")),
        vendor_ids=nonempty_ids(
            owner_id=cells.get("hubspot_owner_id"), merged_ids=cells.get("hs_merged_object_ids")
        ),
    )


def _parse_owner(value: Any) -> Recipient | None:
    """Parse an owner written as "Dana Okafor (dana@example.com)"."""
    text = short_text(value)
    if text is None:
        return None
    match = _OWNER_PATTERN.fullmatch(text)
    if match is None:
        return Recipient(name=text)
    return Recipient(name=short_text(match[1]), email=third_party_email(match[2]))


RECORD_FORMAT = RecordFormat(
    source=Source.CRM_HUBSPOT,
    field_names=FIELD_NAMES,
    finish_lead=_finish_lead,
    extract_records=_extract_records,
    # HubSpot numbers the opt-out column of each type of email.
    normalize_column=lambda name: re.sub(r"^hs_email_optout_.*", "hs_email_optout", name),
    fixed_columns=FIXED_COLUMNS,
)
