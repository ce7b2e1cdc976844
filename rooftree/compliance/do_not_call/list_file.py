"""Reading the files in which do-not-contact registries come; no database.

The national registry gives an area code, a comma and seven digits a line; its
change lists add a date and A or D. State lists and litigator lists give ten
digits a line, plain or written out, alone or in a first column.
"""

import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from io import BufferedIOBase, BufferedReader, RawIOBase
from pathlib import PurePath
from typing import cast

BLOCK_BYTES = 1250  # ten thousand bits
MAX_LINE_BYTES = 4096  # bytes that are read as one line, whatever an archive unpacks to
DATE_IN_NAME = re.compile(r"(20\d\d)-?([01]\d)-?([0-3]\d)")
NUMBER_LINE = re.compile(
    rb'\s*"?\+?1?[ .-]*\(?([2-9]\d\d)\)?[ .,-]*([2-9]\d\d)[ .-]*(\d{4})"?'
    rb"(?:[,;\t][^,;\t]*)*?(?:[,;\t]\s*\"?([ADad])\"?)?\s*"
)
HEADING_LINE = re.compile(rb"[^0-9]*[a-zA-Z][^0-9]*")
type Blocks = dict[str, bytearray]  # by area code and exchange


class BadListFile(Exception):
    """The file is no do-not-contact list; the text says what is wrong with it."""


@dataclass(slots=True)
class ListedNumbers:
    """What a file lists, and what it takes off."""

    listed: Blocks = field(default_factory=dict)
    removed: Blocks = field(default_factory=dict)
    has_plain_lines: bool = False  # some line says no more than a number
    has_change_lines: bool = False  # some line says that it is added or taken off

    @property
    def area_codes(self) -> list[str]:
        """The area codes that it speaks of."""
        return sorted({one[:3] for one in (*self.listed, *self.removed)})


def date_in_name(name: str) -> date | None:
    """It is the date in a file's name, as 2026-11-20 or 20261120; None when there is none."""
    found = DATE_IN_NAME.search(PurePath(name).name)
    try:
        return date(*map(int, found.groups())) if found else None
    except ValueError:
        return None


@contextmanager
def open_lines(file: BufferedIOBase) -> Iterator[Iterable[bytes]]:
    """The lines of a text file, or of the one text file in a ZIP archive. Raises `NotAList`."""
    is_zip = file.read(4) == b"PK\x03\x04"
    file.seek(0)
    if not is_zip:
        yield _bounded_lines(file)
        return
    try:
        with zipfile.ZipFile(file) as archive:
            names = [one for one in archive.namelist() if not one.endswith("/")]
            if len(names) != 1:
                raise BadListFile(f"The archive holds {len(names)} files; one list at a time.")
            with archive.open(names[0]) as inside:
                yield _bounded_lines(BufferedReader(cast(RawIOBase, inside)))
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as bad:
        raise BadListFile("The archive cannot be opened; download it again.") from bad


def _bounded_lines(file: BufferedIOBase) -> Iterator[bytes]:
    return iter(partial(file.readline, MAX_LINE_BYTES), b"")


def read_numbers(lines: Iterable[bytes]) -> ListedNumbers:
    """It is everything that a file lists.

    A line that cannot be read makes the whole file unfit: a number that is
    passed over would be called. Raises `NotAList`, naming the line.
    """
    found = ListedNumbers()
    last, block = b"", bytearray()
    for count, line in enumerate(lines, 1):
        # The national registry's own form, a hundred million times: 212,5550100
        if line[3:4] == b"," and len(line) in (12, 13) and line[4:11].isdigit():
            prefix, tail = line[:3] + line[4:7], line[7:11]
            if prefix != last:
                last, block = prefix, _get_block(found.listed, prefix, count)
            number = int(tail)
            block[number >> 3] |= 1 << (number & 7)
        elif line.strip():
            _read_other_line(line, count, found)
    if found.has_change_lines and (found.has_plain_lines or last):
        raise BadListFile("Some lines are changes and some are not; this is no list of one kind.")
    if not found.listed and not found.removed:
        raise BadListFile("The file lists no number at all.")
    return found


def _read_other_line(line: bytes, count: int, found: ListedNumbers) -> None:
    entry = NUMBER_LINE.fullmatch(line)
    if entry is None:
        if count == 1 and HEADING_LINE.fullmatch(line):
            return
        if line.lstrip().startswith(b"<"):
            raise BadListFile("This is the XML form; download the flat text file.")
        raise BadListFile(f"Line {count} is no telephone number; nothing was loaded.")
    area, exchange, tail, change = entry.groups()
    found.has_change_lines = found.has_change_lines or change is not None
    found.has_plain_lines = found.has_plain_lines or change is None
    is_off = change in (b"D", b"d")
    to, other = (found.removed, found.listed) if is_off else (found.listed, found.removed)
    prefix, number = (area + exchange), int(tail)
    _get_block(to, prefix, count)[number >> 3] |= 1 << (number & 7)
    if prefix.decode() in other:  # the later line of a change list counts
        _get_block(other, prefix, count)[number >> 3] &= ~(1 << (number & 7))


def _get_block(blocks: Blocks, prefix: bytes, count: int) -> bytearray:
    key = prefix.decode("ascii", "replace")
    block = blocks.get(key)
    if block is None:
        if not (key.isdecimal() and key[0] in "23456789"):
            raise BadListFile(f"Line {count} is no telephone number; nothing was loaded.")
        block = blocks[key] = bytearray(BLOCK_BYTES)
    return block
