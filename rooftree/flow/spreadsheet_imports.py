"""The order of events of an import: the dry run, then each row through the intake of any lead.

One task imports a slice of rows. A batch of rows and the position after it are committed in
one transaction, so a process can die anywhere and the next continues from that position.
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
from rooftree.capture.intake.store_delivery import delivery_key
from rooftree.capture.models import ImportedRow, Spreadsheet
from rooftree.capture.parsing.envelope import Envelope
from rooftree.core.uuid7 import uuid7_at
from rooftree.db.bulk_insert import insert_rows
from rooftree.flow import (
    clock,
    credit_notice_triggers,
    crm_transfers,
    number_lookups,
    past_clients,
)
from rooftree.flow.lead_arrival import (
    DELIVERY_BATCH,
    assign_leads,
    count_arrivals,
    respond_to_touches,
)
from rooftree.leads import remarks
from rooftree.leads.canonical import CanonicalLead
from rooftree.leads.models import Delivery, DeliveryKey, Touch
from rooftree.ledger.write_events import write_event
from rooftree.org.models import User
from rooftree.outreach.releases import release_drafts, release_limits
from rooftree.tasks.batches import run_batch
from rooftree.tasks.live_updates import publish_update

log = logging.getLogger(__name__)
ROWS_PER_TRANSACTION = 100
ROWS_PER_TASK = 400  # then other tasks get their turn


@dataclass(frozen=True, slots=True, kw_only=True)
class _RowPerson:
    """The person in a row, and the row, on which the result is recorded."""

    row: ImportedRow
    inquiry: CanonicalLead
    identity: person_matching.Identity
    is_test: bool


def enqueue_check(*, sheet_id: UUID) -> None:
    """Enqueue the dry run. Call in the transaction that described the file."""
    check_spreadsheet.enqueue(sheet_id=str(sheet_id))


def start_import(*, sheet_id: UUID, by: User, at: datetime) -> Spreadsheet:
    """Start the import of a file after its dry run. Raises `import_staging.InvalidImport`."""
    with transaction.atomic():
        sheet = import_staging.change_state(
            sheet_id, came_from=("checked",), to="running", by=by, at=at
        )
        import_rows.enqueue(sheet_id=str(sheet.pk))
    return sheet


def start_undo(*, sheet_id: UUID, by: User, at: datetime) -> Spreadsheet:
    """Start to undo an import, as far as possible. Raises `import_staging.InvalidImport`."""
    with transaction.atomic():
        sheet = undo_import.start_undo(sheet_id=sheet_id, by=by, at=at)
        undo_rows.enqueue(sheet_id=str(sheet.pk))
    return sheet


@task(queue_name="soon")
def undo_rows(*, sheet_id: str) -> None:
    """Close the leads that can be closed, batch by batch. If interrupted, it continues."""
    while undo_import.close_next_batch(sheet_id=UUID(sheet_id), at=clock.now()):
        pass
    publish_update("sources", spreadsheet=sheet_id)


@task(queue_name="soon")
def check_spreadsheet(*, sheet_id: str) -> None:
    """Run the dry run of a file. It changes nothing, so an interrupted one starts over."""
    run_dry_run(sheet_id=UUID(sheet_id), at=clock.now())


def run_dry_run(*, sheet_id: UUID, at: datetime) -> None:
    """Read a described file row by row and store the results its import would have."""
    sheet = Spreadsheet.objects.select_related("source").get(pk=sheet_id)
    if sheet.state != "checking":
        return
    checking = Spreadsheet.objects.filter(pk=sheet_id, state="checking", lines=sheet.lines)
    preview = import_preview.preview_rows(
        sheet, at=at, on_progress=lambda count: checking.update(seen_rows=count)
    )
    number_lookups.ask_about_import(preview.numbers, at=at)
    checking.update(state="checked", seen_rows=sheet.row_count, findings=preview.to_json())


@task(queue_name="soon")
def import_rows(*, sheet_id: str) -> None:
    """Import a slice of rows and enqueue the next."""
    for _ in range(ROWS_PER_TASK // ROWS_PER_TRANSACTION):
        if not import_batch(sheet_id=UUID(sheet_id), at=clock.now()):
            return
    import_rows.enqueue(sheet_id=sheet_id)


def import_batch(*, sheet_id: UUID, at: datetime) -> bool:
    """Import the next batch of rows; False if none is left or another worker has the file."""
    with transaction.atomic():
        sheet = (
            Spreadsheet.objects.select_for_update(of=("self",), skip_locked=True)
            .select_related("source", "transfer")
            .filter(pk=sheet_id, state="running")
            .first()
        )
        if sheet is None:
            return False
        start = sheet.seen_rows
        if start < sheet.row_count:
            rows = list(import_staging.read_rows(sheet, begin=start, limit=ROWS_PER_TRANSACTION))
            counts = _import_rows(sheet, rows, start, at)
            sheet.counts = dict(Counter(sheet.counts) + counts)
            sheet.seen_rows = min(start + ROWS_PER_TRANSACTION, sheet.row_count)
        if sheet.seen_rows == sheet.row_count and not imported_activities.link_next_batch(
            sheet, at=at
        ):
            _finish_import(sheet, at)
        sheet.save(update_fields=["counts", "findings", "seen_rows", "state", "ended_at"])
    return sheet.state == "running"


def _import_rows(sheet: Spreadsheet, rows: Sequence[Row], start: int, at: datetime) -> Counter[str]:
    lines = [row.line for row in rows]
    earlier_rows = ImportedRow.objects.filter(spreadsheet=sheet, line__in=lines)
    imported_lines = set(earlier_rows.values_list("line", flat=True))
    imported, people = [], []
    for position, row in enumerate(rows, start=start + 1):
        if row.line not in imported_lines:
            imported_row, person = _receive_row(sheet, row, position, at)
            imported.append(imported_row)
            people += [person] if person else []
    for batch in _split_independent(people):
        run_batch(partial(_store_people, sheet, at=at), batch, on_failure=_quarantine_row)
    insert_rows(imported)
    _count_dnc_hits(
        sheet, [person.inquiry for person in people if person.row.outcome in ("new", "known")], at
    )
    return Counter([*(row.outcome for row in imported), *("repeated" for _ in imported_lines)])


def _count_dnc_hits(sheet: Spreadsheet, inquiries: Sequence[CanonicalLead], at: datetime) -> None:
    """Count the imported numbers that are on do-not-call lists."""
    counts = Counter(sheet.findings.get("lists_after", {}))
    counts += import_dnc_counts.count_listed_numbers(
        import_preview.callable_numbers(inquiries), today=at.date()
    )
    sheet.findings["lists_after"] = dict(counts)


def _receive_row(
    sheet: Spreadsheet, row: Row, position: int, at: datetime
) -> tuple[ImportedRow, _RowPerson | None]:
    """Store a row as a delivery; return it with its person, None if nothing is left to do."""
    incoming = import_staging.build_row_delivery(sheet, row, position, at)
    received = receive_delivery.receive_delivery(source=sheet.source, incoming=incoming, at=at)
    delivery = received.stored_delivery
    assert delivery is not None  # an upload needs no proof, and its rows are bounded
    imported = ImportedRow(id=uuid7_at(at), spreadsheet=sheet, line=row.line, delivery=delivery)
    if received.delivery is not None:
        (inquiry,) = received.envelope.leads
        is_test = inquiry.is_test or sheet.source.is_test
        identity = person_matching.inquiry_identity(inquiry)
        person = _RowPerson(row=imported, inquiry=inquiry, identity=identity, is_test=is_test)
        return imported, person
    imported.outcome = "repeated"
    if delivery.state == "duplicate" and _is_own_row(sheet, received.envelope, delivery):
        imported.outcome = "again"
    if (
        delivery.state != "duplicate"
        or received.envelope.outcome not in receive_delivery.WORKABLE_OUTCOMES
    ):
        imported.outcome = "refused"
        imported.problem = received.envelope.reason or delivery.reason
    if delivery.state != "duplicate":
        _close_deliveries([delivery], at, state="closed")
    return imported, None


def _is_own_row(sheet: Spreadsheet, envelope: Envelope, delivery: Delivery) -> bool:
    """Return True if an equal row of the same file was received before this one."""
    keys = DeliveryKey.objects.filter(
        pk=delivery_key(sheet.source, envelope.idempotency_key or ""),
        delivery__path__startswith=f"/imports/{sheet}/",
    )
    return keys.exclude(delivery=delivery).exists()


def _split_independent(people: Sequence[_RowPerson]) -> Iterator[list[_RowPerson]]:
    """Split rows into batches in which no two rows can be the same person.

    A later row of a person has to find the earlier one already stored.
    """
    batch: list[_RowPerson] = []
    batch_keys: set[str] = set()
    for person in people:
        keys = set(person_lookup.contact_match_keys(person.identity))
        if batch_keys & keys:
            yield batch
            batch, batch_keys = [], set()
        batch.append(person)
        batch_keys |= keys
    yield batch


def _finish_import(sheet: Spreadsheet, at: datetime) -> None:
    """Mark the import as done and delete the file; its rows live on as deliveries."""
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
    """Store rows in which no two can be the same person, each as new, known, again or left_out."""
    skipped = ("left_out",) if sheet.options.get("known") == "add" else ("left_out", "again")
    with transaction.atomic():
        _mark_known_people(sheet, people)
        left_out = [person.row.delivery for person in people if person.row.outcome in skipped]
        _close_deliveries(left_out, at, state="closed", reason="on_file_already")
        included = [person for person in people if person.row.outcome not in skipped]
        stored = store_inquiries.store_inquiries(
            [
                store_inquiries.Arrival(
                    inquiry=person.inquiry, delivery=person.row.delivery, position=0
                )
                for person in included
            ],
            at=at,
        )
        _close_deliveries([person.row.delivery for person in included], at, state="worked")
        new_inquiries = [inquiry for inquiry in stored if inquiry.is_new]
        officers = crm_transfers.apply_transfer(sheet, new_inquiries, at=at)
        officers |= past_clients.settle_arrivals(sheet, new_inquiries, at=at)
        for person in included:
            person.row.officer_id = officers.get(person.row.delivery_id)
        _follow_import(sheet, new_inquiries, at)
    return people


def _mark_known_people(sheet: Spreadsheet, people: Sequence[_RowPerson]) -> None:
    """Mark each row as new, a repeat within the file, or on file: added to or left out."""
    known = "known" if sheet.options.get("known") == "add" else "left_out"
    matches = person_lookup.find_people([(person.identity, person.is_test) for person in people])
    first_touches = Touch.objects.filter(
        is_first=True,
        delivery__path__startswith=f"/imports/{sheet}/",
        lead__person__in=[match.person_id for match in matches if match],
    )
    # The same file can also add a second lead for someone who was on file before it.
    own_people = set(
        first_touches.filter(lead__person__created_at__gte=sheet.started_at).values_list(
            "lead__person_id", flat=True
        )
    )
    for person, match in zip(people, matches, strict=True):
        is_own = match is not None and match.person_id in own_people
        person.row.outcome = "again" if is_own else known if match else "new"


def _quarantine_row(person: _RowPerson, problem: Exception) -> None:
    """Quarantine a row on which our code failed, so it does not affect the other rows."""
    delivery = person.row.delivery
    log.error("delivery %s could not be imported: %s", delivery.pk, type(problem).__name__)
    Delivery.objects.filter(pk=delivery.pk).update(
        state="quarantined",
        reason="our_fault",
        problem=f"{type(problem).__name__} while importing the row.",
        due_at=None,
    )
    person.row.outcome, person.row.problem = "refused", "our_fault"


def _follow_import(
    sheet: Spreadsheet, stored: Sequence[store_inquiries.StoredInquiry], at: datetime
) -> None:
    """Count and check imported leads; assign and greet them only if the importer chose it."""
    count_arrivals(stored)
    _add_history_notes(sheet, stored, at)
    credit_notice_triggers.check_arrivals(
        [inquiry for inquiry in stored if inquiry.can_complete_application], at=at
    )
    number_lookups.ask_about_arrivals(stored, at=at)
    next_step = sheet.options.get("then")
    if next_step not in ("assign", "greet"):
        return
    new_inquiries = [
        inquiry for inquiry in stored if inquiry.touch.is_first and not inquiry.lead.is_test
    ]
    is_large = next_step == "greet" and release_limits.current_limits(at=at).needs_second_person(
        sheet.row_count
    )
    for batch in batched(new_inquiries, DELIVERY_BATCH):
        lead_ids = [str(inquiry.lead.pk) for inquiry in batch]
        assign_leads.using(queue_name="soon", priority=0).enqueue(lead_ids=lead_ids)
        if is_large:
            release_drafts.join_shared_draft(
                kind="greetings",
                title=f"First responses to the people in {sheet.file_name}",
                about={"import": str(sheet.pk)},
                members={f"touch:{inquiry.touch.pk}": inquiry.lead for inquiry in batch},
                at=at,
            )
        elif next_step == "greet":
            touch_ids = [str(inquiry.touch.pk) for inquiry in batch]
            respond_to_touches.using(queue_name="soon", priority=0).enqueue(touch_ids=touch_ids)


def _add_history_notes(
    sheet: Spreadsheet, stored: Sequence[store_inquiries.StoredInquiry], at: datetime
) -> None:
    """Add a note to each lead whose imported record has a history."""
    record_format = import_staging.RECORD_FORMATS[sheet.source.adapter]
    owners = crm_transfers.load_owner_names(sheet)
    for inquiry in stored:
        if note := import_records.history_note(
            inquiry.touch.inquiry, sheet.source.name, record_format, owners
        ):
            remarks.add_remark(
                lead_id=inquiry.lead.pk,
                by=sheet.uploaded_by_id,
                text=note[: remarks.MAX_LENGTH],
                at=at,
            )


def _close_deliveries(deliveries: Sequence[Delivery], at: datetime, **to: str) -> None:
    ids = [delivery.pk for delivery in deliveries]
    Delivery.objects.filter(pk__in=ids).update(**to, worked_at=at, due_at=None)
