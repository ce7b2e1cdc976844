"""The secret address of a user's calendar feed. Only a hash of its token is stored."""

import hashlib
import secrets
from datetime import datetime
from uuid import UUID

from rooftree.core.uuid7 import uuid7_at
from rooftree.leads.models import CalendarFeed
from rooftree.ledger.write_events import write_event
from rooftree.org.models import User


def replace_address(*, user_id: UUID, at: datetime) -> str:
    """Give the user a new address, which ends the old one; return its token.

    The token can't be read again later.
    """
    token = secrets.token_urlsafe(32)
    CalendarFeed.objects.update_or_create(
        user_id=user_id,
        defaults={"token_hash": _hash_token(token), "created_at": at, "read_at": None},
        create_defaults={
            "id": uuid7_at(at),
            "token_hash": _hash_token(token),
            "created_at": at,
        },
    )
    write_event("leads.calendar_feed.replaced", at=at, actor=f"user:{user_id}")
    return token


def turn_off(*, user_id: UUID, at: datetime) -> bool:
    """End the user's address; return True if there was one."""
    feeds = CalendarFeed.objects.filter(user_id=user_id, token_hash__isnull=False)
    if not feeds.update(token_hash=None):
        return False
    write_event("leads.calendar_feed.ended", at=at, actor=f"user:{user_id}")
    return True


def find_user(token: str, *, at: datetime) -> User | None:
    """Return the active user whose address has this token, and note the reading."""
    feeds = CalendarFeed.objects.filter(token_hash=_hash_token(token), user__is_active=True)
    feed = feeds.select_related("user").first()
    if feed is None:
        return None
    CalendarFeed.objects.filter(pk=feed.pk).update(read_at=at)
    return feed.user


def _hash_token(token: str) -> str:
    # 256 random bits need no salt.
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
