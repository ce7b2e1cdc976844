"""API keys: authentication, scope and rate limit of every call."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn

from django.http import HttpRequest
from django.utils import timezone
from ninja.security import HttpBearer

from rooftree.api.api_errors import ApiError
from rooftree.org import access_log, api_keys, throttle
from rooftree.org.access_log import AccessKind
from rooftree.org.client_info import address_group, client_ip, read_client_info
from rooftree.org.models import ApiKey, User
from rooftree.routing.permissions import has_permission

UNAUTHENTICATED_LIMIT = throttle.ThrottleLimit(
    name="api stranger", max_attempts=60, window=throttle.QUARTER
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiCall:
    """One authenticated API call."""

    request: HttpRequest
    key: ApiKey
    at: datetime

    @property
    def user(self) -> User:
        """The user the key acts as; the call sees what this user sees."""
        return self.key.user

    def log_access(self, kind: AccessKind, **details: Any) -> None:
        """Record this call in the audit log."""
        access_log.record_access(
            kind, client=read_client_info(self.request.META), at=self.at, user_id=self.user.pk,
            api_key_id=self.key.pk, **details,
        )  # fmt: skip


class ApiRequest(HttpRequest):
    """A request that `KeyAuth` let in."""

    auth: ApiCall


class KeyAuth(HttpBearer):
    """Requires an API key with a scope, of a user with a permission."""

    def __init__(self, *, scope: str, permission: str) -> None:
        super().__init__()
        self.scope, self.permission = scope, permission

    def __call__(self, request: HttpRequest) -> ApiCall:
        """Return the call of the request's key; raise `ApiError` if it can't make this call."""
        call: ApiCall | None = super().__call__(request)
        return call or _refuse_stranger(request)

    def authenticate(self, request: HttpRequest, token: str) -> ApiCall | None:
        """Check key, rate limit, scope and permission, in this order; None for an unknown key."""
        at = timezone.now()
        key = api_keys.authenticate_key(token, at=at)
        if key is None:
            return None
        limit = api_keys.REQUESTS_PER_MINUTE
        if not throttle.consume_attempt(limit, str(key.pk), at=at):
            text = f"The limit is {limit.max_attempts} calls per minute."
            raise ApiError(429, "too_often", text)
        call = ApiCall(request=request, key=key, at=at)
        if self.scope not in key.scopes or not has_permission(key.user, self.permission):
            call.log_access(AccessKind.KEY_REFUSED, subject=self.scope)
            raise ApiError(403, "scope", f"This key doesn't have the permission {self.scope}.")
        return call


def _refuse_stranger(request: HttpRequest) -> NoReturn:
    at = timezone.now()
    if not throttle.consume_attempt(
        UNAUTHENTICATED_LIMIT, address_group(client_ip(request.META)), at=at
    ):
        raise ApiError(429, "too_often", "Too many calls without a valid key.")
    if request.headers.get("Authorization"):
        access_log.record_access(
            AccessKind.KEY_REFUSED, client=read_client_info(request.META), at=at, subject="unknown"
        )
    raise ApiError(401, "key", "Send a valid key: Authorization: Bearer rt_...")
