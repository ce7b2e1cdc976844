"""API keys: shown once, stored as a hash."""

import hashlib
import hmac
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from django.db.transaction import atomic

from rooftree.core.user_errors import UserError
from rooftree.core.uuid7 import uuid7_at
from rooftree.ledger.write_events import write_event
from rooftree.org.models import ApiKey, User
from rooftree.org.throttle import ThrottleLimit

SCOPES = {  # the permissions a key can have
    "leads:read": "Read a lead that its user can see",
    "leads:write": "Send leads",
    "reports:read": "Read cost and results by source",
    "spend:write": "Book ad spend",
}
KEY_PREFIX = "rt_"
VISIBLE_PREFIX_LENGTH = 12  # characters of a key that can be shown
MAX_LIFETIME = timedelta(days=366)
REQUESTS_PER_MINUTE = ThrottleLimit(name="api key", max_attempts=120, window=timedelta(minutes=1))


class InvalidApiKey(UserError):
    """The details of a new API key are invalid."""


def create_api_key(
    *, name: str, user: User, scopes: Collection[str], lasts: timedelta, by: User, at: datetime
) -> tuple[ApiKey, str]:
    """Create a key; return it with its secret, which can't be shown again.

    The key sees what `user` sees. Raises `InvalidApiKey` for no name, no scope or an unknown
    one, a user who has left, or a lifetime over a year.
    """
    if not name.strip():
        raise InvalidApiKey("Name the key after the system that will use it.", "name")
    if not scopes or set(scopes) - SCOPES.keys():
        raise InvalidApiKey("Choose at least one permission.", "scopes")
    if not user.is_active:
        raise InvalidApiKey(f"{user.name} no longer works here.", "user")
    if not timedelta() < lasts <= MAX_LIFETIME:
        raise InvalidApiKey("A key can be valid for a year at most.", "days")
    secret = f"{KEY_PREFIX}{secrets.token_urlsafe(32)}"
    with atomic():
        key = ApiKey.objects.create(
            id=uuid7_at(at), name=name.strip(), user=user, start=secret[:VISIBLE_PREFIX_LENGTH],
            secret_hash=_hash_secret(secret), scopes=sorted(scopes), created_by=by, created_at=at,
            expires_at=at + lasts,
        )  # fmt: skip
        write_event(
            "org.api_key.made", at=at, actor=f"user:{by.pk}",
            key_id=key.pk, user_id=user.pk, scopes=key.scopes,
        )  # fmt: skip
    return key, secret


def authenticate_key(secret: str, *, at: datetime) -> ApiKey | None:
    """Return the valid key with this secret; None if expired, revoked or its user has left."""
    valid_keys = ApiKey.objects.filter(
        start=secret[:VISIBLE_PREFIX_LENGTH],
        revoked_at=None,
        expires_at__gt=at,
        user__is_active=True,
    )
    key = valid_keys.select_related("user__branch", "user__officer").first()
    if key is None or not hmac.compare_digest(key.secret_hash, _hash_secret(secret)):
        return None
    if key.last_used_at is None or key.last_used_at < at - timedelta(minutes=1):
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=at)
    return key


def revoke_api_key(*, key_id: UUID | str, by: User, at: datetime) -> bool:
    """Revoke a key; return False if it was already revoked."""
    with atomic():
        is_revoked = ApiKey.objects.filter(pk=key_id, revoked_at=None).update(revoked_at=at)
        if is_revoked:
            write_event("org.api_key.revoked", at=at, actor=f"user:{by.pk}", key_id=str(key_id))
    return bool(is_revoked)


def _hash_secret(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
