"""Staging of an import's rows, compressed and masked, from the upload until they are imported."""

import hashlib
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import batched
from typing import Any
from uuid import UUID

from django.db.models import Max
from django.db.transaction import atomic

from rooftree.capture.imports.import_records import (
    UPLOAD_METHOD,
    RecordFormat,
    encode_row,
    guess_lines,
)
from rooftree.capture.imports.models import ImportedActivity
from rooftree.capture.imports.tabular_files import MAX_ROWS, Row, Table
from rooftree.capture.intake.receive_delivery import endpoint_of
from rooftree.capture.models import Spreadsheet, SpreadsheetPart
from rooftree.capture.parsing.envelope import IncomingDelivery
from rooftree.capture.parsing.field_map import MapLine, check_map
from rooftree.capture.parsing.reading_notes import ReadingNotes
from rooftree.capture.parsing.wire_formats import UnreadableBody
from rooftree.capture.sources import SOURCES
from rooftree.core.person_names import clean_text
from rooftree.core.uuid7 import uuid7_at
from rooftree.db.statements import execute
from rooftree.leads.models import Source
from rooftree.ledger.write_events import write_event
from rooftree.org.models import User

RECORD_FORMATS: dict[str, RecordFormat] = {
    key: adapter.RECORD_FORMAT
    for key, adapter in SOURCES.items()
    if hasattr(adapter, "RECORD_FORMAT")
}
ROWS_PER_PART = 500  # rows that are packed together
SAFE_OPTIONS = {"then": "keep", "known": "leave"}  # the defaults
_NUMBERING_LOCK_ID = 7_301  # advisory lock for the next import number
SAVE_AS_CSV_HINT = "Save it as CSV (comma separated, UTF-8) and upload that."
UPLOAD_PROBLEMS = {
    "not_csv_zip_signature": (
        f"This Excel workbook is damaged, or isn't a workbook. {SAVE_AS_CSV_HINT}"
    ),
    "workbook_broken": f"This workbook can't be read. {SAVE_AS_CSV_HINT}",
    "workbook_locked": "This workbook has a password. Remove the password and upload it again.",
    "workbook_too_large": f"This workbook is too large. {SAVE_AS_CSV_HINT}",
    "xml_dtd_forbidden": f"This workbook can't be read. {SAVE_AS_CSV_HINT}",
    "not_csv_pdf_signature": "This is a PDF. Export the list as CSV and upload that.",
    "not_csv_binary": f"This isn't a text file. {SAVE_AS_CSV_HINT}",
    "empty": "This file is empty.",
    "no_rows": "This file has column names but no rows.",
    "too_many_rows": f"A file can have at most {MAX_ROWS:,} rows. Split it.",
    "too_many_columns": "A row has more than 200 cells. Check that the file is a table.",
    "cell_too_large": "A cell is too long. Look for a quotation mark that is never closed.",
}
NEW_LEAD_ACTIONS = {  # for a new lead of the file
    "keep": "Keep on file: no calls, no messages",
    "owner": "Give to the loan officer named in the file: no calls, no messages",
    "assign": "Assign to a loan officer and ring their phone",
    "greet": "Assign to a loan officer and send the first message, if the rules allow",
}


def allowed_lead_actions(source: Source) -> dict[str, str]:
    """Return the choices for new leads of a source.

    Leads of another system are never greeted, and their owners are mapped to officers.
    """
    is_file = source.adapter == "csv_import"
    labels = NEW_LEAD_ACTIONS.items()
    return {key: label for key, label in labels if is_file or key not in ("greet", "owner")}


PEOPLE_KINDS = {  # who is in the file; a source holds one kind
    "leads": "People who asked about a loan: they count as new leads",
    "clients": "Past clients and contacts: Home doesn’t count them as new leads",
}
KNOWN_LEAD_ACTIONS = {  # for a person who is already on file
    "leave": "Leave unchanged",
    "add": "Add the row as another inquiry",
}


class InvalidImport(Exception):
    """The file or its settings cannot be used. The text can be shown to staff."""


