"""Import do-not-call lists, and people from files or other systems."""

import json
import time
from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any

from django.utils.timezone import now

from rooftree.capture.imports import import_staging, undo_import
from rooftree.capture.models import Spreadsheet
from rooftree.capture.parsing.field_map import BadMap, parse_map_lines
from rooftree.compliance.do_not_call.list_file import BadListFile, date_in_name
from rooftree.compliance.do_not_call.load_list import (
    NATIONAL,
    REGISTRIES,
    ListUpload,
    LoadResult,
    load_file,
)
from rooftree.flow import spreadsheet_imports
from rooftree.leads.models import Source
from rooftree.management import command_base, import_from_crm
from rooftree.management.operator_identity import require_operator
from rooftree.org.models import User

PEOPLE_KINDS = {
    key.removeprefix("crm_").replace("csv_import", "leads"): key
    for key in import_staging.RECORD_FORMATS
}
POLL_SECONDS = 0.5  # seconds between two checks of a file that a worker processes


class Command(command_base.Command):
    """Imports lists and people."""

    help = "Import a do-not-call list, or people from a spreadsheet or another system."
    example = "rooftree import hubspot contacts.csv --by ana@lender.example --dry-run"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the kinds of import with their arguments."""
        kinds = parser.add_subparsers(dest="kind", required=True)
        _add_list_arguments(
            kinds.add_parser("dnc", help="a do-not-call list: national, a state's or your own")
        )
        for kind in sorted(PEOPLE_KINDS):
            _add_people_arguments(kinds.add_parser(kind, help=f"people: {PEOPLE_KINDS[kind]}"))
        import_from_crm.add_arguments(
            kinds.add_parser("from", help="people and history, through another system's API")
        )
        undo = kinds.add_parser("undo", help="undo an import of people")
        undo.add_argument("id", help="the id from the Imports page, such as imp7")
        undo.add_argument("--by", required=True, help="your work email, for the log")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run one of the four kinds of import."""
        if options["kind"] == "dnc":
            self._import_lists(options)
        elif options["kind"] == "from":
            self._import_from_crm(options)
        elif options["kind"] == "undo":
            self._undo(options)
        else:
            self._import_people(options)

    def _import_lists(self, options: dict[str, Any]) -> None:
        """Load each file; stop with exit 1 at the first that is rejected."""
        for path in options["files"]:
            dated = options["dated"] or date_in_name(path.name)
            if dated is None:
                raise command_base.UsageError(
                    f"{path.name} has no date in its name. Add --dated 2026-11-20."
                )
            try:
                result = self._load_list(path, dated, options)
            except BadListFile as problem:
                raise command_base.CheckFailed(f"{path}: {problem}") from problem
            self.stdout.write(
                json.dumps(_list_as_json(path, result))
                if options["json"]
                else _list_line(path, result, options["dry_run"])
            )

    def _import_people(self, options: dict[str, Any]) -> None:
        """Make a dry run of each file and, without --dry-run, import it."""
        by = require_operator(options["by"], verb="edit_sources")
        source = _find_source(PEOPLE_KINDS[options["kind"]], options["source"])
        for path in options["files"]:
            try:
                sheet, is_new = _stage_file(path, source, by, options)
                if options["dry_run"] and is_new:
                    import_staging.change_state(
                        sheet.pk, came_from=("checked",), to="dropped", by=by, at=now()
                    )
                elif not options["dry_run"]:
                    sheet = self._run_import(sheet, by)
            except (import_staging.InvalidImport, BadMap) as problem:
                raise command_base.CheckFailed(f"{path}: {problem}") from problem
            summary = _sheet_as_json(path, sheet)
            counts = ", ".join(
                f"{count:,} {word.replace('_', ' ')}" for word, count in summary["counts"].items()
            )
            line = f"{path}: {sheet}, {sheet.state}, {sheet.row_count:,} rows: {counts}"
            self.stdout.write(json.dumps(summary) if options["json"] else line)

    def _import_from_crm(self, options: dict[str, Any]) -> None:
        """Read another system, make a dry run and, without --dry-run, import the rows."""
        by = require_operator(options["by"], verb="edit_sources")
        sheet = import_from_crm.read_and_stage(
            options["source"], options, by=by, progress=self.stderr
        )
        summary = import_from_crm.describe_import(sheet, as_json=options["json"])
        if options["dry_run"]:
            import_staging.change_state(
                sheet.pk, came_from=("checked",), to="dropped", by=by, at=now()
            )
        else:
            summary = import_from_crm.describe_import(
                self._run_import(sheet, by), as_json=options["json"]
            )
        self.stdout.write(summary)

    def _run_import(self, sheet: Spreadsheet, by: User) -> Spreadsheet:
        """Import all rows, alongside any worker that does the same."""
        if sheet.state == "checked":
            sheet = spreadsheet_imports.start_import(sheet_id=sheet.pk, by=by, at=now())
        while sheet.state == "running":
            if not spreadsheet_imports.import_batch(sheet_id=sheet.pk, at=now()):
                time.sleep(POLL_SECONDS)
            sheet = Spreadsheet.objects.get(pk=sheet.pk)
            self.stderr.write(f"\r{sheet.seen_rows:,} of {sheet.row_count:,} rows", ending="")
        self.stderr.write("")
        return sheet

    def _undo(self, options: dict[str, Any]) -> None:
        by = require_operator(options["by"], verb="edit_sources")
        number = options["id"].lower().removeprefix("imp")
        sheet = Spreadsheet.objects.filter(number=int(number) if number.isdigit() else 0).first()
        if sheet is None:
            raise command_base.UsageError(
                f"there is no import {options['id']}; see the Imports page."
            )
        try:
            spreadsheet_imports.start_undo(sheet_id=sheet.pk, by=by, at=now())
        except import_staging.InvalidImport as problem:
            raise command_base.CheckFailed(str(problem)) from problem
        while sheet.state != "done" or not sheet.undone_at:
            if not undo_import.close_next_batch(sheet_id=sheet.pk, at=now()):
                time.sleep(POLL_SECONDS)
            sheet.refresh_from_db()
        closed = sheet.counts["closed"]
        self.stdout.write(f"{sheet}: closed {closed:,} leads; leads that were worked on stay.")

    def _load_list(self, path: Path, dated: date, options: dict[str, Any]) -> LoadResult:
        with path.open("rb") as file:
            upload = ListUpload(
                registry=options["registry"],
                name=path.name,
                dated=dated,
                file=file,
                may_shrink=options["whole"],
            )
            return load_file(upload, by=None, at=now(), is_trial=options["dry_run"])


