"""`rooftree decide [FILE]`: rulebook cases in, one verdict per line out."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from rooftree.management import command_base
from rooftree_casebook.decide_case import case_result

# A case is written by hand: a key can be missing or have a value of the wrong type.
CASE_ERRORS = (ValueError, TypeError, KeyError, AttributeError, ArithmeticError)


class Command(command_base.Command):
    """Decide rulebook cases, one JSON object per line, from a file or from stdin."""

    help = (
        "Decide rulebook cases (one JSON object per line, key `given`); prints one line per case."
    )
    example = "rooftree decide cases.jsonl"
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the optional file."""
        parser.add_argument("file", nargs="?")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print a verdict for every case; exit with code 2 if a line is not a case."""
        has_bad_line = False
        for number, line in enumerate(command_base.read_text(options["file"]).splitlines(), 1):
            if not line.strip():
                continue
            try:
                verdict = case_result(json.loads(line))
            except CASE_ERRORS as problem:
                self.stderr.write(
                    f"rooftree: line {number} is not a case: {describe_problem(problem)}"
                )
                has_bad_line = True
            else:
                self.stdout.write(json.dumps(verdict))
        if has_bad_line:
            sys.exit(2)


def describe_problem(problem: Exception) -> str:
    """Return one phrase that says why a line could not be read."""
    if isinstance(problem, json.JSONDecodeError):
        return "it is not JSON"
    if isinstance(problem, KeyError):
        return f"{problem.args[0]} is missing or unknown"
    return " ".join(str(problem).split())
