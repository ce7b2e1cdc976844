"""Zoho CRM leads: exported files, and answers of its interface. Format: docs/sources/crm.md."""

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
    Credential(key="client_id", label="Client id", help="Zoho's API console, self client"),
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
_ID_PREFIX = "zcrm_"  # before every id of an export, and of none in an answer


def read(incoming: IncomingDelivery) -> Envelope:
    """An export, an answer, or one row. Never raises."""
    return read_records(incoming, RECORD_FORMAT)


def _extract_records(found: Mapping[str, Any]) -> list[Cells]:
    if found.get("status") == "error":
        raise build_system_error(found.get("code"))
    return list_objects(found.get("data"))


def _prepare_cells(cells: Cells) -> Cells:
    """Ids without the mark of an export; an owner's parts side by side."""
    found = {name: _strip_id_prefix(value) for name, value in cells.items()}
    owner = cells.get("Owner")
    if not isinstance(owner, dict):
        return found
    more = {"Owner.id": owner.get("id"), "Owner.email": owner.get("email")}
    return {**found, "Owner": owner.get("name"), **more}


def _strip_id_prefix(value: Any) -> Any:
    return value.removeprefix(_ID_PREFIX) if isinstance(value, str) else value


def _finish_lead(lead: CanonicalLead, cells: Fields, _: ReadingNotes) -> CanonicalLead:
    owner = short_text(cells.first(*_OWNER_COLUMNS))
    email = third_party_email(as_text(cells.first("Owner.email", "Lead Owner.email")))
    return replace(
        lead,
        recipient=Recipient(name=owner, email=email) if owner or email else None,
        vendor_ids=nonempty_ids(owner_id=cells.first("Owner.id", "Lead Owner.id")),
    )


RECORD_FORMAT = RecordFormat(
    source=Source.CRM_ZOHO,
    names=FIELD_NAMES,
    finish=_finish_lead,
    records=_extract_records,
    prepare=_prepare_cells,
)
