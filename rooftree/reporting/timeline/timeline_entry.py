"""Entries of a lead's timeline, and their order."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class EntryGroup(StrEnum):
    """The filter of the page that an entry belongs to."""

    MESSAGES = "messages"  # texts, emails, calls
    LOAN = "loan"  # milestones, handoff, rates
    DECISIONS = "decisions"  # routing, consent, verdicts, score
    OTHER = "other"


class EntryMark(StrEnum):
    """The mark of an entry: who acted, or the resulting state."""

    SYSTEM = ""
    PERSON = "person"
    OK = "ok"
    LATE = "late"
    HOLD = "hold"
    ACCENT = "accent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """The quoted text of a message, a note or a borrower."""

    text: str
    is_ours: bool = False
    language: str = ""
    subject: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One line of an explanation: a rule with its citation, or a plain fact."""

    label: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The answer behind an entry: a plain sentence, then the facts."""

    question: str  # the label on the page: "Why was this sent?"
    sentence: str
    more: str = ""
    facts: tuple[Fact, ...] = ()
    verdict_id: UUID | None = None
    decision_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEntry:
    """One event in the history of a lead."""

    key: str  # stable: kind and row id
    at: datetime
    group: EntryGroup
    icon: str
    title: str  # bold
    detail: str = ""  # after the title, plain
    body: str = ""
    mark: EntryMark = EntryMark.SYSTEM
    quote: Quote | None = None
    explanation: Explanation | None = None
    cents: int | None = None  # its cost or value
    links: tuple[tuple[str, str, UUID], ...] = field(default=())  # (label, kind of page, id)


def sort_newest_first(
    entries: Iterable[TimelineEntry], *, group: EntryGroup | None = None
) -> list[TimelineEntry]:
    """Sort entries for the page, newest first; keep one group, or all if None."""
    shown = (entry for entry in entries if group is None or entry.group is group)
    return sorted(shown, key=lambda entry: (entry.at, entry.key), reverse=True)
