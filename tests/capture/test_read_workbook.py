"""Workbooks: read as their author sees them, and stopped at the limits when hostile."""

import io
import struct
import tracemalloc
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rooftree.capture.imports import read_workbook
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


PACKAGE = 'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"'
DOCUMENT = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
WORKBOOK = (
    f'{HEAD}<workbook {MAIN} xmlns:r="{DOCUMENT}"><sheets>'
    '<sheet name="Totals" sheetId="2" state="hidden" r:id="r4"/>'
    '<sheet name="Leads" sheetId="1" r:id="r1"/></sheets></workbook>'
)
FILES = Path(__file__).parent / "workbooks"


def relations(**targets: str) -> str:
    lines = (
        f'<Relationship Id="{key}" Type="{DOCUMENT}/{target.partition(":")[0]}" '
        f'Target="{target.partition(":")[2]}"/>'
        for key, target in targets.items()
    )
    return f"{HEAD}<Relationships {PACKAGE}>{''.join(lines)}</Relationships>"


RELATIONS = relations(
    r1="worksheet:worksheets/sheet1.xml",
    r2="sharedStrings:sharedStrings.xml",
    r3="styles:styles.xml",
    r4="worksheet:worksheets/sheet2.xml",
)


def archive(parts: dict[str, str], **options: int) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", **{"compression": zipfile.ZIP_DEFLATED} | options) as file:
        for name, text in parts.items():
            file.writestr(name, text)
    return made.getvalue()


def parts_of_book(**changes: str) -> dict[str, str]:
    parts = {
        "workbook.xml": WORKBOOK,
        "_rels/workbook.xml.rels": RELATIONS,
        "sharedStrings.xml": STRINGS,
        "styles.xml": STYLES,
        "worksheets/sheet1.xml": SHEET,
        "worksheets/sheet2.xml": SHEET.replace("Kowalczyk", "Total"),
    } | {name.replace("__", "/") + ".xml": text for name, text in changes.items()}
    return {
        "_rels/.rels": relations(r1="officeDocument:xl/workbook.xml"),
        **{f"xl/{name}": text for name, text in parts.items()},
    }


def book(**changes: str) -> bytes:
    return archive(parts_of_book(**changes))


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
        ({"worksheets__sheet1": SHEET.replace("<v>4</v>", "<v>99</v>")}, "workbook_broken"),
        ({"worksheets__sheet1": "<worksheet><sheetData/></worksheet>"}, "empty"),
        ({"worksheets__sheet1": SHEET.replace("46296.5", "1e300")}, "workbook_broken"),
    ],
)
def test_broken_workbook_gives_its_reason(parts, reason):
    with pytest.raises(UnreadableBody, match=reason):
        read_table(book(**parts), ReadingNotes())


def test_zip_bomb_stops_at_size_limit(monkeypatch):
    monkeypatch.setattr(read_workbook, "MAX_UNPACKED_SIZE", 200_000)
    bomb = f"{HEAD}<sst>{' ' * 5_000_000}</sst>"

    with pytest.raises(UnreadableBody, match="workbook_too_large"):
        read_table(book(sharedStrings=bomb), ReadingNotes())


def test_cells_far_to_the_right_stop_at_column_limit():
    row = '<row><c r="ZZZ1"><v>1</v></c></row>'
    body = book(worksheets__sheet1=sheet_of(row * 3_000))

    assert most_memory_of(body, "too_many_columns") < 20_000_000


def test_long_text_shared_by_every_cell_stops_at_size_limit(monkeypatch):
    monkeypatch.setattr(read_workbook, "MAX_UNPACKED_SIZE", 1_000_000)
    row = '<row><c t="s"><v>0</v></c><c t="s"><v>0</v></c></row>'
    strings = f"<sst><si><t>{'x' * 15_000}</t></si></sst>"

    with pytest.raises(UnreadableBody, match="workbook_too_large"):
        read_table(
            book(worksheets__sheet1=sheet_of(row * 100), sharedStrings=strings), ReadingNotes()
        )


def test_cells_far_apart_stop_at_memory_limit():
    corner = '<row r="1048576"><c r="GR1048576"><v>1</v></c></row>'
    body = book(worksheets__sheet1=sheet_of(f'<row r="1"><c r="A1"><v>1</v></c></row>{corner}'))

    assert most_memory_of(body, "workbook_too_large") < 20_000_000


def test_part_larger_than_it_declares_is_refused():
    sheet = SHEET.replace("Kowalczyk", "x" * 60_000_000)
    declared = struct.pack("<L", len(sheet))
    raw = book(worksheets__sheet1=sheet).replace(declared, struct.pack("<L", 1_000_000))

    with pytest.raises(UnreadableBody, match="workbook_broken"):
        read_table(raw, ReadingNotes())


def test_workbook_that_takes_too_long_is_stopped(monkeypatch):
    monkeypatch.setattr(read_workbook, "MAX_CPU_SECONDS", 0)
    row = SHEET[SHEET.rindex("<row") : SHEET.rindex("</sheetData>")]
    long_sheet = SHEET.replace("</sheetData>", f"{row * 20_000}</sheetData>")  # outlasts a tick

    with pytest.raises(UnreadableBody, match="workbook_too_large"):
        read_table(book(worksheets__sheet1=long_sheet), ReadingNotes())


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (archive({"letter.txt": "Dear Nina"}), "not_csv_zip_signature"),
        (archive(parts_of_book(), compression=zipfile.ZIP_BZIP2), "not_csv_zip_signature"),
        (book()[:200], "not_csv_zip_signature"),
        (archive(parts_of_book() | {f"{n}": "" for n in range(1_001)}), "workbook_too_large"),
        (b"\xd0\xcf\x11\xe0" + bytes(600), "workbook_broken"),
        ((FILES / "password.xlsx").read_bytes(), "workbook_locked"),
    ],
)
def test_file_that_is_no_readable_workbook_gives_its_reason(raw, reason):
    with pytest.raises(UnreadableBody, match=f"^{reason}$"):
        read_table(raw, ReadingNotes())


@pytest.mark.parametrize("name", ["leads.xls", "leads.ods"])
def test_older_and_open_document_workbooks_are_read(name):
    table = read_table((FILES / name).read_bytes(), ReadingNotes())

    assert table.columns == ("First name", "Mobile", "Created", "Amount")
    assert [(row.line, row.cells) for row in table.rows] == [
        (
            3,
            {
                "First name": "Nina Ñandú",
                "Mobile": "4145550117",
                "Created": "2026-10-01",
                "Amount": "350000.5",
            },
        )
    ]


def test_repeated_cell_counts_once_however_long_its_text():
    cell = '<c r="A1" t="s"><v>0</v></c>'
    strings = f"<sst><si><t>{'x' * 40_000}</t></si></sst>"
    body = book(worksheets__sheet1=sheet_of(f"<row>{cell * 30_000}</row>"), sharedStrings=strings)

    assert most_memory_of(body, "cell_too_large") < 20_000_000


def sheet_of(rows: str) -> str:
    return f"<worksheet><sheetData>{rows}</sheetData></worksheet>"


def most_memory_of(body: bytes, reason: str) -> int:
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


def test_workbook_whose_parts_lie_before_its_start_gives_its_reason():
    raw = bytearray(book())
    end_record = raw.rindex(b"PK\x05\x06")
    raw[end_record + 16 : end_record + 20] = b"\xff\xff\x01\x00"  # where the parts' list begins

    with pytest.raises(UnreadableBody, match="not_csv_zip_signature"):
        read_table(bytes(raw), ReadingNotes())
