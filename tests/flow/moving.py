"""Helpers for a lender that moves from another CRM: connect, read, import."""

from datetime import datetime
from typing import Any

from rooftree.capture.imports import crm_import, import_staging
from rooftree.capture.models import Spreadsheet
from rooftree.capture.parsing.field_map import parse_map_lines
from rooftree.flow import spreadsheet_imports
from rooftree.leads.models import Source
from tests import make
from tests.flow import journey


def clerk() -> Any:
    return make.user("operations")


def start_transfer(source: Source) -> Spreadsheet:
    return crm_import.start_crm_import(source_id=source.pk, by=clerk(), at=make.NOON)


def read_transfer(source: Source, minutes: float = 0) -> Spreadsheet:
    """Read everything, until the columns, owners and stages wait for a person."""
    sheet = start_transfer(source)
    journey.run(journey.later(minutes))
    return Spreadsheet.objects.get(pk=sheet.pk)


def check_transfer(sheet: Spreadsheet, **options: str) -> Spreadsheet:
    import_staging.save_column_map(
        sheet_id=sheet.pk,
        lines=parse_map_lines(sheet.lines),
        options=options,
        by=clerk(),
        at=make.NOON,
    )
    spreadsheet_imports.enqueue_check(sheet_id=sheet.pk)
    journey.run()
    return Spreadsheet.objects.get(pk=sheet.pk)


def import_transfer(source: Source, **options: str) -> Spreadsheet:
    """Run the whole transfer, accepting every suggested mapping."""
    sheet = check_transfer(read_transfer(source), **options)
    spreadsheet_imports.start_import(sheet_id=sheet.pk, by=clerk(), at=make.NOON)
    journey.run()
    return Spreadsheet.objects.get(pk=sheet.pk)


def import_all(*, at: datetime) -> None:
    """Import all remaining rows of every running import, as a worker does."""
    for sheet in Spreadsheet.objects.filter(state="running"):
        while spreadsheet_imports.import_batch(sheet_id=sheet.pk, at=at):
            pass
