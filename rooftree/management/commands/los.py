"""What an LOS would get, what its statuses mean, and what would fail open; pure."""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from rooftree.core.failures import Misconfigured
from rooftree.los.check_files import MAPPING_PARTS, Found, Unrecognized, recognize
from rooftree.los.go_live import Report, check
from rooftree.los.handoff import Los, Malformed, from_json
from rooftree.los.milestones import Unmapped
from rooftree.los.payload import payload
from rooftree.los.statuses import meaning, status_map
from rooftree.management import base

CHECK_HELP = "MISMO 3.4, hand-offs, requests, lists of statuses or users, or the mapping"
MAPPING_HELP = "the lender's own mapping, TOML or JSON, laid over the shipped one"


class Command(base.Command):
    """`rooftree los payload`, `milestone` and `check`."""

    help = "Show what an LOS would get, what one of its statuses means, and what is not ready."
    example = 'rooftree los milestone encompass "Cond. Approval"'
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Two verbs."""
        verbs = parser.add_subparsers(dest="verb", required=True)
        shown = verbs.add_parser("payload", help="print the request the LOS would get")
        shown.add_argument("los", choices=[str(los) for los in Los])
        shown.add_argument("file", help="a hand-off object; - reads standard input")
        shown.add_argument("--mapping", metavar="FILE", help=MAPPING_HELP)
        told = verbs.add_parser("milestone", help="print the milestone that a status means")
        told.add_argument("los", choices=[str(los) for los in Los if los is not Los.MISMO])
        told.add_argument("status", help="the vendor's code or name")
        told.add_argument("--mapping", metavar="FILE", help=MAPPING_HELP)
        checked = verbs.add_parser("check", help="say what would fail open before going live")
        checked.add_argument("los", choices=[str(los) for los in Los])
        checked.add_argument("files", nargs="+", metavar="FILE", help=CHECK_HELP)
        checked.add_argument("--mapping", metavar="FILE", help=MAPPING_HELP)
        checked.add_argument("--json", action="store_true", help="the report as one JSON object")
        for verb in (shown, told, checked):
            # Looked up when it happens: the base command sets its own afterwards.
            verb.error = lambda message: parser.error(message)  # type: ignore[method-assign]

    def handle(self, *args: Any, **options: Any) -> None:
        """Do the verb; exits 1 when something is lacking, 2 when something is wrong."""
        verb = {"payload": self._payload, "milestone": self._milestone, "check": self._check}[
            options["verb"]
        ]
        try:
            verb(options)
        except (Malformed, Misconfigured) as problem:
            raise base.Wrong(str(problem)) from problem
        except Unmapped as problem:
            raise base.FoundWrong(str(problem)) from problem

    def _payload(self, options: dict[str, Any]) -> None:
        handoff = from_json(base.json_of(options["file"]))
        made = payload(handoff, options["los"], _mapping(options["mapping"]))
        for need in made.needs:
            self.stderr.write(str(need))
        if made.missing:
            raise base.FoundWrong
        if isinstance(made.body, str):
            self.stdout.write(made.body)
        else:
            self.stdout.write(json.dumps(made.body, indent=1, ensure_ascii=False))

    def _milestone(self, options: dict[str, Any]) -> None:
        changes = _mapping(options["mapping"])
        statuses = changes.get("statuses", _only_statuses(changes))
        if not isinstance(statuses, dict):
            raise base.Wrong("the mapping's statuses must be a table")
        held = status_map(options["los"], statuses)
        found = meaning(options["los"], options["status"], held)
        told = {
            "canonical": found.code if found else None,
            "rank": found.rank if found else None,
        }
        self.stdout.write(json.dumps(told))

    def _check(self, options: dict[str, Any]) -> None:
        files = [_recognized(name) for name in options["files"]]
        mappings = [one.mapping for one in files if one.mapping]
        if options["mapping"]:
            mappings.append(_mapping(options["mapping"]))
        if len(mappings) > 1:
            raise base.Wrong("give one mapping; two would be laid over each other")
        changes = mappings[0] if mappings else {}
        if statuses := _only_statuses(changes):
            changes = {"statuses": statuses}
        report = check(options["los"], files, changes)
        if options["json"]:
            self.stdout.write(json.dumps(report.as_json(), indent=1, ensure_ascii=False))
        else:
            self._write(report)
        if not report.is_clean:
            raise base.FoundWrong

    def _write(self, report: Report) -> None:
        for one in report.statuses:
            self.stdout.write(f"status  {one.status} -> {one.canonical or 'no milestone'}")
        for found in report.findings:
            where = f" ({found.file})" if found.file else ""
            level = "BLOCK" if found.blocks else "note"
            self.stdout.write(f"{level:<7} {found.about} {found.item}: {found.says}{where}")
        blocks = sum(one.blocks for one in report.findings)
        said = f"{blocks} thing{'s'[: blocks != 1]} would fail open" if blocks else "ready"
        self.stdout.write(f"{report.los}: {len(report.statuses)} statuses walked; {said}")


def _recognized(file: str) -> Found:
    try:
        return recognize(Path(file).name, Path(file).read_bytes())
    except OSError as problem:
        raise base.Wrong(f"{file} cannot be read: {problem.strerror}") from None
    except Unrecognized as problem:
        raise base.Wrong(f"{file} is no file of a go-live check: {problem}") from None


def _only_statuses(changes: Mapping[str, Any]) -> Mapping[str, Any]:
    """A file that is a status map itself, as opposed to a whole mapping without one."""
    return {} if MAPPING_PARTS & changes.keys() else changes


def _mapping(file: str | None) -> dict[str, Any]:
    if not file:
        return {}
    text = base.text_of(file)
    try:
        loaded = json.loads(text) if text.lstrip().startswith("{") else tomllib.loads(text)
    except ValueError:
        raise base.Wrong(f"{file} is neither TOML nor JSON") from None
    if not isinstance(loaded, dict):
        raise base.Wrong(f"{file} must hold one object")
    return loaded
