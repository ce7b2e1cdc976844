"""What people call a field on a form, in an e-mail or over a column, and which of ours it is."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from rooftree.capture.normalise import squashed
from rooftree.capture.targets import guessed

# Said before a field's name on forms and in e-mails, and telling nothing.
_SAID_BEFORE = re.compile(
    r"^(?:your|my|the|borrower|applicant|client|contact|customer|primary)\s+(?=\S)", re.I
)
_ALSO = {
    "estimatedhomevalue": "property_value",
    "currenthomevalue": "property_value",
    "credithistory": "credit",
    "creditscorerange": "credit",
    "phonetype": "",
    "whentobuy": "timeline",
    "purchasetimeframe": "timeline",
    "desiredloanamount": "loan_amount",
    "bestphone": "phone",
    "areyouaveteran": "military",
    "servedinthemilitary": "military",
}


def field_of(label: str, also: Mapping[str, str] | None = None) -> str | None:
    """Our field for a label; `also` are a sender's own words, squashed, and come first."""
    bare = label.strip(" \t*#•-–?!:.")
    for word in (bare, _SAID_BEFORE.sub("", bare)):
        key = squashed(word)
        for known in (also or {}, _ALSO):
            if key in known:
                return known[key] or None
        if found := guessed((word,)):
            return found
    return None


def fields_of(
    pairs: Iterable[tuple[str, Any]], also: Mapping[str, str] | None = None
) -> tuple[dict[str, Any], list[tuple[str, Any]]]:
    """Our fields, the first of several, and the pairs that nobody has a place for."""
    fields: dict[str, Any] = {}
    rest: list[tuple[str, Any]] = []
    for label, value in pairs:
        key = field_of(label, also)
        if key is None or key in fields:
            rest.append((label, value))
        elif value not in (None, ""):
            fields[key] = value
    return fields, rest
