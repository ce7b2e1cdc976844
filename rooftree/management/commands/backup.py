"""Back up the complete database consistently while everything runs."""

import getpass
import json
import os
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils.timezone import now

from rooftree.management import command_base

PASSPHRASE_VARIABLE = "ROOFTREE_BACKUP_PASSPHRASE"  # noqa: S105 (the name of a variable)
SECRETS_WARNING = (
    "The backup has no secrets: store ROOFTREE_SECRET_KEY and ROOFTREE_FIELD_KEYS elsewhere. "
    "Without the field keys, stored credentials can't be decrypted."
)


class Command(command_base.Command):
    """Writes a folder with the dump, its manifest and checksums; exit 1 on failure."""

    help = "Back up the database while everything runs; `rooftree restore` restores it."
    example = "rooftree backup --to /srv/backups --keep 14"
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options of `backup`."""
        parser.add_argument("--to", type=Path, help="the folder for backups")
        parser.add_argument(
            "--keep", type=int, help="how many backups to keep there; older ones are deleted"
        )
        parser.add_argument(
            "--with-secrets",
            action="store_true",
            help="include the secrets, encrypted with a passphrase from "
            f"{PASSPHRASE_VARIABLE} or a prompt",
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make a backup and print where it is."""
        from rooftree import settings
        from rooftree.management import make_backup

        if options["keep"] is not None and options["keep"] < 1:
            raise command_base.UsageError("--keep must be 1 or more.")
        passphrase = _read_passphrase() if options["with_secrets"] else ""
        to = (options["to"] or settings.BACKUP_FOLDER).expanduser().absolute()
        try:
            backup = make_backup.make_backup(
                to=to, keep=options["keep"], passphrase=passphrase, at=now().replace(microsecond=0)
            )
        except make_backup.BackupFailed as problem:
            raise command_base.CheckFailed(f"the backup failed: {problem}") from problem
        rows = sum(backup.manifest.rows.values())
        if options["json"]:
            result = {"folder": str(backup.folder), "bytes": backup.size, "rows": rows}
            result |= {"secrets": backup.manifest.secrets, "removed": backup.removed}
            self.stdout.write(json.dumps(result))
            return
        self.stdout.write(
            f"{backup.folder}: {rows:,} rows, {backup.size / 1024**2:.1f} MiB"
            + (f"; deleted {backup.removed} older" if backup.removed else "")
        )
        if not passphrase:
            self.stderr.write(SECRETS_WARNING)


def _read_passphrase() -> str:
    """Read the passphrase from the environment, else from two prompts."""
    passphrase = os.environ.get(PASSPHRASE_VARIABLE, "")
    if not passphrase and sys.stdin.isatty():
        passphrase = getpass.getpass("Passphrase: ")
        if getpass.getpass("Passphrase again: ") != passphrase:
            raise command_base.UsageError("the two passphrases don't match.")
    if len(passphrase) < 12:
        raise command_base.UsageError(
            f"--with-secrets needs a passphrase of at least 12 characters in {PASSPHRASE_VARIABLE}."
        )
    return passphrase
