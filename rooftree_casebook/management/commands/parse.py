"""`rooftree parse SOURCE CASE`: the envelope of one delivery. No database, no network."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from rooftree.capture.sources import SOURCES
from rooftree.management import command_base
from rooftree_casebook.delivery_cases import BareDelivery, UnusableCase, read_case


class Command(command_base.Command):
    """Read one delivery as its source sent it."""

    help = "Print the envelope that a source's adapter makes of one delivery."
    example = "rooftree parse zillow deliveries/zillow/good_01_longform_purchase"
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the source, the delivery, and what a bare body file lacks."""
        parser.add_argument("source", help=f"one of: {', '.join(SOURCES)}")
        parser.add_argument("case", type=Path, help="a case folder, or a file with only the body")
        parser.add_argument(
            "--headers", help='for a body file: JSON, "Name: value" lines, or a file with either'
        )
        parser.add_argument("--secret", help="for a body file: the secret that signed it")
        parser.add_argument("--now", help="for a body file: when it arrived, RFC 3339")
        parser.add_argument("--json", action="store_true", help="always on; for compatibility")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the envelope; a rejected delivery is a result, not a failure."""
        try:
            bare = BareDelivery(
                headers=parse_headers(options["headers"]),
                secret=options["secret"],
                now=parse_time(options["now"]),
            )
            envelope = read_case(options["source"], options["case"], bare=bare)
        except UnusableCase as error:
            raise command_base.UsageError(str(error)) from error
        self.stdout.write(json.dumps(envelope.to_json(), indent=1))


def parse_headers(value: str | None) -> dict[str, str]:
    """Parse headers from JSON, `Name: value` lines, or the name of a file with either.

    Raises `UnusableCase` for bad JSON or an unreadable file.
    """
    if not value:
        return {}
    text = value
    if not value.lstrip().startswith("{") and ":" not in value:
        try:
            text = Path(value.removeprefix("@")).read_text()
        except (OSError, ValueError) as error:
            raise UnusableCase(f"--headers {value!r} is not a file and not JSON.") from error
    if text.lstrip().startswith("{"):
        try:
            return {str(name): str(header) for name, header in json.loads(text).items()}
        except ValueError as error:
            raise UnusableCase("--headers is not JSON.") from error
    pairs = (line.partition(":") for line in text.splitlines() if line.strip())
    return {name.strip(): header.strip() for name, _, header in pairs}


def parse_time(value: str | None) -> datetime | None:
    """Parse an RFC 3339 time; without a zone it is UTC. Raises `UnusableCase`."""
    if not value:
        return None
    try:
        at = datetime.fromisoformat(value)
    except ValueError as error:
        raise UnusableCase(
            f"--now {value!r} is not a time such as 2026-11-23T15:05:00Z."
        ) from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)