def store_upload(
    *, source_id: UUID, name: str, body: bytes, by: User, at: datetime
) -> tuple[Spreadsheet, bool]:
    """Store an upload with guessed columns; return its sheet and True if it is new.

    The same bytes are one import; a repeat returns the existing sheet. Raises `InvalidImport`.
    """
    source = Source.objects.get(pk=source_id, adapter__in=RECORD_FORMATS)
    kind = RECORD_FORMATS[source.adapter]
    digest = hashlib.sha256(body).hexdigest()
    notes = ReadingNotes()
    try:
        table = kind.read_table(body, notes)
    except UnreadableBody as problem:
        raise InvalidImport(
            UPLOAD_PROBLEMS.get(str(problem), "This file can't be read.")
        ) from problem
    with atomic():
        number = _next_number()
        same = Spreadsheet.objects.filter(source=source, body_sha256=digest)
        if known := same.exclude(state="dropped").first():
            return known, False
        sheet = Spreadsheet.objects.create(
            id=uuid7_at(at),
            number=number,
            source=source,
            file_name=clean_text(name)[-200:] or "file.csv",
            body_sha256=digest,
            columns=list(table.columns),
            remarks=sorted(notes.warnings),
            row_count=len(table.rows),
            lines=[line.to_json() for line in guess_lines(table.columns, kind)],
            options=dict(SAFE_OPTIONS),
            uploaded_by=by,
            uploaded_at=at,
        )
        _store_rows(sheet, table)
        _write_event("capture.import.uploaded", sheet, by, at, rows=sheet.row_count, sha256=digest)
    return sheet, True


def create_sheet(source: Source, *, name: str, by: User, at: datetime) -> Spreadsheet:
    """Create an import whose rows will come from another system, in the caller's transaction."""
    key = uuid7_at(at)
    return Spreadsheet.objects.create(
        id=key,
        number=_next_number(),
        source=source,
        file_name=name,
        body_sha256=hashlib.sha256(key.bytes).hexdigest(),
        columns=[],
        row_count=0,
        options=dict(SAFE_OPTIONS),
        state="reading",
        uploaded_by=by,
        uploaded_at=at,
    )


def append_rows(sheet: Spreadsheet, rows: Sequence[dict[str, str]]) -> None:
    """Append rows to an import, in the transaction that stores the next cursor."""
    if not rows:
        return
    first_part, rows_in_part = divmod(sheet.row_count, ROWS_PER_PART)
    existing = list(read_rows(sheet, begin=sheet.row_count - rows_in_part)) if rows_in_part else []
    first = sheet.row_count + 1
    new_rows = [Row(line=line, cells=cells) for line, cells in enumerate(rows, start=first)]
    for part_index, part_rows in enumerate(
        batched([*existing, *new_rows], ROWS_PER_PART), start=first_part
    ):
        SpreadsheetPart.objects.update_or_create(
            spreadsheet=sheet, position=part_index, defaults={"rows": _pack_rows(part_rows)}
        )
    sheet.row_count += len(rows)
    sheet.save(update_fields=["row_count"])


def read_rows(sheet: Spreadsheet, *, begin: int = 0, limit: int | None = None) -> Iterator[Row]:
    """Yield the staged rows from index `begin` on; none after they were deleted."""
    until = sheet.row_count if limit is None else begin + limit
    parts = sheet.parts.filter(
        position__gte=begin // ROWS_PER_PART, position__lt=-(-until // ROWS_PER_PART)
    ).order_by("position")
    for part in parts.iterator(4):
        stored_rows = json.loads(zlib.decompress(bytes(part.rows)))
        first = part.position * ROWS_PER_PART
        for line, cells in stored_rows[max(begin - first, 0) : until - first]:
            yield Row(line=line, cells=cells)


def delete_rows(sheet: Spreadsheet) -> None:
    """Delete the staged rows, which are deliveries by now or were discarded."""
    sheet.parts.all().delete()


def save_column_map(
    *,
    sheet_id: UUID,
    lines: Iterable[MapLine],
    options: Mapping[str, str],
    by: User,
    at: datetime,
) -> Spreadsheet:
    """Store the column map and options of an import; the dry run follows.

    Raises `field_map.BadMap`, and `InvalidImport` once the import has started.
    """
    map_lines = list(lines)
    with atomic():
        sheet = Spreadsheet.objects.select_for_update().get(pk=sheet_id)
        check_map(
            map_lines, filled_elsewhere=RECORD_FORMATS[sheet.source.adapter].fixed_columns.values()
        )
        if options.get("then", "keep") not in allowed_lead_actions(sheet.source):
            raise InvalidImport("Leads from another system can't be greeted as new leads.")
        if sheet.state not in ("columns", "checked"):
            raise InvalidImport("This import has started. Its columns can't be changed.")
        sheet.lines = [line.to_json() for line in map_lines]
        sheet.options = {**sheet.options, **options}
        sheet.state, sheet.seen_rows, sheet.findings = "checking", 0, {}
        sheet.save(update_fields=["lines", "options", "state", "seen_rows", "findings"])
        source = Source.objects.select_for_update().get(pk=sheet.source_id)
        maps = {**source.setup.get("maps", {}), str(sheet): sheet.lines}
        source.setup = {**source.setup, "maps": maps}
        source.save(update_fields=["setup"])
        _write_event("capture.import.described", sheet, by, at, options=dict(sheet.options))
    return sheet


