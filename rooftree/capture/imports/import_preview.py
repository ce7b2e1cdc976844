"""Dry run of an import: the outcome of each row, before anything is imported."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import batched
from typing import Any
from uuid import UUID

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

MAX_REFUSED_SHOWN = 500  # refused rows listed with their reason
MAX_NAMES_SHOWN = 300  # owners, stages
PROGRESS_ROWS = 100  # rows between two progress reports


@dataclass(slots=True)
class ImportPreview:
    """The counts of a dry run, and the first rows that it refused."""

    counts: Counter[str] = field(default_factory=Counter)
    refused: list[dict[str, Any]] = field(default_factory=list)
    remarks: Counter[str] = field(default_factory=Counter)
    people: Counter[str] = field(default_factory=Counter)  # counts over the usable rows
    owners: Counter[str] = field(default_factory=Counter)  # by import_records.owner_key
    stages: Counter[str] = field(default_factory=Counter)  # as the CRM names them
    dnc_counts: Counter[str] = field(default_factory=Counter)  # see count_listed_numbers
    numbers: set[str] = field(default_factory=set)
    seen_keys: set[str] = field(default_factory=set)  # idempotency keys of usable rows
    # The people that the rows before would have stored, by phone number and email address.
    file_people: dict[str, list[person_matching.Candidate]] = field(default_factory=dict)
    outcomes_by_person: dict[UUID, str] = field(default_factory=dict)  # of a later row of theirs

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
    sheet: Spreadsheet, *, at: datetime, on_progress: Callable[[int], object] = lambda _: None
) -> ImportPreview:
    """Read every row and count what it would become, without changing anything.

    Args:
        on_progress: called with the number of rows read so far.
    """
    preview = ImportPreview()
    adapter, position = adapter_of(sheet.source), 0
    for rows in batched(read_rows(sheet), PROGRESS_ROWS):
        envelopes = [
            adapter.read(build_row_delivery(sheet, row, position + nth, at))
            for nth, row in enumerate(rows, start=1)
        ]
        for row, envelope, outcome in zip(
            rows, envelopes, _classify_rows(envelopes, sheet), strict=True
        ):
            final_outcome = _compare_with_earlier_rows(envelope, outcome, sheet, preview)
            _count_row(row, envelope, final_outcome, preview)
        _count_listed_numbers(envelopes, preview, at)
        position += len(rows)
        on_progress(position)
    return preview


def _compare_with_earlier_rows(
    envelope: Envelope, outcome: str, sheet: Spreadsheet, preview: ImportPreview
) -> str:
    """Return `again` for a row whose person an earlier row of the file would have stored.

    The rules are those of the import: a phone or email alone isn't enough, and a row that would
    be left out adds no contacts to its person.
    """
    if outcome not in ("new", "known"):
        return outcome
    inquiry, row_key = envelope.leads[0], envelope.idempotency_key or ""
    if row_key in preview.seen_keys:
        return "again"
    preview.seen_keys.add(row_key)
    identity = person_matching.inquiry_identity(inquiry)
    is_test = inquiry.is_test or sheet.source.is_test
    contact_keys = [f"{is_test}:{key}" for key in person_lookup.contact_match_keys(identity)]
    earlier = [person for key in contact_keys for person in preview.file_people.get(key, ())]
    match = person_matching.best_match(identity, earlier) if outcome == "new" else None
    person_id = match.person_id if match else UUID(int=len(preview.seen_keys))
    if match:
        outcome = preview.outcomes_by_person[person_id]
    if outcome == "new" or sheet.options.get("known") == "add":
        later_outcome = "again" if outcome in ("new", "again") else "known"
        preview.outcomes_by_person[person_id] = later_outcome
        names = [
            replace(identity, first_name=person.identity.first_name,
                    last_name=person.identity.last_name, suffix=person.identity.suffix)
            for person in earlier if match and person.person_id == person_id
        ][:1]  # fmt: skip
        candidate = person_matching.Candidate(
            person_id=person_id, identity=names[0] if names else identity
        )
        for key in contact_keys:
            preview.file_people.setdefault(key, []).append(candidate)
    return outcome


def callable_numbers(inquiries: Iterable[CanonicalLead]) -> set[str]:
    """Return the valid phone numbers of the inquiries, as E.164."""
    return {phone.e164 for lead in inquiries for phone in lead.phones if phone.valid and phone.e164}


def _count_listed_numbers(
    envelopes: Sequence[Envelope], preview: ImportPreview, at: datetime
) -> None:
    """Add the do-not-contact counts of the rows' numbers; each number counts once per import."""
    usable = [envelope.leads[0] for envelope in envelopes if envelope.outcome in WORKABLE_OUTCOMES]
    new_numbers = callable_numbers(usable) - preview.numbers
    preview.numbers |= new_numbers
    preview.dnc_counts += import_dnc_counts.count_listed_numbers(new_numbers, today=at.date())


