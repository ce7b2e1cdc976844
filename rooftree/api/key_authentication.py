"""What every call does first: whose key, what it may, how often; and how a refusal is said."""

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
    """One call of a machine that was let in."""

    request: HttpRequest
    key: ApiKey
    at: datetime

    @property
    def user(self) -> User:
        """As whom it acts: what it sees is what this person may see."""
        return self.key.user

    def log_access(self, kind: AccessKind, **what: Any) -> None:
        """A line of the access log about this call."""
        access_log.record_access(
            kind, client=read_client_info(self.request.META), at=self.at, user_id=self.user.pk,
            api_key_id=self.key.pk, **what,
        )  # fmt: skip


class ApiError(Exception):
    """A call that is not carried out, with its status, code and sentence."""

    def __init__(self, status: int, code: str, text: str) -> None:
        super().__init__(text)
        self.status, self.code = status, code


NOT_FOUND = ApiError(404, "not_found", "Nothing is here, or it is not this key's to see.")
ApiView = Callable[..., dict[str, Any]]


def require_api_key(*, method: str = "GET", scope: str, permission: str) -> Callable[[ApiView], Any]:
    """Wrap an answer for a machine.

    Args:
        scope: what the key must be allowed, of `api_keys.SCOPES`.
        verb: what the person behind it must be allowed, of `routing.visible.MAY`.
    """

    def wrap(answer: ApiView) -> Any:
        @csrf_exempt  # no cookie opens it
        @wraps(answer)
        def inside(request: HttpRequest, **named: Any) -> HttpResponse:
            try:
                if request.method != method:
                    raise ApiError(405, "method", f"Ask with {method}.")
                let = _authenticate(request, scope, permission)
                return _json_response(200 if method == "GET" else 201, answer(let, **named))
            except ApiError as no:
                return _json_response(no.status, {"error": {"code": no.code, "text": str(no)}})

        return inside

    return wrap


def _authenticate(request: HttpRequest, scope: str, verb: str) -> ApiCall:
    at = timezone.now()
    key = _find_key(request, at)
    if not throttle.consume_attempt(api_keys.REQUESTS_PER_MINUTE, str(key.pk), at=at):
        raise ApiError(
            429, "too_often", f"At most {api_keys.REQUESTS_PER_MINUTE.max_attempts} calls a minute."
        )
    let = ApiCall(request=request, key=key, at=at)
    if scope not in key.scopes or not has_permission(key.user, verb):
        let.log_access(AccessKind.KEY_REFUSED, subject=scope)
        raise ApiError(403, "scope", f"This key may not do that: it needs {scope}.")
    return let


def _find_key(request: HttpRequest, at: datetime) -> ApiKey:
    given = request.headers.get("Authorization", "")
    key = (
        api_keys.authenticate_key(given.removeprefix(BEARER), at=at)
        if given.startswith(BEARER)
        else None
    )
    if key is not None:
        return key
    if not throttle.consume_attempt(UNAUTHENTICATED_LIMIT, client_ip(request.META), at=at):
        raise ApiError(429, "too_often", "Too many calls without a key that opens.")
    if given:
        access_log.record_access(
            AccessKind.KEY_REFUSED, client=read_client_info(request.META), at=at, subject="unknown"
        )
    raise ApiError(401, "key", "Send a key that is good: Authorization: Bearer rt_...")


def _json_response(status: int, said: dict[str, Any]) -> JsonResponse:
    answer = JsonResponse(said, status=status)
    answer["Cache-Control"] = "no-store"
    if status == 401:
        answer["WWW-Authenticate"] = "Bearer"
    if status == 429:
        answer["Retry-After"] = "60"
    return answer
