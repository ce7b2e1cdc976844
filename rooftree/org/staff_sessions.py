"""Where a member of staff is signed in, and ending it."""

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from rooftree.ledger.write_events import write_event
from rooftree.org.models import StaffSession


def list_active_sessions(
    user_id: UUID | str, *, idle: timedelta, at: datetime
) -> list[StaffSession]:
    """The sessions of a user that would still be let in, the freshest first.

    Args:
        idle: how long a session lasts without a press.
    """
    rows = StaffSession.objects.filter(user_id=user_id, expire_date__gt=at, seen_at__gt=at - idle)
    return list(rows.defer("session_data").order_by("-seen_at", "session_key"))


def public_name(session_key: str) -> str:
    """What a page may say of a session; the key itself opens the door."""
    return hashlib.sha256(f"session:{session_key}".encode()).hexdigest()[:20]


def end_session(*, user_id: UUID | str, name: str, at: datetime) -> bool:
    """End one session of a user by its public name; False when it has ended already."""
    rows = StaffSession.objects.filter(user_id=user_id)
    keys = [key for key in rows.values_list("pk", flat=True) if public_name(key) == name]
    return _delete_sessions(user_id, keys, because="ended", at=at) > 0


def end_all_sessions(
    user_id: UUID | str, *, reason: str, at: datetime, except_key: str | None = None
) -> int:
    """End every session of a user; how many.

    Args:
        because: `password`, `role`, `left`, `factors` or `ended`.
        but: the key of one that goes on.
    """
    rows = StaffSession.objects.filter(user_id=user_id).exclude(pk=except_key or "")
    return _delete_sessions(user_id, rows.values_list("pk", flat=True), because=reason, at=at)


def delete_expired_sessions(*, at: datetime) -> int:
    """Drop what has come to its end; how many."""
    return StaffSession.objects.filter(expire_date__lte=at).delete()[0]


def _delete_sessions(
    user_id: UUID | str, keys: Iterable[str], *, because: str, at: datetime
) -> int:
    ended = StaffSession.objects.filter(pk__in=list(keys)).delete()[0]
    if ended:
        write_event("org.session.ended", at=at, user_id=str(user_id), because=because, number=ended)
    return ended
