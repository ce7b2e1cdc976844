"""The files of do-not-contact registries, as received."""

import io
import zipfile
from datetime import date

import pytest

from rooftree.compliance.do_not_call.list_file import (
    BadListFile,
    date_in_name,
    open_lines,
    read_numbers,
)

NATIONAL = b"212,5550100\r\n212,5550101\r\n305,5559999\r\n"


def _broken() -> bytes:
    """Return an archive whose packed content was damaged in transit."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", NATIONAL)
    whole = packed.getvalue()
    return whole[:35] + b"\xff" * 8 + whole[43:]


def _read(data: bytes):
    with open_lines(io.BytesIO(data)) as lines:
        return read_numbers(lines)


def size(blocks) -> int:
    return sum(int.from_bytes(block).bit_count() for block in blocks.values())


def _lists(blocks, number: str) -> bool:
    block = blocks.get(number[:6])
    place = int(number[6:])
    return block is not None and bool(block[place >> 3] >> (place & 7) & 1)


def test_national_registry_flat_file_is_read() -> None:
    numbers = _read(NATIONAL)
    assert (numbers.has_change_lines, numbers.area_codes, size(numbers.listed)) == (
        False,
        ["212", "305"],
        3,
    )
    assert _lists(numbers.listed, "2125550100")
    assert _lists(numbers.listed, "3055559999")
    assert not _lists(numbers.listed, "2125550102")
    assert not _lists(numbers.listed, "3055550100")


def test_zip_with_one_file_is_read_like_the_file() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("2026-11-20_212.txt", NATIONAL)
    assert _read(packed.getvalue()).listed == _read(NATIONAL).listed


def test_change_list_adds_and_removes_numbers() -> None:
    numbers = _read(b"212,5550100,2026-11-20,A\n212,5550101,2026-11-20,D\n")
    assert numbers.has_change_lines
    assert _lists(numbers.listed, "2125550100")
    assert _lists(numbers.removed, "2125550101")
    assert not _lists(numbers.listed, "2125550101")


def test_later_line_of_a_change_list_counts() -> None:
    numbers = _read(b"212,5550100,2026-11-18,A\n212,5550100,2026-11-20,D\n")
    assert not _lists(numbers.listed, "2125550100")
    assert _lists(numbers.removed, "2125550100")


@pytest.mark.parametrize(
    "line",
    [
        "5125550100",
        "15125550100",
        "+1 512 555 0100",
        "(512) 555-0100",
        "512-555-0100",
        "512.555.0100",
        '"5125550100"',
        "5125550100,2026-10-01,AUSTIN",
        "512,5550100",
    ],
)
def test_number_formats_of_states_and_vendors_are_read(line: str) -> None:
    numbers = _read(f"{line}\n".encode())
    assert _lists(numbers.listed, "5125550100")
    assert not numbers.has_change_lines


def test_header_line_is_not_a_number() -> None:
    assert size(_read(b"PhoneNumber,Listed\n5125550100,2026-10-01\n").listed) == 1


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"212,5550100\nnot a number\n", "Line 2"),
        (b"212,555010\n", "Line 1"),
        (b"212,5550100\n1125550100\n", "Line 2"),
        (b"", "no number"),
        (b"PhoneNumber\n", "no number"),
        (b'<?xml version="1.0"?>\n<list><ac val="212"></ac></list>\n', "flat text"),
        (b"212,5550100\n212,5550101,2026-11-20,A\n", "one kind"),
        (b"PK\x03\x04 this is no archive", "archive"),
        (_broken(), "archive"),
        (b"212,5550100," + b"," * 5000, "Line 2"),
    ],
)
def test_file_with_an_unreadable_line_is_rejected(data: bytes, words: str) -> None:
    with pytest.raises(BadListFile, match=words):
        _read(data)


def test_zip_with_two_lists_is_rejected() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.txt", NATIONAL)
        archive.writestr("b.txt", NATIONAL)
    with pytest.raises(BadListFile, match="2 files"):
        _read(packed.getvalue())


def test_zip_whose_parts_lie_before_its_start_is_rejected() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.txt", NATIONAL)
    raw = bytearray(packed.getvalue())
    end_record = raw.rindex(b"PK\x05\x06")
    raw[end_record + 16 : end_record + 20] = b"\xff\xff\x01\x00"  # where the list begins
    with pytest.raises(BadListFile, match="archive"):
        _read(bytes(raw))


def test_copy_date_is_read_from_the_file_name() -> None:
    assert date_in_name("2026-11-20_212.txt") == date(2026, 11, 20)
    assert date_in_name("/tmp/20261120-212.zip") == date(2026, 11, 20)
    assert date_in_name("list.txt") is None
    assert date_in_name("2026-19-39.txt") is None
