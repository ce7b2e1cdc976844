"""Telling the database when a change takes place, for what it ends on its own."""

from datetime import datetime

from django.db import connection


def set_trigger_time(at: datetime) -> None:
    """Let the database's own guards date what they end at `at`; until the transaction ends.

    Without it they use the clock, which is wrong for history loaded later.
    """
    with connection.cursor() as cursor:
        cursor.execute("select set_config('rooftree.at', %s, true)", [at.isoformat()])
