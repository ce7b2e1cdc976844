"""What all our commands share: an example in --help, and failures in one plain sentence."""

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
    """The command was asked wrongly or is not configured: one sentence, exit 2."""

    def __init__(self, text: str) -> None:
        super().__init__(text, returncode=2)


class CheckFailed(CommandError):
    """What was checked is not right: exit 1; the text, if any, goes to stderr."""

    def __init__(self, text: str = "") -> None:
        super().__init__(text, returncode=1)


def read_text(file: str | None) -> str:
    """The whole of a text file; standard input without one, or for `-`. Raises `Wrong`."""
    try:
        if file in (None, "", "-"):
            return sys.stdin.read()
        return Path(str(file)).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        reason = getattr(problem, "strerror", None) or "not text"
        raise UsageError(f"{file or 'standard input'} cannot be read: {reason}") from None


def read_json(file: str | None) -> Any:
    """What a JSON file holds. Raises `Wrong`."""
    try:
        return json.loads(read_text(file))
    except ValueError:
        raise UsageError(f"{file or 'standard input'} is not JSON") from None


class Command(BaseCommand):
    """A command of ours; `example` is shown by --help."""

    example = ""
    suppressed_base_arguments = {
        "--version", "--settings", "--pythonpath", "--traceback",
        "--no-color", "--force-color", "--skip-checks", "-v",
    }  # fmt: skip

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """The parser, with our example below the options."""
        if self.example:
            kwargs["epilog"] = f"Example: {self.example}"
        parser = super().create_parser("rooftree", subcommand, **kwargs)
        parser.error = lambda message: _exit_usage(subcommand, message)  # type: ignore[method-assign]
        return parser

    def run_from_argv(self, argv: list[str]) -> None:
        """Run, and turn every failure that we foresee into one sentence and a code."""
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
    """Print what went wrong as one line on stderr and leave with its code."""
    code = problem.returncode if isinstance(problem, CommandError) else 2
    text = " ".join(str(problem).split())
    if isinstance(problem, OperationalError | psycopg.OperationalError):
        text = f"the database does not answer: {text}"
    if isinstance(problem, ValueError):
        text = f"the input cannot be read: {text}"
    if text:
        print(f"rooftree: {text}", file=sys.stderr)
    sys.exit(code)


def _exit_usage(subcommand: str, message: str) -> NoReturn:
    print(f"rooftree {subcommand}: {message} (see rooftree {subcommand} --help)", file=sys.stderr)
    sys.exit(2)
