"""Sign-in sessions of staff: list them and end them."""

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from rooftree.ledger.write_events import write_event
from rooftree.org.models import StaffSession


def list_active_sessions(
    user_id: UUID | str, *, idle: timedelta, at: datetime
) -> list[StaffSession]:
    """List the user's sessions that are still valid, the most recently used first.

    Args:
        idle: how long a session lasts without activity.
    """
    rows = StaffSession.objects.filter(user_id=user_id, expire_date__gt=at, seen_at__gt=at - idle)
    return list(rows.defer("session_data").order_by("-seen_at", "session_key"))


def public_name(session_key: str) -> str:
    """Return a name for a session that a page can show; the key itself grants access."""
    return hashlib.sha256(f"session:{session_key}".encode()).hexdigest()[:20]


def end_session(*, user_id: UUID | str, name: str, at: datetime) -> bool:
    """End one session of a user by its public name; return False if it had already ended."""
    rows = StaffSession.objects.filter(user_id=user_id)
    keys = [key for key in rows.values_list("pk", flat=True) if public_name(key) == name]
    return _delete_sessions(user_id, keys, reason="ended", at=at) > 0


def end_all_sessions(
    user_id: UUID | str, *, reason: str, at: datetime, except_key: str | None = None
) -> int:
    """End every session of a user; return how many.

    Args:
        reason: `password`, `role`, `left`, `factors` or `ended`.
        except_key: the key of a session to keep.
    """
    rows = StaffSession.objects.filter(user_id=user_id).exclude(pk=except_key or "")
    return _delete_sessions(user_id, rows.values_list("pk", flat=True), reason=reason, at=at)


def delete_expired_sessions(*, at: datetime) -> int:
    """Delete expired sessions; return how many."""
    return StaffSession.objects.filter(expire_date__lte=at).delete()[0]


def _delete_sessions(user_id: UUID | str, keys: Iterable[str], *, reason: str, at: datetime) -> int:
    ended = StaffSession.objects.filter(pk__in=list(keys)).delete()[0]
    if ended:
        write_event("org.session.ended", at=at, user_id=str(user_id), because=reason, number=ended)
    return ended
