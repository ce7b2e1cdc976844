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

from rooftree.capture.crms import SYSTEMS
from rooftree.capture.crms.crm_client import CrmClient
from rooftree.capture.crms.crm_pages import CrmPage, Cursor
from rooftree.capture.imports import (
    import_preview,
    import_staging,
    imported_activities,
    owner_mapping,
)
from rooftree.capture.imports.import_records import RecordSystemError, guess_lines
from rooftree.capture.imports.models import CrmImport
from rooftree.capture.imports.tabular_files import (
    MAX_COLUMNS,
    MAX_HEADER_CHARS,
    MAX_ROWS,
    mask_secrets,
)
from rooftree.capture.intake.claim_due_row import claim_due_row
from rooftree.capture.intake.vendor_lookups import load_credentials
from rooftree.capture.models import Spreadsheet
from rooftree.capture.parsing.reading_notes import ReadingNotes, as_text
from rooftree.capture.source_setup.vendor_credentials import missing_credentials
from rooftree.core.person_names import clean_text
from rooftree.core.vendor_errors import (
    Misconfigured,
    RequestRejected,
    RetryLater,
    VendorError,
    retry_delay,
)
from rooftree.leads.models import Source
from rooftree.ledger.write_events import write_event
from rooftree.org.models import User

BACK_OFF = (5, 15, 60, 300, 900)  # seconds
CREDENTIAL_RETRY_INTERVAL = timedelta(minutes=15)  # a wrong credential is tried again so often
OPEN_STATES = ("reading", "columns", "checked")
RECORDS = "records"  # what has no kind of its own is a record


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedPage:
    """One page, asked for."""

    transfer: CrmImport
    page: CrmPage = CrmPage()
    token: str = ""
    failure: VendorError | None = None


def crm_import_of(sheet: Spreadsheet) -> CrmImport | None:
    """How its rows are read out of another system; None for those of a file."""
    found: CrmImport | None = getattr(sheet, "transfer", None)
    return found


def find_open_sheet(source: Source) -> Spreadsheet | None:
    """The reading of a source that is not imported yet, nor put away."""
    held = Spreadsheet.objects.filter(source=source, state__in=OPEN_STATES).exclude(transfer=None)
    return held.order_by("-number").first()


def start_crm_import(*, source_id: UUID, by: User, at: datetime) -> Spreadsheet:
    """Read everything a source's system holds. Raises `stage.BadFile`."""
    with atomic():
        source = Source.objects.select_for_update().get(pk=source_id, adapter__in=SYSTEMS)
        system = SYSTEMS[source.adapter]
        if missing := missing_credentials(source):
            names = ", ".join(one.label for one in missing)
            raise import_staging.InvalidImport(f"Connect it first; still missing: {names}.")
        if waiting := find_open_sheet(source):  # what it keeps of their history, another would miss
            raise import_staging.InvalidImport(
                f"{source.name} has a reading under way, {waiting}: import it or put it away first."
            )
        sheet = import_staging.create_sheet(
            source, name=f"{system.NAME}, {at:%m/%d/%Y}", by=by, at=at
        )
        CrmImport.objects.create(sheet=sheet, cursor=system.START_CURSOR, due_at=at)
        write_event(
            "capture.transfer.begun",
            at=at,
            actor=f"user:{by.pk}",
            source_id=source.pk,
            spreadsheet=sheet.pk,
        )
    return sheet


def retry_now(*, sheet_id: UUID, at: datetime) -> bool:
    """Ask now what was to be asked later; whether anything was."""
    rows = CrmImport.objects.filter(sheet=sheet_id, read_at=None, due_at__gt=at)
    return rows.update(due_at=at) > 0


def fetch_next_page(*, at: datetime) -> FetchedPage | None:
    """Ask for the page that is longest due; None when none is. Not in a transaction."""
    rows = CrmImport.objects.select_related("sheet__source")
    row = claim_due_row(rows.filter(read_at=None, sheet__state="reading"), at=at)
    if row is None:
        return None
    source, talk = row.sheet.source, None
    try:
        talk = CrmClient(
            SYSTEMS[source.adapter],
            credentials=load_credentials(source),
            token=row.token,
            zone=source.zone,
            simulator_url=settings.UPSTREAMS.get(source.adapter, ""),
        )
        page = talk.system.fetch_page(talk, _require_cursor(row))
        return FetchedPage(transfer=row, page=page, token=talk.token)
    except VendorError as problem:
        return FetchedPage(transfer=row, failure=problem, token=talk.token if talk else "")
    finally:
        if talk:
            talk.close()


