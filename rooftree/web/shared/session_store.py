"""Where sessions are kept: Django's own way, in our table that knows whose they are.

A session ends at its absolute end and after too long without a press, whichever comes
first. Ending one is deleting its row: its next request is a stranger's.
"""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.utils import timezone

from rooftree.db.prepared_queries import PreparedQuery
from rooftree.org.models import StaffSession

UNFINISHED_LOGIN_TTL = timedelta(hours=1)  # a sign-in that never came to its end
TOUCH_INTERVAL = timedelta(minutes=1)  # how exactly the last press is kept
BEGAN_KEY, FACTOR_KEY, DEVICE_KEY, ADDRESS_KEY = "began_at", "factor", "device", "address"


_LIVE_SESSION = PreparedQuery(
    lambda key, at: StaffSession.objects.filter(session_key=key, expire_date__gt=at),
    key=str, at=datetime,
)  # fmt: skip


class SessionStore(DatabaseStore):
    """One browser's session."""

    seen_at: datetime | None = None

    @classmethod
    def get_model_class(cls) -> type[StaffSession]:
        """Our table instead of Django's."""
        return StaffSession

    def _get_session_from_db(self) -> StaffSession | None:
        at = timezone.now()
        held = _LIVE_SESSION.first(key=self.session_key or "", at=at)
        idle = timedelta(seconds=settings.SESSION_IDLE_SECONDS)
        if held is None or held.seen_at <= at - idle:
            self._session_key = None
            return None
        self.seen_at = held.seen_at
        return held

    def create_model_instance(self, data: dict[str, Any]) -> StaffSession:
        """The row: what the session carries, and the columns that its lists read."""
        at = timezone.now()
        began_at = datetime.fromisoformat(data.setdefault(BEGAN_KEY, at.isoformat()))
        user_id = data.get(SESSION_KEY)
        lasts = timedelta(seconds=settings.SESSION_COOKIE_AGE) if user_id else UNFINISHED_LOGIN_TTL
        self.seen_at = at
        return StaffSession(
            session_key=self._get_or_create_session_key(),
            session_data=self.encode(data),
            expire_date=began_at + lasts,
            user_id=user_id,
            began_at=began_at,
            seen_at=at,
            factor=data.get(FACTOR_KEY, ""),
            device=data.get(DEVICE_KEY, ""),
            address=data.get(ADDRESS_KEY, ""),
        )

    def touch(self, at: datetime) -> None:
        """Somebody pressed something: the session stays awake from now."""
        if self.seen_at is None or at - self.seen_at >= TOUCH_INTERVAL:
            StaffSession.objects.filter(pk=self.session_key).update(seen_at=at)
            self.seen_at = at
