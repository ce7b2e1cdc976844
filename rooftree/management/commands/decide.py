"""`rooftree decide [FILE]`: rulebook cases in, one verdict a line out."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from rooftree.management import command_base
from rooftree_casebook.decide_case import case_result


class Command(command_base.Command):
    """Decide rulebook cases, one JSON object a line, from a file or from stdin."""

    help = "Decide rulebook cases (one JSON object a line, key `given`); prints one line a case."
    example = "rooftree decide cases.jsonl"
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the one optional file."""
        parser.add_argument("file", nargs="?")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print a verdict for every case; a line that is no case is told and fails the whole."""
        is_whole = True
        for number, line in enumerate(command_base.read_text(options["file"]).splitlines(), 1):
            if not line.strip():
                continue
            try:
                verdict = case_result(json.loads(line))
            except CASE_ERRORS as problem:
                self.stderr.write(
                    f"rooftree: line {number} is no case: {describe_problem(problem)}"
                )
                is_whole = False
            else:
                self.stdout.write(json.dumps(verdict))
        if not is_whole:
            sys.exit(2)


# A case is written by hand: a key is missing, or holds another kind of value than its name says.
CASE_ERRORS = (ValueError, TypeError, KeyError, AttributeError, ArithmeticError)


def describe_problem(problem: Exception) -> str:
    """Why a line could not be read, as one sentence."""
    if isinstance(problem, json.JSONDecodeError):
        return "it is not JSON"
    if isinstance(problem, KeyError):
        return f"{problem.args[0]} is missing or unknown"
    return " ".join(str(problem).split())
