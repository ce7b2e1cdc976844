"""`rooftree import from SOURCE`: import people and their history through another system's API."""

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

MAX_VENDOR_WAIT = timedelta(minutes=2)  # after a longer wait, the clock continues the import
POLL_SECONDS = 0.5  # seconds


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments of `import from`."""
    parser.add_argument("source", help="short name of a connected source")
    parser.add_argument("--by", required=True, help="your work email, for the log")
    parser.add_argument(
        "--then", choices=("keep", "assign"), default="keep", help="for new people (default: keep)"
    )
    parser.add_argument(
        "--known",
        choices=import_staging.KNOWN_LEAD_ACTIONS,
        default="leave",
        help="for people on file (default: leave)",
    )
    parser.add_argument("--dry-run", action="store_true", help="show what would happen")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def read_and_stage(
    slug: str, options: dict[str, Any], *, by: User, progress: OutputWrapper
) -> Spreadsheet:
    """Read everything from the source and make the dry run with the guessed column map.

    Continues an import that is under way. Raises `UsageError`, and `CheckFailed` when the system
    does not let us read.
    """
    source = Source.objects.filter(slug=slug, adapter__in=SYSTEMS, paused_at=None).first()
    if source is None:
        names = ", ".join(Source.objects.filter(adapter__in=SYSTEMS).values_list("slug", flat=True))
        raise command_base.UsageError(
            f"{slug} isn't a source that can be imported. Available: {names or 'none'}."
        )
    open_sheet = crm_import.find_open_sheet(source)
    try:
        sheet = _read_pages(
            open_sheet or crm_import.start_crm_import(source_id=source.pk, by=by, at=now()),
            progress,
        )
        choices = {"then": options["then"], "known": options["known"]}
        lines = parse_map_lines(sheet.lines)
        import_staging.save_column_map(
            sheet_id=sheet.pk, lines=lines, options=choices, by=by, at=now()
        )
    except import_staging.InvalidImport as problem:
        raise command_base.CheckFailed(str(problem)) from problem
    spreadsheet_imports.run_dry_run(sheet_id=sheet.pk, at=now())
    return Spreadsheet.objects.select_related("source", "transfer").get(pk=sheet.pk)


def describe_import(sheet: Spreadsheet, *, as_json: bool) -> str:
    """Describe what would happen or has happened, with the owners that match no user."""
    owners = owner_mapping.list_owners(sheet.transfer, sheet.findings.get("owners", {}))
    unmatched = {owner.name: owner.records for owner in owner_mapping.unmatched_owners(owners)}
    counts = sheet.counts or sheet.findings.get("counts", {})
    sums = imported_activities.count_by_kind(sheet) if sheet.state == "done" else []
    history = {total.kind: {"read": total.listed, "came_along": total.joined} for total in sums}
    summary = {
        "import": str(sheet),
        "state": sheet.state,
        "read": sheet.transfer.listed,
        "declared": sheet.transfer.declared,
        "counts": counts,
        "people": sheet.findings.get("people", {}),
        "owners_nobody_here": unmatched,
        "history": history,
    }
    if as_json:
        return json.dumps(summary)
    totals = ", ".join(f"{count:,} {word.replace('_', ' ')}" for word, count in counts.items())
    line = f"{sheet}, {sheet.state}, {sheet.row_count:,} people: {totals}"
    names = ", ".join(f"{name} ({count:,})" for name, count in unmatched.items())
    return f"{line}\nOwners without a user here: {names}" if names else line


def _read_pages(sheet: Spreadsheet, progress: OutputWrapper) -> Spreadsheet:
    """Read page by page, alongside any clock that does the same, until everything is read."""
    while sheet.state == "reading":
        crm_transfers.read_due_pages(at=now())
        crm_import.prefill_mapping(sheet_id=sheet.pk, at=now())
        sheet = Spreadsheet.objects.select_related("transfer").get(pk=sheet.pk)
        row = sheet.transfer
        if row.problem and row.due_at and row.due_at - now() > MAX_VENDOR_WAIT:
            raise command_base.CheckFailed(
                f"{row.problem} {sheet} continues on its own, or when you run this command again."
            )
        progress.write(f"\r{sum(row.listed.values()):,} read", ending="")
        if sheet.state == "reading" and row.due_at and row.due_at > now():
            time.sleep(POLL_SECONDS)
    return sheet
