"""How long each class of records is kept, from which event, by which law (RET-01)."""

import re
from dataclasses import dataclass
from typing import Any

from rooftree.compliance.gate.rulebook import RULE_DATA

SPAN_LABELS = {None: "for ever", 24: "24 months", 25: "25 months"}  # the rest are whole years


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordClass:
    """Records that one rule keeps.

    `months` after the event, None for ever. `on_request` goes when the person it is about
    asks, whatever its clock says (PRV-01); of the rest `stays` tells that person why not.
    """

    key: str
    name: str
    months: int | None
    clock_event: str
    name_pattern: re.Pattern[str] | None  # of a record's name in a decision
    on_request: bool
    kept_reason: str
    cite: str

    @property
    def span(self) -> str:
        """How long, as written: 25 months, 5 years, for ever."""
        return SPAN_LABELS.get(self.months) or f"{(self.months or 0) // 12} years"

    def covers(self, record: str) -> bool:
        """Whether a record of this name, or by these words, is one of ours."""
        return record == self.key or bool(self.name_pattern and self.name_pattern.search(record))


def _parse_class(key: str, spec: dict[str, Any]) -> RecordClass:
    words = spec["words"]
    return RecordClass(
        key=key,
        name=spec["name"],
        months=spec["months"],
        clock_event=spec["after"],
        name_pattern=re.compile(words) if words else None,
        on_request=spec["on_request"],
        kept_reason=spec["stays"],
        cite=spec["cite"],
    )


SCHEDULE: dict[str, RecordClass] = {
    key: _parse_class(key, spec) for key, spec in RULE_DATA["retention"].items()
}
CLOCK_EVENT_LABELS = {
    "creation": "after it was made",
    "last_use": "after its last use",
    "last_contact": "after our last contact",
    "notification": "after the decision was told",
    "closing": "after the loan closed",
    "end": "after it ended",
}
REQUEST_ANSWER_DAYS: int = RULE_DATA["privacy_requests"]["answer_days"]
REQUEST_EXTENSION_DAYS: int = RULE_DATA["privacy_requests"]["extension_days"]
REQUEST_WARN_DAYS: int = RULE_DATA["privacy_requests"]["warn_days"]
