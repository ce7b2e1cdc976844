"""An import's order of events: the dry run, then row by row through the same intake as any lead.

A slice of rows is one task, and some rows are one transaction with the mark of how far
it came: a process may die anywhere, and the next goes on from the mark.
"""

import logging
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.tasks import task

from rooftree.capture import intake, receive
from rooftree.capture.imports import dry_run, records, stage
from rooftree.capture.imports.table import Row
from rooftree.capture.models import ImportedRow, Spreadsheet
from rooftree.core.uuid7 import uuid7_at
from rooftree.flow import moment
from rooftree.flow.intake import assign_leads, respond_to_touches
from rooftree.leads import remarks
from rooftree.leads.models import Delivery
from rooftree.ledger.write import write
from rooftree.org.models import User
from rooftree.reporting import count
from rooftree.tasks.announce import announce

log = logging.getLogger(__name__)
TOGETHER = 50  # rows of one transaction
SLICE = 400  # rows of one task; then others get their turn


def begin_check(*, sheet_id: UUID) -> None:
    """Have the dry run done. Call in the transaction that described the file."""
    check_spreadsheet.enqueue(sheet_id=str(sheet_id))


def begin(*, sheet_id: UUID, by: User, at: datetime) -> Spreadsheet:
    """Import a file whose dry run somebody has seen. Raises `stage.BadFile`."""
    with transaction.atomic():
        sheet = stage.move(sheet_id, came_from=("checked",), to="running", by=by, at=at)
        import_rows.enqueue(sheet_id=str(sheet.pk))
    return sheet


@task(queue_name="soon")
def check_spreadsheet(*, sheet_id: str) -> None:
    """The dry run. Interrupted, it begins again: it changes nothing."""
    check(sheet_id=UUID(sheet_id), at=moment.now())


def check(*, sheet_id: UUID, at: datetime) -> None:
    """Read a described file row by row and keep what its import would do."""
    sheet = Spreadsheet.objects.select_related("source").get(pk=sheet_id)
    if sheet.state != "checking":
        return
    mine = Spreadsheet.objects.filter(pk=sheet_id, state="checking", lines=sheet.lines)
    found = dry_run.look(sheet, at=at, tell=lambda nth: mine.update(seen_rows=nth))
    mine.update(state="checked", seen_rows=sheet.row_count, findings=found.to_json())


