"""Import of a CRM's records over its API, page by page: claim the import, fetch, record.

A page and the cursor after it are stored in one transaction. A process can die anywhere: the
page is fetched again, and nothing of it was stored.
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
from rooftree.capture.crms.crm_pages import CrmPage
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
CREDENTIAL_RETRY_INTERVAL = timedelta(minutes=15)  # between tries with a wrong credential
OPEN_STATES = ("reading", "columns", "checked")
RECORDS = "records"  # the key of records in the counts, beside the kinds of activity


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedPage:
    """One page of an import as fetched, or the failure to fetch it."""

    transfer: CrmImport
    page: CrmPage = CrmPage()
    token: str = ""
    failure: VendorError | None = None


def crm_import_of(sheet: Spreadsheet) -> CrmImport | None:
    """Return the CRM import that fills a sheet; None for an uploaded file."""
    crm_import: CrmImport | None = getattr(sheet, "transfer", None)
    return crm_import


def find_open_sheet(source: Source) -> Spreadsheet | None:
    """Find a source's latest CRM import that is neither imported nor discarded yet."""
    sheets = Spreadsheet.objects.filter(source=source, state__in=OPEN_STATES).exclude(transfer=None)
    return sheets.order_by("-number").first()


def start_crm_import(*, source_id: UUID, by: User, at: datetime) -> Spreadsheet:
    """Start to import all records of a source's CRM. Raises `InvalidImport`."""
    with atomic():
        source = Source.objects.select_for_update().get(pk=source_id, adapter__in=SYSTEMS)
        system = SYSTEMS[source.adapter]
        if missing := missing_credentials(source):
            names = ", ".join(credential.label for credential in missing)
            raise import_staging.InvalidImport(
                f"Connect {system.NAME} first. Still missing: {names}."
            )
        # The open import owns the activities it has stored; a second import would miss them.
        if open_sheet := find_open_sheet(source):
            raise import_staging.InvalidImport(
                f"{source.name} has an open import, {open_sheet}. Finish or discard it first."
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
    """Make a waiting import due now; return True if it was waiting."""
    rows = CrmImport.objects.filter(sheet=sheet_id, read_at=None, due_at__gt=at)
    return rows.update(due_at=at) > 0


def fetch_next_page(*, at: datetime) -> FetchedPage | None:
    """Fetch the page that is longest due; None if none is due. Run outside a transaction."""
    rows = CrmImport.objects.select_related("sheet__source")
    row = claim_due_row(rows.filter(read_at=None, sheet__state="reading"), at=at)
    if row is None:
        return None
    source, client = row.sheet.source, None
    try:
        client = CrmClient(
            SYSTEMS[source.adapter],
            credentials=source.vendor_credentials,
            token=row.token,
            zone=source.zone,
            simulator_url=settings.UPSTREAMS.get(source.adapter, ""),
        )
        assert row.cursor is not None  # an import without a cursor has been read
        page = client.system.fetch_page(client, dict(row.cursor))
        return FetchedPage(transfer=row, page=page, token=client.token)
    except VendorError as problem:
        return FetchedPage(transfer=row, failure=problem, token=client.token if client else "")
    finally:
        if client:
            client.close()


def record_page(step: FetchedPage, *, at: datetime) -> bool:
    """Store a fetched page, in the caller's transaction; return True if it was the last.

    Drop a page that another process has recorded meanwhile, or whose import was discarded.
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
    """Count the imported records and guess the mapping, for staff to review next.

    Safe to repeat after an interruption.
    """
    transfer = CrmImport.objects.select_related("sheet__source").get(pk=sheet_id)
    sheet = transfer.sheet
    if sheet.state != "reading" or transfer.read_at is None:
        return
    kind = import_staging.RECORD_FORMATS[sheet.source.adapter]
    names = dict.fromkeys(name for row in import_staging.read_rows(sheet) for name in row.cells)
    sheet.columns = list(names)[:MAX_COLUMNS]
    sheet.lines = [line.to_json() for line in guess_lines(sheet.columns, kind)]
    preview = import_preview.preview_rows(sheet, at=at)
    sheet.findings, sheet.state = preview.to_json(), "columns"
    transfer.officers = owner_mapping.guess_officers(transfer.owners)
    transfer.stages = owner_mapping.guess_stages(preview.stages)
    with atomic():
        if Spreadsheet.objects.filter(pk=sheet.pk, state="reading").update(
            columns=sheet.columns, lines=sheet.lines, findings=sheet.findings, state=sheet.state
        ):
            transfer.save(update_fields=["officers", "stages"])


def _store_page(row: CrmImport, page: CrmPage, at: datetime) -> VendorError | None:
    """Store a page's records, activities, owners and counts; return a failure if that fails."""
    sheet = row.sheet
    try:
        rows = _rows_of_answer(sheet, page.answer) if page.answer is not None else []
    except RecordSystemError as problem:
        return RetryLater(f"The CRM answered with a failure: {problem.reason}.")
    if sheet.row_count + len(rows) > MAX_ROWS:
        return RequestRejected(f"There are more than {MAX_ROWS:,} records. Export and split them.")
    import_staging.append_rows(sheet, rows)
    listed = Counter(row.listed) + Counter(activity.kind.value for activity in page.activities)
    row.listed = dict(listed + Counter({RECORDS: len(rows)}))
    row.declared = {**row.declared, **page.declared_counts}
    known_ids = {owner["id"] for owner in row.owners}
    row.owners = [
        *row.owners,
        *(asdict(owner) for owner in page.owners if owner.id not in known_ids),
    ]
    names = row.owner_names()
    entries = [(activity, names.get(activity.owner_id, "")) for activity in page.activities]
    known_already = imported_activities.store_activities(sheet, entries, at=at)
    row.before = dict(Counter(row.before) + known_already)
    return None


def _rows_of_answer(sheet: Spreadsheet, answer: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the records of a response as cells, one dict each, with secrets masked."""
    record_format = import_staging.RECORD_FORMATS[sheet.source.adapter]
    return [
        mask_secrets(_record_cells(record_format.prepare_cells(record)), ReadingNotes())
        for record in record_format.extract_records(answer)
    ]


def _record_cells(record: Mapping[str, Any]) -> dict[str, str]:
    """Return a record's cells as text; a nested value is kept as JSON for its adapter to read."""
    cells = {}
    for name, value in record.items():
        is_nested = isinstance(value, dict) or (isinstance(value, list) and not as_text(value))
        text = json.dumps(value, ensure_ascii=False) if value and is_nested else as_text(value)
        if text.strip():
            cells[clean_text(name)[:MAX_HEADER_CHARS]] = clean_text(text, keep_lines=True)
    return cells


def _next_attempt_at(row: CrmImport, failure: VendorError, at: datetime) -> datetime:
    """Return the time of the next try; seldom after a rejection, which staff have to fix first.

    A CRM also rejects a cursor that has expired. The part then starts over, and records read
    before are recognized by their ids.
    """
    if isinstance(failure, RequestRejected) and row.cursor and len(row.cursor) > 1:
        row.cursor = {"part": row.cursor["part"]}
    elif isinstance(failure, Misconfigured | RequestRejected):
        return at + CREDENTIAL_RETRY_INTERVAL
    return at + retry_delay(failure, row.attempts, BACK_OFF)