def _count_row(row: Row, envelope: Envelope, outcome: str, preview: ImportPreview) -> None:
    """Count one row, and keep the reason if it is refused."""
    if outcome != "refused":
        _count_person(envelope.leads[0], preview)
    preview.counts[outcome] += 1
    preview.remarks.update(set(envelope.warnings))
    if outcome == "refused" and len(preview.refused) < MAX_REFUSED_SHOWN:
        preview.refused.append({"line": row.line, "reason": envelope.reason or "unreadable"})


def _count_person(lead: CanonicalLead, preview: ImportPreview) -> None:
    """Count how a person can be reached, their opt-outs, and whether consent is unknown."""
    recipient = lead.recipient or Recipient()
    owner = owner_key(
        {
            "vendor_ids": lead.vendor_ids,
            "recipient": {
                "email": recipient.email,
                "nmls_id": recipient.nmls_id,
                "name": recipient.name,
            },
        }
    )
    opt_out = lead.suppression or Suppression()
    has_phone = any(phone.valid for phone in lead.phones)
    has_email = any(email.valid for email in lead.emails)
    can_call = has_phone and not opt_out.do_not_call
    can_email = has_email and not opt_out.do_not_email
    is_unknown = lead.consent.status is not ConsentStatus.GRANTED or not lead.consent.text
    marks = {
        "with_phone": has_phone,
        "with_email": has_email,
        "do_not_call": opt_out.do_not_call,
        "do_not_text": opt_out.do_not_text,
        "do_not_email": opt_out.do_not_email,
        "consent_unknown": is_unknown,
        "ask_by_email": is_unknown and can_email,
        "ask_by_call": is_unknown and can_call and not can_email,
        "ask_never": is_unknown and not can_call and not can_email,
    }
    preview.people.update(name for name, is_true in marks.items() if is_true)
    preview.owners.update(filter(None, [owner]))
    preview.stages.update(filter(None, [lead.vendor_status]))


def _classify_rows(envelopes: Sequence[Envelope], sheet: Spreadsheet) -> list[str]:
    """Classify rows by the records on file: new, known, repeated (imported before) or refused."""
    keys = [delivery_key(sheet.source, envelope.idempotency_key or "") for envelope in envelopes]
    imported_keys = set(DeliveryKey.objects.filter(pk__in=keys).values_list("pk", flat=True))
    outcomes = [
        "refused"
        if envelope.outcome not in WORKABLE_OUTCOMES
        else "repeated"
        if key in imported_keys
        else "new"
        for envelope, key in zip(envelopes, keys, strict=True)
    ]
    new_rows = [nth for nth, outcome in enumerate(outcomes) if outcome == "new"]
    inquiries = [envelopes[nth].leads[0] for nth in new_rows]
    people = person_lookup.find_people(
        [
            (person_matching.inquiry_identity(inquiry), inquiry.is_test or sheet.source.is_test)
            for inquiry in inquiries
        ]
    )
    for nth, person in zip(new_rows, people, strict=True):
        outcomes[nth] = "known" if person else "new"
    return outcomes
