"""What an import would do, row by row, before anything is done."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import batched
from typing import Any

from rooftree.capture import match, on_file
from rooftree.capture.envelope import Envelope
from rooftree.capture.imports import scrub
from rooftree.capture.imports.records import owner_of
from rooftree.capture.imports.stage import incoming_of, rows_of
from rooftree.capture.imports.table import Row
from rooftree.capture.keep import key_at
from rooftree.capture.models import Spreadsheet
from rooftree.capture.receive import WORTH_WORK, adapter_of
from rooftree.leads.canonical import CanonicalLead, Recipient, Suppression
from rooftree.leads.models import DeliveryKey
from rooftree.leads.vocabulary import ConsentStatus

SHOWN = 500  # refused rows that are listed with what to change
MOST_NAMED = 300  # owners, stages
EVERY = 100  # rows between two words about how far it is


@dataclass(slots=True)
class Findings:
    """The counts of a dry run, and the first rows that cannot be used."""

    counts: Counter[str] = field(default_factory=Counter)
    refused: list[dict[str, Any]] = field(default_factory=list)
    remarks: Counter[str] = field(default_factory=Counter)
    people: Counter[str] = field(default_factory=Counter)  # of those that can be used
    owners: Counter[str] = field(default_factory=Counter)  # by mapping.owner_of
    stages: Counter[str] = field(default_factory=Counter)  # as the other system calls them
    lists: Counter[str] = field(default_factory=Counter)  # of its numbers, as `scrub.tally`
    numbers: set[str] = field(default_factory=set)
    seen: set[str] = field(default_factory=set)  # numbers, addresses and keys

    def to_json(self) -> dict[str, Any]:
        return {
            "counts": dict(self.counts),
            "refused": self.refused,
            "remarks": dict(self.remarks.most_common(30)),
            "people": dict(self.people),
            "owners": dict(self.owners.most_common(MOST_NAMED)),
            "lists": dict(self.lists),
            "stages": dict(self.stages.most_common(MOST_NAMED)),
        }


def look(
    sheet: Spreadsheet, *, at: datetime, tell: Callable[[int], object] = lambda _: None
) -> Findings:
    """Read every row and say what it would become. Changes nothing.

    Args:
        tell: hears how many rows have been read.
    """
    found = Findings()
    adapter, position = adapter_of(sheet.source), 0
    for some in batched(rows_of(sheet), EVERY):
        read = [
            adapter.read(incoming_of(sheet, row, position + nth, at))
            for nth, row in enumerate(some, start=1)
        ]
        for row, envelope, word in zip(some, read, _words(read, sheet), strict=True):
            _note(row, envelope, word, found)
        _scrub(read, found, at)
        position += len(some)
        tell(position)
    return found


def numbers_of(inquiries: Iterable[CanonicalLead]) -> set[str]:
    """The numbers that somebody could be called on."""
    return {one.e164 for lead in inquiries for one in lead.phones if one.valid and one.e164}


def _scrub(read: Sequence[Envelope], found: Findings, at: datetime) -> None:
    """Ask the lists about the numbers of some rows; each number once."""
    usable = [one.leads[0] for one in read if one.outcome in WORTH_WORK]
    fresh = numbers_of(usable) - found.numbers
    found.numbers |= fresh
    found.lists += scrub.tally(fresh, today=at.date())


def _note(row: Row, envelope: Envelope, word: str, found: Findings) -> None:
    """Count a row; one that would be new may be somebody of a row before it."""
    if word != "refused":
        _count(envelope.leads[0], found)
    if word in ("new", "known"):
        key, identity = envelope.idempotency_key or "", match.identity_of(envelope.leads[0])
        marks = {key, *on_file.names_of(identity)}
        if word == "new" and marks & found.seen:
            word = "again"
        found.seen |= marks
    found.counts[word] += 1
    found.remarks.update(set(envelope.warnings))
    if word == "refused" and len(found.refused) < SHOWN:
        found.refused.append({"line": row.line, "reason": envelope.reason or "unreadable"})


def _count(one: CanonicalLead, found: Findings) -> None:
    """How they can be reached, what they refused, and what nobody knows that they agreed to."""
    told = one.recipient or Recipient()
    owner = owner_of(
        {"vendor_ids": one.vendor_ids, "recipient": {"email": told.email, "name": told.name}}
    )
    refused = one.suppression or Suppression()
    may_call = any(phone.valid for phone in one.phones) and not refused.do_not_call
    may_mail = any(email.valid for email in one.emails) and not refused.do_not_email
    is_unknown = one.consent.status is not ConsentStatus.GRANTED or not one.consent.text
    marks = {
        "with_phone": any(phone.valid for phone in one.phones),
        "with_email": any(email.valid for email in one.emails),
        "do_not_call": refused.do_not_call,
        "do_not_text": refused.do_not_text,
        "do_not_email": refused.do_not_email,
        "consent_unknown": is_unknown,
        "ask_by_email": is_unknown and may_mail,
        "ask_by_call": is_unknown and may_call and not may_mail,
        "ask_never": is_unknown and not may_call and not may_mail,
    }
    found.people.update(name for name, holds in marks.items() if holds)
    found.owners.update(filter(None, [owner]))
    found.stages.update(filter(None, [one.vendor_status]))


def _words(read: Sequence[Envelope], sheet: Spreadsheet) -> list[str]:
    """By what is on file: new, known, repeated (imported before), or refused."""
    keys = [key_at(sheet.source, one.idempotency_key or "") for one in read]
    before = set(DeliveryKey.objects.filter(pk__in=keys).values_list("pk", flat=True))
    words = [
        "refused" if one.outcome not in WORTH_WORK else "repeated" if key in before else "new"
        for one, key in zip(read, keys, strict=True)
    ]
    fresh = [nth for nth, word in enumerate(words) if word == "new"]
    inquiries = [read[nth].leads[0] for nth in fresh]
    found = on_file.whom(
        [(match.identity_of(one), one.is_test or sheet.source.is_test) for one in inquiries]
    )
    for nth, who in zip(fresh, found, strict=True):
        words[nth] = "known" if who else "new"
    return words
