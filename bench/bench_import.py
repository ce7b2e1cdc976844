"""Importing a spreadsheet: upload, dry run, import and undo, in rows per second.

Each row is a new person with a phone number, an email address and a state; one thread
does the work, as one worker does.
"""

import time
from collections.abc import Callable
from typing import Any

from bench_worked import baseline_inserts_per_second
from measurements import cpu_seconds, parse_options, report_results
from temp_installation import open_installation

SIZES = {
    "rows": (2_000, "rows in the file"),
    "people": (1_000, "people already on file"),
}
HEADER = "First name,Last name,Mobile,Email,Property state,Purpose,Loan amount"


def main() -> None:
    """Import and undo one file, and compare with one-row inserts."""
    options = parse_options(__doc__, **SIZES)
    with open_installation() as installation:
        import os

        import lender_setup
        import people_loader

        lender_setup.create_company()
        people_loader.load_people(options.people, lender_setup.create_website_source())
        people_loader.vacuum_database()
        floor = baseline_inserts_per_second(installation.address)
        results = _run_import(options.rows)
        own, server = cpu_seconds(os.getpid()), cpu_seconds(installation.database_pid)
    results["floor_inserts_per_s"] = round(floor, 1)
    results["cpu_s"] = {"own": round(own, 1), "database": round(server, 1)}
    results["inserts_a_row_costs"] = round(floor / results["import_rows_per_s"], 1)
    report_results(options, "import", **results)


def _run_import(rows: int) -> dict[str, Any]:
    from lender_setup import NOON

    from rooftree.capture.imports import import_staging
    from rooftree.capture.models import Spreadsheet
    from rooftree.capture.parsing.field_map import parse_map_lines
    from rooftree.flow import spreadsheet_imports
    from rooftree.leads.models import Source
    from rooftree.org.models import User

    source = Source.objects.create(name="Old book", slug="old-book", adapter="csv_import")
    by = User.objects.with_role("executive").get()
    sheet, upload = _time_call(
        lambda: import_staging.store_upload(
            source_id=source.pk, name="book.csv", body=_build_csv(rows), by=by, at=NOON
        )
    )
    sheet = sheet[0]
    import_staging.save_column_map(
        sheet_id=sheet.pk, lines=parse_map_lines(sheet.lines), options={}, by=by, at=NOON
    )
    _, dry = _time_call(lambda: spreadsheet_imports.run_dry_run(sheet_id=sheet.pk, at=NOON))
    spreadsheet_imports.start_import(sheet_id=sheet.pk, by=by, at=NOON)
    _, imported = _time_call(lambda: _import_all_rows(sheet.pk, NOON))
    spreadsheet_imports.start_undo(sheet_id=sheet.pk, by=by, at=NOON)
    _, undone = _time_call(lambda: _undo_all_rows(sheet.pk, NOON))
    counts = Spreadsheet.objects.get(pk=sheet.pk).counts
    if counts != {"new": rows, "closed": rows}:
        raise ValueError(f"The import of {rows} rows ended with {counts}.")
    return {
        "upload_rows_per_s": round(rows / upload),
        "dry_run_rows_per_s": round(rows / dry),
        "import_rows_per_s": round(rows / imported, 1),
        "undo_rows_per_s": round(rows / undone),
    }


def _import_all_rows(sheet_id: Any, at: Any) -> None:
    from rooftree.flow import spreadsheet_imports

    while spreadsheet_imports.import_batch(sheet_id=sheet_id, at=at):
        pass


def _undo_all_rows(sheet_id: Any, at: Any) -> None:
    from rooftree.capture.imports import undo_import

    while undo_import.close_next_batch(sheet_id=sheet_id, at=at):
        pass


def _time_call[T](act: Callable[[], T]) -> tuple[T, float]:
    started = time.perf_counter()
    result = act()
    return result, time.perf_counter() - started


def _build_csv(rows: int) -> bytes:
    from lender_setup import AREA_CODES

    lines = [HEADER]
    for n in range(rows):
        state = tuple(AREA_CODES)[n % len(AREA_CODES)]
        number = f"{AREA_CODES[state]}{200 + n // 10_000 % 800:03d}{n % 10_000:04d}"
        lines.append(f"Ada{n},Book{n},{number},book{n}@home.example,{state},Refi,{250_000 + n}")
    return "\r\n".join(lines).encode()


if __name__ == "__main__":
    main()
