"""An import's order of events: the dry run, then row by row through the same intake as any lead.

A slice of rows is one task, and some rows are one transaction with the mark of how far
it came: a process may die anywhere, and the next goes on from the mark.
"""

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import batched
from uuid import UUID

from django.db import transaction
from django.tasks import task

from rooftree.capture.identity import person_lookup, person_matching
from rooftree.capture.imports import (
    import_dnc_counts,
    import_preview,
    import_records,
    import_staging,
    imported_activities,
    undo_import,
)
from rooftree.capture.imports.tabular_files import Row
from rooftree.capture.intake import receive_delivery, store_inquiries
from rooftree.capture.models import ImportedRow, Spreadsheet
from rooftree.core.uuid7 import uuid7_at
from rooftree.db.bulk_insert import insert_rows
from rooftree.flow import clock, credit_notice_triggers, crm_transfers, number_lookups
from rooftree.flow.lead_arrival import DELIVERY_BATCH as AT_ONCE
from rooftree.flow.lead_arrival import assign_leads, count_arrivals, respond_to_touches
from rooftree.leads import remarks
from rooftree.leads.canonical import CanonicalLead
from rooftree.leads.models import Delivery
from rooftree.ledger.write_events import write_event
from rooftree.org.models import User
from rooftree.outreach.releases import release_drafts, release_limits
from rooftree.tasks.batches import run_batch
from rooftree.tasks.live_updates import publish_update

log = logging.getLogger(__name__)
ROWS_PER_TRANSACTION = 100  # rows of one transaction
ROWS_PER_TASK = 400  # rows of one task; then others get their turn


@dataclass(frozen=True, slots=True, kw_only=True)
class _RowPerson:
    """Somebody a row is about, and the row, which is told what came of them."""

    row: ImportedRow
    inquiry: CanonicalLead
    identity: person_matching.Identity
    is_test: bool


def enqueue_check(*, sheet_id: UUID) -> None:
    """Have the dry run done. Call in the transaction that described the file."""
    check_spreadsheet.enqueue(sheet_id=str(sheet_id))


def start_import(*, sheet_id: UUID, by: User, at: datetime) -> Spreadsheet:
    """Import a file whose dry run somebody has seen. Raises `stage.BadFile`."""
    with transaction.atomic():
        sheet = import_staging.change_state(
            sheet_id, came_from=("checked",), to="running", by=by, at=at
        )
        import_rows.enqueue(sheet_id=str(sheet.pk))
    return sheet


def start_undo(*, sheet_id: UUID, by: User, at: datetime) -> Spreadsheet:
    """Take an import back, as far as that may be done. Raises `stage.BadFile`."""
    with transaction.atomic():
        sheet = undo_import.start_undo(sheet_id=sheet_id, by=by, at=at)
        undo_rows.enqueue(sheet_id=str(sheet.pk))
    return sheet


@task(queue_name="soon")
def undo_rows(*, sheet_id: str) -> None:
    """Close what may be closed, slice by slice; interrupted, it goes on with what is left."""
    while undo_import.close_next_batch(sheet_id=UUID(sheet_id), at=clock.now()):
        pass
    publish_update("sources", spreadsheet=sheet_id)


@task(queue_name="soon")
def check_spreadsheet(*, sheet_id: str) -> None:
    """The dry run. Interrupted, it begins again: it changes nothing."""
    run_dry_run(sheet_id=UUID(sheet_id), at=clock.now())


def run_dry_run(*, sheet_id: UUID, at: datetime) -> None:
    """Read a described file row by row and keep what its import would do."""
    sheet = Spreadsheet.objects.select_related("source").get(pk=sheet_id)
    if sheet.state != "checking":
        return
    mine = Spreadsheet.objects.filter(pk=sheet_id, state="checking", lines=sheet.lines)
    found = import_preview.preview_rows(sheet, at=at, tell=lambda nth: mine.update(seen_rows=nth))
    number_lookups.ask_about_import(found.numbers, at=at)
    mine.update(state="checked", seen_rows=sheet.row_count, findings=found.to_json())


