"""Matches labels from forms, emails and column headers to our fields."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from rooftree.capture.parsing.normalize_values import squash_word
from rooftree.capture.parsing.target_fields import guess_field

# Words before a field name on forms and in emails that carry no meaning.
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


def guess_label_field(label: str, extra_labels: Mapping[str, str] | None = None) -> str | None:
    """Return our field for a label; `also` holds a sender's own labels, squashed, tried first."""
    bare = label.strip(" \t*#•-–?!:.")
    for word in (bare, _LABEL_PREFIX.sub("", bare)):
        key = squash_word(word)
        for label_table in (extra_labels or {}, _EXTRA_LABELS):
            if key in label_table:
                return label_table[key] or None
        if field := guess_field((word,)):
            return field
    return None


def fields_from_labels(
    pairs: Iterable[tuple[str, Any]], extra_labels: Mapping[str, str] | None = None
) -> tuple[dict[str, Any], list[tuple[str, Any]]]:
    """Return our fields (the first value of several wins) and the pairs that match no field."""
    fields: dict[str, Any] = {}
    rest: list[tuple[str, Any]] = []
    for label, value in pairs:
        key = guess_label_field(label, extra_labels)
        if key is None or key in fields:
            rest.append((label, value))
        elif value not in (None, ""):
            fields[key] = value
    return fields, rest
