"""The hash chain of the ledger, in plain Python so that anyone can check it independently."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

GENESIS_HASH = "0" * 64  # the hash before the first link

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
    """The result of checking the chain.

    `broken_at` is the sequence of the first broken link, None if all links hold;
    `problem` describes it.
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
    """Return one event in its hashed and exported form: JSON values only, times in UTC.

    Includes `person_place` if the event has one; events sealed before it existed do not.
    """
    exported = {field: _to_json_value(row[field]) for field in HASHED_FIELDS}
    if row.get("person_place") is not None:
        exported["person_place"] = row["person_place"]
    return exported


def link_hash(row: Mapping[str, Any], *, sequence: int, previous: str) -> str:
    """Return the SHA-256 (hex) that ties one event to its place and all events before it.

    Args:
        row: an event of the table or an export; only `HASHED_FIELDS` and `person_place` are read.
        previous: the hash of the event before it; `GENESIS_HASH` for the first.
    """
    content = {**export_event(row), "sequence": sequence, "previous": previous}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def check_chain(
    rows: Iterable[Mapping[str, Any]], *, after: int = 0, head: str = GENESIS_HASH
) -> ChainReport:
    """Check sealed events, which must be in the order of their sequence.

    Args:
        rows: `HASHED_FIELDS`, `person_place`, `sequence`, `chain_hash`, of the table or an export.
        after: the sequence of the link with hash `head`, to check a part of a chain.

    Stops at the first broken link. Rows removed from the end cannot be detected
    this way: compare `head` with a copy stored elsewhere.
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
        return f"Event {place} differs from the sealed event."
    return ""


def _to_json_value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, UUID):
        return str(value)
    return value
