"""A lender that moves to us from another system: connecting, reading, importing."""

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


def begun(source: Source) -> Spreadsheet:
    return crm_import.start_crm_import(source_id=source.pk, by=clerk(), at=make.NOON)


def read(source: Source, minutes: float = 0) -> Spreadsheet:
    """All of it, until the columns, owners and stages wait for a person."""
    sheet = begun(source)
    journey.run(journey.later(minutes))
    return Spreadsheet.objects.get(pk=sheet.pk)


def looked_at(sheet: Spreadsheet, **options: str) -> Spreadsheet:
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


def moved(source: Source, **options: str) -> Spreadsheet:
    """The whole way, as somebody who takes every guess."""
    sheet = looked_at(read(source), **options)
    spreadsheet_imports.start_import(sheet_id=sheet.pk, by=clerk(), at=make.NOON)
    journey.run()
    return Spreadsheet.objects.get(pk=sheet.pk)


def import_all(*, at: datetime) -> None:
    """What a worker does of every import that is under way."""
    for sheet in Spreadsheet.objects.filter(state="running"):
        while spreadsheet_imports.import_batch(sheet_id=sheet.pk, at=at):
            pass
