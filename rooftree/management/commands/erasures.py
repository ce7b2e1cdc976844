"""List the erased records, or erase them again after a restore."""

import json
from typing import Any

from django.core.management.base import CommandParser
from django.utils.timezone import now

from rooftree.flow import data_removal
from rooftree.management import command_base
from rooftree.retention import erasure_list


class Command(command_base.Command):
    """Lists ids by kind of record, without personal data. `rooftree restore` applies it itself."""

    help = "List permanently deleted records, or delete them again from a restored database."
    example = "rooftree erasures --apply erased.json"
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the optional list."""
        parser.add_argument("--apply", metavar="FILE", help="delete the records in this list again")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the list, or apply one."""
        if not options["apply"]:
            self.stdout.write(json.dumps(erasure_list.list_erasures(), sort_keys=True))
            return
        erased = command_base.read_json(options["apply"])
        try:
            if not isinstance(erased, dict):
                raise erasure_list.BadErasureList("This isn't a list of erasures.")
            purge = erasure_list.plan_repeat_erasure(erased, at=now())
        except erasure_list.BadErasureList as problem:
            raise command_base.UsageError(str(problem)) from problem
        if purge is None:
            self.stdout.write("No erased records are in this database.")
            return
        data_removal.run_removals(at=now())
        removed = purge.rows.exclude(removed_at=None).count()
        on_hold = purge.rows.filter(kept_reason="legal_hold").count()
        self.stdout.write(
            f"Deleted {removed:,} erased records again"
            + (f"; {on_hold:,} stay because of a legal hold" if on_hold else "")
            + "."
        )
