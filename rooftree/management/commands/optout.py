"""Classify inbound messages, one on each line."""

import json
from argparse import ArgumentParser
from typing import Any

from rooftree.compliance.consent.reply_classifier import classify_reply
from rooftree.management import command_base


class Command(command_base.Command):
    """Classifies inbound messages, such as opt-outs."""

    help = "Classify inbound messages, one on each line: revoke, wrong_person, hold, help..."
    example = "echo STOP | rooftree optout"
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the optional file."""
        parser.add_argument("file", nargs="?")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print one JSON line for each message."""
        for line in command_base.read_text(options["file"]).removesuffix("\n").split("\n"):
            reading = classify_reply(line)
            self.stdout.write(
                json.dumps(
                    {
                        "text": line,
                        "result": reading.meaning.value,
                        "matched": reading.matched_words,
                        "reason": reading.reason,
                    },
                    ensure_ascii=False,
                )
            )
