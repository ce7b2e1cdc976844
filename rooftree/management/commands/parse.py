"""`rooftree parse SOURCE CASE`: what an adapter makes of one delivery. No database, no network."""

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
        """The source, the delivery, and what a bare body lacks."""
        parser.add_argument("source", help=f"one of: {', '.join(SOURCES)}")
        parser.add_argument("case", type=Path, help="a case folder, or a file with the body alone")
        parser.add_argument("--headers", help='of a body file: JSON, lines "Name: value", a file')
        parser.add_argument("--secret", help="of a body file: what its signature was made with")
        parser.add_argument("--now", help="of a body file: when it arrived, RFC 3339")
        parser.add_argument("--json", action="store_true", help="always so; accepted for symmetry")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the envelope; a delivery that is no good is an outcome, not a failure."""
        try:
            bare = BareDelivery(
                headers=parse_headers(options["headers"]),
                secret=options["secret"],
                now=parse_moment(options["now"]),
            )
            envelope = read_case(options["source"], options["case"], bare=bare)
        except UnusableCase as error:
            raise command_base.UsageError(str(error)) from error
        self.stdout.write(json.dumps(envelope.to_json(), indent=1))


def parse_headers(given: str | None) -> dict[str, str]:
    """It is the headers of JSON, of `Name: value` lines, or of a file with either."""
    if not given:
        return {}
    text = (
        _read_headers_file(given)
        if not given.lstrip().startswith("{") and ":" not in given
        else given
    )
    if text.lstrip().startswith("{"):
        try:
            return {str(name): str(value) for name, value in json.loads(text).items()}
        except ValueError as error:
            raise UnusableCase("--headers is not JSON.") from error
    pairs = (line.partition(":") for line in text.splitlines() if line.strip())
    return {name.strip(): value.strip() for name, _, value in pairs}


def parse_moment(given: str | None) -> datetime | None:
    """It is the moment of an RFC 3339 text; without a zone it is UTC."""
    if not given:
        return None
    try:
        at = datetime.fromisoformat(given)
    except ValueError as error:
        raise UnusableCase(
            f"--now {given!r} is not a time such as 2026-11-23T15:05:00Z."
        ) from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _read_headers_file(name: str) -> str:
    try:
        return Path(name.removeprefix("@")).read_text()
    except (OSError, ValueError) as error:
        raise UnusableCase(f"--headers {name!r} is no file and no JSON.") from error
