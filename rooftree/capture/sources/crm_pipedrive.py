"""Pipedrive leads and deals: exported files and API answers. Format: docs/sources/crm.md."""

import json
import re
import unicodedata
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
from rooftree.capture.parsing.normalize_values import email_addresses, phone_numbers
from rooftree.capture.parsing.reading_notes import Fields, ReadingNotes, as_text
from rooftree.leads.canonical import CanonicalLead
from rooftree.leads.vocabulary import Channel, PhoneType, Source

LABEL = "Pipedrive: exported leads and deals"
PATHS = ["crm_pipedrive/<token>"]
CHANNEL = Channel.IMPORT
CREDENTIALS = (Credential(key="api_token", label="API token", help="Personal preferences, API"),)
FIELD_NAMES = {
    "key": "vendor_lead_id",
    "addtime": "submitted_at",
    "leadcreated": "submitted_at",
    "dealcreated": "submitted_at",
    "created": "submitted_at",
    "status": "vendor_status",
    "dollars": "loan_amount",
    "sourcename": "sub_source",
    "source": "sub_source",
    **dict.fromkeys(("title", "channel", "id", "phone", "email", "value", "organization"), ""),
}
FIXED_COLUMNS = {
    **{f"phone{kind}": "phone" for kind in ("", "s", "work", "home", "mobile", "other")},
    **{f"email{kind}": "email" for kind in ("", "s", "work", "home", "other")},
    **dict.fromkeys(("personid", "ownerid", "stageid"), "vendor_ids"),
}
PHONE_TYPES = {"mobile": PhoneType.MOBILE, "home": PhoneType.HOME, "work": PhoneType.WORK}
_COLUMN_PREFIX = re.compile(r"^(Person|Lead|Deal)\s*-\s*", re.IGNORECASE)
_UNSPLIT_SCRIPTS = ("CJK", "HANGUL", "HIRAGANA", "KATAKANA")


def read(incoming: IncomingDelivery) -> Envelope:
    """Read an export, an API answer, or one row. Never raises."""
    return read_records(incoming, RECORD_FORMAT)


def _extract_records(payload: Mapping[str, Any]) -> list[Cells]:
    """Return leads or deals, joined with their persons and the names of custom fields."""
    if payload.get("success") is False:
        raise build_system_error(payload.get("errorCode") or payload.get("error"))
    people, field_names = (
        _nested_dict(payload, "person_lookup"),
        _nested_dict(payload, "field_lookup"),
    )
    stages = _nested_dict(payload, "stage_lookup")
    records = []
    for record in list_objects(payload.get("data")):
        status = record.get("status")  # open, won or lost, plus the stage if its name is known
        if stage := as_text(stages.get(as_text(record.get("stage_id")))):
            status = f"{as_text(status)}/{stage}"
        records.append(_flatten_record({**record, "status": status}, people, field_names))
    return records


def _nested_dict(values: Mapping[str, Any], key: str) -> dict[str, Any]:
    nested = values.get(key)
    return nested if isinstance(nested, dict) else {}


def _flatten_record(
    record: Cells, people: Mapping[str, Any], field_names: Mapping[str, Any]
) -> Cells:
    person = _nested_dict(people, as_text(record.get("person_id")))
    values = {**record, **_nested_dict(record, "custom_fields")}
    named_values = {
        as_text(field_names.get(key)) or key: _amount_and_currency(value)[0] or value
        for key, value in values.items()
    }
    dollars, currency = _amount_and_currency(record.get("value"), record.get("currency"))
    is_lead = isinstance(record.get("id"), str)
    return {
        **named_values,
        "key": f"{'lead' if is_lead else 'deal'}:{as_text(record.get('id'))}",
        "name": person.get("name"),
        "first_name": person.get("first_name"),
        "last_name": person.get("last_name"),
        "phones": person.get("phones"),
        "emails": person.get("emails"),
        "value": None,
        "currency": currency,
        "dollars": dollars,
    }


def _amount_and_currency(value: Any, currency: Any = None) -> tuple[str, str]:
    """Return an amount and its currency, from one object or from two fields."""
    if isinstance(value, dict):
        return as_text(value.get("amount") or value.get("value")), as_text(value.get("currency"))
    return as_text(value) if currency is not None else "", as_text(currency)


def _prepare_cells(cells: Cells) -> Cells:
    """Collect the phones, emails, value and id of an export, which has a column for each."""
    prepared = dict(cells)
    for name, value in cells.items():
        word = _normalize_column(name).partition(" - ")[0].strip().lower()
        if word in ("phone", "email") and isinstance(value, str):
            contact = {"value": value, "label": name.rpartition(" - ")[2].strip().lower()}
            prepared[f"{word}s"] = [*(prepared.get(f"{word}s") or []), contact]
    for kind in ("Lead", "Deal"):
        if number := as_text(cells.get(f"{kind} - ID")):
            prepared["key"] = f"{kind.lower()}:{number}"
            prepared["dollars"] = as_text(cells.get(f"{kind} - Value"))
            prepared["currency"] = as_text(cells.get(f"{kind} - Currency"))
    if (prepared.get("currency") or "USD") != "USD":
        prepared["foreign"] = f"{as_text(prepared['dollars'])} {as_text(prepared['currency'])}"
        prepared["dollars"] = ""
    return prepared


def _normalize_column(column: str) -> str:
    """Strip the owner from an export's column name, such as "Person - Email - Work"."""
    return _COLUMN_PREFIX.sub("", column)


def _finish_lead(lead: CanonicalLead, cells: Fields, notes: ReadingNotes) -> CanonicalLead:
    phones, emails = (
        _sorted_contacts(cells.get("phones")),
        _sorted_contacts(cells.get("emails")),
    )
    if cells.get("foreign"):
        notes.warn("currency_not_usd")
        notes.keep_extra("value", cells.get("foreign"))
    name = as_text(cells.get("name"))  # some scripts have their own order of first and last name
    if not cells.get("first_name") and any(
        unicodedata.name(character, "").startswith(_UNSPLIT_SCRIPTS) for character in name
    ):
        notes.warn("name_split_guessed")
    return replace(
        lead,
        phones=phone_numbers(
            [
                (
                    phone.get("value"),
                    PHONE_TYPES.get(as_text(phone.get("label")), PhoneType.UNKNOWN),
                )
                for phone in phones
            ],
            notes,
        ),
        emails=email_addresses([email.get("value") for email in emails], notes),
        vendor_ids=nonempty_ids(
            person_id=cells.get("person_id"),
            owner_id=cells.get("owner_id"),
            stage_id=cells.get("stage_id"),
        ),
    )


def _sorted_contacts(value: Any) -> list[dict[str, Any]]:
    """Return a list of phones or emails, the primary first; in a stored row the list is JSON."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return []
    return sorted(list_objects(value), key=lambda contact: contact.get("primary") is not True)


RECORD_FORMAT = RecordFormat(
    source=Source.CRM_PIPEDRIVE,
    field_names=FIELD_NAMES,
    finish_lead=_finish_lead,
    extract_records=_extract_records,
    prepare_cells=_prepare_cells,
    normalize_column=_normalize_column,
    fixed_columns=FIXED_COLUMNS,
)
