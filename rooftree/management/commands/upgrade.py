"""Upgrade after a new release: back up, migrate the tables, run the checks."""

from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import CommandParser

from rooftree.management import command_base


class Command(command_base.Command):
    """Backs up first; stops at the first failure and reports the state."""

    help = "Back up, migrate the tables to this release, check; see docs/how-to/upgrade.md."
    example = "rooftree upgrade --to /srv/backups"
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the folder for the backup."""
        parser.add_argument("--to", type=Path, help="the folder for backups")

    def handle(self, *args: Any, **options: Any) -> None:
        """Back up, migrate and check."""
        from rooftree.management import database, migrate_tables

        missing = sorted(name for app, name in database.missing_migrations())
        if not missing:
            self.stdout.write("The tables are already up to date with this release.")
        else:
            if missing != sorted(name for _, name in database.released_migrations()):
                call_command("backup", to=options["to"], stdout=self.stdout, stderr=self.stderr)
            if migrate_tables.run_migrations():
                raise command_base.CheckFailed(
                    "the tables couldn't be migrated; see above. Each migration is applied "
                    "completely or not at all, so nothing was lost. Try again at a quieter time, "
                    "or go back as docs/how-to/upgrade.md describes."
                )
            self.stdout.write(f"Applied {len(missing)} migrations.")
        database.grant_program_rights()
        call_command("check", stdout=self.stdout, stderr=self.stderr)
