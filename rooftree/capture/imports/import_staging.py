"""An uploaded spreadsheet between its upload and its end: kept packed and masked, then let go."""

import hashlib
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import batched
from typing import Any
from uuid import UUID

from django.db import connection
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
from rooftree.leads.models import Source
from rooftree.ledger.write_events import write_event
from rooftree.org.models import User

RECORD_FORMATS: dict[str, RecordFormat] = {
    key: one.RECORD_FORMAT for key, one in SOURCES.items() if hasattr(one, "RECORD_FORMAT")
}
ROWS_PER_PART = 500  # rows that are packed together
SAFE_OPTIONS = {"then": "keep", "known": "leave"}  # what happens unless somebody chooses otherwise
_NUMBERING_LOCK_ID = 7_301  # advisory lock of numbering
SAVE_AS_CSV_HINT = "Save it as CSV (comma separated, UTF-8) and upload that."
UPLOAD_PROBLEMS = {
    "not_csv_zip_signature": (
        f"This is a damaged Excel workbook, or no workbook at all. {SAVE_AS_CSV_HINT}"
    ),
    "workbook_broken": f"This Excel workbook cannot be read. {SAVE_AS_CSV_HINT}",
    "workbook_too_large": f"This Excel workbook is too large. {SAVE_AS_CSV_HINT}",
    "xml_dtd_forbidden": f"This Excel workbook cannot be read. {SAVE_AS_CSV_HINT}",
    "not_csv_xls_signature": f"This is an old Excel workbook, not a CSV file. {SAVE_AS_CSV_HINT}",
    "not_csv_pdf_signature": "This is a PDF. Export the list as CSV and upload that.",
    "not_csv_binary": f"This is not text. {SAVE_AS_CSV_HINT}",
    "empty": "There is nothing in this file.",
    "no_rows": "The first line names the columns, and no row follows it.",
    "too_many_rows": f"At most {MAX_ROWS:,} rows at a time; split the file.",
    "too_many_columns": "A row has more than 200 cells. Is it really a table?",
    "cell_too_large": "A cell is far too long; a quote that is opened and never closed does that.",
}
NEW_LEAD_ACTIONS = {  # what happens to a new lead of the file
    "keep": "Keep it on file; nobody is called and nothing is sent",
    "assign": "Give it to a loan officer, whose phone rings, as for any lead",
    "greet": "Give it to a loan officer and send the first message, where the rules allow it",
}


def allowed_lead_actions(source: Source) -> dict[str, str]:
    """What may happen to new leads of its files: those of another system are never greeted."""
    greets = source.adapter == "csv_import"
    return {key: said for key, said in NEW_LEAD_ACTIONS.items() if greets or key != "greet"}


KNOWN_LEAD_ACTIONS = {  # what happens to somebody who is on file already
    "leave": "Leave them as they are",
    "add": "Add what the file says, as another arrival",
}


class InvalidImport(Exception):
    """The file or what was said of it cannot be used. The text is fit to show."""


