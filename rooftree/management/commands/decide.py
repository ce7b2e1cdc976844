"""`rooftree decide [FILE]`: rulebook cases in, one verdict a line out."""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from rooftree.compliance.cases import answer
from rooftree.management import base


class Command(base.Command):
    """Decide rulebook cases, one JSON object a line, from a file or from stdin."""

    help = "Decide rulebook cases (one JSON object a line, key `given`); prints one line a case."
    example = "rooftree decide cases.jsonl"
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the one optional file."""
        parser.add_argument("file", nargs="?")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print a verdict for every case."""
        path = options["file"]
        text = Path(path).read_text(encoding="utf-8") if path else sys.stdin.read()
        for line in text.splitlines():
            if line.strip():
                self.stdout.write(json.dumps(answer(json.loads(line))))
