"""Excel workbooks: read as their author sees them, and stopped at the limits when hostile."""

import io
import tracemalloc
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rooftree.capture.imports import excel_workbook
from rooftree.capture.imports.tabular_files import read_table
from rooftree.capture.parsing.reading_notes import ReadingNotes
from rooftree.capture.parsing.wire_formats import UnreadableBody

HEAD = '<?xml version="1.0"?>'
MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
STRINGS = (
    f"{HEAD}<sst {MAIN}><si><t>First name</t></si><si><t>Last name</t></si><si><t>Mobile</t></si>"
    "<si><t>Created</t></si><si><r><t>Ni</t></r><r><t>na</t></r><rPh><t>x</t></rPh></si></sst>"
)
STYLES = (
    f'{HEAD}<styleSheet {MAIN}><numFmts><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd hh:mm"/>'
    '<numFmt numFmtId="165" formatCode="&quot;day&quot; 0"/></numFmts><cellStyleXfs>'
    '<xf numFmtId="14"/></cellStyleXfs><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/>'
    '<xf numFmtId="164"/><xf numFmtId="165"/></cellXfs></styleSheet>'
)
SHEET = (
    f'{HEAD}<worksheet {MAIN}><sheetData><row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s">'
    '<v>1</v></c><c r="C1" t="s"><v>2</v></c><c r="D1" t="s"><v>3</v></c></row><row r="3">'
    '<c r="A3" t="s"><v>4</v></c><c r="B3" t="inlineStr"><is><t>Kowalczyk</t></is></c>'
    '<c r="C3" s="3"><v>4.145550117E9</v></c><c r="D3" s="1"><v>46296</v></c></row>'
    '<row r="4"><c r="B4" t="str"><f>A3</f><v>Haddad</v></c><c r="D4" s="2"><v>46296.5</v></c>'
    "</row></sheetData></worksheet>"
)


def book(**parts: str) -> bytes:
    written = {"sharedStrings.xml": STRINGS, "styles.xml": STYLES, "worksheets/sheet1.xml": SHEET}
    written |= {name.replace("__", "/") + ".xml": text for name, text in parts.items()}
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as file:
        for name, text in written.items():
            file.writestr(f"xl/{name}", text)
    return made.getvalue()


def test_workbook_is_read_with_empty_cells_numbers_and_dates():
    table = read_table(book(), ReadingNotes())

    assert table.columns == ("First name", "Last name", "Mobile", "Created")
    nina, omar = table.rows
    assert (nina.line, nina.cells) == (
        3,
        {
            "First name": "Nina",
            "Last name": "Kowalczyk",
            "Mobile": "4145550117",
            "Created": "2026-10-01",
        },
    )
    assert omar.cells == {"Last name": "Haddad", "Created": "2026-10-01 12:00:00"}


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ({"sharedStrings": '<!DOCTYPE a [<!ENTITY b "c">]><sst/>'}, "xml_dtd_forbidden"),
        ({"worksheets__sheet1": "<worksheet><row><c t='s'><v>99</v></c></row>"}, "workbook_broken"),
        ({"worksheets__sheet1": "<worksheet><sheetData/></worksheet>"}, "empty"),
        ({"worksheets__sheet1": SHEET.replace("46296.5", "1e300")}, "workbook_broken"),
    ],
)
def test_broken_workbook_gives_its_reason(parts, reason):
    with pytest.raises(UnreadableBody, match=reason):
        read_table(book(**parts), ReadingNotes())


def test_zip_bomb_stops_at_size_limit(monkeypatch):
    monkeypatch.setattr(excel_workbook, "MAX_UNPACKED_SIZE", 200_000)
    bomb = f"{HEAD}<sst>{' ' * 5_000_000}</sst>"

    with pytest.raises(UnreadableBody, match="workbook_too_large"):
        read_table(book(sharedStrings=bomb), ReadingNotes())


def test_cells_far_to_the_right_stop_at_column_limit():
    row = '<row><c r="ZZZ1"><v>1</v></c></row>'

    assert most_memory_of(f"<worksheet>{row * 3_000}</worksheet>", "too_many_columns") < 20_000_000


def test_long_text_shared_by_every_cell_stops_at_size_limit(monkeypatch):
    monkeypatch.setattr(excel_workbook, "MAX_UNPACKED_SIZE", 1_000_000)
    row = '<row><c t="s"><v>0</v></c><c t="s"><v>0</v></c></row>'
    strings = f"<sst><si><t>{'x' * 15_000}</t></si></sst>"

    with pytest.raises(UnreadableBody, match="workbook_too_large"):
        read_table(
            book(worksheets__sheet1=f"<a>{row * 100}</a>", sharedStrings=strings), ReadingNotes()
        )


def test_repeated_cell_stops_at_size_limit():
    cell = '<c r="A1" t="s"><v>0</v></c>'
    strings = f"<sst><si><t>{'x' * 40_000}</t></si></sst>"
    sheet = f"<worksheet><row>{cell * 1_500}</row></worksheet>"

    with pytest.raises(UnreadableBody, match="workbook_too_large"):
        read_table(book(worksheets__sheet1=sheet, sharedStrings=strings), ReadingNotes())


def most_memory_of(sheet: str, reason: str) -> int:
    body = book(worksheets__sheet1=sheet)
    tracemalloc.start()
    try:
        with pytest.raises(UnreadableBody, match=reason):
            read_table(body, ReadingNotes())
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_workbook_with_flipped_bytes_gives_table_or_reason(data):
    raw = bytearray(book())
    for _ in range(data.draw(st.integers(1, 8))):
        raw[data.draw(st.integers(4, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        read_table(bytes(raw), ReadingNotes())
    except UnreadableBody as reason:
        assert str(reason)
