"""Pages of a CRM's records, activities and owners, in a shape all vendors share."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from rooftree.capture.parsing.reading_notes import as_text
from rooftree.core import read_html

type Cursor = dict[str, Any]  # JSON: where a page starts
DEFAULT_DUE_TIME = time(17)  # of a task that names only a day
MAX_TEXT_LENGTH = 20_000  # characters kept of one activity
_NMLS = re.compile(r"\bNMLS\D{0,8}(\d{3,12})", re.IGNORECASE)


class ActivityKind(StrEnum):
    """A kind of activity recorded in a CRM."""

    NOTE = "note"
    TASK = "task"
    CALL = "call"
    EMAIL = "email"
    TEXT = "text"
    MEETING = "meeting"


@dataclass(frozen=True, slots=True, kw_only=True)
class CrmOwner:
    """A user of the CRM who owns records there."""

    id: str
    name: str
    email: str = ""
    nmls_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastActivity:
    """One activity in a CRM's history, with the records it is about."""

    kind: ActivityKind
    external_id: str  # the CRM's own id, unique within its kind
    # A record's id, or "person_id=7" as in vendor_ids; the best first.
    record_keys: tuple[str, ...]
    at: datetime | None = None
    title: str = ""
    text: str = field(default="", repr=False)
    direction: str = ""  # out: to the borrower; in: from the borrower
    owner_id: str = ""
    due_at: datetime | None = None
    is_open: bool = False  # a task that is not done yet


@dataclass(frozen=True, slots=True, kw_only=True)
class CrmPage:
    """The contents of one page, and where the next one starts."""

    answer: Mapping[str, Any] | None = None  # with records, in the shape the adapter reads
    activities: tuple[PastActivity, ...] = ()
    owners: tuple[CrmOwner, ...] = ()
    declared_counts: Mapping[str, int] = field(
        default_factory=dict
    )  # the CRM's own totals, by kind
    next_cursor: Cursor | None = None  # None: this was the last page


def next_part_cursor(parts: Sequence[str], part: str) -> Cursor | None:
    """Return a cursor at the start of the next part; None after the last."""
    later = parts[parts.index(part) + 1 :]
    return {"part": later[0]} if later else None


def list_objects(value: Any) -> list[dict[str, Any]]:
    """Return the objects of a JSON list; [] if the value is no list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def nested_value(value: Any, *names: str) -> Any:
    """Follow a chain of names into nested objects; return None where it breaks."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def parse_timestamp(value: Any) -> datetime | None:
    """Parse an ISO 8601 time, as UTC if it names no zone; None if it is not a time."""
    try:
        parsed = datetime.fromisoformat(as_text(value).strip())
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def parse_due_at(value: Any, zone: str) -> datetime | None:
    """Parse a due time; a day alone means 5 PM in `zone`, the company's time zone."""
    text = as_text(value).strip()
    if len(text) > len("2026-11-27"):
        return parse_timestamp(text)
    parsed = parse_timestamp(text)
    return datetime.combine(parsed.date(), DEFAULT_DUE_TIME, ZoneInfo(zone)) if parsed else None


def find_nmls_id(*texts: Any) -> str:
    """Find an NMLS id in a user's name, title or signature; return "" if there is none."""
    match = _NMLS.search(" ".join(map(as_text, texts)))
    return match[1] if match else ""


def strip_markup(value: Any) -> str:
    """Return the text of a note or email without its HTML, cut to `MAX_TEXT_LENGTH`."""
    text = as_text(value)[: 4 * MAX_TEXT_LENGTH]
    if "<" not in text:
        return text.strip()[:MAX_TEXT_LENGTH]
    tree = read_html.parse_html(text)
    if tree is None:
        return text.strip()[:MAX_TEXT_LENGTH]
    lines = (" ".join(line.split()) for line in str(tree.text_content()).splitlines())
    return "\n".join(line for line in lines if line)[:MAX_TEXT_LENGTH]
