"""Parser of spreadsheet files into rows, for any delimiter, encoding and spreadsheet quirks."""

import csv
import io
import json
import re
from dataclasses import dataclass

from rooftree.capture.imports import read_workbook
from rooftree.capture.parsing.reading_notes import ReadingNotes
from rooftree.capture.parsing.wire_formats import UnreadableBody, decode_body
from rooftree.core.masking import mask_numbers
from rooftree.core.person_names import clean_text

MAX_ROWS = 200_000
MAX_COLUMNS = 200
MAX_CELL_CHARS = 20_000
MAX_HEADER_CHARS = 100
_DELIMITERS = ",;\t|"
_DELIMITER_NAMES = {"\t": "tab", "|": "pipe"}
_QUOTED_FORMULA = re.compile(r'="([^"]*)"')  # a spreadsheet's way to keep a leading zero
_WORKBOOK_SIGNATURES = (read_workbook.ZIP_SIGNATURE, read_workbook.OLE_SIGNATURE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of a table, without its empty cells."""

    line: int  # of the file, where the row begins; the first is 1
    cells: dict[str, str]  # by column name; secrets are masked


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def read_table(body: bytes, notes: ReadingNotes) -> Table:
    """Read a file's table: a workbook, or text split by commas, semicolons, tabs or pipes.

    Raises `UnreadableBody`: `not_csv_…` for another kind of file, `empty`, `no_rows`,
    `too_many_rows`, `too_many_columns`, `cell_too_large`, `workbook_…`.
    """
    numbered_rows = parse_rows(body, notes)
    if not numbered_rows:
        raise UnreadableBody("empty")
    columns = _unique_column_names(numbered_rows[0][1])
    rows = tuple(_build_row(line, cells, columns, notes) for line, cells in numbered_rows[1:])
    if not rows:
        raise UnreadableBody("no_rows")
    return Table(columns=columns, rows=rows)


def parse_rows(body: bytes, notes: ReadingNotes) -> list[tuple[int, list[str]]]:
    """Return the rows that are not blank, each with its first line number; row 1 is the header."""
    if body.startswith(_WORKBOOK_SIGNATURES):
        return read_workbook.read_first_sheet(body, _check_size_limits)
    if body.startswith(b"%PDF"):
        raise UnreadableBody("not_csv_pdf_signature")
    text = decode_body(body, notes)
    if "\0" in text[:4096]:
        raise UnreadableBody("not_csv_binary")
    # The most frequent delimiter outside quotes in the first line; a comma if there is none.
    head = text.lstrip("\r\n")[:MAX_CELL_CHARS].splitlines()
    unquoted = re.sub(r'"[^"]*"', "", head[0] if head else "")
    delimiter = max(_DELIMITERS, key=unquoted.count)
    if delimiter != ",":
        notes.warn(f"delimiter_guessed:{_DELIMITER_NAMES.get(delimiter, delimiter)}")
    return _parse_csv(text, delimiter)


def _parse_csv(text: str, delimiter: str) -> list[tuple[int, list[str]]]:
    """Return the rows that are not blank, each with its first line number."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows: list[tuple[int, list[str]]] = []
    first_line = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                _check_size_limits(cells, len(rows))
                rows.append((first_line, cells))
            first_line = reader.line_num + 1
    except csv.Error as error:
        raise UnreadableBody("cell_too_large") from error
    return rows


def _check_size_limits(cells: list[str], rows: int) -> None:
    if rows > MAX_ROWS:
        raise UnreadableBody("too_many_rows")
    if len(cells) > MAX_COLUMNS:
        raise UnreadableBody("too_many_columns")
    if any(len(cell) > MAX_CELL_CHARS for cell in cells):
        raise UnreadableBody("cell_too_large")


def _unique_column_names(header: list[str]) -> tuple[str, ...]:
    """Return a name for each column, numbered where the header is blank or repeats."""
    names: list[str] = []
    for nth, cell in enumerate(header, start=1):
        name = clean_text(cell)[:MAX_HEADER_CHARS] or f"Column {nth}"
        repeat = 2
        while name in names:
            name = f"{name.removesuffix(f' ({repeat - 1})')} ({repeat})"
            repeat += 1
        names.append(name)
    return tuple(names)


def _build_row(line: int, cells: list[str], columns: tuple[str, ...], notes: ReadingNotes) -> Row:
    names = [*columns, *(f"Column {nth + 1}" for nth in range(len(columns), len(cells)))]
    values = {
        name: _QUOTED_FORMULA.sub(r"\1", cell.strip())
        for name, cell in zip(names, cells, strict=False)
        if cell.strip()
    }
    return Row(line=line, cells=mask_secrets(values, notes))


def mask_secrets(cells: dict[str, str], notes: ReadingNotes) -> dict[str, str]:
    """Mask Social Security, card and account numbers, also by the column's name."""
    masked = mask_numbers(json.dumps(cells, ensure_ascii=False).encode("utf-8", "replace"))
    if not masked.kinds:
        return cells
    notes.warn_of_secrets(masked.kinds)
    clean_cells: dict[str, str] = json.loads(masked.body)
    return clean_cells
