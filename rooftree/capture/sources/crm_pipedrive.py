"""Pipedrive leads and deals with their persons: files and answers. Format: docs/sources/crm.md."""

import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rooftree.capture.crm_shapes import listed
from rooftree.capture.envelope import Credential, Envelope, Incoming
from rooftree.capture.imports.records import Cells, Kind, ids, trouble
from rooftree.capture.imports.records import read as read_records
from rooftree.capture.normalise import emails, phones
from rooftree.capture.notes import Fields, Notes, as_text
from rooftree.leads.canonical import CanonicalLead
from rooftree.leads.vocabulary import Channel, PhoneType, Source

LABEL = "Pipedrive: exported leads and deals"
PATHS = ["crm_pipedrive/<token>"]
CHANNEL = Channel.IMPORT
CREDENTIALS = (Credential(key="api_token", label="API token", help="Personal preferences, API"),)
NAMES = {
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
BESIDE = {
    **{f"phone{kind}": "phone" for kind in ("", "s", "work", "home", "mobile", "other")},
    **{f"email{kind}": "email" for kind in ("", "s", "work", "home", "other")},
    **dict.fromkeys(("personid", "ownerid", "stageid"), "vendor_ids"),
}
PHONE_TYPES = {"mobile": PhoneType.MOBILE, "home": PhoneType.HOME, "work": PhoneType.WORK}
_OF = re.compile(r"^(Person|Lead|Deal)\s*-\s*", re.IGNORECASE)
_UNSPLIT = ("CJK", "HANGUL", "HIRAGANA", "KATAKANA")


def read(incoming: Incoming) -> Envelope:
    """An export, an answer, or one row. Never raises."""
    return read_records(incoming, KIND)


def _records(found: Mapping[str, Any]) -> list[Cells]:
    """Leads or deals, joined with their persons and the names of fields of the company's own."""
    if found.get("success") is False:
        raise trouble(found.get("errorCode") or found.get("error"))
    people, called = _part(found, "person_lookup"), _part(found, "field_lookup")
    stages = _part(found, "stage_lookup")
    return [
        _joined({**one, "status": _status(one, stages)}, people, called)
        for one in listed(found.get("data"))
    ]


def _status(one: Cells, stages: Mapping[str, Any]) -> Any:
    """Open, won or lost, and at which stage, where its name is known."""
    stage = as_text(stages.get(as_text(one.get("stage_id"))))
    return f"{as_text(one.get('status'))}/{stage}" if stage else one.get("status")


def _part(found: Mapping[str, Any], key: str) -> dict[str, Any]:
    part = found.get(key)
    return part if isinstance(part, dict) else {}


def _joined(one: Cells, people: Mapping[str, Any], called: Mapping[str, Any]) -> Cells:
    person = _part(people, as_text(one.get("person_id")))
    own = {**one, **_part(one, "custom_fields")}
    named = {
        as_text(called.get(key)) or key: _amount_of(value)[0] or value for key, value in own.items()
    }
    dollars, currency = _amount_of(one.get("value"), one.get("currency"))
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


def _amount_of(value: Any, currency: Any = None) -> tuple[str, str]:
    """A value and its currency, of one object or of two fields."""
    if isinstance(value, dict):
        return as_text(value.get("amount") or value.get("value")), as_text(value.get("currency"))
    return as_text(value) if currency is not None else "", as_text(currency)


def _prepare(cells: Cells) -> Cells:
    """An export has its numbers, its value and its id in columns of their own."""
    found = dict(cells)
    for name, value in cells.items():
        word = _plain(name).partition(" - ")[0].strip().lower()
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


def _plain(column: str) -> str:
    """A column of an export names what it belongs to: "Person - Email - Work"."""
    return _OF.sub("", column)


def _finish(lead: CanonicalLead, cells: Fields, notes: Notes) -> CanonicalLead:
    numbers, addresses = _listed(cells.get("phones")), _listed(cells.get("emails"))
    if cells.get("foreign"):
        notes.warn("currency_not_usd")
        notes.keep("value", cells.get("foreign"))
    if not cells.get("first_name") and _is_unsplit(as_text(cells.get("name"))):
        notes.warn("name_split_guessed")
    return replace(
        lead,
        phones=phones(
            [
                (one.get("value"), PHONE_TYPES.get(as_text(one.get("label")), PhoneType.UNKNOWN))
                for one in numbers
            ],
            notes,
        ),
        emails=emails([one.get("value") for one in addresses], notes),
        vendor_ids=ids(
            person_id=cells.get("person_id"),
            owner_id=cells.get("owner_id"),
            stage_id=cells.get("stage_id"),
        ),
    )


def _listed(value: Any) -> list[dict[str, Any]]:
    """Their list of numbers or addresses, the primary one first; kept in a row, it is JSON."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return []
    return sorted(listed(value), key=lambda one: one.get("primary") is not True)


def _is_unsplit(name: str) -> bool:
    """A name of a script whose order of first and last name is another."""
    return any(unicodedata.name(sign, "").startswith(_UNSPLIT) for sign in name)


KIND = Kind(
    source=Source.CRM_PIPEDRIVE,
    names=NAMES,
    finish=_finish,
    records=_records,
    prepare=_prepare,
    plain=_plain,
    beside=BESIDE,
)
