"""Zoho CRM leads: exported files and API answers. Format: docs/sources/crm.md."""

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
from rooftree.capture.parsing.normalize_values import short_text, third_party_email
from rooftree.capture.parsing.reading_notes import Fields, ReadingNotes, as_text
from rooftree.leads.canonical import CanonicalLead, Recipient
from rooftree.leads.vocabulary import Channel, Source

LABEL = "Zoho CRM: exported leads"
PATHS = ["crm_zoho/<token>"]
CHANNEL = Channel.IMPORT
CREDENTIALS = (
    Credential(key="data_center", label="Data center", help="com for the United States"),
    Credential(key="client_id", label="Client ID", help="Zoho API console, self client"),
    Credential(key="client_secret", label="Client secret"),
    Credential(key="refresh_token", label="Refresh token"),
)
FIELD_NAMES = {
    "mobile": "mobile",
    "emailoptout": "do_not_email",
    "description": "message",
    "company": "",
    "rating": "",
}
_OWNER_COLUMNS = ("Owner", "Lead Owner")
_ID_PREFIX = "zcrm_"  # on every id of an export, on none of an API answer


def read(incoming: IncomingDelivery) -> Envelope:
    """Read an export, an API answer, or one row. Never raises."""
    return read_records(incoming, RECORD_FORMAT)


def _extract_records(payload: Mapping[str, Any]) -> list[Cells]:
    if payload.get("status") == "error":
        raise build_system_error(payload.get("code"))
    return list_objects(payload.get("data"))


def _prepare_cells(cells: Cells) -> Cells:
    """Strip the id prefix of an export, and flatten the owner."""
    prepared = {
        name: value.removeprefix(_ID_PREFIX) if isinstance(value, str) else value
        for name, value in cells.items()
    }
    owner = cells.get("Owner")
    if not isinstance(owner, dict):
        return prepared
    owner_cells = {"Owner.id": owner.get("id"), "Owner.email": owner.get("email")}
    return {**prepared, "Owner": owner.get("name"), **owner_cells}


def _finish_lead(lead: CanonicalLead, cells: Fields, _: ReadingNotes) -> CanonicalLead:
    owner = short_text(cells.first_value(*_OWNER_COLUMNS))
    email = third_party_email(as_text(cells.first_value("Owner.email", "Lead Owner.email")))
    return replace(
        lead,
        recipient=Recipient(name=owner, email=email) if owner or email else None,
        vendor_ids=nonempty_ids(owner_id=cells.first_value("Owner.id", "Lead Owner.id")),
    )


RECORD_FORMAT = RecordFormat(
    source=Source.CRM_ZOHO,
    field_names=FIELD_NAMES,
    finish_lead=_finish_lead,
    extract_records=_extract_records,
    prepare_cells=_prepare_cells,
)
