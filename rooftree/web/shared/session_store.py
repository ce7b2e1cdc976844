"""Storage of sessions: Django's database sessions, in a table that also records the user.

A session ends at its absolute expiry or after too long without user activity, whichever comes
first. Deleting the row ends the session: its next request is anonymous.
"""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.utils import timezone

from rooftree.db.prepared_queries import PreparedQuery
from rooftree.org.models import StaffSession

UNFINISHED_LOGIN_TTL = timedelta(hours=1)  # for a login that was never completed
TOUCH_INTERVAL = timedelta(minutes=1)  # precision of the last activity time
BEGAN_KEY, FACTOR_KEY, DEVICE_KEY, ADDRESS_KEY = "began_at", "factor", "device", "address"


_LIVE_SESSION = PreparedQuery(
    lambda key, at: StaffSession.objects.filter(session_key=key, expire_date__gt=at),
    key=str, at=datetime,
)  # fmt: skip


class SessionStore(DatabaseStore):
    """One browser's session.

    The class name must stay: Django requires it and uses it as signing salt.
    """

    seen_at: datetime | None = None

    @classmethod
    def get_model_class(cls) -> type[StaffSession]:
        """Return Rooftree's session table instead of Django's."""
        return StaffSession

    def _get_session_from_db(self) -> StaffSession | None:
        at = timezone.now()
        row = _LIVE_SESSION.first(key=self.session_key or "", at=at)
        idle = timedelta(seconds=settings.SESSION_IDLE_SECONDS)
        if row is None or row.seen_at <= at - idle:
            self._session_key = None
            return None
        self.seen_at = row.seen_at
        return row

    def create_model_instance(self, data: dict[str, Any]) -> StaffSession:
        """Build the row: the session data, and the columns for lists of sessions."""
        at = timezone.now()
        began_at = datetime.fromisoformat(data.setdefault(BEGAN_KEY, at.isoformat()))
        user_id = data.get(SESSION_KEY)
        lifetime = (
            timedelta(seconds=settings.SESSION_COOKIE_AGE) if user_id else UNFINISHED_LOGIN_TTL
        )
        self.seen_at = at
        return StaffSession(
            session_key=self._get_or_create_session_key(),  # type: ignore[attr-defined]
            session_data=self.encode(data),
            expire_date=began_at + lifetime,
            user_id=user_id,
            began_at=began_at,
            seen_at=at,
            factor=data.get(FACTOR_KEY, ""),
            device=data.get(DEVICE_KEY, ""),
            address=data.get(ADDRESS_KEY, ""),
        )

    def touch(self, at: datetime) -> None:
        """Record user activity, which restarts the idle timeout; at most once a minute."""
        if self.seen_at is None or at - self.seen_at >= TOUCH_INTERVAL:
            StaffSession.objects.filter(pk=self.session_key).update(seen_at=at)
            self.seen_at = at
