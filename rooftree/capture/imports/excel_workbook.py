"""The first sheet of an Excel workbook (.xlsx) as rows of text.

Parsed by events and counted while it is unpacked, so a zip or XML bomb stops at the limit. No
document type, no formula, no network: only the values that the workbook stores.
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
_EXCEL_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 (spreadsheet dates have no zone)
# The built-in number formats that show a date or time.
_DATE_FORMAT_IDS = frozenset({*range(14, 23), *range(45, 48)})
_DATE_FORMAT_PATTERN = re.compile(r"[ymdh]", re.IGNORECASE)
_QUOTED_LITERAL = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.')
_COLUMN_LETTERS = re.compile(r"[A-Z]{1,3}")


type RowCheck = Callable[[list[str], int], None]


def read_first_sheet(body: bytes, check: RowCheck) -> list[tuple[int, list[str]]]:
    """Return the rows that are not blank, with their row numbers. Raises `UnreadableBody`.

    Args:
        check: called with each row as it is read and the number of rows before it; can raise.
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
    """A parser of one part of a workbook, driven by XML events."""

    def __init__(self) -> None:
        self.text = ""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Handle the start of an element."""

    def end(self, name: str) -> None:
        """Handle the end of an element; its text is `self.text`."""

    def read(self, book: zipfile.ZipFile, name: str) -> None:
        """Parse the part in chunks. Raises `UnreadableBody` above `MAX_UNPACKED_SIZE`."""
        parser = expat.ParserCreate()
        parser.buffer_text = True
        handlers: dict[str, Callable[..., object]] = {
            "StartDoctypeDeclHandler": _reject_doctype,
            "EntityDeclHandler": _reject_doctype,
            "StartElementHandler": lambda tag, attrs: self.start(tag.rpartition(":")[2], attrs),
            "EndElementHandler": lambda tag: self.end(tag.rpartition(":")[2]),
            "CharacterDataHandler": self._append_text,
        }
        for event, handler in handlers.items():
            setattr(parser, event, handler)
        unpacked_size = 0
        with book.open(name) as part:
            while chunk := part.read(_CHUNK_BYTES):
                unpacked_size += len(chunk)
                if unpacked_size > MAX_UNPACKED_SIZE:
                    raise UnreadableBody("workbook_too_large")
                parser.Parse(chunk, False)
        parser.Parse(b"", True)

    def _append_text(self, text: str) -> None:
        if len(self.text) < MAX_TEXT_CHARS:
            self.text += text


def _reject_doctype(*_: object) -> NoReturn:
    raise UnreadableBody("xml_dtd_forbidden")


class _SharedStrings(_PartReader):
    """The workbook's texts, which cells refer to by number."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._parts: list[str] = []
        self._is_phonetic = False  # a pronunciation guide (rPh) is not part of the text

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._is_phonetic = self._is_phonetic or name == "rPh"
        if name in ("si", "t"):
            self.text = ""
        if name == "si":
            self._parts = []

    def end(self, name: str) -> None:
        if name == "rPh":
            self._is_phonetic = False
        elif name == "t" and not self._is_phonetic:
            self._parts.append(self.text)
        elif name == "si":
            self.texts.append("".join(self._parts))


class _DateStyles(_PartReader):
    """The numbers of the cell styles that show a number as a date."""

    def __init__(self) -> None:
        super().__init__()
        self.dates: set[int] = set()
        self._custom_formats: dict[int, str] = {}
        self._in_cell_styles = False
        self._style_index = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "numFmt":
            format_id = int(attributes.get("numFmtId", 0))
            self._custom_formats[format_id] = attributes.get("formatCode", "")
        elif name == "cellXfs":
            self._in_cell_styles = True
        elif name == "xf" and self._in_cell_styles:
            format_id = int(attributes.get("numFmtId", 0))
            custom_format = _QUOTED_LITERAL.sub("", self._custom_formats.get(format_id, ""))
            if format_id in _DATE_FORMAT_IDS or _DATE_FORMAT_PATTERN.search(custom_format):
                self.dates.add(self._style_index)
            self._style_index += 1

    def end(self, name: str) -> None:
        if name == "cellXfs":
            self._in_cell_styles = False


class _SheetRows(_PartReader):
    """The cells of a sheet, row by row."""

    def __init__(self, strings: list[str], dates: set[int], check: RowCheck) -> None:
        super().__init__()
        self.rows: list[tuple[int, list[str]]] = []
        self._strings, self._dates, self._check_row = strings, dates, check
        self._cells: dict[int, str] = {}
        self._line = self._total_chars = self._column = 0
        self._kind, self._style = "", 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "row":
            self._cells, self._column = {}, -1
            self._line = int(attributes.get("r", self._line + 1))
        elif name == "c":
            letters = _COLUMN_LETTERS.match(attributes.get("r", ""))
            self._column = _column_index(letters[0]) if letters else self._column + 1
            self._kind, self._style = attributes.get("t", ""), int(attributes.get("s", 0))
        elif name in ("v", "t"):
            self.text = ""

    def end(self, name: str) -> None:
        if name == "v" or (name == "t" and self._kind == "inlineStr"):
            text = self._cells.get(self._column, "") + self._cell_text()
            self._total_chars += len(text)  # a shared text counts once for each cell
            if self._total_chars > MAX_UNPACKED_SIZE:
                raise UnreadableBody("workbook_too_large")
            self._cells[self._column] = text
        elif name == "row" and any(cell.strip() for cell in self._cells.values()):
            width = max(self._cells) + 1
            cells = [self._cells.get(column, "") for column in range(width)]
            self._check_row(cells, len(self.rows))
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
    """Format a number, or a date stored as a number of days, as people would type it."""
    if is_date:
        at = _EXCEL_EPOCH + timedelta(days=number)
        at = (at + timedelta(milliseconds=500)).replace(microsecond=0)
        return at.date().isoformat() if at.time() == datetime.min.time() else at.isoformat(" ")
    return str(int(number)) if number == int(number) else repr(number)


def _column_index(letters: str) -> int:
    """Return a column's index from its letters; A is 0."""
    position = 0
    for letter in letters:
        position = position * 26 + ord(letter) - 64
    return position - 1
