"""Look over this installation: machine, settings, database, what we talk to, work, backups."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandParser
from django.db import Error, ProgrammingError

from rooftree.management import command_base

if TYPE_CHECKING:
    from rooftree.management.doctor_machine_checks import DoctorFinding


class Command(command_base.Command):
    """Prints what is well and what is not, with what helps; exit 1 when something is not."""

    help = "Look over this installation; says what is wrong and what helps."
    example = "rooftree doctor --json"
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare --json."""
        parser.add_argument("--json", action="store_true", help="one JSON object a line")

    def handle(self, *args: Any, **options: Any) -> None:
        """Ask every question, even after a bad answer."""
        from rooftree.management.doctor_machine_checks import MACHINE_CHECKS
        from rooftree.management.doctor_work_checks import WORK_CHECKS

        number_wrong, questions = 0, {**MACHINE_CHECKS, **WORK_CHECKS}
        for name, question in questions.items():
            found = _ask_question(question)
            number_wrong += not found.is_ok
            if options["json"]:
                self.stdout.write(json.dumps(found.as_json(name)))
                continue
            self.stdout.write(f"{'ok   ' if found.is_ok else 'WRONG'}  {name}: {found.text}")
            if found.remedy:
                self.stdout.write(f"         {found.remedy}")
        if number_wrong:
            raise command_base.CheckFailed(f"{number_wrong} of {len(questions)} are not well.")


def _ask_question(question: "Callable[[], DoctorFinding]") -> "DoctorFinding":
    from rooftree.management.doctor_machine_checks import problem_finding

    try:
        return question()
    except ProgrammingError:
        return problem_finding("cannot be told: a table is missing", "run rooftree upgrade")
    except (*command_base.EXPECTED_ERRORS, Error) as problem:
        return problem_finding(
            " ".join(str(problem).split())[:200],
            "see whether the database runs and its tables are current",
        )
