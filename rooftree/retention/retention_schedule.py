"""Retention schedule: the period, start event and law for each class of records (RET-01)."""

import re
from dataclasses import dataclass
from typing import Any

from rooftree.compliance.gate.rulebook import RULE_DATA

SPAN_LABELS = {None: "forever", 24: "24 months", 25: "25 months"}  # others are whole years


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordClass:
    """One class of records with the same retention rule.

    `months` count from the event; None keeps the records forever. `on_request` records are removed
    when their person asks, whatever the clock says (PRV-01); for the others `kept_reason` tells
    that person why they stay.
    """

    key: str
    name: str
    months: int | None
    clock_event: str
    name_pattern: re.Pattern[str] | None  # matches the record's name in a decision
    on_request: bool
    kept_reason: str
    cite: str

    @property
    def span(self) -> str:
        """The period in words: 25 months, 5 years, forever."""
        return SPAN_LABELS.get(self.months) or f"{(self.months or 0) // 12} years"

    def covers(self, record: str) -> bool:
        """Return whether a record with this key or name belongs to the class."""
        return record == self.key or bool(self.name_pattern and self.name_pattern.search(record))


def _parse_class(key: str, spec: dict[str, Any]) -> RecordClass:
    pattern = spec["words"]
    return RecordClass(
        key=key,
        name=spec["name"],
        months=spec["months"],
        clock_event=spec["after"],
        name_pattern=re.compile(pattern) if pattern else None,
        on_request=spec["on_request"],
        kept_reason=spec["stays"],
        cite=spec["cite"],
    )


SCHEDULE: dict[str, RecordClass] = {
    key: _parse_class(key, spec) for key, spec in RULE_DATA["retention"].items()
}
CLOCK_EVENT_LABELS = {
    "creation": "after creation",
    "last_use": "after its last use",
    "last_contact": "after our last contact",
    "notification": "after notice of the decision",
    "closing": "after the loan closed",
    "end": "after the end",
}
REQUEST_ANSWER_DAYS: int = RULE_DATA["privacy_requests"]["answer_days"]
REQUEST_EXTENSION_DAYS: int = RULE_DATA["privacy_requests"]["extension_days"]
REQUEST_WARN_DAYS: int = RULE_DATA["privacy_requests"]["warn_days"]
