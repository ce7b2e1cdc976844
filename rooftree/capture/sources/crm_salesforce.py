"""Salesforce leads: its Data Export files, and answers of a query. Format: docs/sources/crm.md."""

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
    Credential(key="domain", label="My Domain", help="As https://yours.my.salesforce.com"),
    Credential(key="client_id", label="Consumer key", help="Of an external client app"),
    Credential(key="client_secret", label="Consumer secret"),
)
FIELD_NAMES = {
    "phone": "work_phone",
    "mobilephone": "mobile",
    "postalcode": "zip",
    "description": "message",
    "company": "",  # required over there, and no lender's borrower has one
    "rating": "",
    "hasoptedoutofmobile": "do_not_text",
    "et4ae5hasoptedoutofmobile": "do_not_text",
}
_NAIVE_TIME = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d")
_ID_SUFFIX_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


def read(incoming: IncomingDelivery) -> Envelope:
    """An export, an answer, or one row. Never raises."""
    return read_records(incoming, RECORD_FORMAT)


def _extract_records(found: Mapping[str, Any]) -> list[Cells]:
    """An error is a list that stands alone."""
    items = found.get("items")
    if isinstance(items, list):
        first = items[0] if items and isinstance(items[0], dict) else {}
        raise build_system_error(first.get("errorCode"))
    return list_objects(found.get("records"))


def _prepare_cells(cells: Cells) -> Cells:
    """Times of an export are UTC and do not say so (KNOWN); its ids may be the short ones."""
    found = {
        name: f"{value}Z" if _NAIVE_TIME.fullmatch(as_text(value)) else value
        for name, value in cells.items()
    }
    return {**found, "Id": to_long_id(as_text(found.get("Id")))}


def _normalize_column(column: str) -> str:
    """A custom field's name without its mark."""
    return column.removesuffix("__c")


def to_long_id(key: str) -> str:
    """The 18 letters of an id of 15: three more tell which of its letters are capitals."""
    if len(key) != 15:
        return key
    signs = [
        sum(1 << at for at, sign in enumerate(key[nth : nth + 5]) if sign.isupper())
        for nth in (0, 5, 10)
    ]
    return key + "".join(_ID_SUFFIX_ALPHABET[sign] for sign in signs)


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
    names=FIELD_NAMES,
    finish=_finish_lead,
    records=_extract_records,
    prepare=_prepare_cells,
    plain=_normalize_column,
)
