"""License wording that a state requires in messages (license_wording.yaml)."""

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
LICENSE_KIND, LICENSE_NUMBER = "license", "number"  # details that can be missing
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
    """Company details that a state's wording can name."""

    nmls_id: str
    website: str
    phone: str  # E.164
    address: str
    number: str = ""  # its license number in that state; "": not on file
    license: str = ""  # key of one of the state's licenses in the data


@dataclass(frozen=True, slots=True, kw_only=True)
class RequiredWording:
    """The words a state requires, or the details missing to build them."""

    words: str
    cite: str
    missing: tuple[str, ...] = ()  # keys of MISSING_LABELS


def license_kinds(state: str, *, on: date) -> Mapping[str, str]:
    """Return the names, by key, of licenses with different wording in a state; mostly none."""
    version = _version_on(state, on) or {}
    return {key: kind["name"] for key, kind in version.get("licenses", {}).items()}


def match_license_kind(state: str, name: str, *, on: date) -> str:
    """Return the key of the state's license with this NMLS name; "" for none or several."""
    padded_name = f" {' '.join(re.findall('[a-z]+', name.casefold()))} "
    keys = [
        key
        for key, kind in (_version_on(state, on) or {}).get("licenses", {}).items()
        if any(f" {words} " in padded_name for words in kind["nmls"])
    ]
    return keys[0] if len(keys) == 1 else ""


def required_wording(
    state: str, medium: Medium, company: CompanyDetails, *, on: date
) -> RequiredWording | None:
    """Return the wording that `state` requires in a message; None when it requires none."""
    version = _version_on(state, on)
    if version is None:
        return None
    wording = version["licenses"].get(company.license) if "licenses" in version else version
    if wording is None:
        return RequiredWording(words="", cite=version["cite"], missing=(LICENSE_KIND,))
    form = wording.get("text", wording["says"]) if medium is Medium.TEXT else wording["says"]
    values = _placeholder_values(company)
    names = [name for _, name, _, _ in Formatter().parse(form) if name]
    missing = tuple(name for name in names if not values[name])
    return RequiredWording(
        words="" if missing else form.format(**values), cite=version["cite"], missing=missing
    )


def explain_missing_details(state: str, missing: Iterable[str]) -> str:
    """Return a sentence for staff that names the missing details and the page to enter them."""
    labels = [MISSING_LABELS[name] for name in missing]
    is_company_only = all(label.startswith("the company’s") for label in labels)
    return (
        f"License wording for {STATES[state]} needs details that aren’t on file: "
        f"{' and '.join(labels)}. Add {'it' if len(labels) == 1 else 'them'} under Setup, "
        f"{'Company' if is_company_only else 'Licenses'}."
    )


def contains_wording(words: str, text: str) -> bool:
    """Return whether a text contains these words, ignoring case and white space."""
    return " ".join(words.split()).casefold() in " ".join(text.split()).casefold()


def _version_on(state: str, on: date) -> dict[str, Any] | None:
    """Return the version in force on a local date."""
    for version in WORDING_BY_STATE_DATA["states"].get(state, ()):
        if version["from"] <= on < version.get("until", date.max):
            return dict(version)
    return None


def _placeholder_values(company: CompanyDetails) -> dict[str, str]:
    return {
        "number": company.number.strip(),
        "nmls_id": company.nmls_id,
        "website": company.website.partition("://")[2].rstrip("/"),
        "phone": format_phone(company.phone) if company.phone else "",
        "address": company.address,
    }
