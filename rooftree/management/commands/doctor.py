"""Look over this installation: machine, settings, database, what we talk to, work, backups."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandParser
from django.db import Error, ProgrammingError

from rooftree.management import base

if TYPE_CHECKING:
    from rooftree.management.findings import Answer


class Command(base.Command):
    """Prints what is well and what is not, with what helps; exit 1 when something is not."""

    help = "Look over this installation; says what is wrong and what helps."
    example = "rooftree doctor --json"
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare --json."""
        parser.add_argument("--json", action="store_true", help="one JSON object a line")

    def handle(self, *args: Any, **options: Any) -> None:
        """Ask every question, even after a bad answer."""
        from rooftree.management.findings import MACHINE
        from rooftree.management.findings_of_work import WORK

        number_wrong, questions = 0, {**MACHINE, **WORK}
        for name, question in questions.items():
            found = _asked(question)
            number_wrong += not found.well
            if options["json"]:
                self.stdout.write(json.dumps(found.as_json(name)))
                continue
            self.stdout.write(f"{'ok   ' if found.well else 'WRONG'}  {name}: {found.text}")
            if found.do:
                self.stdout.write(f"         {found.do}")
        if number_wrong:
            raise base.FoundWrong(f"{number_wrong} of {len(questions)} are not well.")


def _asked(question: "Callable[[], Answer]") -> "Answer":
    from rooftree.management.findings import wrong

    try:
        return question()
    except ProgrammingError:
        return wrong("cannot be told: a table is missing", "run rooftree upgrade")
    except (*base.FORESEEN, Error) as problem:
        return wrong(
            " ".join(str(problem).split())[:200],
            "see whether the database runs and its tables are current",
        )
