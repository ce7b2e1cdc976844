"""`rooftree erasures`: what was removed, as a list to keep elsewhere; and removing it again."""

import json
from typing import Any

from django.core.management.base import CommandParser
from django.utils.timezone import now

from rooftree.compliance.keeping import erasures
from rooftree.flow import keeping
from rooftree.management import base


class Command(base.Command):
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
            self.stdout.write(json.dumps(erasures.listed(), sort_keys=True))
            return
        erased = base.json_of(options["apply"])
        try:
            if not isinstance(erased, dict):
                raise erasures.NotAList("This is no list of erasures.")
            purge = erasures.plan_again(erased, at=now())
        except erasures.NotAList as problem:
            raise base.Wrong(str(problem)) from problem
        if purge is None:
            self.stdout.write("Nothing that was erased is here.")
            return
        keeping.remove(at=now())
        again = purge.rows.exclude(removed_at=None).count()
        held = purge.rows.filter(kept_because="legal_hold").count()
        self.stdout.write(
            f"{again:,} records that were erased are removed again"
            + (f"; {held:,} stay for a legal hold" if held else "")
            + "."
        )
