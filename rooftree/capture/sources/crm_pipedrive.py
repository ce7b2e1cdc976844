"""Pipedrive leads and deals with their persons: files and answers. Format: docs/sources/crm.md."""

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
    """An export, an answer, or one row. Never raises."""
    return read_records(incoming, RECORD_FORMAT)


def _extract_records(found: Mapping[str, Any]) -> list[Cells]:
    """Leads or deals, joined with their persons and the names of fields of the company's own."""
    if found.get("success") is False:
        raise build_system_error(found.get("errorCode") or found.get("error"))
    people, called = _nested_dict(found, "person_lookup"), _nested_dict(found, "field_lookup")
    stages = _nested_dict(found, "stage_lookup")
    return [
        _flatten_record(
            {**list_object, "status": _status_and_stage(list_object, stages)}, people, called
        )
        for list_object in list_objects(found.get("data"))
    ]


def _status_and_stage(one: Cells, stages: Mapping[str, Any]) -> Any:
    """Open, won or lost, and at which stage, where its name is known."""
    stage = as_text(stages.get(as_text(one.get("stage_id"))))
    return f"{as_text(one.get('status'))}/{stage}" if stage else one.get("status")


def _nested_dict(found: Mapping[str, Any], key: str) -> dict[str, Any]:
    part = found.get(key)
    return part if isinstance(part, dict) else {}


def _flatten_record(one: Cells, people: Mapping[str, Any], called: Mapping[str, Any]) -> Cells:
    person = _nested_dict(people, as_text(one.get("person_id")))
    own = {**one, **_nested_dict(one, "custom_fields")}
    named = {
        as_text(called.get(key)) or key: _amount_and_currency(value)[0] or value
        for key, value in own.items()
    }
    dollars, currency = _amount_and_currency(one.get("value"), one.get("currency"))
    is_lead = isinstance(one.get("id"), str)
    return {
        **named,
        "key": f"{'lead' if is_lead else 'deal'}:{as_text(one.get('id'))}",
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
    """A value and its currency, of one object or of two fields."""
    if isinstance(value, dict):
        return as_text(value.get("amount") or value.get("value")), as_text(value.get("currency"))
    return as_text(value) if currency is not None else "", as_text(currency)


def _prepare_cells(cells: Cells) -> Cells:
    """An export has its numbers, its value and its id in columns of their own."""
    found = dict(cells)
    for name, value in cells.items():
        word = _normalize_column(name).partition(" - ")[0].strip().lower()
        if word in ("phone", "email") and isinstance(value, str):
            told = {"value": value, "label": name.rpartition(" - ")[2].strip().lower()}
            found[f"{word}s"] = [*(found.get(f"{word}s") or []), told]
    for kind in ("Lead", "Deal"):
        if number := as_text(cells.get(f"{kind} - ID")):
            found["key"] = f"{kind.lower()}:{number}"
            found["dollars"] = as_text(cells.get(f"{kind} - Value"))
            found["currency"] = as_text(cells.get(f"{kind} - Currency"))
    if (found.get("currency") or "USD") != "USD":
        found["foreign"] = f"{as_text(found['dollars'])} {as_text(found['currency'])}"
        found["dollars"] = ""
    return found


def _normalize_column(column: str) -> str:
    """A column of an export names what it belongs to: "Person - Email - Work"."""
    return _COLUMN_PREFIX.sub("", column)


def _finish_lead(lead: CanonicalLead, cells: Fields, notes: ReadingNotes) -> CanonicalLead:
    numbers, addresses = (
        _sorted_contacts(cells.get("phones")),
        _sorted_contacts(cells.get("emails")),
    )
    if cells.get("foreign"):
        notes.warn("currency_not_usd")
        notes.keep("value", cells.get("foreign"))
    if not cells.get("first_name") and _has_unsplit_name(as_text(cells.get("name"))):
        notes.warn("name_split_guessed")
    return replace(
        lead,
        phones=phone_numbers(
            [
                (
                    number.get("value"),
                    PHONE_TYPES.get(as_text(number.get("label")), PhoneType.UNKNOWN),
                )
                for number in numbers
            ],
            notes,
        ),
        emails=email_addresses([address.get("value") for address in addresses], notes),
        vendor_ids=nonempty_ids(
            person_id=cells.get("person_id"),
            owner_id=cells.get("owner_id"),
            stage_id=cells.get("stage_id"),
        ),
    )


def _sorted_contacts(value: Any) -> list[dict[str, Any]]:
    """Their list of numbers or addresses, the primary one first; kept in a row, it is JSON."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return []
    return sorted(list_objects(value), key=lambda one: one.get("primary") is not True)


def _has_unsplit_name(name: str) -> bool:
    """A name of a script whose order of first and last name is another."""
    return any(unicodedata.name(sign, "").startswith(_UNSPLIT_SCRIPTS) for sign in name)


RECORD_FORMAT = RecordFormat(
    source=Source.CRM_PIPEDRIVE,
    names=FIELD_NAMES,
    finish=_finish_lead,
    records=_extract_records,
    prepare=_prepare_cells,
    plain=_normalize_column,
    beside=FIXED_COLUMNS,
)
