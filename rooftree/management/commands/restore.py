"""Bring a backup back, prove it, and hold all sending until a person releases it."""

import os
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from rooftree.management import backup_files, command_base
from rooftree.management.commands.backup import PASSPHRASE_VARIABLE

NOT_RESTORED_MESSAGE = """\
Not restored, because no backup holds it:
- what arrived, was sent or was pressed after {at}: deliveries, texts and mails, STOPs, takings;
- the environment: secrets and settings (docs/settings.md){secrets};
- what was removed for good since, unless a newer backup beside this one, the replaced database or
  a list you gave (--erasures) knows of it: those people are back;
- what vendors keep: look there for what happened since, and ask sources to send again.
Sending is paused. Nothing leaves until an administrator ends the pause in Set-up, Sending.
The sessions of that time are back too: whoever was signed in then is signed in."""


class Command(command_base.Command):
    """Restores into a fresh database, checks it, and only then puts it in place; exit 1 if not."""

    help = "Restore a backup; refuses a database that holds something unless told to replace it."
    example = "rooftree restore /srv/backups/rooftree-20261124T020000Z --replace rooftree"
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Which backup, and what may be lost."""
        parser.add_argument("backup", type=Path, help="the folder that `rooftree backup` wrote")
        parser.add_argument("--replace", default="", metavar="NAME", help="the database to replace")
        parser.add_argument(
            "--other-keys",
            action="store_true",
            help="go on although the stored credentials cannot be read with our field keys",
        )
        parser.add_argument(
            "--erasures",
            type=Path,
            metavar="FILE",
            help="a list of what was removed since, from `rooftree erasures`",
        )
        parser.add_argument(
            "--secrets",
            type=Path,
            metavar="FILE",
            help="only write the backup's secrets to FILE; the passphrase is in "
            f"{PASSPHRASE_VARIABLE}",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Restore, or take the secrets out."""
        folder = options["backup"].expanduser().absolute()
        try:
            if options["secrets"]:
                _write_secrets(folder, options["secrets"].expanduser())
                self.stderr.write(f"{options['secrets']} holds the secrets of {folder.name}.")
                return
            self._restore_database(folder, options)
        except backup_files.InvalidBackup as problem:
            raise command_base.CheckFailed(str(problem)) from problem

    def _restore_database(self, folder: Path, options: dict[str, Any]) -> None:
        from django.utils.timezone import now

        from rooftree.management import make_backup, restore_backup

        try:
            done = restore_backup.restore_backup(
                folder,
                replace=options["replace"],
                other_keys=options["other_keys"],
                erasures=options["erasures"],
                at=now(),
                say=lambda text: print(f"rooftree: {text}", file=sys.stderr, flush=True),
            )
        except (restore_backup.RestoreFailed, make_backup.BackupFailed) as problem:
            raise command_base.CheckFailed(f"nothing was restored: {problem}") from problem
        self.stdout.write(f"The database is as it was at {done.manifest.made_at}.")
        if done.former_database:
            self.stdout.write(
                f"The former one is kept as {done.former_database}; "
                "drop it when you need it no more."
            )
        sealed = "; they are sealed in this backup" if done.manifest.secrets == "sealed" else ""
        self.stdout.write(NOT_RESTORED_MESSAGE.format(at=done.manifest.made_at, secrets=sealed))


def _write_secrets(folder: Path, file: Path) -> None:
    """Write the secrets as lines of an environment file, readable by us alone."""
    backup_files.verify_backup(folder)
    passphrase = os.environ.get(PASSPHRASE_VARIABLE, "")
    if not passphrase:
        raise command_base.UsageError(
            f"set {PASSPHRASE_VARIABLE} to the passphrase of this backup."
        )
    found = backup_files.unseal_secrets(folder, passphrase)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as opened:
        opened.write("".join(f"{name}={value}\n" for name, value in found.items()))