def _declare_people(sheet: Spreadsheet) -> None:
    """Record on the source whether it holds new leads or past clients, for the counts on Home.

    Raises `InvalidImport` if an earlier import said otherwise.
    """
    people = sheet.options.get("people", "leads")
    source = Source.objects.select_for_update().get(pk=sheet.source_id)
    if people == source.setup.get("people", "leads"):
        return
    if Spreadsheet.objects.filter(source=source, started_at__isnull=False).exists():
        has = "new leads" if people == "clients" else "past clients"
        raise InvalidImport(f"{source.name} already holds {has}. Add another source for this file.")
    source.setup = {**source.setup, "people": people}
    source.save(update_fields=["setup"])


def declare_people(*, sheet_id: UUID, people: str, by: User, at: datetime) -> Source:
    """Declare whom the source of a finished import holds: leads or past clients.

    The figures and filters follow at once; no lead, task or message changes, so declaring the
    other kind undoes it. Raises `InvalidImport`.
    """
    with atomic():
        sheet = Spreadsheet.objects.get(pk=sheet_id)
        source = Source.objects.select_for_update().get(pk=sheet.source_id)
        if people not in PEOPLE_KINDS or source.adapter != "csv_import":
            raise InvalidImport("Only a spreadsheet's people can be declared past clients.")
        if sheet.state != "done":
            raise InvalidImport("Only a finished import can be declared. Reload the page.")
        source.setup = {**source.setup, "people": people}
        source.save(update_fields=["setup"])
        _write_event("capture.import.people_declared", sheet, by, at, people=people)
    return source


def change_state(
    sheet_id: UUID, *, came_from: tuple[str, ...], to: str, by: User, at: datetime
) -> Spreadsheet:
    """Move an import to its next state. Raises `InvalidImport` if it is in another state."""
    with atomic():
        sheet = Spreadsheet.objects.select_for_update().get(pk=sheet_id)
        if sheet.state not in came_from:
            raise InvalidImport("This import has changed. Reload the page.")
        if to == "running":
            _declare_people(sheet)
        sheet.state, sheet.seen_rows = to, 0
        if to == "running":
            sheet.started_at = at
        if to == "dropped":
            delete_rows(sheet)
            ImportedActivity.objects.filter(sheet=sheet).delete()
        sheet.save(update_fields=["state", "seen_rows", "started_at"])
        _write_event(f"capture.import.{to}", sheet, by, at)
    return sheet


def build_row_delivery(
    sheet: Spreadsheet, row: Row, position: int, at: datetime
) -> IncomingDelivery:
    """Build the delivery of one row, as if its source had sent it."""
    number = str(sheet)
    body = encode_row(
        number=number, file=sheet.file_name, line=row.line, position=position, cells=row.cells
    )
    return IncomingDelivery(
        method=UPLOAD_METHOD,
        path=f"/imports/{number}/{row.line}",
        headers={"Content-Type": "application/json"},
        body=body,
        received_at=at,
        endpoint=endpoint_of(sheet.source),
    )


def _next_number() -> int:
    """Return the number of the next import; concurrent callers wait for each other."""
    execute("select pg_advisory_xact_lock(%s)", [_NUMBERING_LOCK_ID])
    highest: int = Spreadsheet.objects.aggregate(top=Max("number"))["top"] or 0
    return highest + 1


def _store_rows(sheet: Spreadsheet, table: Table) -> None:
    """Store the rows in parts, because a file can be long and each step needs only a part."""
    SpreadsheetPart.objects.bulk_create(
        SpreadsheetPart(spreadsheet=sheet, position=nth, rows=_pack_rows(part_rows))
        for nth, part_rows in enumerate(batched(table.rows, ROWS_PER_PART))
    )


def _pack_rows(rows: Iterable[Row]) -> bytes:
    encoded = json.dumps([[row.line, row.cells] for row in rows], ensure_ascii=False)
    return zlib.compress(encoded.encode("utf-8", "replace"), 6)


def _write_event(kind: str, sheet: Spreadsheet, by: User, at: datetime, **data: Any) -> None:
    write_event(
        kind, at=at, actor=f"user:{by.pk}", source_id=sheet.source_id, spreadsheet=sheet.pk, **data
    )
