"""What an LOS would get, what its statuses mean, and what would fail open; pure."""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from rooftree.core.vendor_errors import Misconfigured
from rooftree.los.go_live_check import GoLiveReport, check_go_live
from rooftree.los.go_live_files import MAPPING_KEYS, CheckFile, UnrecognizedFile, parse_check_file
from rooftree.los.handoff_record import LosFormat, MalformedHandoff, parse_handoff
from rooftree.los.loan_milestones import UnmappedStatus
from rooftree.los.los_payload import build_payload
from rooftree.los.status_mapping import build_status_map, milestone_for_status
from rooftree.management import command_base

CHECK_HELP = "MISMO 3.4, hand-offs, requests, lists of statuses or users, or the mapping"
MAPPING_HELP = "the lender's own mapping, TOML or JSON, laid over the shipped one"


class Command(command_base.Command):
    """`rooftree los payload`, `milestone` and `check`."""

    help = "Show what an LOS would get, what one of its statuses means, and what is not ready."
    example = 'rooftree los milestone encompass "Cond. Approval"'
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Two verbs."""
        verbs = parser.add_subparsers(dest="verb", required=True)
        shown = verbs.add_parser("payload", help="print the request the LOS would get")
        shown.add_argument("los", choices=[str(los) for los in LosFormat])
        shown.add_argument("file", help="a hand-off object; - reads standard input")
        shown.add_argument("--mapping", metavar="FILE", help=MAPPING_HELP)
        told = verbs.add_parser("milestone", help="print the milestone that a status means")
        told.add_argument(
            "los", choices=[str(los) for los in LosFormat if los is not LosFormat.MISMO]
        )
        told.add_argument("status", help="the vendor's code or name")
        told.add_argument("--mapping", metavar="FILE", help=MAPPING_HELP)
        checked = verbs.add_parser("check", help="say what would fail open before going live")
        checked.add_argument("los", choices=[str(los) for los in LosFormat])
        checked.add_argument("files", nargs="+", metavar="FILE", help=CHECK_HELP)
        checked.add_argument("--mapping", metavar="FILE", help=MAPPING_HELP)
        checked.add_argument("--json", action="store_true", help="the report as one JSON object")
        for verb in (shown, told, checked):
            # Looked up when it happens: the base command sets its own afterwards.
            verb.error = lambda message: parser.error(message)  # type: ignore[method-assign]

    def handle(self, *args: Any, **options: Any) -> None:
        """Do the verb; exits 1 when something is lacking, 2 when something is wrong."""
        verb = {
            "payload": self._print_payload,
            "milestone": self._print_milestone,
            "check": self._check_files,
        }[options["verb"]]
        try:
            verb(options)
        except (MalformedHandoff, Misconfigured) as problem:
            raise command_base.UsageError(str(problem)) from problem
        except UnmappedStatus as problem:
            raise command_base.CheckFailed(str(problem)) from problem

    def _print_payload(self, options: dict[str, Any]) -> None:
        handoff = parse_handoff(command_base.read_json(options["file"]))
        made = build_payload(handoff, options["los"], _load_mapping(options["mapping"]))
        for need in made.needs:
            self.stderr.write(str(need))
        if made.missing:
            raise command_base.CheckFailed
        if isinstance(made.body, str):
            self.stdout.write(made.body)
        else:
            self.stdout.write(json.dumps(made.body, indent=1, ensure_ascii=False))

    def _print_milestone(self, options: dict[str, Any]) -> None:
        changes = _load_mapping(options["mapping"])
        statuses = changes.get("statuses", _bare_status_map(changes))
        if not isinstance(statuses, dict):
            raise command_base.UsageError("the mapping's statuses must be a table")
        held = build_status_map(options["los"], statuses)
        found = milestone_for_status(options["los"], options["status"], held)
        told = {
            "canonical": found.code if found else None,
            "rank": found.rank if found else None,
        }
        self.stdout.write(json.dumps(told))

    def _check_files(self, options: dict[str, Any]) -> None:
        files = [_recognize_file(name) for name in options["files"]]
        mappings = [file.mapping for file in files if file.mapping]
        if options["mapping"]:
            mappings.append(_load_mapping(options["mapping"]))
        if len(mappings) > 1:
            raise command_base.UsageError("give one mapping; two would be laid over each other")
        changes = mappings[0] if mappings else {}
        if statuses := _bare_status_map(changes):
            changes = {"statuses": statuses}
        report = check_go_live(options["los"], files, changes)
        if options["json"]:
            self.stdout.write(json.dumps(report.as_json(), indent=1, ensure_ascii=False))
        else:
            self._print_report(report)
        if not report.is_clean:
            raise command_base.CheckFailed

    def _print_report(self, report: GoLiveReport) -> None:
        for status in report.statuses:
            self.stdout.write(f"status  {status.status} -> {status.canonical or 'no milestone'}")
        for found in report.findings:
            where = f" ({found.file})" if found.file else ""
            level = "BLOCK" if found.blocks else "note"
            self.stdout.write(f"{level:<7} {found.about} {found.item}: {found.message}{where}")
        blocks = sum(finding.blocks for finding in report.findings)
        said = f"{blocks} thing{'s'[: blocks != 1]} would fail open" if blocks else "ready"
        self.stdout.write(f"{report.los}: {len(report.statuses)} statuses walked; {said}")


def _recognize_file(file: str) -> CheckFile:
    try:
        return parse_check_file(Path(file).name, Path(file).read_bytes())
    except OSError as problem:
        raise command_base.UsageError(f"{file} cannot be read: {problem.strerror}") from None
    except UnrecognizedFile as problem:
        raise command_base.UsageError(f"{file} is no file of a go-live check: {problem}") from None


def _bare_status_map(changes: Mapping[str, Any]) -> Mapping[str, Any]:
    """A file that is a status map itself, as opposed to a whole mapping without one."""
    return {} if MAPPING_KEYS & changes.keys() else changes


def _load_mapping(file: str | None) -> dict[str, Any]:
    if not file:
        return {}
    text = command_base.read_text(file)
    try:
        loaded = json.loads(text) if text.lstrip().startswith("{") else tomllib.loads(text)
    except ValueError:
        raise command_base.UsageError(f"{file} is neither TOML nor JSON") from None
    if not isinstance(loaded, dict):
        raise command_base.UsageError(f"{file} must hold one object")
    return loaded
