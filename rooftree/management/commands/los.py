"""Check an LOS connection: its payload, its statuses and what would fail; needs no database."""

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
from rooftree.los.mismo_parser import UnreadableMismo, find_schema_errors, load_schema
from rooftree.los.mismo_reader import read_loan_file
from rooftree.los.status_mapping import build_status_map, milestone_for_status
from rooftree.management import command_base

CHECK_HELP = "MISMO 3.4, hand-offs, requests, lists of statuses or users, or the mapping"
SCHEMA_HELP = "check a MISMO request against the schema in this folder, which you get from MISMO"
MAPPING_HELP = "the lender's own mapping, TOML or JSON, which overrides the default one"


class Command(command_base.Command):
    """Runs `rooftree los payload`, `milestone`, `read` and `check`."""

    help = "Show what an LOS would receive, what one of its statuses means, and what isn't ready."
    example = 'rooftree los milestone encompass "Cond. Approval"'
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the four verbs."""
        verbs = parser.add_subparsers(dest="verb", required=True)
        payload = verbs.add_parser("payload", help="print the request the LOS would receive")
        payload.add_argument("los", choices=[str(los) for los in LosFormat])
        payload.add_argument("file", help="a hand-off object; - reads standard input")
        payload.add_argument("--mapping", metavar="FILE", help=MAPPING_HELP)
        payload.add_argument("--xsd-dir", metavar="DIR", help=SCHEMA_HELP)
        milestone = verbs.add_parser("milestone", help="print the milestone of a status")
        milestone.add_argument(
            "los", choices=[str(los) for los in LosFormat if los is not LosFormat.MISMO]
        )
        milestone.add_argument("status", help="the vendor's code or name")
        milestone.add_argument("--mapping", metavar="FILE", help=MAPPING_HELP)
        read = verbs.add_parser("read", help="print what a MISMO 3.4 loan or status file says")
        read.add_argument("file", help="a MISMO 3.4 file")
        read.add_argument("--mapping", metavar="FILE", help=MAPPING_HELP)
        check = verbs.add_parser("check", help="show what would go wrong, before you go live")
        check.add_argument("los", choices=[str(los) for los in LosFormat])
        check.add_argument("files", nargs="+", metavar="FILE", help=CHECK_HELP)
        check.add_argument("--mapping", metavar="FILE", help=MAPPING_HELP)
        check.add_argument("--json", action="store_true", help="print one JSON object")
        for verb in (payload, milestone, read, check):
            # Looked up on each error: the base command sets `parser.error` later.
            verb.error = lambda message: parser.error(message)  # type: ignore[method-assign]

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the verb; exit 1 when something is missing, 2 when the input is wrong."""
        verb = {
            "payload": self._print_payload,
            "milestone": self._print_milestone,
            "read": self._print_loan_file,
            "check": self._check_files,
        }[options["verb"]]
        try:
            verb(options)
        except (MalformedHandoff, Misconfigured, UnreadableMismo) as problem:
            raise command_base.UsageError(str(problem)) from problem
        except UnmappedStatus as problem:
            raise command_base.CheckFailed(str(problem)) from problem

    def _print_payload(self, options: dict[str, Any]) -> None:
        handoff = parse_handoff(command_base.read_json(options["file"]))
        payload = build_payload(handoff, options["los"], _load_mapping(options["mapping"]))
        for need in payload.needs:
            self.stderr.write(str(need))
        if payload.missing:
            raise command_base.CheckFailed
        if options["xsd_dir"]:
            self._check_schema(payload.body, options["xsd_dir"])
        if isinstance(payload.body, str):
            self.stdout.write(payload.body)
        else:
            self.stdout.write(json.dumps(payload.body, indent=1, ensure_ascii=False))

    def _check_schema(self, body: Any, folder: str) -> None:
        if not isinstance(body, str) or not body.lstrip().startswith("<?xml"):
            raise command_base.UsageError("only a MISMO request has a schema")
        errors = list(find_schema_errors(body, load_schema(folder)))
        for error in errors:
            self.stderr.write(error)
        if errors:
            raise command_base.CheckFailed

    def _print_loan_file(self, options: dict[str, Any]) -> None:
        try:
            content = Path(options["file"]).read_bytes()
        except OSError as problem:
            raise command_base.UsageError(f"can't be read: {problem.strerror}") from None
        loan = read_loan_file(content, _load_mapping(options["mapping"]))
        result = {
            "lead_id": loan.lead_id,
            "loan_number": loan.loan_number,
            "statuses": [
                {"status": status, "date": day.isoformat() if day else None}
                for status, day in loan.statuses
            ],
            "dates": {code: day.isoformat() for code, day in loan.dates.items()},
            **loan.handoff,
        }
        self.stdout.write(json.dumps(result, indent=1, ensure_ascii=False))

    def _print_milestone(self, options: dict[str, Any]) -> None:
        changes = _load_mapping(options["mapping"])
        statuses = changes.get("statuses", _bare_status_map(changes))
        if not isinstance(statuses, dict):
            raise command_base.UsageError("the mapping's statuses must be a table")
        status_map = build_status_map(options["los"], statuses)
        milestone = milestone_for_status(options["los"], options["status"], status_map)
        result = {
            "canonical": milestone.code if milestone else None,
            "rank": milestone.rank if milestone else None,
        }
        self.stdout.write(json.dumps(result))

    def _check_files(self, options: dict[str, Any]) -> None:
        files = [_recognize_file(name) for name in options["files"]]
        mappings = [file.mapping for file in files if file.mapping]
        if options["mapping"]:
            mappings.append(_load_mapping(options["mapping"]))
        if len(mappings) > 1:
            raise command_base.UsageError("give only one mapping")
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
        for finding in report.findings:
            file = f" ({finding.file})" if finding.file else ""
            level = "BLOCK" if finding.blocks else "note"
            self.stdout.write(f"{level:<7} {finding.about} {finding.item}: {finding.message}{file}")
        blocks = sum(finding.blocks for finding in report.findings)
        result = f"{blocks} blocking problem{'s'[: blocks != 1]}" if blocks else "ready"
        self.stdout.write(f"{report.los}: {len(report.statuses)} statuses checked; {result}")


def _recognize_file(file: str) -> CheckFile:
    try:
        return parse_check_file(Path(file).name, Path(file).read_bytes())
    except OSError as problem:
        raise command_base.UsageError(f"{file} can't be read: {problem.strerror}") from None
    except UnrecognizedFile as problem:
        raise command_base.UsageError(
            f"{file} can't be used in a go-live check: {problem}"
        ) from None


def _bare_status_map(changes: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the file if it is a bare status map, and nothing if it is a whole mapping."""
    return {} if MAPPING_KEYS & changes.keys() else changes


def _load_mapping(file: str | None) -> dict[str, Any]:
    if not file:
        return {}
    text = command_base.read_text(file)
    try:
        loaded = json.loads(text) if text.lstrip().startswith("{") else tomllib.loads(text)
    except ValueError:
        raise command_base.UsageError(f"{file} isn't TOML or JSON") from None
    if not isinstance(loaded, dict):
        raise command_base.UsageError(f"{file} must contain one object")
    return loaded
