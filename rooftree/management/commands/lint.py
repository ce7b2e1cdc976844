"""Check the wording of a message; exit 1 when a finding blocks it."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from rooftree.compliance.wording_rules.wording_check import Draft, find_wording_issues
from rooftree.management import command_base


class Command(command_base.Command):
    """Checks the wording of one message."""

    help = "Check a message (text, or JSON with subject, body, channel, language, facts)."
    example = 'echo "Rates as low as 5%" | rooftree lint'
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the optional file."""
        parser.add_argument("file", nargs="?")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print one JSON line for each finding."""
        findings = find_wording_issues(parse_draft(command_base.read_text(options["file"])))
        for finding in findings:
            self.stdout.write(json.dumps(finding.as_json(), ensure_ascii=False))
        if any(finding.action == "block" for finding in findings):
            sys.exit(1)


def parse_draft(text: str) -> Draft:
    """Parse a message: a JSON object with our keys, otherwise plain text.

    Raises `UsageError` for an object without a message or with a value of the wrong type.
    """
    try:
        data = json.loads(text)
    except json.JSONDecodeError:
        data = None
    if not isinstance(data, dict):
        return Draft(body=text.strip())
    body, facts = data.get("body", data.get("text")), data.get("facts") or []
    values = [data.get(key) or "" for key in ("subject", "channel", "language")]
    if not all(isinstance(value, str) for value in (body, *values)):
        raise command_base.UsageError("body, subject, channel and language must be text")
    if not isinstance(facts, list) or not all(isinstance(fact, str) for fact in facts):
        raise command_base.UsageError(
            "facts must be a list of words that are true for this message"
        )
    subject, channel, language = values
    return Draft(
        body=str(body),
        subject=subject,
        channel=channel,
        language=language or "en",
        facts=frozenset(facts),
    )
