"""Importing a spreadsheet: upload, dry run, import and undo, in rows a second.

The rows are of people nobody knows, each with a number, an address and a state; the work
is done by one thread, as one worker does it.
"""

import time
from collections.abc import Callable
from typing import Any

from bench_worked import floor_of
from readings import cpu_seconds, options, say
from scratch import open_installation

SIZES = {
    "rows": (2_000, "rows of the file"),
    "people": (1_000, "people on file before"),
}
HEADER = "First name,Last name,Mobile,Email,Property state,Purpose,Loan amount"


def main() -> None:
    """Take one file all the way and back, and compare with one-row inserts."""
    asked = options(__doc__, **SIZES)
    with open_installation() as here:
        import os

        import company
        import stock

        company.found()
        stock.people_on_file(asked.people, company.website())
        stock.settle_down()
        floor = floor_of(here.address)
        found = _whole_way(asked.rows)
        own, server = cpu_seconds(os.getpid()), cpu_seconds(here.database_pid)
    found["floor_inserts_per_s"] = round(floor, 1)
    found["cpu_s"] = {"own": round(own, 1), "database": round(server, 1)}
    found["inserts_a_row_costs"] = round(floor / found["import_rows_per_s"], 1)
    say(asked, "import", **found)


def _whole_way(rows: int) -> dict[str, Any]:
    from company import NOON

    from rooftree.capture.field_map import lines_of
    from rooftree.capture.imports import stage
    from rooftree.capture.models import Spreadsheet
    from rooftree.flow import spreadsheets
    from rooftree.leads.models import Source
    from rooftree.org.models import User

    source = Source.objects.create(name="Old book", slug="old-book", adapter="csv_import")
    by = User.objects.filter(role="executive").get()
    sheet, upload = _timed(
        lambda: stage.upload(source_id=source.pk, name="book.csv", body=_file(rows), by=by, at=NOON)
    )
    sheet = sheet[0]
    stage.describe(sheet_id=sheet.pk, lines=lines_of(sheet.lines), options={}, by=by, at=NOON)
    _, dry = _timed(lambda: spreadsheets.check(sheet_id=sheet.pk, at=NOON))
    spreadsheets.begin(sheet_id=sheet.pk, by=by, at=NOON)
    _, taken = _timed(lambda: _all_rows(sheet.pk, NOON))
    spreadsheets.begin_undo(sheet_id=sheet.pk, by=by, at=NOON)
    _, undone = _timed(lambda: _all_back(sheet.pk, NOON))
    counts = Spreadsheet.objects.get(pk=sheet.pk).counts
    if counts != {"new": rows, "closed": rows}:
        raise ValueError(f"{counts} of {rows} rows")
    return {
        "upload_rows_per_s": round(rows / upload),
        "dry_run_rows_per_s": round(rows / dry),
        "import_rows_per_s": round(rows / taken, 1),
        "undo_rows_per_s": round(rows / undone),
    }


def _all_rows(sheet_id: Any, at: Any) -> None:
    from rooftree.flow import spreadsheets

    while spreadsheets.import_some(sheet_id=sheet_id, at=at):
        pass


def _all_back(sheet_id: Any, at: Any) -> None:
    from rooftree.capture.imports import undo

    while undo.close_some(sheet_id=sheet_id, at=at):
        pass


def _timed[T](act: Callable[[], T]) -> tuple[T, float]:
    started = time.perf_counter()
    done = act()
    return done, time.perf_counter() - started


def _file(rows: int) -> bytes:
    from company import AREAS

    lines = [HEADER]
    for n in range(rows):
        state = tuple(AREAS)[n % len(AREAS)]
        number = f"{AREAS[state]}{200 + n // 10_000 % 800:03d}{n % 10_000:04d}"
        lines.append(f"Ada{n},Book{n},{number},book{n}@home.example,{state},Refi,{250_000 + n}")
    return "\r\n".join(lines).encode()


if __name__ == "__main__":
    main()
