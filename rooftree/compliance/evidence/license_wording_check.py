"""The verdict checker's own reading of the license wording a state requires in a text.

Like `verdict_checker`, it reads only the stored JSON and imports nothing from the gate.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

type Json = Mapping[str, Any]

LICENSE_WORDING: dict[str, Any] = yaml.safe_load(
    (Path(__file__).parents[1] / "gate" / "license_wording.yaml").read_text(encoding="utf-8")
)["states"]


def has_license_wording(facts: Json, *, today: str) -> bool:
    """Return whether the text has the wording of the property's state on an ISO date.

    A state without a wording on that date requires none.
    """
    company, state = facts["company"], facts["property_state"]
    versions = [
        version
        for version in LICENSE_WORDING.get(state, [])
        if str(version["from"]) <= today < str(version.get("until", "9999-12-31"))
    ]
    if not versions:
        return True
    license_there = company["license_there"] or {"number": "", "license": ""}
    kind = license_there["license"]
    wording = versions[0].get("licenses", {kind: versions[0]}).get(kind)
    if wording is None:
        return False
    form = wording.get("text") if facts["medium"] == "text" else None
    words = _fill_wording(form or wording["says"], facts, license_there["number"])
    return words is not None and _normalize_spaces(words) in _normalize_spaces(facts["text"])


def _fill_wording(form: str, facts: Json, number: str) -> str | None:
    """Fill the company's details into a wording; None when a detail that it names is missing."""
    company, digits = facts["company"], facts["company"]["phone"][-10:]
    values = {
        "{number}": number,
        "{nmls_id}": company["nmls_id"],
        "{website}": company["website"].removeprefix("https://").removeprefix("http://"),
        "{phone}": f"({digits[:3]}) {digits[3:6]}-{digits[6:]}" if digits else "",
        "{address}": facts["postal_address"] or "",
    }
    for placeholder, value in values.items():
        if placeholder in form and not value:
            return None
        form = form.replace(placeholder, value.rstrip("/"))
    return form


def _normalize_spaces(text: str) -> str:
    return " ".join(text.split()).casefold()