@task(queue_name="soon")
def import_rows(*, sheet_id: str) -> None:
    """Import a slice of rows, and have the next done."""
    for _ in range(ROWS_PER_TASK // ROWS_PER_TRANSACTION):
        if not import_batch(sheet_id=UUID(sheet_id), at=clock.now()):
            return
    import_rows.enqueue(sheet_id=sheet_id)


def import_batch(*, sheet_id: UUID, at: datetime) -> bool:
    """Import the next few rows; False when none is left, or another worker has the file."""
    with transaction.atomic():
        sheet = (
            Spreadsheet.objects.select_for_update(of=("self",), skip_locked=True)
            .select_related("source", "transfer")
            .filter(pk=sheet_id, state="running")
            .first()
        )
        if sheet is None:
            return False
        begun = sheet.seen_rows
        if begun < sheet.row_count:
            rows = list(import_staging.read_rows(sheet, begin=begun, most=ROWS_PER_TRANSACTION))
            became = _import_rows(sheet, rows, begun, at)
            sheet.counts = dict(Counter(sheet.counts) + became)
            sheet.seen_rows = min(begun + ROWS_PER_TRANSACTION, sheet.row_count)
        if sheet.seen_rows == sheet.row_count and not imported_activities.link_next_batch(
            sheet, at=at
        ):
            _finish_import(sheet, at)
        sheet.save(update_fields=["counts", "findings", "seen_rows", "state", "ended_at"])
    return sheet.state == "running"


def _import_rows(sheet: Spreadsheet, rows: Sequence[Row], begun: int, at: datetime) -> Counter[str]:
    lines = [row.line for row in rows]
    mine = ImportedRow.objects.filter(spreadsheet=sheet, line__in=lines)
    before = set(mine.values_list("line", flat=True))
    kept, people = [], []
    for position, row in enumerate(rows, start=begun + 1):
        if row.line not in before:
            one, person = _receive_row(sheet, row, position, at)
            kept.append(one)
            people += [person] if person else []
    for some in _split_independent(people):
        run_batch(partial(_store_people, sheet, at=at), some, on_failure=_quarantine_row)
    insert_rows(kept)
    _count_dnc_hits(
        sheet, [person.inquiry for person in people if person.row.became in ("new", "known")], at
    )
    return Counter([*(one.became for one in kept), *("repeated" for _ in before)])


def _count_dnc_hits(sheet: Spreadsheet, taken: Sequence[CanonicalLead], at: datetime) -> None:
    """Count what the lists say of the numbers that were taken in."""
    told = Counter(sheet.findings.get("lists_after", {}))
    told += import_dnc_counts.count_listed_numbers(
        import_preview.callable_numbers(taken), today=at.date()
    )
    sheet.findings["lists_after"] = dict(told)


def _receive_row(
    sheet: Spreadsheet, row: Row, position: int, at: datetime
) -> tuple[ImportedRow, _RowPerson | None]:
    """One row as a delivery of its source, and who it is about if there is work in it."""
    incoming = import_staging.build_row_delivery(sheet, row, position, at)
    received = receive_delivery.receive_delivery(source=sheet.source, incoming=incoming, at=at)
    delivery = received.stored_delivery
    assert delivery is not None  # an upload needs no proof, and its rows have a bound
    one = ImportedRow(id=uuid7_at(at), spreadsheet=sheet, line=row.line, delivery=delivery)
    if received.delivery is not None:
        (inquiry,) = received.envelope.leads
        is_test = inquiry.is_test or sheet.source.is_test
        identity = person_matching.inquiry_identity(inquiry)
        return one, _RowPerson(row=one, inquiry=inquiry, identity=identity, is_test=is_test)
    one.became = "repeated"
    if (
        delivery.state != "duplicate"
        or received.envelope.outcome not in receive_delivery.WORKABLE_OUTCOMES
    ):
        one.became, one.why = "refused", received.envelope.reason or delivery.reason
    if delivery.state != "duplicate":
        _close_deliveries([delivery], at, state="closed")
    return one, None


def _split_independent(people: Sequence[_RowPerson]) -> Iterator[list[_RowPerson]]:
    """Runs of rows of which none could be somebody before it: a later row must find an earlier."""
    run: list[_RowPerson] = []
    seen: set[str] = set()
    for person in people:
        names = set(person_lookup.contact_match_keys(person.identity))
        if seen & names:
            yield run
            run, seen = [], set()
        run.append(person)
        seen |= names
    yield run


def _finish_import(sheet: Spreadsheet, at: datetime) -> None:
    """The rows live on as deliveries; the file itself is let go of."""
    sheet.state, sheet.ended_at = "done", at
    import_staging.delete_rows(sheet)
    write_event(
        "capture.import.done",
        at=at,
        actor=f"user:{sheet.uploaded_by_id}",
        source_id=sheet.source_id,
        spreadsheet=sheet.pk,
        counts=dict(sheet.counts),
    )
    publish_update("sources", spreadsheet=str(sheet.pk))


def _store_people(
    sheet: Spreadsheet, people: Sequence[_RowPerson], *, at: datetime
) -> Sequence[_RowPerson]:
    """Take in rows of which no two can be the same person: new, known, or left_out."""
    with transaction.atomic():
        _mark_known_people(sheet, people)
        left = [person.row.delivery for person in people if person.row.became == "left_out"]
        _close_deliveries(left, at, state="closed", reason="on_file_already")
        taken = [person for person in people if person.row.became != "left_out"]
        stored = store_inquiries.store_inquiries(
            [
                store_inquiries.Arrival(inquiry=one.inquiry, delivery=one.row.delivery, position=0)
                for one in taken
            ],
            at=at,
        )
        _close_deliveries([one.row.delivery for one in taken], at, state="worked")
        fresh = [store_inquiry for store_inquiry in stored if store_inquiry.is_new]
        kept_by = crm_transfers.apply_transfer(sheet, fresh, at=at)
        for person in taken:
            person.row.officer_id = kept_by.get(person.row.delivery_id)
        _follow_import(sheet, fresh, at)
    return people


def _mark_known_people(sheet: Spreadsheet, people: Sequence[_RowPerson]) -> None:
    """Say of each row whether it is somebody on file, and then whether that is left as it is."""
    known = "known" if sheet.options.get("known") == "add" else "left_out"
    found = person_lookup.find_people([(person.identity, person.is_test) for person in people])
    for one, who in zip(people, found, strict=True):
        one.row.became = known if who else "new"


def _quarantine_row(one: _RowPerson, problem: Exception) -> None:
    """A failure of ours in one row holds up no other: it is set aside like any delivery."""
    delivery = one.row.delivery
    log.error("delivery %s could not be imported: %s", delivery.pk, type(problem).__name__)
    Delivery.objects.filter(pk=delivery.pk).update(
        state="quarantined",
        reason="our_fault",
        problem=f"{type(problem).__name__} while importing it.",
        due_at=None,
    )
    one.row.became, one.row.why = "refused", "our_fault"


def _follow_import(
    sheet: Spreadsheet, stored: Sequence[store_inquiries.StoredInquiry], at: datetime
) -> None:
    """Nothing is sent and nobody rings unless the person who imported chose so."""
    count_arrivals(stored)
    _add_history_notes(sheet, stored, at)
    credit_notice_triggers.check_arrivals(stored, at=at)
    number_lookups.ask_about_arrivals(stored, at=at)
    then = sheet.options.get("then")
    if then not in ("assign", "greet"):
        return
    fresh = [
        stored_inquiry
        for stored_inquiry in stored
        if stored_inquiry.touch.is_first and not stored_inquiry.lead.is_test
    ]
    is_large = then == "greet" and release_limits.current_limits(at=at).needs_second_person(
        sheet.row_count
    )
    for some in batched(fresh, AT_ONCE):
        lead_ids = [str(one.lead.pk) for one in some]
        assign_leads.using(queue_name="soon", priority=0).enqueue(lead_ids=lead_ids)
        if is_large:
            release_drafts.join_shared_draft(
                kind="greetings",
                title=f"First answers to the people in {sheet.file_name}",
                about={"import": str(sheet.pk)},
                members={f"touch:{one.touch.pk}": one.lead for one in some},
                at=at,
            )
        elif then == "greet":
            touch_ids = [str(one.touch.pk) for one in some]
            respond_to_touches.using(queue_name="soon", priority=0).enqueue(touch_ids=touch_ids)


def _add_history_notes(
    sheet: Spreadsheet, stored: Sequence[store_inquiries.StoredInquiry], at: datetime
) -> None:
    """Add a remark to each lead whose imported record has a history."""
    kind, owners = (
        import_staging.RECORD_FORMATS[sheet.source.adapter],
        crm_transfers.owner_names(sheet),
    )
    for stored_inquiry in stored:
        if told := import_records.history_note(
            stored_inquiry.touch.inquiry, sheet.source.name, kind, owners
        ):
            remarks.add_remark(
                lead_id=stored_inquiry.lead.pk,
                by=sheet.uploaded_by_id,
                text=told[: remarks.MAX_LENGTH],
                at=at,
            )


def _close_deliveries(deliveries: Sequence[Delivery], at: datetime, **to: str) -> None:
    ids = [delivery.pk for delivery in deliveries]
    Delivery.objects.filter(pk__in=ids).update(**to, worked_at=at, due_at=None)
