"""A lender that moves to us from another system: connecting, reading, importing."""

from datetime import datetime
from typing import Any

from rooftree.capture.field_map import lines_of
from rooftree.capture.imports import stage, transfer
from rooftree.capture.models import Spreadsheet
from rooftree.flow import spreadsheets
from rooftree.leads.models import Source
from tests import make
from tests.flow import journey


def clerk() -> Any:
    return make.user("operations")


def begun(source: Source) -> Spreadsheet:
    return transfer.begin(source_id=source.pk, by=clerk(), at=make.NOON)


def read(source: Source, minutes: float = 0) -> Spreadsheet:
    """All of it, until the columns, owners and stages wait for a person."""
    sheet = begun(source)
    journey.run(journey.later(minutes))
    return Spreadsheet.objects.get(pk=sheet.pk)


def looked_at(sheet: Spreadsheet, **options: str) -> Spreadsheet:
    stage.describe(
        sheet_id=sheet.pk,
        lines=lines_of(sheet.lines),
        options=options,
        by=clerk(),
        at=make.NOON,
    )
    spreadsheets.begin_check(sheet_id=sheet.pk)
    journey.run()
    return Spreadsheet.objects.get(pk=sheet.pk)


def moved(source: Source, **options: str) -> Spreadsheet:
    """The whole way, as somebody who takes every guess."""
    sheet = looked_at(read(source), **options)
    spreadsheets.begin(sheet_id=sheet.pk, by=clerk(), at=make.NOON)
    journey.run()
    return Spreadsheet.objects.get(pk=sheet.pk)


def import_all(*, at: datetime) -> None:
    """What a worker does of every import that is under way."""
    for sheet in Spreadsheet.objects.filter(state="running"):
        while spreadsheets.import_some(sheet_id=sheet.pk, at=at):
            pass
