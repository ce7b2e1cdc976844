"""Look over this installation: settings, database, tables, background work, disk."""

import json
import shutil
from collections.abc import Callable
from typing import Any

from django.core.management.base import CommandParser

from rooftree.management import base

LEAST_FREE = 2 * 1024**3  # bytes


class Command(base.Command):
    """Prints what is well and what is not; exit 1 when something is not."""

    help = "Look over this installation; says what is wrong and what helps."
    example = "rooftree doctor --json"
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare --json."""
        parser.add_argument("--json", action="store_true", help="one JSON object a line")

    def handle(self, *args: Any, **options: Any) -> None:
        """Ask every question, even after a bad answer."""
        wrong = 0
        for name, question in QUESTIONS.items():
            well, text = _asked(question)
            wrong += not well
            if options["json"]:
                self.stdout.write(json.dumps({"what": name, "well": well, "text": text}))
            else:
                self.stdout.write(f"{'ok   ' if well else 'WRONG'}  {name}: {text}")
        if wrong:
            raise base.FoundWrong(f"{wrong} of {len(QUESTIONS)} are not well.")


def _asked(question: Callable[[], tuple[bool, str]]) -> tuple[bool, str]:
    try:
        return question()
    except base.FORESEEN as problem:
        return False, " ".join(str(problem).split())[:200]


def _kind() -> tuple[bool, str]:
    from rooftree import settings

    return True, f"{settings.ROOFTREE_ENV}, in {settings.ROOFTREE_HOME}, {settings.PUBLIC_URL}"


def _database() -> tuple[bool, str]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("show server_version")
        version = str(cursor.fetchone()[0])
    return int(version.split(".")[0]) >= 16, f"PostgreSQL {version} (16 or later is needed)"


def _tables() -> tuple[bool, str]:
    from rooftree.management import database

    missing = sorted(f"{app}.{name}" for app, name in database.missing_migrations())
    return (
        not missing,
        f"missing {', '.join(missing)}; run rooftree migrate" if missing else "current",
    )


def _clock_skew() -> tuple[bool, str]:
    from django.db import connection
    from django.utils.timezone import now

    with connection.cursor() as cursor:
        cursor.execute("select clock_timestamp()")
        skew = abs((cursor.fetchone()[0] - now()).total_seconds())
    return skew < 2, f"{skew:.1f} seconds between this machine and the database"


def _workers() -> tuple[bool, str]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "select count(distinct node) from oban_producers"
            " where updated_at > timezone('UTC', now()) - interval '10 s'"
        )
        number = cursor.fetchone()[0]
    return number > 0, f"{number} running" if number else "none runs; start rooftree serve"


def _dead_letters() -> tuple[bool, str]:
    from rooftree.tasks import dead_letters

    number = dead_letters.count()
    return not number, f"{number} tasks gave up and wait for a person"


def _carrier() -> tuple[bool, str]:
    from rooftree import settings

    well = settings.CARRIER == "console" or bool(settings.TWILIO_NUMBERS)
    return well, settings.CARRIER if well else "twilio has no number; set TWILIO_NUMBERS"


def _disk() -> tuple[bool, str]:
    from rooftree import settings

    free = shutil.disk_usage(settings.ROOFTREE_HOME).free
    return free > LEAST_FREE, f"{free / 1024**3:.1f} GiB free (2 are needed)"


QUESTIONS: dict[str, Callable[[], tuple[bool, str]]] = {
    "installation": _kind,
    "database": _database,
    "tables": _tables,
    "clock": _clock_skew,
    "workers": _workers,
    "dead letters": _dead_letters,
    "carrier": _carrier,
    "disk": _disk,
}
