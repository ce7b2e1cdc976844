"""`rooftree lint [FILE]`: a message in, wording findings out; exit 1 when one blocks."""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from rooftree.compliance.lint import Draft, check
from rooftree.management import base


class Command(base.Command):
    """Check the wording of one message."""

    help = "Check a message (text, or JSON with subject, body, channel, language, facts)."
    example = 'echo "Rates as low as 5%" | rooftree lint'
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the one optional file."""
        parser.add_argument("file", nargs="?")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print one JSON line a finding."""
        path = options["file"]
        text = Path(path).read_text(encoding="utf-8") if path else sys.stdin.read()
        findings = check(draft_of(text))
        for one in findings:
            self.stdout.write(json.dumps(one.as_json(), ensure_ascii=False))
        if any(one.action == "block" for one in findings):
            sys.exit(1)


def draft_of(text: str) -> Draft:
    """It is the message as given: a JSON object with our keys, or else plain words."""
    try:
        data = json.loads(text)
    except json.JSONDecodeError:
        data = None
    if not isinstance(data, dict):
        return Draft(body=text.strip())
    return Draft(
        body=str(data.get("body") or data.get("text") or ""),
        subject=str(data.get("subject") or ""),
        channel=str(data.get("channel") or ""),
        language=str(data.get("language") or "en"),
        facts=frozenset(data.get("facts") or ()),
    )
