"""Check this installation: machine, settings, database, connected systems, work, backups."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandParser
from django.db import Error, ProgrammingError

from rooftree.management import command_base

if TYPE_CHECKING:
    from rooftree.management.doctor_machine_checks import DoctorFinding


class Command(command_base.Command):
    """Prints the result of each check and how to fix problems; exit 1 when there are any."""

    help = "Check this installation; shows problems and how to fix them."
    example = "rooftree doctor --json"
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare --json."""
        parser.add_argument(
            "--json", action="store_true", help="print one JSON object on each line"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run every check, even after one finds a problem."""
        from rooftree.management.doctor_machine_checks import MACHINE_CHECKS
        from rooftree.management.doctor_work_checks import WORK_CHECKS

        problems, checks = 0, {**MACHINE_CHECKS, **WORK_CHECKS}
        for name, check in checks.items():
            finding = _run_check(check)
            problems += not finding.is_ok
            if options["json"]:
                self.stdout.write(json.dumps(finding.as_json(name)))
                continue
            self.stdout.write(f"{'ok   ' if finding.is_ok else 'WRONG'}  {name}: {finding.text}")
            if finding.remedy:
                self.stdout.write(f"         {finding.remedy}")
        if problems:
            raise command_base.CheckFailed(f"{problems} of {len(checks)} checks found problems.")


def _run_check(check: "Callable[[], DoctorFinding]") -> "DoctorFinding":
    from rooftree.management.doctor_machine_checks import problem_finding

    try:
        return check()
    except ProgrammingError:
        return problem_finding("can't be checked: a table is missing", "run rooftree upgrade")
    except (*command_base.EXPECTED_ERRORS, Error) as problem:
        return problem_finding(
            " ".join(str(problem).split())[:200],
            "check that the database is running and its tables are up to date",
        )
