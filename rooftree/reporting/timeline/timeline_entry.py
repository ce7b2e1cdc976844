"""Everything that happened to one lead, as dated entries, newest first.

Each table is read once, whatever the length of the history.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class EntryGroup(StrEnum):
    """What the filters of the page tell apart."""

    MESSAGES = "messages"  # texts, e-mails, calls
    LOAN = "loan"  # milestones, hand-off, rates
    DECISIONS = "decisions"  # routing, consent, verdicts, score
    OTHER = "other"


class EntryMark(StrEnum):
    """Who acted, or which state it made."""

    SYSTEM = ""
    PERSON = "person"
    OK = "ok"
    LATE = "late"
    HOLD = "hold"
    ACCENT = "accent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """The words of a message, a note or a borrower."""

    text: str
    is_ours: bool = False
    language: str = ""
    subject: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One line under a reason: a rule with its citation, or a plain fact."""

    label: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What stands behind an entry: the plain answer, then the facts."""

    question: str  # as the page asks it: "Why was this sent?"
    sentence: str
    more: str = ""
    facts: tuple[Fact, ...] = ()
    verdict_id: UUID | None = None
    decision_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEntry:
    """One thing that happened."""

    key: str  # stable: kind and id
    at: datetime
    group: EntryGroup
    icon: str
    title: str  # bold
    detail: str = ""  # after the title, plain
    body: str = ""
    mark: EntryMark = EntryMark.SYSTEM
    quote: Quote | None = None
    explanation: Explanation | None = None
    cents: int | None = None  # what it cost or is worth
    links: tuple[tuple[str, str, UUID], ...] = field(default=())  # (words, kind of page, id)


def sort_newest_first(
    entries: Iterable[TimelineEntry], *, group: EntryGroup | None = None
) -> list[TimelineEntry]:
    """In the order of the page, one group of them or all."""
    kept = (entry for entry in entries if group is None or entry.group is group)
    return sorted(kept, key=lambda entry: (entry.at, entry.key), reverse=True)
