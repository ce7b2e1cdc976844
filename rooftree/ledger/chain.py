"""The arithmetic of the hash chain: plain Python, so that anyone can check it without us."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

GENESIS_HASH = "0" * 64  # stands before the first link

HASHED_FIELDS = (
    "id",
    "kind",
    "lead_id",
    "person_id",
    "actor",
    "data",
    "occurred_at",
    "recorded_at",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainReport:
    """What walking the chain found.

    `broken_at` is the sequence of the first link that does not hold, None
    when every one does; `problem` says in words what is wrong with it.
    """

    link_count: int
    head: str  # hash of the last good link
    broken_at: int | None = None
    problem: str = ""
    unsealed: int = 0

    @property
    def is_intact(self) -> bool:
        return self.broken_at is None


def export_event(row: Mapping[str, Any]) -> dict[str, Any]:
    """One event in the form that is hashed and exported: JSON values only, times in UTC.

    `person_place` is part of it for those that have one: sealed since there is such a thing.
    """
    said = {field: _to_json_value(row[field]) for field in HASHED_FIELDS}
    if row.get("person_place") is not None:
        said["person_place"] = row["person_place"]
    return said


def link_hash(row: Mapping[str, Any], *, sequence: int, previous: str) -> str:
    """The SHA-256 (hex) that ties one event to its place and to everything before it.

    Args:
        row: an event, as a table row or as exported; only FIELDS and `person_place` are read.
        previous: the hash of the event before it; FIRST for the first one.
    """
    content = {**export_event(row), "sequence": sequence, "previous": previous}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def check_chain(
    rows: Iterable[Mapping[str, Any]], *, after: int = 0, head: str = GENESIS_HASH
) -> ChainReport:
    """Check sealed events, which must come in the order of their sequence.

    Args:
        rows: FIELDS, `person_place`, `sequence` and `chain_hash`, of the table or of an export.
        after: the sequence of the link that `head` is the hash of, for a part of a chain.

    Stops at the first link that does not hold. What was cut off after the last
    row cannot be seen from the rows: compare `head` with one kept elsewhere.
    """
    place = after
    for row in rows:
        problem = _find_problem(row, place=place + 1, previous=head)
        if problem:
            return ChainReport(
                link_count=place - after, head=head, broken_at=place + 1, problem=problem
            )
        place, head = place + 1, str(row["chain_hash"])
    return ChainReport(link_count=place - after, head=head)


def _find_problem(row: Mapping[str, Any], *, place: int, previous: str) -> str:
    if row["sequence"] != place:
        return f"Event {place} is missing: number {row['sequence']} follows number {place - 1}."
    if link_hash(row, sequence=place, previous=previous) != row["chain_hash"]:
        return f"Event {place} is not what was sealed."
    return ""


def _to_json_value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, UUID):
        return str(value)
    return value
