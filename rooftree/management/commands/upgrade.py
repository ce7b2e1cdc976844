"""After new code: back up, bring the tables up to date, prove that all is well."""

from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import CommandParser

from rooftree.management import command_base


class Command(command_base.Command):
    """Backs up first; stops at the first thing that fails, and says what the state is."""

    help = "Back up, bring the tables up to this release, check; see docs/how-to/upgrade.md."
    example = "rooftree upgrade --to /srv/backups"
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Where the backup goes."""
        parser.add_argument("--to", type=Path, help="the folder that holds backups")

    def handle(self, *args: Any, **options: Any) -> None:
        """Backup, migrate, check."""
        from rooftree.management import database, migrate_tables

        missing = sorted(name for app, name in database.missing_migrations())
        if not missing:
            self.stdout.write("The tables are those of this release; nothing to bring up to date.")
        else:
            if missing != sorted(name for _, name in database.released_migrations()):
                call_command("backup", to=options["to"], stdout=self.stdout, stderr=self.stderr)
            if migrate_tables.run_migrations():
                raise command_base.CheckFailed(
                    "the tables could not be brought up to date (see above). Each migration is "
                    "done or not done at all; nothing was lost. Try again at a quiet hour, or "
                    "go back as docs/how-to/upgrade.md says."
                )
            self.stdout.write(f"{len(missing)} migrations done.")
        database.grant_program_rights()
        call_command("check", stdout=self.stdout, stderr=self.stderr)