def _add_list_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", type=Path, help="text or ZIP files, as downloaded")
    parser.add_argument("--list", choices=REGISTRIES, default=NATIONAL, dest="registry")
    parser.add_argument(
        "--dated", type=_parse_day, help="the download date (default: from the file name)"
    )
    parser.add_argument(
        "--whole", action="store_true", help="accept a file that is much smaller than the last one"
    )
    parser.add_argument("--dry-run", action="store_true", help="show what would happen")
    parser.add_argument("--json", action="store_true", help="print one JSON object for each file")


def _add_people_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", type=Path, help="CSV, XLSX, XLS or ODS files")
    parser.add_argument("--by", required=True, help="your work email, for the log")
    parser.add_argument("--source", help="short name of the source, if there are several")
    parser.add_argument(
        "--then",
        choices=import_staging.NEW_LEAD_ACTIONS,
        default="keep",
        help="for new people (default: keep)",
    )
    parser.add_argument(
        "--people",
        choices=import_staging.PEOPLE_KINDS,
        default="leads",
        help="clients: past clients, whom Home doesn't count as new leads (default: leads)",
    )
    parser.add_argument(
        "--known",
        choices=import_staging.KNOWN_LEAD_ACTIONS,
        default="leave",
        help="for people on file (default: leave)",
    )
    parser.add_argument("--dry-run", action="store_true", help="show what would happen")
    parser.add_argument("--json", action="store_true", help="print one JSON object for each file")


def _find_source(adapter: str, slug: str | None) -> Source:
    sources = Source.objects.filter(adapter=adapter, paused_at=None).order_by("slug")
    matches = list(sources.filter(slug=slug) if slug else sources[:2])
    if len(matches) == 1:
        return matches[0]
    names = ", ".join(sources.values_list("slug", flat=True)) or "none, add one under Sources"
    raise command_base.UsageError(f"add --source with the source's name. Available: {names}.")


def _stage_file(
    path: Path, source: Source, by: User, options: dict[str, Any]
) -> tuple[Spreadsheet, bool]:
    """Upload a file and make its dry run with the guessed columns.

    A file that was imported before is returned as it is. The flag says if the file is new.
    """
    sheet, is_new = import_staging.store_upload(
        source_id=source.pk, name=path.name, body=path.read_bytes(), by=by, at=now()
    )
    if sheet.state not in ("columns", "checked"):
        return sheet, is_new
    choices = {name: options[name] for name in ("then", "known", "people")}
    import_staging.save_column_map(
        sheet_id=sheet.pk, lines=parse_map_lines(sheet.lines), options=choices, by=by, at=now()
    )
    spreadsheet_imports.run_dry_run(sheet_id=sheet.pk, at=now())
    return Spreadsheet.objects.get(pk=sheet.pk), is_new


def _sheet_as_json(path: Path, sheet: Spreadsheet) -> dict[str, Any]:
    counts = sheet.counts or sheet.findings.get("counts", {})
    return {
        "file": str(path),
        "import": str(sheet),
        "state": sheet.state,
        "rows": sheet.row_count,
        "counts": counts,
        "refused": sheet.findings.get("refused", []),
    }


def _parse_day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as problem:
        raise command_base.UsageError(
            f"{text} isn't a date. Use the format 2026-11-20."
        ) from problem


def _list_line(path: Path, result: LoadResult, is_trial: bool) -> str:
    if result.was_already_loaded:
        return f"{path}: already loaded"
    would = "would be " if is_trial else ""
    areas = f", area codes {' '.join(result.areas)}" if result.areas != ("",) else ""
    return (
        f"{path}: {result.registry} of {result.dated}, {result.added:,} {would}added, "
        f"{result.removed:,} {would}removed, {result.numbers:,} numbers in the file{areas}"
    )


def _list_as_json(path: Path, result: LoadResult) -> dict[str, Any]:
    return {
        "file": str(path),
        "list": result.registry,
        "dated": result.dated.isoformat(),
        "is_change": result.is_change,
        "added": result.added,
        "removed": result.removed,
        "numbers": result.numbers,
        "areas": list(result.areas),
        "was_known": result.was_already_loaded,
    }
