"""What an import would do, row by row, before anything is done."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import batched
from typing import Any

from rooftree.capture.identity import person_lookup, person_matching
from rooftree.capture.imports import import_dnc_counts
from rooftree.capture.imports.import_records import owner_key
from rooftree.capture.imports.import_staging import build_row_delivery, read_rows
from rooftree.capture.imports.tabular_files import Row
from rooftree.capture.intake.receive_delivery import WORKABLE_OUTCOMES, adapter_of
from rooftree.capture.intake.store_delivery import delivery_key
from rooftree.capture.models import Spreadsheet
from rooftree.capture.parsing.envelope import Envelope
from rooftree.leads.canonical import CanonicalLead, Recipient, Suppression
from rooftree.leads.models import DeliveryKey
from rooftree.leads.vocabulary import ConsentStatus

MAX_REFUSED_SHOWN = 500  # refused rows that are listed with what to change
MAX_NAMES_SHOWN = 300  # owners, stages
PROGRESS_ROWS = 100  # rows between two words about how far it is


@dataclass(slots=True)
class ImportPreview:
    """The counts of a dry run, and the first rows that cannot be used."""

    counts: Counter[str] = field(default_factory=Counter)
    refused: list[dict[str, Any]] = field(default_factory=list)
    remarks: Counter[str] = field(default_factory=Counter)
    people: Counter[str] = field(default_factory=Counter)  # of those that can be used
    owners: Counter[str] = field(default_factory=Counter)  # by mapping.owner_of
    stages: Counter[str] = field(default_factory=Counter)  # as the other system calls them
    dnc_counts: Counter[str] = field(default_factory=Counter)  # of its numbers, as `scrub.tally`
    numbers: set[str] = field(default_factory=set)
    seen: set[str] = field(default_factory=set)  # numbers, addresses and keys

    def to_json(self) -> dict[str, Any]:
        return {
            "counts": dict(self.counts),
            "refused": self.refused,
            "remarks": dict(self.remarks.most_common(30)),
            "people": dict(self.people),
            "owners": dict(self.owners.most_common(MAX_NAMES_SHOWN)),
            "lists": dict(self.dnc_counts),
            "stages": dict(self.stages.most_common(MAX_NAMES_SHOWN)),
        }


def preview_rows(
    sheet: Spreadsheet, *, at: datetime, tell: Callable[[int], object] = lambda _: None
) -> ImportPreview:
    """Read every row and say what it would become. Changes nothing.

    Args:
        tell: hears how many rows have been read.
    """
    found = ImportPreview()
    adapter, position = adapter_of(sheet.source), 0
    for some in batched(read_rows(sheet), PROGRESS_ROWS):
        read = [
            adapter.read(build_row_delivery(sheet, row, position + nth, at))
            for nth, row in enumerate(some, start=1)
        ]
        for row, envelope, word in zip(some, read, _classify_rows(read, sheet), strict=True):
            _count_row(row, envelope, word, found)
        _count_listed_numbers(read, found, at)
        position += len(some)
        tell(position)
    return found


def callable_numbers(inquiries: Iterable[CanonicalLead]) -> set[str]:
    """The numbers that somebody could be called on."""
    return {phone.e164 for lead in inquiries for phone in lead.phones if phone.valid and phone.e164}


def _count_listed_numbers(read: Sequence[Envelope], found: ImportPreview, at: datetime) -> None:
    """Ask the lists about the numbers of some rows; each number once."""
    usable = [envelope.leads[0] for envelope in read if envelope.outcome in WORKABLE_OUTCOMES]
    fresh = callable_numbers(usable) - found.numbers
    found.numbers |= fresh
    found.dnc_counts += import_dnc_counts.count_listed_numbers(fresh, today=at.date())


def _count_row(row: Row, envelope: Envelope, word: str, found: ImportPreview) -> None:
    """Count a row; one that would be new may be somebody of a row before it."""
    if word != "refused":
        _count_person(envelope.leads[0], found)
    if word in ("new", "known"):
        key, identity = (
            envelope.idempotency_key or "",
            person_matching.inquiry_identity(envelope.leads[0]),
        )
        marks = {key, *person_lookup.contact_match_keys(identity)}
        if word == "new" and marks & found.seen:
            word = "again"
        found.seen |= marks
    found.counts[word] += 1
    found.remarks.update(set(envelope.warnings))
    if word == "refused" and len(found.refused) < MAX_REFUSED_SHOWN:
        found.refused.append({"line": row.line, "reason": envelope.reason or "unreadable"})


def _count_person(one: CanonicalLead, found: ImportPreview) -> None:
    """How they can be reached, what they refused, and what nobody knows that they agreed to."""
    told = one.recipient or Recipient()
    owner = owner_key(
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


def _classify_rows(read: Sequence[Envelope], sheet: Spreadsheet) -> list[str]:
    """By what is on file: new, known, repeated (imported before), or refused."""
    keys = [delivery_key(sheet.source, envelope.idempotency_key or "") for envelope in read]
    before = set(DeliveryKey.objects.filter(pk__in=keys).values_list("pk", flat=True))
    words = [
        "refused"
        if one.outcome not in WORKABLE_OUTCOMES
        else "repeated"
        if key in before
        else "new"
        for one, key in zip(read, keys, strict=True)
    ]
    fresh = [nth for nth, word in enumerate(words) if word == "new"]
    inquiries = [read[nth].leads[0] for nth in fresh]
    found = person_lookup.find_people(
        [
            (person_matching.inquiry_identity(inquiry), inquiry.is_test or sheet.source.is_test)
            for inquiry in inquiries
        ]
    )
    for nth, who in zip(fresh, found, strict=True):
        words[nth] = "known" if who else "new"
    return words
