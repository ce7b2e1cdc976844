"""Signed-in requests to Encompass: one token for all threads, few requests at a time."""

import base64
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from rooftree.core.http_client import ClientLimits, VendorClient, VendorRequest, VendorResponse
from rooftree.core.vendor_errors import Misconfigured, RequestRejected, RetryLater

MAX_IDLE_SECONDS = 14 * 60  # documented lifetimes disagree; the shortest is 15 minutes idle
MAX_AGE_SECONDS = 110 * 60  # and 2 hours in all
MAX_IN_FLIGHT = 5  # of the lender's 30, which every vendor of that lender shares
BUSY_PAUSES_SECONDS = (0.5, 1.0, 2.0, 4.0, 8.0)
LOCKED_LOAN_WAIT_SECONDS = 60.0
HANDLED_STATUSES = frozenset({400, 401, 404, 409, 422, 423, 429})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How to reach one lender's Encompass."""

    base_url: str
    instance: str  # BE… in production, TEBE… for tests
    client_id: str
    client_secret: str = field(repr=False)
    user: str = ""  # without the @encompass: part
    password: str = field(default="", repr=False)
    grant: str = "password"  # or client_credentials, for listed partners
    lead_id_field: str = "CX.ROOFTREELEADID"
    mapping: Mapping[str, Any] = field(default_factory=dict)  # the lender's changes


@dataclass(slots=True)
class _Token:
    value: str
    born: float
    used: float


class EncompassSession:
    """One signed-in connection; share one between all threads of a process.

    Args:
        settings: called before each sign-in, so that a secret changed by the
            lender is taken up without a restart.
        clock: seconds that only go forward.
    """

    def __init__(
        self,
        settings: Callable[[], Settings],
        *,
        limits: ClientLimits | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.settings = settings
        self._handle_http = VendorClient(settings().base_url, limits=limits, sleep=sleep)
        self._clock = clock
        self._sleep = sleep
        self._token: _Token | None = None
        self._signing_in = threading.Lock()
        self._places = threading.BoundedSemaphore(MAX_IN_FLIGHT)

    def close(self) -> None:
        """Give the connections back."""
        self._handle_http.close()

    def send_request(self, ask: VendorRequest) -> VendorResponse:
        """Send one request signed in; a 2xx answer, or one of 400, 404, 422.

        A 401 signs in again, once. Busy answers are waited out here, at most
        about 15 seconds. Raises `TryLater` for a locked loan, and otherwise as
        `core.http.Client.ask`.
        """
        with self._places:
            return self._send_with_retries(
                replace(ask, accepted_statuses=ask.accepted_statuses | HANDLED_STATUSES)
            )

    def _send_with_retries(self, ask: VendorRequest) -> VendorResponse:
        for pause in (*BUSY_PAUSES_SECONDS, None):
            answer = self._send_signed_in(ask)
            if answer.status != 429:
                break
            if pause is None:
                raise RetryLater(
                    "Encompass is busy.", retry_after_seconds=answer.retry_after_seconds() or 30.0
                )
            spread = 0.5 + random.random()  # noqa: S311 (spread, not secrecy)
            self._sleep(min(answer.retry_after_seconds() or pause * spread, 15.0))
        if is_loan_locked(answer):
            raise RetryLater(
                "The loan is open in Encompass by somebody.",
                retry_after_seconds=LOCKED_LOAN_WAIT_SECONDS,
            )
        return answer

    def _send_signed_in(self, ask: VendorRequest) -> VendorResponse:
        for last_try in (False, True):
            token = self._get_token()
            headers = {**ask.headers, "Authorization": f"Bearer {token}"}
            answer = self._handle_http.send(replace(ask, headers=headers))
            if answer.status != 401:
                return answer
            self._discard_token(token)
            if last_try:
                break
        raise Misconfigured("Encompass gives a token and then does not accept it.")

    def _get_token(self) -> str:
        """The token, signing in when there is none: one thread does, the others wait."""
        with self._signing_in:
            now, held = self._clock(), self._token
            stale = (
                held is None
                or now - held.used > MAX_IDLE_SECONDS
                or now - held.born > MAX_AGE_SECONDS
            )
            if held is None or stale:
                held = self._token = _Token(self._sign_in(), now, now)
            held.used = now
            return held.value

    def _discard_token(self, token: str) -> None:
        with self._signing_in:
            if self._token is not None and self._token.value == token:
                self._token = None

    def _sign_in(self) -> str:
        settings = self.settings()
        form = [("grant_type", settings.grant), ("scope", "lp")]
        if settings.grant == "client_credentials":
            form.append(("instance_id", settings.instance))
        else:
            form.append(("username", f"{settings.user}@encompass:{settings.instance}"))
            form.append(("password", settings.password))
        pair = f"{settings.client_id}:{settings.client_secret}".encode()
        answer = self._handle_http.send(
            VendorRequest(
                method="POST",
                path="/oauth2/v1/token",
                is_idempotent=True,
                headers={"Authorization": "Basic " + base64.b64encode(pair).decode()},
                form=tuple(form),
                accepted_statuses=frozenset({400, 401}),
            )
        )
        told = answer.json()
        told = told if isinstance(told, dict) else {}
        if answer.status >= 400:
            raise Misconfigured(SIGN_IN_PROBLEMS.get(str(told.get("error")), SIGN_IN_PROBLEM))
        token = told.get("access_token")
        if not isinstance(token, str) or not token:
            raise RetryLater("Encompass answered the sign-in without a token.")
        return token


SIGN_IN_PROBLEM = "Encompass does not accept our sign-in."
SIGN_IN_PROBLEMS = {
    "invalid_client": "Encompass does not accept our client id and secret.",
    "invalid_grant": "Encompass does not accept our user name and password.",
    "unauthorized_client": "Our Encompass client may not sign in in this way.",
    "unsupported_grant_type": "Our Encompass client may not sign in in this way.",
}


def is_loan_locked(answer: VendorResponse) -> bool:
    """Somebody has the loan open. The status is not documented, so three are taken."""
    if answer.status in {409, 423}:
        return True
    told = answer.json()
    if answer.status != 400 or not isinstance(told, dict):
        return False
    words = f"{told.get('summary', '')} {told.get('details', '')}".lower()
    return "locked" in words or "lock by" in words


def build_refusal(answer: VendorResponse, doing: str) -> RequestRejected:
    """The refusal in words that hold none of the borrower's data: codes and field names only."""
    told = answer.json()
    told = told if isinstance(told, dict) else {}
    errors = told.get("errors")
    named = tuple(
        str(error.get("key") or error.get("fieldId") or "")
        for error in (errors if isinstance(errors, list) else [])
        if isinstance(error, dict)
    )
    code = str(told.get("errorCode") or answer.status)
    about = f": {', '.join(filter(None, named))}" if any(named) else ""
    return RequestRejected(
        f"Encompass refused {doing} ({code}){about}.", code=code, fields=tuple(filter(None, named))
    )
