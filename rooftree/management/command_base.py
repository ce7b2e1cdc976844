"""The base of all our commands: an example in --help, and failures as one plain sentence."""

import json
import sys
from pathlib import Path
from typing import Any, NoReturn

import psycopg
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.utils import OperationalError

from rooftree.core.data_dir import DataDirLocked
from rooftree.core.embedded_database import StartupError
from rooftree.core.settings_readers import ConfigurationError


class UsageError(CommandError):
    """Wrong arguments or missing configuration: one sentence, exit code 2."""

    def __init__(self, text: str) -> None:
        super().__init__(text, returncode=2)


class CheckFailed(CommandError):
    """A check did not pass: exit code 1; the text, if any, goes to stderr."""

    def __init__(self, text: str = "") -> None:
        super().__init__(text, returncode=1)


def read_text(file: str | None) -> str:
    """Return a file's text, or standard input for None and `-`. Raises `UsageError`."""
    try:
        if file in (None, "", "-"):
            return sys.stdin.read()
        return Path(str(file)).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        reason = getattr(problem, "strerror", None) or "not text"
        raise UsageError(f"{file or 'standard input'} can't be read: {reason}") from None


def read_json(file: str | None) -> Any:
    """Return the value in a JSON file. Raises `UsageError`."""
    try:
        return json.loads(read_text(file))
    except ValueError:
        raise UsageError(f"{file or 'standard input'} is not JSON") from None


class Command(BaseCommand):
    """A Rooftree command; --help shows its `example`."""

    example = ""
    suppressed_base_arguments = {
        "--version", "--settings", "--pythonpath", "--traceback",
        "--no-color", "--force-color", "--skip-checks", "-v",
    }  # fmt: skip

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Return the parser, with the example below the options."""
        if self.example:
            kwargs["epilog"] = f"Example: {self.example}"
        parser = super().create_parser("rooftree", subcommand, **kwargs)

        def exit_usage(message: str) -> NoReturn:
            print(
                f"rooftree {subcommand}: {message} (see rooftree {subcommand} --help)",
                file=sys.stderr,
            )
            sys.exit(2)

        parser.error = exit_usage  # type: ignore[method-assign]
        return parser

    def run_from_argv(self, argv: list[str]) -> None:
        """Run the command; turn every expected failure into one sentence and an exit code."""
        try:
            options = vars(self.create_parser(argv[0], argv[1]).parse_args(argv[2:]))
            self.execute(*options.pop("args", ()), **options)
        except EXPECTED_ERRORS as problem:
            exit_with_error(problem)


EXPECTED_ERRORS = (
    CommandError,
    ConfigurationError,
    DataDirLocked,
    StartupError,
    OperationalError,
    psycopg.OperationalError,
    OSError,
    json.JSONDecodeError,
    UnicodeDecodeError,
)


def exit_with_error(problem: Exception) -> NoReturn:
    """Print the problem as one line on stderr and exit with its code."""
    code = problem.returncode if isinstance(problem, CommandError) else 2
    text = " ".join(str(problem).split())
    if isinstance(problem, OperationalError | psycopg.OperationalError):
        text = f"the database isn't responding: {text}"
    if isinstance(problem, ValueError):
        text = f"the input can't be read: {text}"
    if text:
        print(f"rooftree: {text}", file=sys.stderr)
    sys.exit(code)
