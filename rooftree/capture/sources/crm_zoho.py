"""Zoho CRM leads: exported files, and answers of its interface. Format: docs/sources/crm.md."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rooftree.capture.crm_shapes import listed
from rooftree.capture.envelope import Credential, Envelope, Incoming
from rooftree.capture.imports.records import Cells, Kind, ids, trouble
from rooftree.capture.imports.records import read as read_records
from rooftree.capture.normalise import text, third_party_email
from rooftree.capture.notes import Fields, Notes, as_text
from rooftree.leads.canonical import CanonicalLead, Recipient
from rooftree.leads.vocabulary import Channel, Source

LABEL = "Zoho CRM: exported leads"
PATHS = ["crm_zoho/<token>"]
CHANNEL = Channel.IMPORT
CREDENTIALS = (
    Credential(key="data_center", label="Data center", help="com for the United States"),
    Credential(key="client_id", label="Client id", help="Zoho's API console, self client"),
    Credential(key="client_secret", label="Client secret"),
    Credential(key="refresh_token", label="Refresh token"),
)
NAMES = {
    "mobile": "mobile",
    "emailoptout": "do_not_email",
    "description": "message",
    "company": "",
    "rating": "",
}
_OWNERS = ("Owner", "Lead Owner")
_MARK = "zcrm_"  # before every id of an export, and of none in an answer


def read(incoming: Incoming) -> Envelope:
    """An export, an answer, or one row. Never raises."""
    return read_records(incoming, KIND)


def _records(found: Mapping[str, Any]) -> list[Cells]:
    if found.get("status") == "error":
        raise trouble(found.get("code"))
    return listed(found.get("data"))


def _prepare(cells: Cells) -> Cells:
    """Ids without the mark of an export; an owner's parts side by side."""
    found = {name: _bare(value) for name, value in cells.items()}
    owner = cells.get("Owner")
    if not isinstance(owner, dict):
        return found
    more = {"Owner.id": owner.get("id"), "Owner.email": owner.get("email")}
    return {**found, "Owner": owner.get("name"), **more}


def _bare(value: Any) -> Any:
    return value.removeprefix(_MARK) if isinstance(value, str) else value


def _finish(lead: CanonicalLead, cells: Fields, _: Notes) -> CanonicalLead:
    owner = text(cells.first(*_OWNERS))
    email = third_party_email(as_text(cells.first("Owner.email", "Lead Owner.email")))
    return replace(
        lead,
        recipient=Recipient(name=owner, email=email) if owner or email else None,
        vendor_ids=ids(owner_id=cells.first("Owner.id", "Lead Owner.id")),
    )


KIND = Kind(source=Source.CRM_ZOHO, names=NAMES, finish=_finish, records=_records, prepare=_prepare)
