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

from rooftree.capture import intake, match, on_file, receive
from rooftree.capture.imports import dry_run, past, records, scrub, stage, undo
from rooftree.capture.imports.table import Row
from rooftree.capture.models import ImportedRow, Spreadsheet
from rooftree.core.uuid7 import uuid7_at
from rooftree.flow import credit, moment, numbers, transfers
from rooftree.flow.intake import TOGETHER as AT_ONCE
from rooftree.flow.intake import assign_leads, count_arrivals, respond_to_touches
from rooftree.leads import remarks
from rooftree.leads.canonical import CanonicalLead
from rooftree.leads.models import Delivery
from rooftree.ledger.write import write
from rooftree.org.insert import insert_all
from rooftree.org.models import User
from rooftree.outreach.releases import gather, limits
from rooftree.tasks.announce import announce
from rooftree.tasks.together import together

log = logging.getLogger(__name__)
TOGETHER = 100  # rows of one transaction
SLICE = 400  # rows of one task; then others get their turn


@dataclass(frozen=True, slots=True, kw_only=True)
class _Person:
    """Somebody a row is about, and the row, which is told what came of them."""

    row: ImportedRow
    inquiry: CanonicalLead
    identity: match.Identity
    is_test: bool


def begin_check(*, sheet_id: UUID) -> None:
    """Have the dry run done. Call in the transaction that described the file."""
    check_spreadsheet.enqueue(sheet_id=str(sheet_id))


def begin(*, sheet_id: UUID, by: User, at: datetime) -> Spreadsheet:
    """Import a file whose dry run somebody has seen. Raises `stage.BadFile`."""
    with transaction.atomic():
        sheet = stage.move(sheet_id, came_from=("checked",), to="running", by=by, at=at)
        import_rows.enqueue(sheet_id=str(sheet.pk))
    return sheet


def begin_undo(*, sheet_id: UUID, by: User, at: datetime) -> Spreadsheet:
    """Take an import back, as far as that may be done. Raises `stage.BadFile`."""
    with transaction.atomic():
        sheet = undo.begin(sheet_id=sheet_id, by=by, at=at)
        undo_rows.enqueue(sheet_id=str(sheet.pk))
    return sheet


@task(queue_name="soon")
def undo_rows(*, sheet_id: str) -> None:
    """Close what may be closed, slice by slice; interrupted, it goes on with what is left."""
    while undo.close_some(sheet_id=UUID(sheet_id), at=moment.now()):
        pass
    announce("sources", spreadsheet=sheet_id)


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
    numbers.come(found.numbers, at=at)
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
            .select_related("source", "transfer")
            .filter(pk=sheet_id, state="running")
            .first()
        )
        if sheet is None:
            return False
        begun = sheet.seen_rows
        if begun < sheet.row_count:
            rows = list(stage.rows_of(sheet, begin=begun, most=TOGETHER))
            became = _imported(sheet, rows, begun, at)
            sheet.counts = dict(Counter(sheet.counts) + became)
            sheet.seen_rows = min(begun + TOGETHER, sheet.row_count)
        if sheet.seen_rows == sheet.row_count and not past.join_some(sheet, at=at):
            _finish(sheet, at)
        sheet.save(update_fields=["counts", "findings", "seen_rows", "state", "ended_at"])
    return sheet.state == "running"


def _imported(sheet: Spreadsheet, rows: Sequence[Row], begun: int, at: datetime) -> Counter[str]:
    lines = [row.line for row in rows]
    mine = ImportedRow.objects.filter(spreadsheet=sheet, line__in=lines)
    before = set(mine.values_list("line", flat=True))
    kept, people = [], []
    for position, row in enumerate(rows, start=begun + 1):
        if row.line not in before:
            one, person = _taken_in(sheet, row, position, at)
            kept.append(one)
            people += [person] if person else []
    for some in _strangers(people):
        together(partial(_store, sheet, at=at), some, aside=_set_aside)
    insert_all(kept)
    _scrub(sheet, [one.inquiry for one in people if one.row.became in ("new", "known")], at)
    return Counter([*(one.became for one in kept), *("repeated" for _ in before)])


def _scrub(sheet: Spreadsheet, taken: Sequence[CanonicalLead], at: datetime) -> None:
    """Count what the lists say of the numbers that were taken in."""
    told = Counter(sheet.findings.get("lists_after", {}))
    told += scrub.tally(dry_run.numbers_of(taken), today=at.date())
    sheet.findings["lists_after"] = dict(told)


