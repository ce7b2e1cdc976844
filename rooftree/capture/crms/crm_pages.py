"""What another system's interface tells, page by page, in our words."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from rooftree.capture.parsing.reading_notes import as_text
from rooftree.core import read_html

type Cursor = dict[str, Any]  # JSON: where a page begins
DEFAULT_DUE_TIME = time(17)  # of a task that names a day only
MAX_TEXT_LENGTH = 20_000  # characters of one thing that is kept
_NMLS = re.compile(r"\bNMLS\D{0,8}(\d{3,12})", re.IGNORECASE)


class ActivityKind(StrEnum):
    """What may have happened over there."""

    NOTE = "note"
    TASK = "task"
    CALL = "call"
    EMAIL = "email"
    TEXT = "text"
    MEETING = "meeting"


@dataclass(frozen=True, slots=True, kw_only=True)
class CrmOwner:
    """A user of the other system who has records there."""

    id: str
    name: str
    email: str = ""
    nmls_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastActivity:
    """One thing of the other system's history, and which records it is about."""

    kind: ActivityKind
    external_id: str  # theirs, unique within its kind
    record_keys: tuple[
        str, ...
    ]  # a record's id, or "person_id=7" as vendor_ids has it; the best first
    at: datetime | None = None
    title: str = ""
    text: str = field(default="", repr=False)
    direction: str = ""  # out: from them over there to the borrower; in: the other way
    owner_id: str = ""
    due_at: datetime | None = None
    is_open: bool = False  # a task that is still to be done


@dataclass(frozen=True, slots=True, kw_only=True)
class CrmPage:
    """What one page told, and where the next begins."""

    answer: Mapping[str, Any] | None = None  # with records, in the shape its adapter reads
    activities: tuple[PastActivity, ...] = ()
    owners: tuple[CrmOwner, ...] = ()
    declared_counts: Mapping[str, int] = field(default_factory=dict)  # how many of a kind there are
    next_cursor: Cursor | None = None  # None: that was the last


def next_part_cursor(parts: Sequence[str], part: str) -> Cursor | None:
    """Where the part after this one begins; None after the last."""
    later = parts[parts.index(part) + 1 :]
    return {"part": later[0]} if later else None


def list_objects(found: Any) -> list[dict[str, Any]]:
    """Those of a list that are objects; none when something else stands there."""
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def nested_value(found: Any, *names: str) -> Any:
    """What stands at the end of a chain of names; None when it breaks."""
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return found


def parse_timestamp(value: Any) -> datetime | None:
    """A time as they write it; one that names no zone is UTC."""
    try:
        found = datetime.fromisoformat(as_text(value).strip())
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def parse_due_at(value: Any, zone: str) -> datetime | None:
    """When something is due; a day alone is over at five, where the company is."""
    said = as_text(value).strip()
    if len(said) > len("2026-11-27"):
        return parse_timestamp(said)
    found = parse_timestamp(said)
    return datetime.combine(found.date(), DEFAULT_DUE_TIME, ZoneInfo(zone)) if found else None


def find_nmls_id(*texts: Any) -> str:
    """The NMLS id that stands in somebody's name, title or signature."""
    found = _NMLS.search(" ".join(map(as_text, texts)))
    return found[1] if found else ""


def strip_markup(value: Any) -> str:
    """The words of a note or a letter, its markup left out."""
    said = as_text(value)[: 4 * MAX_TEXT_LENGTH]
    if "<" not in said:
        return said.strip()[:MAX_TEXT_LENGTH]
    tree = read_html.parse_html(said)
    if tree is None:
        return said.strip()[:MAX_TEXT_LENGTH]
    lines = (" ".join(line.split()) for line in str(tree.text_content()).splitlines())
    return "\n".join(line for line in lines if line)[:MAX_TEXT_LENGTH]
