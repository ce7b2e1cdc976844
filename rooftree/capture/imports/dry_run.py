"""What an import would do, row by row, before anything is done."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rooftree.capture import match, on_file
from rooftree.capture.envelope import Envelope
from rooftree.capture.imports.stage import incoming_of, rows_of
from rooftree.capture.intake import identity_of
from rooftree.capture.models import Spreadsheet
from rooftree.capture.receive import WORTH_WORK, adapter_of, key_at
from rooftree.leads.canonical import CanonicalLead
from rooftree.leads.models import DeliveryKey

SHOWN = 500  # refused rows that are listed with what to change
EVERY = 100  # rows between two words about how far it is


@dataclass(slots=True)
class Findings:
    """The counts of a dry run, and the first rows that cannot be used."""

    counts: Counter[str] = field(default_factory=Counter)
    refused: list[dict[str, Any]] = field(default_factory=list)
    remarks: Counter[str] = field(default_factory=Counter)
    seen: dict[str, int] = field(default_factory=dict)  # number, address or key: its line

    def to_json(self) -> dict[str, Any]:
        return {
            "counts": dict(self.counts),
            "refused": self.refused,
            "remarks": dict(self.remarks.most_common(30)),
        }


def look(
    sheet: Spreadsheet, *, at: datetime, tell: Callable[[int], object] = lambda _: None
) -> Findings:
    """Read every row and say what it would become. Changes nothing.

    Args:
        tell: hears how many rows have been read.
    """
    found = Findings()
    adapter = adapter_of(sheet.source)
    for position, row in enumerate(rows_of(sheet), start=1):
        envelope = adapter.read(incoming_of(sheet, row, position, at))
        word = _word(envelope, sheet, row.line, found)
        found.counts[word] += 1
        found.remarks.update(set(envelope.warnings))
        if word == "refused" and len(found.refused) < SHOWN:
            found.refused.append({"line": row.line, "reason": envelope.reason or "unreadable"})
        if position % EVERY == 0:
            tell(position)
    return found


def _word(envelope: Envelope, sheet: Spreadsheet, line: int, found: Findings) -> str:
    """new, known, again (twice in this file), repeated (imported before), or refused."""
    if envelope.outcome not in WORTH_WORK:
        return "refused"
    key = envelope.idempotency_key or ""
    if DeliveryKey.objects.filter(pk=key_at(sheet.source, key)).exists():
        return "repeated"
    inquiry = envelope.leads[0]
    marks = [key, *identity_of(inquiry).phones, *identity_of(inquiry).emails]
    is_again = any(mark in found.seen for mark in marks)
    for mark in marks:
        found.seen.setdefault(mark, line)
    if is_on_file(inquiry, is_test=inquiry.is_test or sheet.source.is_test):
        return "known"
    return "again" if is_again else "new"


def is_on_file(inquiry: CanonicalLead, *, is_test: bool) -> bool:
    """Whether intake would take this for somebody we know."""
    identity = identity_of(inquiry)
    people = on_file.candidates(on_file.sharing(identity), is_test=is_test)
    candidates = [name for known_as in people.values() for name in known_as]
    return match.best_match(identity, candidates) is not None
