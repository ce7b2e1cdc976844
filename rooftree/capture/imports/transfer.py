"""Reading another system page by page into the rows of an import: claim, ask, record.

A page and the cursor after it are written together, so that a process may die anywhere: the
page is asked for again, and nothing of it was kept.
"""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.transaction import atomic

from rooftree.capture.claim_due import claim_due
from rooftree.capture.crm_shapes import Cursor, Page
from rooftree.capture.crm_talk import Talk
from rooftree.capture.crms import SYSTEMS
from rooftree.capture.imports import dry_run, mapping, past, stage
from rooftree.capture.imports.models import Transfer
from rooftree.capture.imports.records import Trouble, guessed_lines
from rooftree.capture.imports.table import LONGEST_HEADER, MOST_COLUMNS, MOST_ROWS, without_secrets
from rooftree.capture.models import Spreadsheet
from rooftree.capture.notes import Notes, as_text
from rooftree.capture.retrieve import credentials_of
from rooftree.capture.source_credentials import missing_of
from rooftree.core.failures import Failure, Misconfigured, Refused, TryLater, pause_after
from rooftree.core.names import clean_text
from rooftree.leads.models import Source
from rooftree.ledger.write import write
from rooftree.org.models import User

BACK_OFF = (5, 15, 60, 300, 900)  # seconds
MEND_WITHIN = timedelta(minutes=15)  # a wrong credential is tried again so often
UNDER_WAY = ("reading", "columns", "checked")
RECORDS = "records"  # what has no kind of its own is a record


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One page, asked for."""

    transfer: Transfer
    page: Page = Page()
    token: str = ""
    failure: Failure | None = None


def of(sheet: Spreadsheet) -> Transfer | None:
    """How its rows are read out of another system; None for those of a file."""
    found: Transfer | None = getattr(sheet, "transfer", None)
    return found


def under_way(source: Source) -> Spreadsheet | None:
    """The reading of a source that is not imported yet, nor put away."""
    held = Spreadsheet.objects.filter(source=source, state__in=UNDER_WAY).exclude(transfer=None)
    return held.order_by("-number").first()


def begin(*, source_id: UUID, by: User, at: datetime) -> Spreadsheet:
    """Read everything a source's system holds. Raises `stage.BadFile`."""
    with atomic():
        source = Source.objects.select_for_update().get(pk=source_id, adapter__in=SYSTEMS)
        system = SYSTEMS[source.adapter]
        if missing := missing_of(source):
            names = ", ".join(one.label for one in missing)
            raise stage.BadFile(f"Connect it first; still missing: {names}.")
        if waiting := under_way(source):  # what it keeps of their history, another would miss
            raise stage.BadFile(
                f"{source.name} has a reading under way, {waiting}: import it or put it away first."
            )
        sheet = stage.new_sheet(source, name=f"{system.NAME}, {at:%m/%d/%Y}", by=by, at=at)
        Transfer.objects.create(sheet=sheet, cursor=system.BEGINS, due_at=at)
        write(
            "capture.transfer.begun",
            at=at,
            actor=f"user:{by.pk}",
            source_id=source.pk,
            spreadsheet=sheet.pk,
        )
    return sheet


def hurry(*, sheet_id: UUID, at: datetime) -> bool:
    """Ask now what was to be asked later; whether anything was."""
    rows = Transfer.objects.filter(sheet=sheet_id, read_at=None, due_at__gt=at)
    return rows.update(due_at=at) > 0


def ask_next(*, at: datetime) -> Step | None:
    """Ask for the page that is longest due; None when none is. Not in a transaction."""
    rows = Transfer.objects.select_related("sheet__source")
    row = claim_due(rows.filter(read_at=None, sheet__state="reading"), at=at)
    if row is None:
        return None
    source, talk = row.sheet.source, None
    try:
        talk = Talk(
            SYSTEMS[source.adapter],
            credentials=credentials_of(source),
            token=row.token,
            zone=source.zone,
            stands_in=settings.UPSTREAMS.get(source.adapter, ""),
        )
        page = talk.system.page(talk, _cursor_of(row))
        return Step(transfer=row, page=page, token=talk.token)
    except Failure as problem:
        return Step(transfer=row, failure=problem, token=talk.token if talk else "")
    finally:
        if talk:
            talk.close()


