"""Copy the database, whole and consistent, while everything runs."""

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
    "The secrets are not in it: keep ROOFTREE_SECRET_KEY and ROOFTREE_FIELD_KEYS elsewhere. "
    "Without the field keys the stored credentials cannot be read."
)


class Command(command_base.Command):
    """Writes a folder with the dump, its manifest and checksums; exit 1 when it could not."""

    help = "Back up the database while everything runs; `rooftree restore` brings it back."
    example = "rooftree backup --to /srv/backups --keep 14"
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Where to, how many stay, and what of the secrets."""
        parser.add_argument("--to", type=Path, help="the folder that holds backups")
        parser.add_argument("--keep", type=int, help="how many stay there; older ones are removed")
        parser.add_argument(
            "--with-secrets",
            action="store_true",
            help="put the secrets in, closed with the passphrase in "
            f"{PASSPHRASE_VARIABLE} or typed",
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make one."""
        from rooftree import settings
        from rooftree.management import make_backup

        if options["keep"] is not None and options["keep"] < 1:
            raise command_base.UsageError("--keep must be 1 or more.")
        passphrase = _read_passphrase() if options["with_secrets"] else ""
        to = (options["to"] or settings.BACKUP_FOLDER).expanduser().absolute()
        try:
            made = make_backup.make_backup(
                to=to, keep=options["keep"], passphrase=passphrase, at=now().replace(microsecond=0)
            )
        except make_backup.BackupFailed as problem:
            raise command_base.CheckFailed(f"no backup was made: {problem}") from problem
        rows = sum(made.manifest.rows.values())
        if options["json"]:
            whole = {"folder": str(made.folder), "bytes": made.size, "rows": rows}
            whole |= {"secrets": made.manifest.secrets, "removed": made.removed}
            self.stdout.write(json.dumps(whole))
            return
        self.stdout.write(
            f"{made.folder}: {rows:,} rows, {made.size / 1024**2:.1f} MiB"
            + (f"; {made.removed} older removed" if made.removed else "")
        )
        if not passphrase:
            self.stderr.write(SECRETS_WARNING)


def _read_passphrase() -> str:
    """From the environment, else typed twice."""
    given = os.environ.get(PASSPHRASE_VARIABLE, "")
    if not given and sys.stdin.isatty():
        given = getpass.getpass("Passphrase: ")
        if getpass.getpass("Again: ") != given:
            raise command_base.UsageError("the two passphrases differ.")
    if len(given) < 12:
        raise command_base.UsageError(
            f"--with-secrets needs a passphrase of 12 characters in {PASSPHRASE_VARIABLE}."
        )
    return given
