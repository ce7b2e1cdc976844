"""Write the signed heads of the ledger, to store elsewhere."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.utils.timezone import now

from rooftree.management import command_base
from rooftree.reporting.evidence import ledger_checkpoints, signing_keys


class Command(command_base.Command):
    """Signs the end of the ledger, and writes every head to a folder."""

    help = "Sign the end of the ledger; write every signed head into a folder, or print the newest."
    example = "rooftree heads --to /mnt/auditor/heads; rooftree heads --new-key"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the folder and whether to rotate the key."""
        parser.add_argument("--to", type=Path, help="a folder; files in it are never overwritten")
        parser.add_argument("--new-key", action="store_true", help="create a new signing key")

    def handle(self, *args: Any, **options: Any) -> None:
        """Sign a head and write or print it."""
        at = now()
        if options["new_key"]:
            key = signing_keys.rotate_key(at=at, actor="system:operator")
            self.stdout.write(f"New signing key: {key.pk}.")
        head = ledger_checkpoints.publish_head(at=at)
        if head is None:
            raise command_base.CheckFailed("nothing is sealed yet, so there is no head to sign.")
        if options["to"] is None:
            self.stdout.write(
                json.dumps(ledger_checkpoints.export_head(head), indent=1, sort_keys=True)
            )
            return
        try:
            written = ledger_checkpoints.copy_heads_to(options["to"])
        except OSError as problem:
            raise command_base.UsageError(
                f"{options['to']} can't be written: {problem}"
            ) from problem
        self.stdout.write(f"Wrote {written} heads to {options['to']}.")
