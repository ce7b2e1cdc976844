"""The first sheet of an Excel workbook (.xlsx) as rows of text.

Read by events and counted as it is unpacked: a bomb of zip or XML ends at its bound. No
document type, no formula, no network: only the values a workbook keeps.
"""

import io
import re
import zipfile
import zlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NoReturn
from xml.parsers import expat

from rooftree.capture.parsing.wire_formats import UnreadableBody

MAX_UNPACKED_SIZE = 48 * 1024 * 1024  # bytes of one part, unpacked; characters of all cells
MAX_TEXT_CHARS = 50_000  # characters of one cell
NOT_A_WORKBOOK = "not_csv_zip_signature"
_CHUNK_BYTES = 64 * 1024
_EXCEL_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 (a date of a spreadsheet has no zone)
_DATE_FORMAT_IDS = frozenset(
    {*range(14, 23), *range(45, 48)}
)  # number formats that every workbook knows
_DATE_FORMAT_PATTERN = re.compile(r"[ymdh]", re.IGNORECASE)
_QUOTED_LITERAL = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.')
_COLUMN_LETTERS = re.compile(r"[A-Z]{1,3}")


type RowCheck = Callable[[list[str], int], None]


def read_first_sheet(body: bytes, check: RowCheck) -> list[tuple[int, list[str]]]:
    """They are the rows that say anything, with their numbers. Raises `Unreadable`.

    Args:
        check: is given each row as it is read and how many came before; it may raise as well.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as book:
            names = set(book.namelist())
            sheets = sorted(name for name in names if re.fullmatch(r"xl/worksheets/\w+\.xml", name))
            if not sheets:
                raise UnreadableBody(NOT_A_WORKBOOK)
            first = "xl/worksheets/sheet1.xml"
            strings, styles = _SharedStrings(), _DateStyles()
            for name, part in (("xl/sharedStrings.xml", strings), ("xl/styles.xml", styles)):
                if name in names:
                    part.read(book, name)
            sheet = _SheetRows(strings.texts, styles.dates, check)
            sheet.read(book, first if first in names else sheets[0])
    except (zipfile.BadZipFile, zlib.error, RuntimeError, EOFError, OSError, KeyError) as error:
        raise UnreadableBody(NOT_A_WORKBOOK) from error
    except (expat.ExpatError, ValueError, IndexError, OverflowError) as error:
        raise UnreadableBody("workbook_broken") from error
    return sheet.rows


class _PartReader:
    """One part of a workbook, read by events."""

    def __init__(self) -> None:
        self.text = ""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins."""

    def end(self, name: str) -> None:
        """An element ends; its text is `self.text`."""

    def read(self, book: zipfile.ZipFile, name: str) -> None:
        """Feed the part to the parser, piece by piece."""
        parser = expat.ParserCreate()
        parser.buffer_text = True
        handlers: dict[str, Callable[..., object]] = {
            "StartDoctypeDeclHandler": _reject_doctype,
            "EntityDeclHandler": _reject_doctype,
            "StartElementHandler": lambda one, told: self.start(one.rpartition(":")[2], told),
            "EndElementHandler": lambda one: self.end(one.rpartition(":")[2]),
            "CharacterDataHandler": self._append_text,
        }
        for handler, act in handlers.items():
            setattr(parser, handler, act)
        taken = 0
        with book.open(name) as part:
            while piece := part.read(_CHUNK_BYTES):
                taken += len(piece)
                if taken > MAX_UNPACKED_SIZE:
                    raise UnreadableBody("workbook_too_large")
                parser.Parse(piece, False)
        parser.Parse(b"", True)

    def _append_text(self, text: str) -> None:
        if len(self.text) < MAX_TEXT_CHARS:
            self.text += text


def _reject_doctype(*_: object) -> NoReturn:
    raise UnreadableBody("xml_dtd_forbidden")


