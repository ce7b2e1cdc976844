"""`rooftree import from SOURCE`: people and their history, asked of another system itself."""

import json
import time
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import OutputWrapper
from django.utils.timezone import now

from rooftree.capture.crms import SYSTEMS
from rooftree.capture.imports import crm_import, import_staging, imported_activities, owner_mapping
from rooftree.capture.models import Spreadsheet
from rooftree.capture.parsing.field_map import parse_map_lines
from rooftree.flow import crm_transfers, spreadsheet_imports
from rooftree.leads.models import Source
from rooftree.management import command_base
from rooftree.org.models import User

MAX_VENDOR_WAIT = timedelta(minutes=2)  # a system that asks for more is read on by the clock
POLL_SECONDS = 0.5  # seconds


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the command must be told."""
    parser.add_argument("source", help="short name of the source, which is connected")
    parser.add_argument("--by", required=True, help="work e-mail of who answers for it")
    parser.add_argument(
        "--then", choices=("keep", "assign"), default="keep", help="with new people (keep)"
    )
    parser.add_argument(
        "--known",
        choices=import_staging.KNOWN_LEAD_ACTIONS,
        default="leave",
        help="with people on file (leave)",
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would happen")
    parser.add_argument("--json", action="store_true", help="one JSON object")


def read_and_stage(
    slug: str, options: dict[str, Any], *, by: User, progress: OutputWrapper
) -> Spreadsheet:
    """All of it read and its dry run made, with what is guessed; one under way goes on.

    Raises `base.Wrong`, and `base.FoundWrong` when the system does not let us read.
    """
    source = Source.objects.filter(slug=slug, adapter__in=SYSTEMS, paused_at=None).first()
    if source is None:
        names = ", ".join(Source.objects.filter(adapter__in=SYSTEMS).values_list("slug", flat=True))
        raise command_base.UsageError(
            f"{slug} is no source we can ask; there are: {names or 'none'}"
        )
    held = crm_import.find_open_sheet(source)
    try:
        sheet = _read_pages(
            held or crm_import.start_crm_import(source_id=source.pk, by=by, at=now()), progress
        )
        chosen = {"then": options["then"], "known": options["known"]}
        lines = parse_map_lines(sheet.lines)
        import_staging.save_column_map(
            sheet_id=sheet.pk, lines=lines, options=chosen, by=by, at=now()
        )
    except import_staging.InvalidImport as problem:
        raise command_base.CheckFailed(str(problem)) from problem
    spreadsheet_imports.run_dry_run(sheet_id=sheet.pk, at=now())
    return Spreadsheet.objects.select_related("source", "transfer").get(pk=sheet.pk)


def describe_import(sheet: Spreadsheet, *, as_json: bool) -> str:
    """What would happen or has happened, with the owners that are nobody here."""
    held = owner_mapping.list_owners(sheet.transfer, sheet.findings.get("owners", {}))
    nobody = {
        unmatched_owner.name: unmatched_owner.records
        for unmatched_owner in owner_mapping.unmatched_owners(held)
    }
    counts = sheet.counts or sheet.findings.get("counts", {})
    sums = imported_activities.count_by_kind(sheet) if sheet.state == "done" else []
    history = {one.kind: {"read": one.listed, "came_along": one.joined} for one in sums}
    said = {
        "import": str(sheet),
        "state": sheet.state,
        "read": sheet.transfer.listed,
        "declared": sheet.transfer.declared,
        "counts": counts,
        "people": sheet.findings.get("people", {}),
        "owners_nobody_here": nobody,
        "history": history,
    }
    if as_json:
        return json.dumps(said)
    words = ", ".join(f"{count:,} {word.replace('_', ' ')}" for word, count in counts.items())
    line = f"{sheet}, {sheet.state}, {sheet.row_count:,} people: {words}"
    names = ", ".join(f"{name} ({count:,})" for name, count in nobody.items())
    return f"{line}\nOwners who are nobody here: {names}" if names else line


def _read_pages(sheet: Spreadsheet, progress: OutputWrapper) -> Spreadsheet:
    """Ask page by page, beside any clock that does so too, until all has been counted."""
    while sheet.state == "reading":
        crm_transfers.read_due_pages(at=now())
        crm_import.prefill_mapping(sheet_id=sheet.pk, at=now())
        sheet = Spreadsheet.objects.select_related("transfer").get(pk=sheet.pk)
        row = sheet.transfer
        if row.problem and row.due_at and row.due_at - now() > MAX_VENDOR_WAIT:
            raise command_base.CheckFailed(
                f"{row.problem} {sheet} goes on by itself, or by this command."
            )
        progress.write(f"\r{sum(row.listed.values()):,} read", ending="")
        if sheet.state == "reading" and row.due_at and row.due_at > now():
            time.sleep(POLL_SECONDS)
    return sheet