def record_page(step: FetchedPage, *, at: datetime) -> bool:
    """Write a page down, in a transaction; whether it was the last.

    A page that somebody else has recorded in the meantime, or of a reading that was put
    away, is let go.
    """
    row = step.transfer
    locked = CrmImport.objects.select_for_update().select_related("sheet__source").get(pk=row.pk)
    if locked.cursor != row.cursor or locked.read_at or locked.sheet.state != "reading":
        return False
    locked.token = step.token
    failure = step.failure or _store_page(locked, step.page, at)
    if failure is not None:
        locked.problem, locked.due_at = str(failure)[:400], _next_attempt_at(locked, failure, at)
        locked.save(update_fields=["token", "problem", "due_at", "cursor"])
        return False
    locked.cursor, locked.problem, locked.attempts = step.page.next_cursor, "", 0
    locked.pages += 1
    is_last = step.page.next_cursor is None
    locked.due_at, locked.read_at = (None, at) if is_last else (at, None)
    locked.save()
    return is_last


def prefill_mapping(*, sheet_id: UUID, at: datetime) -> None:
    """Count what was read and guess what goes where; a person looks over it next.

    Interrupted, it begins again.
    """
    transfer = CrmImport.objects.select_related("sheet__source").get(pk=sheet_id)
    sheet = transfer.sheet
    if sheet.state != "reading" or transfer.read_at is None:
        return
    kind = import_staging.RECORD_FORMATS[sheet.source.adapter]
    names = dict.fromkeys(name for row in import_staging.read_rows(sheet) for name in row.cells)
    sheet.columns = list(names)[:MAX_COLUMNS]
    sheet.lines = [line.to_json() for line in guess_lines(sheet.columns, kind)]
    found = import_preview.preview_rows(sheet, at=at)
    sheet.findings, sheet.state = found.to_json(), "columns"
    transfer.officers = owner_mapping.guess_officers(transfer.owners)
    transfer.stages = owner_mapping.guess_stages(found.stages)
    with atomic():
        if Spreadsheet.objects.filter(pk=sheet.pk, state="reading").update(
            columns=sheet.columns, lines=sheet.lines, findings=sheet.findings, state=sheet.state
        ):
            transfer.save(update_fields=["officers", "stages"])


def _require_cursor(row: CrmImport) -> Cursor:
    assert row.cursor is not None  # it would have been read
    return dict(row.cursor)


def _store_page(row: CrmImport, page: CrmPage, at: datetime) -> VendorError | None:
    """The records as rows, the history as entries, and the counts; or why they cannot be kept."""
    sheet = row.sheet
    try:
        rows = _rows_of_answer(sheet, page.answer) if page.answer is not None else []
    except RecordSystemError as problem:
        return RetryLater(f"It answers with a failure: {problem.reason}.")
    if sheet.row_count + len(rows) > MAX_ROWS:
        return RequestRejected(f"There are more than {MAX_ROWS:,} records; export and split them.")
    import_staging.append_rows(sheet, rows)
    listed = Counter(row.listed) + Counter(one.kind.value for one in page.activities)
    row.listed = dict(listed + Counter({RECORDS: len(rows)}))
    row.declared = {**row.declared, **page.declared_counts}
    known = {owner["id"] for owner in row.owners}
    row.owners = [*row.owners, *(asdict(owner) for owner in page.owners if owner.id not in known)]
    names = row.owner_names()
    entries = [(one, names.get(one.owner_id, "")) for one in page.activities]
    known_already = imported_activities.store_activities(sheet, entries, at=at)
    row.before = dict(Counter(row.before) + known_already)
    return None


def _rows_of_answer(sheet: Spreadsheet, answer: Mapping[str, Any]) -> list[dict[str, str]]:
    """What an answer holds, as its adapter reads it, each record as the cells of a row."""
    kind = import_staging.RECORD_FORMATS[sheet.source.adapter]
    return [
        mask_secrets(_record_cells(kind.prepare_cells(record)), ReadingNotes())
        for record in kind.extract_records(answer)
    ]


def _record_cells(record: Mapping[str, Any]) -> dict[str, str]:
    """A value that has parts is kept as they wrote it, and read again by its adapter."""
    cells = {}
    for name, value in record.items():
        is_nested = isinstance(value, dict) or (isinstance(value, list) and not as_text(value))
        said = json.dumps(value, ensure_ascii=False) if value and is_nested else as_text(value)
        if said.strip():
            cells[clean_text(name)[:MAX_HEADER_CHARS]] = clean_text(said, keep_lines=True)
    return cells


def _next_attempt_at(row: CrmImport, failure: VendorError, at: datetime) -> datetime:
    """A no is tried again as well, but seldom: somebody must change something first.

    A cursor that a system has forgotten is a no too: then the part begins anew, and what was
    read of it already is known by its ids.
    """
    if isinstance(failure, RequestRejected) and row.cursor and len(row.cursor) > 1:
        row.cursor = {"part": row.cursor["part"]}
    elif isinstance(failure, Misconfigured | RequestRejected):
        return at + CREDENTIAL_RETRY_INTERVAL
    return at + retry_delay(failure, row.attempts, BACK_OFF)
