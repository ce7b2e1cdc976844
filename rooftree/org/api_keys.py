"""Keys by which machines come in: made once, shown once, kept as a hash."""

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

SCOPES = {  # what a key may be allowed, one line each
    "leads:read": "Read a lead that its person may see",
    "leads:write": "Send leads in",
    "reports:read": "Read the figures of sources",
}
KEY_PREFIX = "rt_"
VISIBLE_PREFIX_LENGTH = 12  # characters of a key that may be shown
MAX_LIFETIME = timedelta(days=366)
REQUESTS_PER_MINUTE = ThrottleLimit(name="api key", max_attempts=120, window=timedelta(minutes=1))


class InvalidApiKey(UserError):
    """A key that cannot be made so."""


def create_api_key(
    *, name: str, user: User, scopes: Collection[str], lasts: timedelta, by: User, at: datetime
) -> tuple[ApiKey, str]:
    """A new key and its only sight; what it sees is what `user` may see.

    Raises `BadKey` for no name, no scope, an unknown one, a user who has left, or more
    than a year.
    """
    if not name.strip():
        raise InvalidApiKey("Give the key a name: which machine will have it.", "name")
    if not scopes or set(scopes) - SCOPES.keys():
        raise InvalidApiKey("Tick at least one thing that the key may do.", "scopes")
    if not user.is_active:
        raise InvalidApiKey(f"{user.name} has left.", "user")
    if not timedelta() < lasts <= MAX_LIFETIME:
        raise InvalidApiKey("A key lasts a year at most.", "days")
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
    """The key whose secret this is, while it is good and its user is still here."""
    good = ApiKey.objects.filter(
        start=secret[:VISIBLE_PREFIX_LENGTH],
        revoked_at=None,
        expires_at__gt=at,
        user__is_active=True,
    )
    key = good.select_related("user__branch", "user__officer").first()
    if key is None or not hmac.compare_digest(key.secret_hash, _hash_secret(secret)):
        return None
    if key.last_used_at is None or key.last_used_at < at - timedelta(minutes=1):
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=at)
    return key


def revoke_api_key(*, key_id: UUID | str, by: User, at: datetime) -> bool:
    """The key opens nothing any more; False when it was revoked before."""
    with atomic():
        ended = ApiKey.objects.filter(pk=key_id, revoked_at=None).update(revoked_at=at)
        if ended:
            write_event("org.api_key.revoked", at=at, actor=f"user:{by.pk}", key_id=str(key_id))
    return bool(ended)


def _hash_secret(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
