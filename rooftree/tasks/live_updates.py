"""Notify open pages of changes; notices carry only ids and go out when the transaction commits."""

import json
from collections.abc import Sequence

from rooftree.db.statements import execute

LIVE_CHANNEL = "rooftree_live"
NOTIFY_PAGES = "select pg_notify(%s, notice) from unnest(%s::text[]) notice"
MAX_NOTICE_BYTES = 7900  # bytes; PostgreSQL takes 8,000


def publish_update(event: str, *, only_to: list[str] | None = None, **ids: str) -> None:
    """Send `event` with `ids` to the open pages of everyone, or of the users in `only_to`.

    Send only ids: each page then loads what its reader can see.
    Raises `ValueError` when the notice is too long for PostgreSQL.
    """
    publish_updates([(event, only_to, ids)])


def publish_updates(updates: Sequence[tuple[str, list[str] | None, dict[str, str]]]) -> None:
    """Send several updates, each as (event, only_to, ids), in one statement."""
    notices = [
        json.dumps({"event": event, "to": only_to, "data": ids}, separators=(",", ":"))
        for event, only_to, ids in updates
    ]
    if any(len(notice.encode()) > MAX_NOTICE_BYTES for notice in notices):
        raise ValueError("A notice carries only ids; this one is too long.")
    if notices:
        execute(NOTIFY_PAGES, [LIVE_CHANNEL, notices])
