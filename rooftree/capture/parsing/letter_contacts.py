"""Finds the borrower in lead emails whose values have no label of their own.

Read are blocks (several lines under "Contact:"), subjects ("New inquiry: NAME PHONE") and letters
that begin "NAME says:". What a label names always comes first.
"""

import re
from collections.abc import Iterable
from itertools import islice, takewhile
from typing import Any

from phonenumbers import Leniency, PhoneNumberMatcher

from rooftree.capture.parsing.normalize_values import squash_word
from rooftree.capture.parsing.phone_fields import split_phone_field
from rooftree.capture.parsing.reading_notes import ReadingNotes
from rooftree.core.email_addresses import find_addresses, parse_email_address
from rooftree.core.us_states import parse_state_code
from rooftree.leads.vocabulary import PhoneType

_MAX_LINES = 30  # lines of one block, or of a letter's message
_MAX_WORDS_LENGTH = 4_000  # characters searched for a phone
_MAX_LENGTH = 300  # characters read of a subject or a line
_CONTACT_LABELS = frozenset(
    {"contact", "contactinfo", "contactinformation", "contactdetails", "borrower", "borrowerinfo",
     "borrowerinformation", "customer", "customerinfo", "customerinformation", "client", "lead",
     "leadinfo", "leadinformation", "leaddetails", "buyer", "prospect", "applicant", "consumer"}
)  # fmt: skip
_PROPERTY_LABELS = frozenset({"property", "propertyinfo", "propertydetails", "subjectproperty"})
_CITY_STATE_ZIP = re.compile(r"([^\d,]{2,60}),?\s+([A-Za-z]{2})\.?,?\s+(\d{5}(?:-\d{4})?)")
_SUBJECT = re.compile(
    r"(?:(?:re|fwd?) ?: ?)*(?:you have |you’ve got |you've got )?(?:an? )?"
    r"(?:(?:new|web|website|online|internet|mortgage|loan|purchase|refinance|refi|home|buyer|hot|live"
    r"|exclusive|real-time) )*"
    r"(?:lead|inquiry|enquiry|contact|message|request|referral|prospect|client|borrower)\b"
    r"(?: (?:from|for|received|alert|notification))* ?[:–—|-]? ?(.*)",
    re.IGNORECASE,
)
_SAYS = re.compile(
    r"([^:]{2,60}?) (?:says|said|wrote|writes|asks|asked|dice|escribió|pregunta)", re.IGNORECASE
)
_SEPARATORS = re.compile(r"[|,;:()<>\[\]•–—]| -|- ")
_NAME = re.compile(r"[^\W\d_][\w.'’-]*(?: [^\W\d_][\w.'’-]*){0,4}")
_NOT_NAMES = frozenset(
    {"new", "lead", "inquiry", "mortgage", "purchase", "refinance", "refi", "loan", "home",
     "equity", "heloc", "request", "message", "contact", "quote", "rate", "rates", "your",
     "website", "phone",
     "from", "for", "the", "id", "cell", "email", "test"}
)  # fmt: skip
_FOOTER = re.compile(
    r"(?:--|__|==|\*\*|©)|.*\b(?:unsubscribe|privacy|copyright|view (?:this|in|online)"
    r"|sent (?:by|from|via)|reply to this|do not reply)\b",
    re.IGNORECASE,
)


def fill_contact(
    fields: dict[str, Any],
    rest: Iterable[tuple[str, Any]],
    *,
    subject: str,
    reply_to: str,
    notes: ReadingNotes,
) -> dict[str, Any]:
    """Return the labeled fields plus what blocks, the subject and a letter's words add.

    Args:
        rest: the pairs of the email that match no field.
        reply_to: the address that a reply goes to; "" where it is the sender's own.
    """
    found = dict(fields)
    for label, value in [*rest, *_field_blocks(fields)]:
        block = [line.strip() for line in str(value).splitlines()][:_MAX_LINES]
        key = squash_word(label)
        if key in _CONTACT_LABELS or key in ("name", "phone", "email"):
            _add(found, _read_block(block), notes)
        elif key in _PROPERTY_LABELS or key in ("propertyaddress", "address"):
            prefix = "" if key == "address" else "property_"
            place = {f"{prefix}{name}": part for name, part in _read_place(block).items()}
            street = f"{prefix}address"
            found |= {
                name: part for name, part in place.items() if name == street or not found.get(name)
            }
        elif sender := _SAYS.fullmatch(label.strip()[:_MAX_LENGTH]):
            _add(found, {"name": sender[1], "message": str(value)}, notes)
            _add(found, _find_in_words(block), notes)
    if subject_match := _SUBJECT.fullmatch(" ".join(subject[:_MAX_LENGTH].split())):
        _add(found, _read_words(subject_match[1]), notes)
    if reply_to and not found.get("email"):
        _add(found, {"email": reply_to}, notes)
    return found