class _SharedStrings(_PartReader):
    """The texts that cells name by number."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._parts: list[str] = []
        self._run_in_side_thread = False  # how a text is spoken is no part of it

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._run_in_side_thread = self._run_in_side_thread or name == "rPh"
        if name in ("si", "t"):
            self.text = ""
        if name == "si":
            self._parts = []

    def end(self, name: str) -> None:
        if name == "rPh":
            self._run_in_side_thread = False
        elif name == "t" and not self._run_in_side_thread:
            self._parts.append(self.text)
        elif name == "si":
            self.texts.append("".join(self._parts))


class _DateStyles(_PartReader):
    """Which of the numbered styles show a number as a date."""

    def __init__(self) -> None:
        super().__init__()
        self.dates: set[int] = set()
        self._own: dict[int, str] = {}
        self._is_cell = False
        self._nth = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "numFmt":
            self._own[int(attributes.get("numFmtId", 0))] = attributes.get("formatCode", "")
        elif name == "cellXfs":
            self._is_cell = True
        elif name == "xf" and self._is_cell:
            number = int(attributes.get("numFmtId", 0))
            own = _QUOTED_LITERAL.sub("", self._own.get(number, ""))
            if number in _DATE_FORMAT_IDS or _DATE_FORMAT_PATTERN.search(own):
                self.dates.add(self._nth)
            self._nth += 1

    def end(self, name: str) -> None:
        if name == "cellXfs":
            self._is_cell = False


class _SheetRows(_PartReader):
    """The cells of a sheet, row by row."""

    def __init__(self, strings: list[str], dates: set[int], check: RowCheck) -> None:
        super().__init__()
        self.rows: list[tuple[int, list[str]]] = []
        self._strings, self._dates, self._check_files = strings, dates, check
        self._cells: dict[int, str] = {}
        self._line = self._seen = self._hour_of_week = 0
        self._kind, self._style = "", 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "row":
            self._cells, self._hour_of_week = {}, -1
            self._line = int(attributes.get("r", self._line + 1))
        elif name == "c":
            named = _COLUMN_LETTERS.match(attributes.get("r", ""))
            self._hour_of_week = _column_index(named[0]) if named else self._hour_of_week + 1
            self._kind, self._style = attributes.get("t", ""), int(attributes.get("s", 0))
        elif name in ("v", "t"):
            self.text = ""

    def end(self, name: str) -> None:
        if name == "v" or (name == "t" and self._kind == "inlineStr"):
            said = self._cells.get(self._hour_of_week, "") + self._cell_text()
            self._seen += len(said)  # a text that many cells name counts for each
            if self._seen > MAX_UNPACKED_SIZE:
                raise UnreadableBody("workbook_too_large")
            self._cells[self._hour_of_week] = said
        elif name == "row" and any(cell.strip() for cell in self._cells.values()):
            width = max(self._cells) + 1
            cells = [self._cells.get(nth, "") for nth in range(width)]
            self._check_files(cells, len(self.rows))
            self.rows.append((self._line, cells))

    def _cell_text(self) -> str:
        if self._kind == "s":
            return self._strings[int(self.text)]
        if self._kind == "b":
            return "true" if self.text.strip() == "1" else "false"
        if self._kind in ("str", "inlineStr", "e", "d"):
            return self.text
        return _format_number(float(self.text), is_date=self._style in self._dates)


def _format_number(number: float, *, is_date: bool) -> str:
    """A number as people would have typed it."""
    if is_date:
        at = _EXCEL_EPOCH + timedelta(days=number)
        at = (at + timedelta(milliseconds=500)).replace(microsecond=0)
        return at.date().isoformat() if at.time() == datetime.min.time() else at.isoformat(" ")
    return str(int(number)) if number == int(number) else repr(number)


def _column_index(letters: str) -> int:
    """A column's place by its letters; A is 0."""
    found = 0
    for letter in letters:
        found = found * 26 + ord(letter) - 64
    return found - 1
