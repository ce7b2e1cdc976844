"""Write the first sheet of the workbook on standard input as lines of JSON.

Runs as a program of its own, started by `read_workbook.py`, and imports nothing of ours. Exits
with 3 without memory, and with 1 if the workbook is broken.
"""

import io
import json
import resource
import sys
from datetime import date, datetime, time, timedelta

from python_calamine import (
    CalamineSheet,
    CalamineWorkbook,
    SheetTypeEnum,
    SheetVisibleEnum,
    load_workbook,
)

MAX_NUMBER = 1e21  # a larger one is no amount, number or date of a lead

type CellValue = int | float | str | bool | time | date | datetime | timedelta


def main() -> int:
    """Limit this process, read the workbook and return the exit code."""
    memory_bytes, cpu_seconds = (int(argument) for argument in sys.argv[1:])
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core dump would hold people's data
    try:
        with load_workbook(io.BytesIO(sys.stdin.buffer.read())) as workbook:
            write_rows(_first_sheet(workbook))
    except MemoryError:
        return 3
    return 0


def write_rows(sheet: CalamineSheet) -> None:
    """Write each row that is not blank as its number in the sheet and its cells."""
    first_row, first_column = sheet.start or (0, 0)
    for number, values in enumerate(sheet.iter_rows(), start=first_row + 1):
        cells = [format_cell(value) for value in values]
        while cells and not cells[-1]:
            cells.pop()
        if any(cell.strip() for cell in cells):
            row = json.dumps([number, [""] * first_column + cells], ensure_ascii=False)
            sys.stdout.buffer.write(row.encode() + b"\n")


def format_cell(value: CellValue) -> str:
    """Format a value as people would type it; a date without a time as a date."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if not abs(value) < MAX_NUMBER:
            raise ValueError("The number is too large.")
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, datetime):
        at = (value + timedelta(milliseconds=500)).replace(microsecond=0)
        return at.date().isoformat() if at.time() == time.min else at.isoformat(" ")
    return str(value)


def _first_sheet(workbook: CalamineWorkbook) -> CalamineSheet:
    """Return the first sheet that its author sees and that has cells, not only a chart."""
    for index, sheet in enumerate(workbook.sheets_metadata):
        if (sheet.typ, sheet.visible) == (SheetTypeEnum.WorkSheet, SheetVisibleEnum.Visible):
            return workbook.get_sheet_by_index(index)
    return workbook.get_sheet_by_index(0)


if __name__ == "__main__":
    sys.exit(main())
