"""Restore a backup, verify it, and pause all sending until an administrator resumes it."""

import os
import signal
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from rooftree.management import backup_files, command_base
from rooftree.management.commands.backup import PASSPHRASE_VARIABLE

NOT_RESTORED_MESSAGE = """\
Not restored, because it isn't in the backup:
- everything after {at}: deliveries, texts, emails, opt-outs and claimed leads;
- the environment: secrets and settings (docs/settings.md){secrets};
- data at vendors: look there for what happened since, and ask sources to send leads again.
Records deleted permanently since then are back, unless a newer backup beside this one, the
replaced database or a list you gave (--erasures) names them.
Sending is paused: nothing goes out until an administrator resumes it under Setup, Sending.
The sessions of that time are back too: users who were signed in then are signed in now."""


class Command(command_base.Command):
    """Restores into a fresh database, checks it, then swaps it in; exit 1 on failure."""

    help = "Restore a backup; replaces a database with data only if you name it with --replace."
    example = "rooftree restore /srv/backups/rooftree-20261124T020000Z --replace rooftree"
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the backup and the options of `restore`."""
        parser.add_argument("backup", type=Path, help="the folder that `rooftree backup` wrote")
        parser.add_argument("--replace", default="", metavar="NAME", help="the database to replace")
        parser.add_argument(
            "--test",
            action="store_true",
            help="restore beside the running database, check it, and drop it again",
        )
        parser.add_argument(
            "--other-keys",
            action="store_true",
            help="continue although our field keys can't decrypt the stored credentials",
        )
        parser.add_argument(
            "--erasures",
            type=Path,
            metavar="FILE",
            help="a list of records deleted since, from `rooftree erasures`",
        )
        parser.add_argument(
            "--secrets",
            type=Path,
            metavar="FILE",
            help="only write the backup's secrets to FILE; the passphrase is in "
            f"{PASSPHRASE_VARIABLE}",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Restore the backup, or extract its secrets."""
        folder = options["backup"].expanduser().absolute()
        try:
            if options["secrets"]:
                _write_secrets(folder, options["secrets"].expanduser())
                self.stderr.write(f"Wrote the secrets of {folder.name} to {options['secrets']}.")
                return
            if options["test"]:
                self._test_restore(folder)
                return
            self._restore_database(folder, options)
        except backup_files.InvalidBackup as problem:
            raise command_base.CheckFailed(str(problem)) from problem

    def _test_restore(self, folder: Path) -> None:
        from django.utils.timezone import now

        from rooftree.management import make_backup, restore_backup

        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the copy is dropped
        try:
            manifest = restore_backup.test_restore(folder, at=now(), on_progress=print_progress)
        except (restore_backup.RestoreFailed, make_backup.BackupFailed) as problem:
            raise command_base.CheckFailed(f"the test restore failed: {problem}") from problem
        self.stdout.write(
            f"The backup of {manifest.made_at} can be restored. The database is unchanged."
        )

    def _restore_database(self, folder: Path, options: dict[str, Any]) -> None:
        from django.utils.timezone import now

        from rooftree.management import make_backup, restore_backup

        try:
            result = restore_backup.restore_backup(
                folder,
                replace=options["replace"],
                other_keys=options["other_keys"],
                erasures=options["erasures"],
                at=now(),
                on_progress=print_progress,
            )
        except (restore_backup.RestoreFailed, make_backup.BackupFailed) as problem:
            raise command_base.CheckFailed(f"the restore failed: {problem}") from problem
        self.stdout.write(f"Restored the database of {result.manifest.made_at}.")
        if result.former_database:
            self.stdout.write(
                f"The old database is kept as {result.former_database}; "
                "drop it when you no longer need it."
            )
        sealed = (
            "; they are encrypted in this backup" if result.manifest.secrets == "sealed" else ""
        )
        self.stdout.write(NOT_RESTORED_MESSAGE.format(at=result.manifest.made_at, secrets=sealed))


def print_progress(text: str) -> None:
    """Print one line of progress on stderr."""
    print(f"rooftree: {text}", file=sys.stderr, flush=True)


def _write_secrets(folder: Path, file: Path) -> None:
    """Write the secrets as lines of an environment file, readable by its owner alone."""
    backup_files.verify_backup(folder)
    passphrase = os.environ.get(PASSPHRASE_VARIABLE, "")
    if not passphrase:
        raise command_base.UsageError(
            f"set {PASSPHRASE_VARIABLE} to the passphrase of this backup."
        )
    values = backup_files.unseal_secrets(folder, passphrase)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as output:
        output.write("".join(f"{name}={value}\n" for name, value in values.items()))
