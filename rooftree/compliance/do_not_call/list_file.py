"""Parser for the files of do-not-contact registries; no database access.

A line of the national registry is an area code, a comma and seven digits; its change lists add a
date and A or D. A line of a state or litigator list is ten digits, plain or formatted, alone or in
the first column.
"""

import re
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from io import BufferedIOBase, BufferedReader, RawIOBase
from pathlib import PurePath
from typing import cast

from rooftree.core.damaged_archives import DAMAGED_ARCHIVE_ERRORS

BLOCK_BYTES = 1250  # ten thousand bits
MAX_LINE_BYTES = 4096  # the most bytes read as one line, however large an unpacked file is
DATE_IN_NAME = re.compile(r"(20\d\d)-?([01]\d)-?([0-3]\d)")
NUMBER_LINE = re.compile(
    rb'"?\+?1?[ .-]*\(?([2-9]\d\d)\)?[ .,-]*([2-9]\d\d)[ .-]*(\d{4})"?'
    rb"(?:[,;\t][^,;\t]*)*?(?:[,;\t][^\S\t]*\"?([ADad])\"?)?"
)  # of a line without the spaces at its ends
HEADING_LINE = re.compile(rb"[^0-9]*[a-zA-Z][^0-9]*")
type Blocks = dict[str, bytearray]  # by area code and exchange


class BadListFile(Exception):
    """The file is not a do-not-contact list; the text says what is wrong and can be shown."""


@dataclass(slots=True)
class ListedNumbers:
    """The numbers that a file lists and the numbers that it removes."""

    listed: Blocks = field(default_factory=dict)
    removed: Blocks = field(default_factory=dict)
    has_plain_lines: bool = False  # a line holds only a number
    has_change_lines: bool = False  # a line adds or removes a number

    @property
    def area_codes(self) -> list[str]:
        """All area codes in the file, sorted."""
        return sorted({block_key[:3] for block_key in (*self.listed, *self.removed)})


def date_in_name(name: str) -> date | None:
    """Return the date in a file name, as 2026-11-20 or 20261120; None if there is none."""
    match = DATE_IN_NAME.search(PurePath(name).name)
    try:
        return date(*map(int, match.groups())) if match else None
    except ValueError:
        return None


@contextmanager
def open_lines(file: BufferedIOBase) -> Iterator[Iterable[bytes]]:
    """Yield the lines of a text file or of the single file in a ZIP archive.

    Raises `BadListFile`.
    """
    is_zip = file.read(4) == b"PK\x03\x04"
    file.seek(0)
    if not is_zip:
        yield _bounded_lines(file)
        return
    try:
        with zipfile.ZipFile(file) as archive:
            names = [name for name in archive.namelist() if not name.endswith("/")]
            if len(names) != 1:
                raise BadListFile(f"The archive holds {len(names)} files. Load one list at a time.")
            with archive.open(names[0]) as member:
                yield _bounded_lines(BufferedReader(cast(RawIOBase, member)))
    except DAMAGED_ARCHIVE_ERRORS as problem:
        raise BadListFile("The archive can’t be opened. Download it again.") from problem


def _bounded_lines(file: BufferedIOBase) -> Iterator[bytes]:
    return iter(partial(file.readline, MAX_LINE_BYTES), b"")


def read_numbers(lines: Iterable[bytes]) -> ListedNumbers:
    """Read all numbers in a file.

    One unreadable line refuses the whole file, because a skipped number would be called. Raises
    `BadListFile`, naming the line.
    """
    numbers = ListedNumbers()
    last, block = b"", bytearray()
    for count, line in enumerate(lines, 1):
        # Fast path for the national registry, a hundred million lines of: 212,5550100
        if line[3:4] == b"," and len(line) in (12, 13) and line[4:11].isdigit():
            prefix, tail = line[:3] + line[4:7], line[7:11]
            if prefix != last:
                last, block = prefix, _get_block(numbers.listed, prefix, count)
            number = int(tail)
            block[number >> 3] |= 1 << (number & 7)
        elif line.strip():
            _read_other_line(line, count, numbers)
    if numbers.has_change_lines and (numbers.has_plain_lines or last):
        raise BadListFile("Some lines are changes and some are not. Load a file of one kind.")
    if not numbers.listed and not numbers.removed:
        raise BadListFile("The file lists no numbers.")
    return numbers


def _read_other_line(line: bytes, count: int, numbers: ListedNumbers) -> None:
    entry = NUMBER_LINE.fullmatch(line.strip())
    if entry is None:
        if count == 1 and HEADING_LINE.fullmatch(line):
            return
        if line.lstrip().startswith(b"<"):
            raise BadListFile("This is the XML file. Download the flat text file.")
        raise BadListFile(f"Line {count} is not a phone number. Nothing was loaded.")
    area, exchange, tail, change = entry.groups()
    numbers.has_change_lines = numbers.has_change_lines or change is not None
    numbers.has_plain_lines = numbers.has_plain_lines or change is None
    target, other = numbers.listed, numbers.removed
    if change in (b"D", b"d"):
        target, other = other, target
    prefix, number = (area + exchange), int(tail)
    _get_block(target, prefix, count)[number >> 3] |= 1 << (number & 7)
    if prefix.decode() in other:  # the last line of a change list wins
        _get_block(other, prefix, count)[number >> 3] &= ~(1 << (number & 7))


def _get_block(blocks: Blocks, prefix: bytes, count: int) -> bytearray:
    key = prefix.decode("ascii", "replace")
    block = blocks.get(key)
    if block is None:
        if not (key.isdecimal() and key[0] in "23456789"):
            raise BadListFile(f"Line {count} is not a phone number. Nothing was loaded.")
        block = blocks[key] = bytearray(BLOCK_BYTES)
    return block
