"""A spreadsheet's bytes as rows: whatever its signs, its encoding and its habits."""

import csv
import io
import json
import re
from dataclasses import dataclass

from rooftree.capture.imports import workbook
from rooftree.capture.notes import Notes
from rooftree.capture.wire import Unreadable, text_of
from rooftree.core.masking import mask
from rooftree.core.names import clean_text

MOST_ROWS = 200_000
MOST_COLUMNS = 200
LONGEST_CELL = 20_000  # characters
LONGEST_HEADER = 100
_SIGNS = ",;\t|"
_CALLED = {"\t": "tab", "|": "pipe"}
_PROTECTED = re.compile(r'="([^"]*)"')  # how a spreadsheet keeps a leading zero
_WORKBOOK = b"PK\x03\x04"
_BINARY = {
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


def read_table(body: bytes, notes: Notes) -> Table:
    """It is the table in a file: a workbook, or values with commas, semicolons, tabs or bars.

    Raises `Unreadable`: `not_csv_…` for another kind of file, `empty`, `no_rows`,
    `too_many_rows`, `too_many_columns`, `cell_too_large`, `workbook_…`.
    """
    listed = listed_rows(body, notes)
    if not listed:
        raise Unreadable("empty")
    columns = _columns(listed[0][1])
    rows = tuple(_row(line, cells, columns, notes) for line, cells in listed[1:])
    if not rows:
        raise Unreadable("no_rows")
    return Table(columns=columns, rows=rows)


def listed_rows(body: bytes, notes: Notes) -> list[tuple[int, list[str]]]:
    """They are the rows that say anything, with the line each begins on; the first names them."""
    if body.startswith(_WORKBOOK):
        return workbook.rows_of(body, _within_bounds)
    for mark, reason in _BINARY.items():
        if body.startswith(mark):
            raise Unreadable(reason)
    text = text_of(body, notes)
    if "\0" in text[:4096]:
        raise Unreadable("not_csv_binary")
    sign = _sign(text)
    if sign != ",":
        notes.warn(f"delimiter_guessed:{_CALLED.get(sign, sign)}")
    return _parsed(text, sign)


def _sign(text: str) -> str:
    """What stands between the cells of the first line, quotes left aside; a comma if nothing."""
    head = text.lstrip("\r\n")[:LONGEST_CELL]
    plain = re.sub(r'"[^"]*"', "", head.splitlines()[0] if head.splitlines() else "")
    return max(_SIGNS, key=plain.count)


def _parsed(text: str, sign: str) -> list[tuple[int, list[str]]]:
    """The rows that say anything, with the line each begins on."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=sign)
    found: list[tuple[int, list[str]]] = []
    began = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                _within_bounds(cells, len(found))
                found.append((began, cells))
            began = reader.line_num + 1
    except csv.Error as error:
        raise Unreadable("cell_too_large") from error
    return found


def _within_bounds(cells: list[str], rows: int) -> None:
    if rows > MOST_ROWS:
        raise Unreadable("too_many_rows")
    if len(cells) > MOST_COLUMNS:
        raise Unreadable("too_many_columns")
    if any(len(cell) > LONGEST_CELL for cell in cells):
        raise Unreadable("cell_too_large")


def _columns(header: list[str]) -> tuple[str, ...]:
    """The names of the columns, each once."""
    named: list[str] = []
    for nth, cell in enumerate(header, start=1):
        name = clean_text(cell)[:LONGEST_HEADER] or f"Column {nth}"
        again = 2
        while name in named:
            name = f"{name.removesuffix(f' ({again - 1})')} ({again})"
            again += 1
        named.append(name)
    return tuple(named)


def _row(line: int, cells: list[str], columns: tuple[str, ...], notes: Notes) -> Row:
    names = [*columns, *(f"Column {nth + 1}" for nth in range(len(columns), len(cells)))]
    said = {
        name: _PROTECTED.sub(r"\1", cell.strip())
        for name, cell in zip(names, cells, strict=False)
        if cell.strip()
    }
    return Row(line=line, cells=without_secrets(said, notes))


def without_secrets(cells: dict[str, str], notes: Notes) -> dict[str, str]:
    """The cells without social security, card and account numbers; a column's name tells them."""
    masked = mask(json.dumps(cells, ensure_ascii=False).encode("utf-8", "replace"))
    if not masked.found:
        return cells
    notes.warn_of(masked.found)
    found: dict[str, str] = json.loads(masked.body)
    return found