def store_upload(
    *, source_id: UUID, name: str, body: bytes, by: User, at: datetime
) -> tuple[Spreadsheet, bool]:
    """Keep a file, its columns guessed; and whether it is new: the same bytes are one import.

    Raises `BadFile`.
    """
    source = Source.objects.get(pk=source_id, adapter__in=RECORD_FORMATS)
    kind = RECORD_FORMATS[source.adapter]
    digest = hashlib.sha256(body).hexdigest()
    notes = ReadingNotes()
    try:
        table = kind.read_table(body, notes)
    except UnreadableBody as problem:
        raise InvalidImport(
            UPLOAD_PROBLEMS.get(str(problem), "This file cannot be read.")
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
    """An import whose rows are still to be read out of another system. In a transaction."""
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
    """Put rows after those it has, in the transaction that moves the reading on."""
    if not rows:
        return
    nth, begun = divmod(sheet.row_count, ROWS_PER_PART)
    before = list(read_rows(sheet, begin=sheet.row_count - begun)) if begun else []
    first = sheet.row_count + 1
    fresh = [Row(line=line, cells=cells) for line, cells in enumerate(rows, start=first)]
    for place, some in enumerate(batched([*before, *fresh], ROWS_PER_PART), start=nth):
        SpreadsheetPart.objects.update_or_create(
            spreadsheet=sheet, nth=place, defaults={"rows": _pack_rows(some)}
        )
    sheet.row_count += len(rows)
    sheet.save(update_fields=["row_count"])


def read_rows(sheet: Spreadsheet, *, begin: int = 0, most: int | None = None) -> Iterator[Row]:
    """The rows as they were read, from the one at `begin`; none once they have been let go."""
    until = sheet.row_count if most is None else begin + most
    inside = sheet.parts.filter(
        nth__gte=begin // ROWS_PER_PART, nth__lt=-(-until // ROWS_PER_PART)
    ).order_by("nth")
    for part in inside.iterator(4):
        listed = json.loads(zlib.decompress(bytes(part.rows)))
        first = part.nth * ROWS_PER_PART
        for line, cells in listed[max(begin - first, 0) : until - first]:
            yield Row(line=line, cells=cells)


def delete_rows(sheet: Spreadsheet) -> None:
    """Keep the rows no longer: they live on as deliveries, or were never wanted."""
    sheet.parts.all().delete()


def save_column_map(
    *,
    sheet_id: UUID,
    lines: Iterable[MapLine],
    options: Mapping[str, str],
    by: User,
    at: datetime,
) -> Spreadsheet:
    """Say what stands in the columns and what shall happen; the dry run follows.

    Raises `field_map.BadMap`, and `BadFile` once it has begun.
    """
    listed = list(lines)
    with atomic():
        sheet = Spreadsheet.objects.select_for_update().get(pk=sheet_id)
        check_map(
            listed, filled_elsewhere=RECORD_FORMATS[sheet.source.adapter].fixed_columns.values()
        )
        if options.get("then", "keep") not in allowed_lead_actions(sheet.source):
            raise InvalidImport("People who come from another system are not greeted as new ones.")
        if sheet.state not in ("columns", "checked"):
            raise InvalidImport("This import has begun; its columns stay as they are.")
        sheet.lines = [line.to_json() for line in listed]
        sheet.options = {**sheet.options, **options}
        sheet.state, sheet.seen_rows, sheet.findings = "checking", 0, {}
        sheet.save(update_fields=["lines", "options", "state", "seen_rows", "findings"])
        source = Source.objects.select_for_update().get(pk=sheet.source_id)
        maps = {**source.setup.get("maps", {}), str(sheet): sheet.lines}
        source.setup = {**source.setup, "maps": maps}
        source.save(update_fields=["setup"])
        _write_event("capture.import.described", sheet, by, at, options=dict(sheet.options))
    return sheet


def change_state(
    sheet_id: UUID, *, came_from: tuple[str, ...], to: str, by: User, at: datetime
) -> Spreadsheet:
    """Take an import from one state to the next. Raises `BadFile` when it is elsewhere."""
    with atomic():
        sheet = Spreadsheet.objects.select_for_update().get(pk=sheet_id)
        if sheet.state not in came_from:
            raise InvalidImport("This import has moved on; look at the page again.")
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
    """One row as a delivery of its source."""
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
    """Of the next import; whoever asks at the same time waits."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s)", [_NUMBERING_LOCK_ID])
    highest: int = Spreadsheet.objects.aggregate(top=Max("number"))["top"] or 0
    return highest + 1


def _store_rows(sheet: Spreadsheet, table: Table) -> None:
    """Part by part: a file may be long, and each step needs only some of it."""
    SpreadsheetPart.objects.bulk_create(
        SpreadsheetPart(spreadsheet=sheet, nth=nth, rows=_pack_rows(some))
        for nth, some in enumerate(batched(table.rows, ROWS_PER_PART))
    )


def _pack_rows(rows: Iterable[Row]) -> bytes:
    said = json.dumps([[row.line, row.cells] for row in rows], ensure_ascii=False)
    return zlib.compress(said.encode("utf-8", "replace"), 6)


def _write_event(kind: str, sheet: Spreadsheet, by: User, at: datetime, **data: Any) -> None:
    write_event(
        kind, at=at, actor=f"user:{by.pk}", source_id=sheet.source_id, spreadsheet=sheet.pk, **data
    )
