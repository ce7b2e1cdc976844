"""Telling open pages that something changed: ids only, sent when the transaction commits."""

import json

from django.db import connection

CHANNEL = "rooftree_live"
LONGEST = 7900  # bytes; PostgreSQL takes 8,000


def announce(event: str, *, only_to: list[str] | None = None, **ids: str) -> None:
    """Send `event` with `ids` to the live pages of everyone, or of the users in `only_to`.

    Never more than ids: each page asks again for what its reader may see.
    Raises `ValueError` when the notice is too long for PostgreSQL.
    """
    notice = json.dumps({"event": event, "to": only_to, "data": ids}, separators=(",", ":"))
    if len(notice.encode()) > LONGEST:
        raise ValueError("An announcement holds ids only; this one is too long.")
    with connection.cursor() as cursor:
        cursor.execute("select pg_notify(%s, %s)", [CHANNEL, notice])
