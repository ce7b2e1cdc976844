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
from rooftree.org.access_log import Kind
from rooftree.org.caller import address_in, caller_of
from rooftree.org.models import ApiKey, User
from rooftree.routing.visible import may

BEARER = "Bearer "
STRANGERS = throttle.Limit(name="api stranger", most=60, within=throttle.QUARTER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of a machine that was let in."""

    request: HttpRequest
    key: ApiKey
    at: datetime

    @property
    def user(self) -> User:
        """As whom it acts: what it sees is what this person may see."""
        return self.key.user

    def note(self, kind: Kind, **what: Any) -> None:
        """A line of the access log about this call."""
        access_log.note(
            kind, caller=caller_of(self.request.META), at=self.at, user_id=self.user.pk,
            api_key_id=self.key.pk, **what,
        )  # fmt: skip


class Refused(Exception):
    """A call that is not carried out, with its status, code and sentence."""

    def __init__(self, status: int, code: str, text: str) -> None:
        super().__init__(text)
        self.status, self.code = status, code


NOT_FOUND = Refused(404, "not_found", "Nothing is here, or it is not this key's to see.")
Answer = Callable[..., dict[str, Any]]


def call(*, method: str = "GET", scope: str, verb: str) -> Callable[[Answer], Any]:
    """Wrap an answer for a machine.

    Args:
        scope: what the key must be allowed, of `api_keys.SCOPES`.
        verb: what the person behind it must be allowed, of `routing.visible.MAY`.
    """

    def wrap(answer: Answer) -> Any:
        @csrf_exempt  # no cookie opens it
        @wraps(answer)
        def inside(request: HttpRequest, **named: Any) -> HttpResponse:
            try:
                if request.method != method:
                    raise Refused(405, "method", f"Ask with {method}.")
                let = _let_in(request, scope, verb)
                return _said(200 if method == "GET" else 201, answer(let, **named))
            except Refused as no:
                return _said(no.status, {"error": {"code": no.code, "text": str(no)}})

        return inside

    return wrap


def _let_in(request: HttpRequest, scope: str, verb: str) -> Call:
    at = timezone.now()
    key = _key(request, at)
    if not throttle.allow(api_keys.A_MINUTE, str(key.pk), at=at):
        raise Refused(429, "too_often", f"At most {api_keys.A_MINUTE.most} calls a minute.")
    let = Call(request=request, key=key, at=at)
    if scope not in key.scopes or not may(key.user, verb):
        let.note(Kind.KEY_REFUSED, subject=scope)
        raise Refused(403, "scope", f"This key may not do that: it needs {scope}.")
    return let


def _key(request: HttpRequest, at: datetime) -> ApiKey:
    given = request.headers.get("Authorization", "")
    key = api_keys.holder(given.removeprefix(BEARER), at=at) if given.startswith(BEARER) else None
    if key is not None:
        return key
    if not throttle.allow(STRANGERS, address_in(request.META), at=at):
        raise Refused(429, "too_often", "Too many calls without a key that opens.")
    if given:
        access_log.note(Kind.KEY_REFUSED, caller=caller_of(request.META), at=at, subject="unknown")
    raise Refused(401, "key", "Send a key that is good: Authorization: Bearer rt_...")


def _said(status: int, said: dict[str, Any]) -> JsonResponse:
    answer = JsonResponse(said, status=status)
    answer["Cache-Control"] = "no-store"
    if status == 401:
        answer["WWW-Authenticate"] = "Bearer"
    if status == 429:
        answer["Retry-After"] = "60"
    return answer
