"""Writing files that people open in a spreadsheet, without letting a cell run as a formula."""

import csv
import io
from collections.abc import Iterable, Sequence

FORMULA_PREFIXES = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def escape_cell(value: object) -> str:
    """A value as a cell that is shown and never run: an apostrophe stands before what would."""
    said = "" if value is None else str(value)
    return f"'{said}" if said.lstrip(" ").startswith(FORMULA_PREFIXES) else said


def render_csv(heading: Sequence[str], rows: Iterable[Sequence[object]]) -> tuple[str, int]:
    """The whole file, UTF-8 with a mark that spreadsheets need, and how many rows it has."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(heading)
    number = 0
    for row in rows:
        writer.writerow([escape_cell(value) for value in row])
        number += 1
    return f"\ufeff{out.getvalue()}", number