def record(step: Step, *, at: datetime) -> bool:
    """Write a page down, in a transaction; whether it was the last.

    A page that somebody else has recorded in the meantime, or of a reading that was put
    away, is let go.
    """
    row = step.transfer
    locked = Transfer.objects.select_for_update().select_related("sheet__source").get(pk=row.pk)
    if locked.cursor != row.cursor or locked.read_at or locked.sheet.state != "reading":
        return False
    locked.token = step.token
    failure = step.failure or _keep(locked, step.page, at)
    if failure is not None:
        locked.problem, locked.due_at = str(failure)[:400], _again(locked, failure, at)
        locked.save(update_fields=["token", "problem", "due_at", "cursor"])
        return False
    locked.cursor, locked.problem, locked.attempts = step.page.more, "", 0
    locked.pages += 1
    is_last = step.page.more is None
    locked.due_at, locked.read_at = (None, at) if is_last else (at, None)
    locked.save()
    return is_last


def describe_by_guess(*, sheet_id: UUID, at: datetime) -> None:
    """Count what was read and guess what goes where; a person looks over it next.

    Interrupted, it begins again.
    """
    transfer = Transfer.objects.select_related("sheet__source").get(pk=sheet_id)
    sheet = transfer.sheet
    if sheet.state != "reading" or transfer.read_at is None:
        return
    kind = stage.KINDS[sheet.source.adapter]
    names = dict.fromkeys(name for row in stage.rows_of(sheet) for name in row.cells)
    sheet.columns = list(names)[:MOST_COLUMNS]
    sheet.lines = [line.to_json() for line in guessed_lines(sheet.columns, kind)]
    found = dry_run.look(sheet, at=at)
    sheet.findings, sheet.state = found.to_json(), "columns"
    transfer.officers = mapping.guessed_officers(transfer.owners)
    transfer.stages = mapping.guessed_stages(found.stages)
    with atomic():
        if Spreadsheet.objects.filter(pk=sheet.pk, state="reading").update(
            columns=sheet.columns, lines=sheet.lines, findings=sheet.findings, state=sheet.state
        ):
            transfer.save(update_fields=["officers", "stages"])


def _cursor_of(row: Transfer) -> Cursor:
    assert row.cursor is not None  # it would have been read
    return dict(row.cursor)


def _keep(row: Transfer, page: Page, at: datetime) -> Failure | None:
    """The records as rows, the history as entries, and the counts; or why they cannot be kept."""
    sheet = row.sheet
    try:
        rows = _rows(sheet, page.answer) if page.answer is not None else []
    except Trouble as problem:
        return TryLater(f"It answers with a failure: {problem.reason}.")
    if sheet.row_count + len(rows) > MOST_ROWS:
        return Refused(f"There are more than {MOST_ROWS:,} records; export and split them.")
    stage.append(sheet, rows)
    listed = Counter(row.listed) + Counter(one.kind.value for one in page.past)
    row.listed = dict(listed + Counter({RECORDS: len(rows)}))
    row.declared = {**row.declared, **page.declared}
    known = {one["id"] for one in row.owners}
    row.owners = [*row.owners, *(asdict(one) for one in page.owners if one.id not in known)]
    names = row.owner_names()
    entries = [(one, names.get(one.owner_id, "")) for one in page.past]
    known_already = past.keep(sheet, entries, at=at)
    row.before = dict(Counter(row.before) + known_already)
    return None


def _rows(sheet: Spreadsheet, answer: Mapping[str, Any]) -> list[dict[str, str]]:
    """What an answer holds, as its adapter reads it, each record as the cells of a row."""
    kind = stage.KINDS[sheet.source.adapter]
    return [
        without_secrets(_cells(kind.prepare(record)), Notes()) for record in kind.records(answer)
    ]


def _cells(record: Mapping[str, Any]) -> dict[str, str]:
    """A value that has parts is kept as they wrote it, and read again by its adapter."""
    cells = {}
    for name, value in record.items():
        is_nested = isinstance(value, dict) or (isinstance(value, list) and not as_text(value))
        said = json.dumps(value, ensure_ascii=False) if value and is_nested else as_text(value)
        if said.strip():
            cells[clean_text(name)[:LONGEST_HEADER]] = clean_text(said, keep_lines=True)
    return cells


def _again(row: Transfer, failure: Failure, at: datetime) -> datetime:
    """A no is tried again as well, but seldom: somebody must change something first.

    A cursor that a system has forgotten is a no too: then the part begins anew, and what was
    read of it already is known by its ids.
    """
    if isinstance(failure, Refused) and row.cursor and len(row.cursor) > 1:
        row.cursor = {"part": row.cursor["part"]}
    elif isinstance(failure, Misconfigured | Refused):
        return at + MEND_WITHIN
    return at + pause_after(failure, row.attempts, BACK_OFF)
