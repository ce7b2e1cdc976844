"""HubSpot contacts: exported files, and answers of its interface. Format: docs/sources/crm.md."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rooftree.capture.crm_shapes import listed
from rooftree.capture.envelope import Credential, Envelope, Incoming
from rooftree.capture.imports.records import Cells, Kind, ids, trouble
from rooftree.capture.imports.records import read as read_records
from rooftree.capture.normalise import emails, phones, text, third_party_email
from rooftree.capture.notes import Fields, Notes, as_text
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
NAMES = {
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
BESIDE = {
    **dict.fromkeys(("phone", "phonenumber", "mobilephone", "mobilephonenumber"), "phone"),
    **dict.fromkeys(("email", "hsadditionalemails", "additionalemailaddresses"), "email"),
    **dict.fromkeys(("lifecyclestage", "leadstatus", "hsleadstatus"), "vendor_status"),
    **dict.fromkeys(("hubspotownerid", "contactowner", "hsmergedobjectids"), "vendor_ids"),
}
_OWNER = re.compile(r"(.*?)\s*\(([^()\s]+@[^()\s]+)\)")
_TO_THE_MINUTE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d")


def read(incoming: Incoming) -> Envelope:
    """An export, an answer, or one row. Never raises."""
    return read_records(incoming, KIND)


def _records(found: Mapping[str, Any]) -> list[Cells]:
    if found.get("status") == "error":
        raise trouble(found.get("category") or found.get("message"))
    return [_flat(one) for one in listed(found.get("results"))]


def _flat(one: Cells) -> Cells:
    inside = one.get("properties")
    told = inside if isinstance(inside, dict) else {}
    return {"hs_object_id": one.get("id"), "createdate": one.get("createdAt"), **told}


def _plain(column: str) -> str:
    """An opt-out of one kind of e-mail has its number in its name."""
    return "hs_email_optout" if column.startswith("hs_email_optout_") else column


def _several(value: Any) -> list[str]:
    """Values of merged contacts stand in one field, with semicolons between."""
    return [one for one in as_text(value).split(";") if one.strip()]


def _finish(lead: CanonicalLead, cells: Fields, notes: Notes) -> CanonicalLead:
    mobile = _several(cells.first("mobilephone", "Mobile Phone Number"))
    number = _several(cells.first("phone", "Phone Number"))
    more = _several(cells.first("hs_additional_emails", "Additional email addresses"))
    stage = (
        text(cells.first("lifecyclestage", "Lifecycle Stage")),
        text(cells.first("hs_lead_status", "Lead Status")),
    )
    made = as_text(cells.first("createdate", "Create Date"))
    is_rough = bool(_TO_THE_MINUTE.fullmatch(made))
    return replace(
        lead,
        submitted_at_precision=Precision.MINUTE if is_rough else lead.submitted_at_precision,
        phones=phones(
            [(one, PhoneType.MOBILE) for one in mobile]
            + [(one, PhoneType.UNKNOWN) for one in number],
            notes,
        ),
        emails=emails([*_several(cells.first("email", "Email")), *more], notes),
        vendor_status="/".join(filter(None, stage)) or None,
        recipient=_owner(cells.first("Contact owner")),
        vendor_ids=ids(
            owner_id=cells.get("hubspot_owner_id"), merged_ids=cells.get("hs_merged_object_ids")
        ),
    )


def _owner(value: Any) -> Recipient | None:
    """Written "Dana Okafor (dana@example.com)"."""
    said = text(value)
    if said is None:
        return None
    found = _OWNER.fullmatch(said)
    if found is None:
        return Recipient(name=said)
    return Recipient(name=text(found[1]), email=third_party_email(found[2]))


KIND = Kind(
    source=Source.CRM_HUBSPOT,
    names=NAMES,
    finish=_finish,
    records=_records,
    plain=_plain,
    beside=BESIDE,
)
