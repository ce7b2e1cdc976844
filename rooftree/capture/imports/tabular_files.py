"""A spreadsheet's bytes as rows: whatever its signs, its encoding and its habits."""

import csv
import io
import json
import re
from dataclasses import dataclass

from rooftree.capture.imports import excel_workbook
from rooftree.capture.parsing.reading_notes import ReadingNotes
from rooftree.capture.parsing.wire_formats import UnreadableBody, decode_body
from rooftree.core.masking import mask_numbers
from rooftree.core.person_names import clean_text

MAX_ROWS = 200_000
MAX_COLUMNS = 200
MAX_CELL_CHARS = 20_000  # characters
MAX_HEADER_CHARS = 100
_DELIMITERS = ",;\t|"
_DELIMITER_NAMES = {"\t": "tab", "|": "pipe"}
_QUOTED_FORMULA = re.compile(r'="([^"]*)"')  # how a spreadsheet keeps a leading zero
_XLSX_SIGNATURE = b"PK\x03\x04"
_BINARY_SIGNATURES = {
    b"\xd0\xcf\x11\xe0": "not_csv_xls_signature",
    b"%PDF": "not_csv_pdf_signature",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row under its header. Empty cells are left out."""

    line: int  # of the file, where the row begins; the first is 1
    cells: dict[str, str]  # by column name; without the numbers that may not be kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def read_table(body: bytes, notes: ReadingNotes) -> Table:
    """It is the table in a file: a workbook, or values with commas, semicolons, tabs or bars.

    Raises `Unreadable`: `not_csv_…` for another kind of file, `empty`, `no_rows`,
    `too_many_rows`, `too_many_columns`, `cell_too_large`, `workbook_…`.
    """
    listed = parse_rows(body, notes)
    if not listed:
        raise UnreadableBody("empty")
    columns = _unique_column_names(listed[0][1])
    rows = tuple(_build_row(line, cells, columns, notes) for line, cells in listed[1:])
    if not rows:
        raise UnreadableBody("no_rows")
    return Table(columns=columns, rows=rows)


def parse_rows(body: bytes, notes: ReadingNotes) -> list[tuple[int, list[str]]]:
    """They are the rows that say anything, with the line each begins on; the first names them."""
    if body.startswith(_XLSX_SIGNATURE):
        return excel_workbook.read_first_sheet(body, _check_size_limits)
    for mark, reason in _BINARY_SIGNATURES.items():
        if body.startswith(mark):
            raise UnreadableBody(reason)
    text = decode_body(body, notes)
    if "\0" in text[:4096]:
        raise UnreadableBody("not_csv_binary")
    sign = _detect_delimiter(text)
    if sign != ",":
        notes.warn(f"delimiter_guessed:{_DELIMITER_NAMES.get(sign, sign)}")
    return _parse_csv(text, sign)


def _detect_delimiter(text: str) -> str:
    """What stands between the cells of the first line, quotes left aside; a comma if nothing."""
    head = text.lstrip("\r\n")[:MAX_CELL_CHARS]
    plain = re.sub(r'"[^"]*"', "", head.splitlines()[0] if head.splitlines() else "")
    return max(_DELIMITERS, key=plain.count)


def _parse_csv(text: str, sign: str) -> list[tuple[int, list[str]]]:
    """The rows that say anything, with the line each begins on."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=sign)
    found: list[tuple[int, list[str]]] = []
    began = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                _check_size_limits(cells, len(found))
                found.append((began, cells))
            began = reader.line_num + 1
    except csv.Error as error:
        raise UnreadableBody("cell_too_large") from error
    return found


def _check_size_limits(cells: list[str], rows: int) -> None:
    if rows > MAX_ROWS:
        raise UnreadableBody("too_many_rows")
    if len(cells) > MAX_COLUMNS:
        raise UnreadableBody("too_many_columns")
    if any(len(cell) > MAX_CELL_CHARS for cell in cells):
        raise UnreadableBody("cell_too_large")


def _unique_column_names(header: list[str]) -> tuple[str, ...]:
    """The names of the columns, each once."""
    named: list[str] = []
    for nth, cell in enumerate(header, start=1):
        name = clean_text(cell)[:MAX_HEADER_CHARS] or f"Column {nth}"
        again = 2
        while name in named:
            name = f"{name.removesuffix(f' ({again - 1})')} ({again})"
            again += 1
        named.append(name)
    return tuple(named)


def _build_row(line: int, cells: list[str], columns: tuple[str, ...], notes: ReadingNotes) -> Row:
    names = [*columns, *(f"Column {nth + 1}" for nth in range(len(columns), len(cells)))]
    said = {
        name: _QUOTED_FORMULA.sub(r"\1", cell.strip())
        for name, cell in zip(names, cells, strict=False)
        if cell.strip()
    }
    return Row(line=line, cells=mask_secrets(said, notes))


def mask_secrets(cells: dict[str, str], notes: ReadingNotes) -> dict[str, str]:
    """The cells without social security, card and account numbers; a column's name tells them."""
    masked = mask_numbers(json.dumps(cells, ensure_ascii=False).encode("utf-8", "replace"))
    if not masked.kinds:
        return cells
    notes.warn_of_secrets(masked.kinds)
    found: dict[str, str] = json.loads(masked.body)
    return found
