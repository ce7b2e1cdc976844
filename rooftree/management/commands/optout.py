"""`rooftree optout [FILE]`: inbound messages, one a line; prints what each means."""

import json
from argparse import ArgumentParser
from typing import Any

from rooftree.compliance.optout import classify
from rooftree.management import base


class Command(base.Command):
    """Say of every inbound message whether it stops us."""

    help = "Read inbound messages, one a line; prints revoke, wrong_person, hold, help..."
    example = "echo STOP | rooftree optout"
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the one optional file."""
        parser.add_argument("file", nargs="?")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print one JSON line a message."""
        for line in base.text_of(options["file"]).removesuffix("\n").split("\n"):
            reading = classify(line)
            self.stdout.write(
                json.dumps(
                    {"text": line, "result": reading.meaning.value, "matched": reading.matched},
                    ensure_ascii=False,
                )
            )