@task(queue_name="soon")
def import_rows(*, sheet_id: str) -> None:
    """Import a slice of rows, and have the next done."""
    for _ in range(SLICE // TOGETHER):
        if not import_some(sheet_id=UUID(sheet_id), at=moment.now()):
            return
    import_rows.enqueue(sheet_id=sheet_id)


def import_some(*, sheet_id: UUID, at: datetime) -> bool:
    """Import the next few rows; False when none is left, or another worker has the file."""
    with transaction.atomic():
        sheet = (
            Spreadsheet.objects.select_for_update(of=("self",), skip_locked=True)
            .select_related("source")
            .filter(pk=sheet_id, state="running")
            .first()
        )
        if sheet is None:
            return False
        rows = stage.rows_of(sheet)
        begun = sheet.seen_rows
        became = _imported(sheet, rows[begun : begun + TOGETHER], begun, at)
        sheet.counts = dict(Counter(sheet.counts) + became)
        sheet.seen_rows = min(begun + TOGETHER, sheet.row_count)
        if sheet.seen_rows == sheet.row_count:
            _finish(sheet, at)
        sheet.save(update_fields=["counts", "seen_rows", "state", "ended_at", "rows"])
    return sheet.state == "running"


def _imported(sheet: Spreadsheet, rows: Sequence[Row], begun: int, at: datetime) -> Counter[str]:
    became: Counter[str] = Counter()
    for position, row in enumerate(rows, start=begun + 1):
        became[_import(sheet, row, position, at)] += 1
    return became


def _finish(sheet: Spreadsheet, at: datetime) -> None:
    """The rows live on as deliveries; the file itself is let go of."""
    sheet.state, sheet.ended_at, sheet.rows = "done", at, b""
    write(
        "capture.import.done",
        at=at,
        actor=f"user:{sheet.uploaded_by_id}",
        source_id=sheet.source_id,
        spreadsheet=sheet.pk,
        counts=dict(sheet.counts),
    )
    announce("sources", spreadsheet=str(sheet.pk))


def _import(sheet: Spreadsheet, row: Row, position: int, at: datetime) -> str:
    """Store one row as a delivery, then work on it: new, known, left_out, refused or repeated."""
    if ImportedRow.objects.filter(spreadsheet=sheet, line=row.line).exists():
        return "repeated"
    incoming = stage.incoming_of(sheet, row, position, at)
    received = receive.receive(source=sheet.source, incoming=incoming, at=at)
    kept = received.kept
    if kept is None:
        return "refused"
    became, why = "repeated", ""
    if received.delivery is not None:
        became, why = _worked(sheet, received.delivery, at)
    elif kept.state != "duplicate":
        became, why = "refused", kept.reason
        _close(kept, why, at)
    ImportedRow.objects.create(
        id=uuid7_at(at), spreadsheet=sheet, line=row.line, delivery=kept, became=became, why=why
    )
    return became


def _worked(sheet: Spreadsheet, delivery: Delivery, at: datetime) -> tuple[str, str]:
    """A failure of ours in one row holds up no other: it is set aside like any delivery."""
    try:
        with transaction.atomic():
            return _stored(sheet, delivery, at), ""
    except Exception as problem:  # the edge: one poisoned row must not stop the rest
        log.error("delivery %s could not be imported: %s", delivery.pk, type(problem).__name__)
        Delivery.objects.filter(pk=delivery.pk).update(
            state="quarantined",
            reason="our_fault",
            problem=f"{type(problem).__name__} while importing it.",
            due_at=None,
        )
        return "refused", "our_fault"


def _stored(sheet: Spreadsheet, delivery: Delivery, at: datetime) -> str:
    (inquiry,) = receive.reread(delivery).leads
    is_test = inquiry.is_test or sheet.source.is_test
    is_known = dry_run.is_on_file(inquiry, is_test=is_test)
    if is_known and sheet.options.get("known") != "add":
        _close(delivery, "on_file_already", at)
        return "left_out"
    arrival = intake.Arrival(inquiry=inquiry, delivery=delivery, position=0)
    (stored,) = intake.store([arrival], at=at)
    Delivery.objects.filter(pk=delivery.pk).update(state="worked", worked_at=at, due_at=None)
    if stored.is_new:
        _follow(sheet, stored, at)
    return "known" if is_known else "new"


def _follow(sheet: Spreadsheet, stored: intake.Stored, at: datetime) -> None:
    """Nothing is sent and nobody rings unless the person who imported chose so."""
    count.touch_arrived(stored.lead, cost=stored.cost)
    if told := records.history_of(stored.touch.inquiry, sheet.source.name):
        remarks.add(
            lead_id=stored.lead.pk, by=sheet.uploaded_by_id, text=told[: remarks.LONGEST], at=at
        )
    then = sheet.options.get("then")
    if stored.lead.is_test or not stored.touch.is_first or then not in ("assign", "greet"):
        return
    assign_leads.using(queue_name="soon", priority=0).enqueue(lead_ids=[str(stored.lead.pk)])
    if then == "greet":
        touch_ids = [str(stored.touch.pk)]
        respond_to_touches.using(queue_name="soon", priority=0).enqueue(touch_ids=touch_ids)


def _close(delivery: Delivery, why: str, at: datetime) -> None:
    Delivery.objects.filter(pk=delivery.pk).update(
        state="closed", reason=why[:80], worked_at=at, due_at=None
    )
