"""What a state wants said of our license, in the words of a message (license_wording.yaml)."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from string import Formatter
from typing import Any

import yaml

from rooftree.compliance.gate.facts import Medium
from rooftree.core.phone_numbers import format_phone
from rooftree.core.us_states import STATES

WORDING_BY_STATE_DATA: dict[str, Any] = yaml.safe_load(
    (Path(__file__).parent / "license_wording.yaml").read_text(encoding="utf-8")
)
LICENSE_KIND, LICENSE_NUMBER = "license", "number"  # of what a state's wording may lack
MISSING_LABELS = {
    LICENSE_KIND: "the kind of license",
    LICENSE_NUMBER: "the license number",
    "nmls_id": "the company’s NMLS ID",
    "website": "the company’s website",
    "phone": "the company’s phone number",
    "address": "the company’s postal address",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyDetails:
    """What a state's wording may name of the company."""

    nmls_id: str
    website: str
    phone: str  # E.164
    address: str
    number: str = ""  # of its license in that state; "": none on file
    license: str = ""  # which of the state's licenses, as the data name it


@dataclass(frozen=True, slots=True, kw_only=True)
class RequiredWording:
    """The words that a state demands, or what must be on file before there are any."""

    words: str
    cite: str
    missing: tuple[str, ...] = ()  # keys of LACKS


def license_kinds(state: str, *, on: date) -> Mapping[str, str]:
    """They are the licenses between which a state's wording differs, by name; mostly none."""
    row = _version_on(state, on) or {}
    return {key: one["name"] for key, one in row.get("licenses", {}).items()}


def match_license_kind(state: str, name: str, *, on: date) -> str:
    """It is which of a state's licenses NMLS calls this; "" where it is none of them, or two."""
    said = f" {_normalize_name(name)} "
    found = [
        key
        for key, one in (_version_on(state, on) or {}).get("licenses", {}).items()
        if any(f" {words} " in said for words in one["nmls"])
    ]
    return found[0] if len(found) == 1 else ""


def required_wording(
    state: str, medium: Medium, us: CompanyDetails, *, on: date
) -> RequiredWording | None:
    """It is what `state` wants said in a message of this medium; None where it wants nothing."""
    row = _version_on(state, on)
    if row is None:
        return None
    said = row.get("licenses", {}).get(us.license) if "licenses" in row else row
    if said is None:
        return RequiredWording(words="", cite=row["cite"], missing=(LICENSE_KIND,))
    form = said.get("text", said["says"]) if medium is Medium.TEXT else said["says"]
    blanks = _placeholder_values(us)
    named = [name for _, name, _, _ in Formatter().parse(form) if name]
    lacks = tuple(name for name in named if not blanks[name])
    return RequiredWording(
        words="" if lacks else form.format(**blanks), cite=row["cite"], missing=lacks
    )


def explain_missing_details(state: str, lacks: Iterable[str]) -> str:
    """It is what to enter before anything may be written there, in words for staff."""
    missing = [MISSING_LABELS[lack] for lack in lacks]
    where = "The company" if all(one.startswith("the company’s") for one in missing) else "Licenses"
    return (
        f"{STATES[state]} wants our license named in every message, and {' and '.join(missing)} "
        f"{'is' if len(missing) == 1 else 'are'} not on file. Enter it under Set-up, {where}."
    )


def contains_wording(words: str, text: str) -> bool:
    """Whether a text has these words, however it is wrapped."""
    return " ".join(words.split()).casefold() in " ".join(text.split()).casefold()


def _version_on(state: str, on: date) -> dict[str, Any] | None:
    """It is the version valid on a local date."""
    for row in WORDING_BY_STATE_DATA["states"].get(state, ()):
        if row["from"] <= on < row.get("until", date.max):
            return dict(row)
    return None


def _normalize_name(name: str) -> str:
    return " ".join(re.findall("[a-z]+", name.casefold()))


def _placeholder_values(us: CompanyDetails) -> dict[str, str]:
    return {
        "number": us.number.strip(),
        "nmls_id": us.nmls_id,
        "website": us.website.partition("://")[2].rstrip("/"),
        "phone": format_phone(us.phone) if us.phone else "",
        "address": us.address,
    }
