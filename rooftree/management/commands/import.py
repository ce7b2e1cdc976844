"""`rooftree import KIND …`: do-not-contact lists, and people from files and other systems."""

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
POLL_SECONDS = 0.5  # seconds between two looks at a file that a worker has in hand


class Command(command_base.Command):
    """Load lists and people from files."""

    help = "Load a do-not-contact list, or people from a spreadsheet or another system's export."
    example = "rooftree import hubspot contacts.csv --by ana@lender.example --dry-run"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the kinds, each with what it must be told."""
        kinds = parser.add_subparsers(dest="kind", required=True)
        _add_list_arguments(
            kinds.add_parser("dnc", help="a do-not-contact list: national, a state's, ours")
        )
        for kind in sorted(PEOPLE_KINDS):
            _add_people_arguments(kinds.add_parser(kind, help=f"people: {PEOPLE_KINDS[kind]}"))
        import_from_crm.add_arguments(
            kinds.add_parser("from", help="people and history, asked of their own system")
        )
        back = kinds.add_parser("undo", help="take an import of people back")
        back.add_argument("id", help="imp7, as the page of imports calls it")
        back.add_argument("--by", required=True, help="work e-mail of who answers for it")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do one of the four."""
        if options["kind"] == "dnc":
            self._import_lists(options)
        elif options["kind"] == "from":
            self._import_from_crm(options)
        elif options["kind"] == "undo":
            self._undo(options)
        else:
            self._import_people(options)

    def _import_lists(self, options: dict[str, Any]) -> None:
        """Load each file by itself; the first that is refused ends it with exit 1."""
        for path in options["files"]:
            dated = options["dated"] or date_in_name(path.name)
            if dated is None:
                raise command_base.UsageError(f"{path.name} names no day; say --dated 2026-11-20.")
            try:
                done = self._load_list(path, dated, options)
            except BadListFile as problem:
                raise command_base.CheckFailed(f"{path}: {problem}") from problem
            self.stdout.write(
                json.dumps(_list_as_json(path, done))
                if options["json"]
                else _list_line(path, done, options["dry_run"])
            )

    def _import_people(self, options: dict[str, Any]) -> None:
        """The dry run of each file and, unless no more is wanted, the import."""
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
            said = _sheet_as_json(path, sheet)
            self.stdout.write(json.dumps(said) if options["json"] else _sheet_line(said))

    def _import_from_crm(self, options: dict[str, Any]) -> None:
        """Read another system, say what would happen and, unless no more is wanted, import it."""
        by = require_operator(options["by"], verb="edit_sources")
        sheet = import_from_crm.read_and_stage(
            options["source"], options, by=by, progress=self.stderr
        )
        said = import_from_crm.describe_import(sheet, as_json=options["json"])
        if options["dry_run"]:
            import_staging.change_state(
                sheet.pk, came_from=("checked",), to="dropped", by=by, at=now()
            )
        else:
            said = import_from_crm.describe_import(
                self._run_import(sheet, by), as_json=options["json"]
            )
        self.stdout.write(said)

    def _run_import(self, sheet: Spreadsheet, by: User) -> Spreadsheet:
        """Import its rows, beside any worker that does so too, to the end."""
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
                f"{options['id']} is no import; the page of imports lists them."
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
        self.stdout.write(f"{sheet}: {closed:,} leads are closed; what was worked on stays.")

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
    parser.add_argument("files", nargs="+", type=Path, help="text or ZIP, as downloaded")
    parser.add_argument("--list", choices=REGISTRIES, default=NATIONAL, dest="registry")
    parser.add_argument(
        "--dated", type=_parse_day, help="the day of the download; else the day in the file's name"
    )
    parser.add_argument("--whole", action="store_true", help="it is whole although far smaller")
    parser.add_argument("--dry-run", action="store_true", help="say what would happen")
    parser.add_argument("--json", action="store_true", help="one JSON object a file")


def _add_people_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", type=Path, help="CSV or XLSX, as exported")
    parser.add_argument("--by", required=True, help="work e-mail of who answers for it")
    parser.add_argument("--source", help="short name of the source, where there are several")
    parser.add_argument(
        "--then",
        choices=import_staging.NEW_LEAD_ACTIONS,
        default="keep",
        help="with new people (keep)",
    )
    parser.add_argument(
        "--known",
        choices=import_staging.KNOWN_LEAD_ACTIONS,
        default="leave",
        help="with people on file (leave)",
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would happen")
    parser.add_argument("--json", action="store_true", help="one JSON object a file")


def _find_source(adapter: str, slug: str | None) -> Source:
    mine = Source.objects.filter(adapter=adapter, paused_at=None).order_by("slug")
    named = list(mine.filter(slug=slug) if slug else mine[:2])
    if len(named) == 1:
        return named[0]
    names = ", ".join(mine.values_list("slug", flat=True)) or "none; add one in Sources"
    raise command_base.UsageError(f"name the source with --source; of this kind there are: {names}")


def _stage_file(
    path: Path, source: Source, by: User, options: dict[str, Any]
) -> tuple[Spreadsheet, bool]:
    """The file with its dry run made, by the columns as guessed; or as it stands, if known."""
    sheet, is_new = import_staging.store_upload(
        source_id=source.pk, name=path.name, body=path.read_bytes(), by=by, at=now()
    )
    if sheet.state not in ("columns", "checked"):
        return sheet, is_new
    chosen = {"then": options["then"], "known": options["known"]}
    import_staging.save_column_map(
        sheet_id=sheet.pk, lines=parse_map_lines(sheet.lines), options=chosen, by=by, at=now()
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


def _sheet_line(said: dict[str, Any]) -> str:
    counts = ", ".join(
        f"{count:,} {word.replace('_', ' ')}" for word, count in said["counts"].items()
    )
    return f"{said['file']}: {said['import']}, {said['state']}, {said['rows']:,} rows: {counts}"


def _parse_day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as bad:
        raise command_base.UsageError(f"{text} is no day; say 2026-11-20.") from bad


def _list_line(path: Path, done: LoadResult, is_trial: bool) -> str:
    if done.was_already_loaded:
        return f"{path}: loaded before, nothing to do"
    would = "would be " if is_trial else ""
    areas = f", area codes {' '.join(done.areas)}" if done.areas != ("",) else ""
    return (
        f"{path}: {done.registry} of {done.dated}, {done.added:,} {would}added, "
        f"{done.removed:,} taken off, {done.numbers:,} listed in it{areas}"
    )


def _list_as_json(path: Path, done: LoadResult) -> dict[str, Any]:
    return {
        "file": str(path),
        "list": done.registry,
        "dated": done.dated.isoformat(),
        "is_change": done.is_change,
        "added": done.added,
        "removed": done.removed,
        "numbers": done.numbers,
        "areas": list(done.areas),
        "was_known": done.was_already_loaded,
    }
