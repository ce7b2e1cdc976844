"""`rooftree erasures`: what was removed, as a list to keep elsewhere; and removing it again."""

import json
from typing import Any

from django.core.management.base import CommandParser
from django.utils.timezone import now

from rooftree.flow import data_removal
from rooftree.management import command_base
from rooftree.retention import erasure_list


class Command(command_base.Command):
    """Bare ids by kind of record. `rooftree restore` goes through it by itself."""

    help = "List what was removed for good, or remove it again from a database that was restored."
    example = "rooftree erasures --apply erased.json"
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """A list in, or none."""
        parser.add_argument("--apply", metavar="FILE", help="remove again what this list names")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the list, or go through one."""
        if not options["apply"]:
            self.stdout.write(json.dumps(erasure_list.list_erasures(), sort_keys=True))
            return
        erased = command_base.read_json(options["apply"])
        try:
            if not isinstance(erased, dict):
                raise erasure_list.BadErasureList("This is no list of erasures.")
            purge = erasure_list.plan_repeat_erasure(erased, at=now())
        except erasure_list.BadErasureList as problem:
            raise command_base.UsageError(str(problem)) from problem
        if purge is None:
            self.stdout.write("Nothing that was erased is here.")
            return
        data_removal.run_removals(at=now())
        again = purge.rows.exclude(removed_at=None).count()
        held = purge.rows.filter(kept_because="legal_hold").count()
        self.stdout.write(
            f"{again:,} records that were erased are removed again"
            + (f"; {held:,} stay for a legal hold" if held else "")
            + "."
        )
