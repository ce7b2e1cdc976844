"""Set the time that database triggers use for the rows they end."""

from datetime import datetime

from django.db import connection


def set_trigger_time(at: datetime) -> None:
    """Let triggers date the rows they end with `at`, until the transaction ends.

    Without it they use the current time, which is wrong for history that is loaded later.
    """
    with connection.cursor() as cursor:
        cursor.execute("select set_config('rooftree.at', %s, true)", [at.isoformat()])
