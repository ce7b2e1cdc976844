"""API keys: authentication, scope, rate limit and error responses of every call."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from rooftree.org import access_log, api_keys, throttle
from rooftree.org.access_log import AccessKind
from rooftree.org.client_info import client_ip, read_client_info
from rooftree.org.models import ApiKey, User
from rooftree.routing.permissions import has_permission

BEARER = "Bearer "
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


class ApiError(Exception):
    """An error response: status, code and a sentence."""

    def __init__(self, status: int, code: str, text: str) -> None:
        super().__init__(text)
        self.status, self.code = status, code


NOT_FOUND = ApiError(404, "not_found", "Not found, or this key can't see it.")
ApiView = Callable[..., dict[str, Any]]


def require_api_key(
    *, method: str = "GET", scope: str, permission: str
) -> Callable[[ApiView], Any]:
    """Wrap an API view, which returns JSON; answer 201 to a POST and errors as JSON.

    Args:
        scope: scope the key needs, of `api_keys.SCOPES`.
        permission: permission the key's user needs, of `permissions.ROLES_BY_PERMISSION`.
    """

    def wrap(view: ApiView) -> Any:
        @csrf_exempt  # authenticated by key, never by cookie
        @wraps(view)
        def inside(request: HttpRequest, **url_kwargs: Any) -> HttpResponse:
            try:
                if request.method != method:
                    raise ApiError(405, "method", f"Use {method}.")
                call = _authenticate(request, scope, permission)
                return _json_response(200 if method == "GET" else 201, view(call, **url_kwargs))
            except ApiError as error:
                body = {"error": {"code": error.code, "text": str(error)}}
                return _json_response(error.status, body)

        return inside

    return wrap


def _authenticate(request: HttpRequest, scope: str, permission: str) -> ApiCall:
    at = timezone.now()
    key = _find_key(request, at)
    if not throttle.consume_attempt(api_keys.REQUESTS_PER_MINUTE, str(key.pk), at=at):
        raise ApiError(
            429,
            "too_often",
            f"The limit is {api_keys.REQUESTS_PER_MINUTE.max_attempts} calls per minute.",
        )
    call = ApiCall(request=request, key=key, at=at)
    if scope not in key.scopes or not has_permission(key.user, permission):
        call.log_access(AccessKind.KEY_REFUSED, subject=scope)
        raise ApiError(403, "scope", f"This key doesn't have the permission {scope}.")
    return call


def _find_key(request: HttpRequest, at: datetime) -> ApiKey:
    header = request.headers.get("Authorization", "")
    key = (
        api_keys.authenticate_key(header.removeprefix(BEARER), at=at)
        if header.startswith(BEARER)
        else None
    )
    if key is not None:
        return key
    if not throttle.consume_attempt(UNAUTHENTICATED_LIMIT, client_ip(request.META), at=at):
        raise ApiError(429, "too_often", "Too many calls without a valid key.")
    if header:
        access_log.record_access(
            AccessKind.KEY_REFUSED, client=read_client_info(request.META), at=at, subject="unknown"
        )
    raise ApiError(401, "key", "Send a valid key: Authorization: Bearer rt_...")


def _json_response(status: int, body: dict[str, Any]) -> JsonResponse:
    response = JsonResponse(body, status=status)
    response["Cache-Control"] = "no-store"
    if status == 401:
        response["WWW-Authenticate"] = "Bearer"
    if status == 429:
        response["Retry-After"] = "60"
    return response
