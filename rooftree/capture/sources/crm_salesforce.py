"""Salesforce leads: Data Export files and query answers. Format: docs/sources/crm.md."""

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
from rooftree.capture.parsing.reading_notes import Fields, ReadingNotes, as_text
from rooftree.leads.canonical import CanonicalLead
from rooftree.leads.vocabulary import Channel, Source

LABEL = "Salesforce: exported leads"
PATHS = ["crm_salesforce/<token>"]
CHANNEL = Channel.IMPORT
CREDENTIALS = (
    Credential(key="domain", label="My Domain", help="Such as https://yours.my.salesforce.com"),
    Credential(key="client_id", label="Consumer key", help="From an external client app"),
    Credential(key="client_secret", label="Consumer secret"),
)
FIELD_NAMES = {
    "phone": "work_phone",
    "mobilephone": "mobile",
    "postalcode": "zip",
    "description": "message",
    "company": "",  # required by Salesforce, meaningless for a borrower
    "rating": "",
    "hasoptedoutofmobile": "do_not_text",
    "et4ae5hasoptedoutofmobile": "do_not_text",
}
_NAIVE_TIME = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d")
_ID_SUFFIX_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


def read(incoming: IncomingDelivery) -> Envelope:
    """Read an export, an API answer, or one row. Never raises."""
    return read_records(incoming, RECORD_FORMAT)


def _extract_records(payload: Mapping[str, Any]) -> list[Cells]:
    """Return the records; raise on an error, which comes as a bare list."""
    items = payload.get("items")
    if isinstance(items, list):
        first = items[0] if items and isinstance(items[0], dict) else {}
        raise build_system_error(first.get("errorCode"))
    return list_objects(payload.get("records"))


def _prepare_cells(cells: Cells) -> Cells:
    """Mark an export's times as UTC, which they are without saying so (KNOWN); lengthen its id."""
    prepared = {
        name: f"{value}Z" if _NAIVE_TIME.fullmatch(as_text(value)) else value
        for name, value in cells.items()
    }
    return {**prepared, "Id": to_long_id(as_text(prepared.get("Id")))}


def to_long_id(key: str) -> str:
    """Convert a 15-character id to 18; the last three encode which letters are upper case."""
    if len(key) != 15:
        return key
    suffix_indexes = [
        sum(1 << bit for bit, character in enumerate(key[start : start + 5]) if character.isupper())
        for start in (0, 5, 10)
    ]
    return key + "".join(_ID_SUFFIX_ALPHABET[character] for character in suffix_indexes)


def _finish_lead(lead: CanonicalLead, cells: Fields, _: ReadingNotes) -> CanonicalLead:
    return replace(
        lead,
        vendor_ids=nonempty_ids(
            owner_id=cells.get("OwnerId"),
            opportunity_id=cells.get("ConvertedOpportunityId"),
            account_id=cells.get("ConvertedAccountId"),
            contact_id=cells.get("ConvertedContactId"),
        ),
    )


RECORD_FORMAT = RecordFormat(
    source=Source.CRM_SALESFORCE,
    field_names=FIELD_NAMES,
    finish_lead=_finish_lead,
    extract_records=_extract_records,
    prepare_cells=_prepare_cells,
    normalize_column=lambda name: name.removesuffix("__c"),  # the mark of a custom field
)
