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

from rooftree.capture.wire import Unreadable

LARGEST = 48 * 1024 * 1024  # bytes of one part, unpacked; characters of all cells
LONGEST_TEXT = 50_000  # characters of one cell
NOT_A_WORKBOOK = "not_csv_zip_signature"
_PIECE = 64 * 1024
_BEGAN = datetime(1899, 12, 30)  # noqa: DTZ001 (a date of a spreadsheet has no zone)
_DATES = frozenset({*range(14, 23), *range(45, 48)})  # number formats that every workbook knows
_IS_DATE = re.compile(r"[ymdh]", re.IGNORECASE)
_QUOTED = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.')
_COLUMN = re.compile(r"[A-Z]{1,3}")


type Check = Callable[[list[str], int], None]


def rows_of(body: bytes, check: Check) -> list[tuple[int, list[str]]]:
    """They are the rows that say anything, with their numbers. Raises `Unreadable`.

    Args:
        check: is given each row as it is read and how many came before; it may raise as well.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as book:
            names = set(book.namelist())
            sheets = sorted(one for one in names if re.fullmatch(r"xl/worksheets/\w+\.xml", one))
            if not sheets:
                raise Unreadable(NOT_A_WORKBOOK)
            first = "xl/worksheets/sheet1.xml"
            strings, styles = _Strings(), _Styles()
            for name, part in (("xl/sharedStrings.xml", strings), ("xl/styles.xml", styles)):
                if name in names:
                    part.read(book, name)
            sheet = _Sheet(strings.found, styles.dates, check)
            sheet.read(book, first if first in names else sheets[0])
    except (zipfile.BadZipFile, zlib.error, RuntimeError, EOFError, OSError, KeyError) as error:
        raise Unreadable(NOT_A_WORKBOOK) from error
    except (expat.ExpatError, ValueError, IndexError, OverflowError) as error:
        raise Unreadable("workbook_broken") from error
    return sheet.rows


class _Part:
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
            "StartDoctypeDeclHandler": _refuse,
            "EntityDeclHandler": _refuse,
            "StartElementHandler": lambda one, told: self.start(one.rpartition(":")[2], told),
            "EndElementHandler": lambda one: self.end(one.rpartition(":")[2]),
            "CharacterDataHandler": self._add,
        }
        for handler, act in handlers.items():
            setattr(parser, handler, act)
        taken = 0
        with book.open(name) as part:
            while piece := part.read(_PIECE):
                taken += len(piece)
                if taken > LARGEST:
                    raise Unreadable("workbook_too_large")
                parser.Parse(piece, False)
        parser.Parse(b"", True)

    def _add(self, text: str) -> None:
        if len(self.text) < LONGEST_TEXT:
            self.text += text


def _refuse(*_: object) -> NoReturn:
    raise Unreadable("xml_dtd_forbidden")


class _Strings(_Part):
    """The texts that cells name by number."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._parts: list[str] = []
        self._aside = False  # how a text is spoken is no part of it

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._aside = self._aside or name == "rPh"
        if name in ("si", "t"):
            self.text = ""
        if name == "si":
            self._parts = []

    def end(self, name: str) -> None:
        if name == "rPh":
            self._aside = False
        elif name == "t" and not self._aside:
            self._parts.append(self.text)
        elif name == "si":
            self.found.append("".join(self._parts))


class _Styles(_Part):
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
            own = _QUOTED.sub("", self._own.get(number, ""))
            if number in _DATES or _IS_DATE.search(own):
                self.dates.add(self._nth)
            self._nth += 1

    def end(self, name: str) -> None:
        if name == "cellXfs":
            self._is_cell = False


class _Sheet(_Part):
    """The cells of a sheet, row by row."""

    def __init__(self, strings: list[str], dates: set[int], check: Check) -> None:
        super().__init__()
        self.rows: list[tuple[int, list[str]]] = []
        self._strings, self._dates, self._check = strings, dates, check
        self._cells: dict[int, str] = {}
        self._line = self._seen = self._place = 0
        self._kind, self._style = "", 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "row":
            self._cells, self._place = {}, -1
            self._line = int(attributes.get("r", self._line + 1))
        elif name == "c":
            named = _COLUMN.match(attributes.get("r", ""))
            self._place = _number(named[0]) if named else self._place + 1
            self._kind, self._style = attributes.get("t", ""), int(attributes.get("s", 0))
        elif name in ("v", "t"):
            self.text = ""

    def end(self, name: str) -> None:
        if name == "v" or (name == "t" and self._kind == "inlineStr"):
            said = self._cells.get(self._place, "") + self._said()
            self._seen += len(said)  # a text that many cells name counts for each
            if self._seen > LARGEST:
                raise Unreadable("workbook_too_large")
            self._cells[self._place] = said
        elif name == "row" and any(one.strip() for one in self._cells.values()):
            width = max(self._cells) + 1
            cells = [self._cells.get(nth, "") for nth in range(width)]
            self._check(cells, len(self.rows))
            self.rows.append((self._line, cells))

    def _said(self) -> str:
        if self._kind == "s":
            return self._strings[int(self.text)]
        if self._kind == "b":
            return "true" if self.text.strip() == "1" else "false"
        if self._kind in ("str", "inlineStr", "e", "d"):
            return self.text
        return _plain(float(self.text), is_date=self._style in self._dates)


def _plain(number: float, *, is_date: bool) -> str:
    """A number as people would have typed it."""
    if is_date:
        at = _BEGAN + timedelta(days=number)
        at = (at + timedelta(milliseconds=500)).replace(microsecond=0)
        return at.date().isoformat() if at.time() == datetime.min.time() else at.isoformat(" ")
    return str(int(number)) if number == int(number) else repr(number)


def _number(letters: str) -> int:
    """A column's place by its letters; A is 0."""
    found = 0
    for letter in letters:
        found = found * 26 + ord(letter) - 64
    return found - 1