def _field_blocks(fields: dict[str, Any]) -> list[tuple[str, Any]]:
    """Return the fields whose value has several lines, which a sender wrote under one label."""
    several = ("name", "phone", "email", "address", "property_address")
    return [
        (key.replace("_", ""), fields[key])
        for key in several
        if "\n" in str(fields.get(key, "")) or (key.endswith("address") and fields.get(key))
    ]


def _add(found: dict[str, Any], values: dict[str, str], notes: ReadingNotes) -> None:
    """Add the values of fields that are still empty, or that hold a whole block of lines."""
    has_name = bool(found.get("first_name") or found.get("last_name"))
    for key, value in values.items():
        is_open = not found.get(key) or "\n" in str(found[key]) and key != "message"
        if value and is_open and not (key == "name" and has_name):
            found[key] = value
            notes.warn(f"{key}_from_text")


def _read_block(lines: Iterable[str]) -> dict[str, str]:
    """Tell the lines of a contact block apart: name, phones, email, place."""
    values: dict[str, str] = {}
    for line in lines:
        bare = line.rpartition(": ")[2].strip()
        if not bare:
            continue
        if address := next(filter(parse_email_address, find_addresses(bare)), None):
            values.setdefault("email", address)
        elif _is_phone(line):
            values.setdefault("phone_2" if "phone" in values else "phone", line)
        elif place := _read_place([bare]):
            values = {**place, **values}
        elif "name" not in values and _is_name(bare):
            values["name"] = bare
    return values


def _is_phone(line: str) -> bool:
    numbers, _ = split_phone_field(line, PhoneType.UNKNOWN)
    return any(number.is_valid for _, number, _ in numbers)


def _is_name(text: str) -> bool:
    return bool(_NAME.fullmatch(text)) and not _NOT_NAMES.intersection(text.lower().split())


def _read_place(lines: Iterable[str]) -> dict[str, str]:
    """Read a street and "City, ST 12345", on one line or on two."""
    place: dict[str, str] = {}
    for line in lines:
        street, comma, rest = line[:_MAX_LENGTH].partition(",")
        city = _CITY_STATE_ZIP.fullmatch(line[:_MAX_LENGTH].strip())
        if city is None and comma and line[:1].isdigit():
            city = _CITY_STATE_ZIP.fullmatch(rest.strip())
            place |= {"address": street.strip()} if city else {}
        if city and parse_state_code(city[2]):
            place |= {"city": city[1].strip(), "state": city[2], "zip": city[3]}
        elif line[:1].isdigit() and not _is_phone(line) and "address" not in place:
            place["address"] = line
    return place if "zip" in place else {}


def _read_words(text: str) -> dict[str, str]:
    """Read a name, a phone and an address out of a subject's free words."""
    values = _find_in_words([text])
    for written in filter(None, values.values()):
        text = text.replace(written, "|")
    pieces = (piece.strip(" .-") for piece in _SEPARATORS.split(text))
    name = next((piece for piece in pieces if " " in piece and _is_name(piece)), "")
    return {"name": name, **values}


def _find_in_words(lines: Iterable[str]) -> dict[str, str]:
    """Find the first phone and the first email address in words above a footer."""
    text = "\n".join(takewhile(lambda line: not _FOOTER.match(line), islice(lines, _MAX_LINES)))
    text = text[:_MAX_WORDS_LENGTH]
    phone = next(iter(PhoneNumberMatcher(text, "US", leniency=Leniency.VALID)), None)
    addresses = filter(parse_email_address, find_addresses(text))
    return {"phone": phone.raw_string if phone else "", "email": next(addresses, "")}
