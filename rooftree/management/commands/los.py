"""What an LOS would get for a hand-off, and what one of its statuses means; pure."""

import json
import tomllib
from typing import Any

from django.core.management.base import CommandParser

from rooftree.core.failures import Misconfigured
from rooftree.los.handoff import Los, Malformed, from_json
from rooftree.los.milestones import Unmapped
from rooftree.los.payload import payload
from rooftree.los.statuses import meaning, status_map
from rooftree.management import base

MAPPING_HELP = "the lender's own mapping, TOML or JSON, laid over the shipped one"


class Command(base.Command):
    """`rooftree los payload` and `rooftree los milestone`."""

    help = "Show what an LOS would get, or what one of its statuses means."
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
        for verb in (shown, told):
            # Looked up when it happens: the base command sets its own afterwards.
            verb.error = lambda message: parser.error(message)  # type: ignore[method-assign]

    def handle(self, *args: Any, **options: Any) -> None:
        """Do the verb; exits 1 when something is lacking, 2 when something is wrong."""
        verb = self._payload if options["verb"] == "payload" else self._milestone
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


def _only_statuses(changes: dict[str, Any]) -> dict[str, Any]:
    """A file that is a status map itself, as opposed to a whole mapping without one."""
    parts = {"codes", "field", "reads", "main", "places", "required"}
    return {} if parts & changes.keys() else changes


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
