"""CSV files that people open in a spreadsheet; no cell can run as a formula."""

import csv
import io
from collections.abc import Iterable, Sequence

# OWASP ASVS 1.2.10, and line ends and full-width forms, which spreadsheets read alike.
FORMULA_PREFIXES = ("=", "+", "-", "@", "\t", "\0", "\r", "\n", "＝", "＋", "－", "＠")


def escape_cell(value: object) -> str:
    """Return a value as a cell's text, with an apostrophe before anything that would run."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA_PREFIXES) else text


def render_csv(heading: Sequence[str], rows: Iterable[Sequence[object]]) -> tuple[str, int]:
    """Render a CSV file; return its text and the number of rows.

    The text starts with the byte order mark that spreadsheets need to read UTF-8.
    """
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(heading)
    number = 0
    for row in rows:
        writer.writerow([escape_cell(value) for value in row])
        number += 1
    return f"\ufeff{out.getvalue()}", number