def _taken_in(
    sheet: Spreadsheet, row: Row, position: int, at: datetime
) -> tuple[ImportedRow, _Person | None]:
    """One row as a delivery of its source, and who it is about if there is work in it."""
    incoming = stage.incoming_of(sheet, row, position, at)
    received = receive.receive(source=sheet.source, incoming=incoming, at=at)
    delivery = received.kept
    assert delivery is not None  # an upload needs no proof, and its rows have a bound
    one = ImportedRow(id=uuid7_at(at), spreadsheet=sheet, line=row.line, delivery=delivery)
    if received.delivery is not None:
        (inquiry,) = received.envelope.leads
        is_test = inquiry.is_test or sheet.source.is_test
        identity = match.identity_of(inquiry)
        return one, _Person(row=one, inquiry=inquiry, identity=identity, is_test=is_test)
    one.became = "repeated"
    if delivery.state != "duplicate" or received.envelope.outcome not in receive.WORTH_WORK:
        one.became, one.why = "refused", received.envelope.reason or delivery.reason
    if delivery.state != "duplicate":
        _end([delivery], at, state="closed")
    return one, None


def _strangers(people: Sequence[_Person]) -> Iterator[list[_Person]]:
    """Runs of rows of which none could be somebody before it: a later row must find an earlier."""
    run: list[_Person] = []
    seen: set[str] = set()
    for one in people:
        names = set(on_file.names_of(one.identity))
        if seen & names:
            yield run
            run, seen = [], set()
        run.append(one)
        seen |= names
    yield run


def _finish(sheet: Spreadsheet, at: datetime) -> None:
    """The rows live on as deliveries; the file itself is let go of."""
    sheet.state, sheet.ended_at = "done", at
    stage.let_go(sheet)
    write(
        "capture.import.done",
        at=at,
        actor=f"user:{sheet.uploaded_by_id}",
        source_id=sheet.source_id,
        spreadsheet=sheet.pk,
        counts=dict(sheet.counts),
    )
    announce("sources", spreadsheet=str(sheet.pk))


def _store(sheet: Spreadsheet, people: Sequence[_Person], *, at: datetime) -> Sequence[_Person]:
    """Take in rows of which no two can be the same person: new, known, or left_out."""
    with transaction.atomic():
        _look_up(sheet, people)
        left = [one.row.delivery for one in people if one.row.became == "left_out"]
        _end(left, at, state="closed", reason="on_file_already")
        taken = [one for one in people if one.row.became != "left_out"]
        stored = intake.store(
            [
                intake.Arrival(inquiry=one.inquiry, delivery=one.row.delivery, position=0)
                for one in taken
            ],
            at=at,
        )
        _end([one.row.delivery for one in taken], at, state="worked")
        fresh = [one for one in stored if one.is_new]
        kept_by = transfers.follow(sheet, fresh, at=at)
        for person in taken:
            person.row.officer_id = kept_by.get(person.row.delivery_id)
        _follow(sheet, fresh, at)
    return people


def _look_up(sheet: Spreadsheet, people: Sequence[_Person]) -> None:
    """Say of each row whether it is somebody on file, and then whether that is left as it is."""
    known = "known" if sheet.options.get("known") == "add" else "left_out"
    found = on_file.whom([(one.identity, one.is_test) for one in people])
    for one, who in zip(people, found, strict=True):
        one.row.became = known if who else "new"


def _set_aside(one: _Person, problem: Exception) -> None:
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


def _follow(sheet: Spreadsheet, stored: Sequence[intake.Stored], at: datetime) -> None:
    """Nothing is sent and nobody rings unless the person who imported chose so."""
    count_arrivals(stored)
    kind, owners = stage.KINDS[sheet.source.adapter], transfers.names_of_owners(sheet)
    for one in stored:
        if told := records.history_of(one.touch.inquiry, sheet.source.name, kind, owners):
            remarks.add(
                lead_id=one.lead.pk, by=sheet.uploaded_by_id, text=told[: remarks.LONGEST], at=at
            )
    credit.arrived(stored, at=at)
    numbers.arrived(stored, at=at)
    then = sheet.options.get("then")
    if then not in ("assign", "greet"):
        return
    fresh = [one for one in stored if one.touch.is_first and not one.lead.is_test]
    is_large = then == "greet" and limits.in_force(at=at).is_large(sheet.row_count)
    for some in batched(fresh, AT_ONCE):
        lead_ids = [str(one.lead.pk) for one in some]
        assign_leads.using(queue_name="soon", priority=0).enqueue(lead_ids=lead_ids)
        if is_large:
            gather.join(
                kind="greetings",
                title=f"First answers to the people in {sheet.file_name}",
                about={"import": str(sheet.pk)},
                members={f"touch:{one.touch.pk}": one.lead for one in some},
                at=at,
            )
        elif then == "greet":
            touch_ids = [str(one.touch.pk) for one in some]
            respond_to_touches.using(queue_name="soon", priority=0).enqueue(touch_ids=touch_ids)


def _end(deliveries: Sequence[Delivery], at: datetime, **to: str) -> None:
    ids = [one.pk for one in deliveries]
    Delivery.objects.filter(pk__in=ids).update(**to, worked_at=at, due_at=None)
