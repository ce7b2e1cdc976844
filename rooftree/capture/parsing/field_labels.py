"""What people call a field on a form, in an e-mail or over a column, and which of ours it is."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from rooftree.capture.parsing.normalize_values import squash_word
from rooftree.capture.parsing.target_fields import guess_field

# Said before a field's name on forms and in e-mails, and telling nothing.
_LABEL_PREFIX = re.compile(
    r"^(?:your|my|the|borrower|applicant|client|contact|customer|primary)\s+(?=\S)", re.I
)
_EXTRA_LABELS = {
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


def guess_label_field(label: str, also: Mapping[str, str] | None = None) -> str | None:
    """Our field for a label; `also` are a sender's own words, squashed, and come first."""
    bare = label.strip(" \t*#•-–?!:.")
    for word in (bare, _LABEL_PREFIX.sub("", bare)):
        key = squash_word(word)
        for known in (also or {}, _EXTRA_LABELS):
            if key in known:
                return known[key] or None
        if found := guess_field((word,)):
            return found
    return None


def fields_from_labels(
    pairs: Iterable[tuple[str, Any]], also: Mapping[str, str] | None = None
) -> tuple[dict[str, Any], list[tuple[str, Any]]]:
    """Our fields, the first of several, and the pairs that nobody has a place for."""
    fields: dict[str, Any] = {}
    rest: list[tuple[str, Any]] = []
    for label, value in pairs:
        key = guess_label_field(label, also)
        if key is None or key in fields:
            rest.append((label, value))
        elif value not in (None, ""):
            fields[key] = value
    return fields, rest
