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
    zone: str = "America/New_York"  # the company's: a moment from the LOS counts on its day there


@dataclass(slots=True)
class _Token:
    value: str
    born: float
    used: float


class EncompassSession:
    """One signed-in connection, shared by all threads of a process.

    Args:
        settings: called before each sign-in, so a secret changed by the lender
            takes effect without a restart.
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
        """Close the HTTP connections."""
        self._handle_http.close()

    def send_request(self, request: VendorRequest) -> VendorResponse:
        """Send one signed-in request; return a 2xx response, or one of 400, 404, 422.

        A 401 signs in again, once. Busy responses are retried here for about 15 seconds at
        most. Raises `RetryLater` for a locked loan, and otherwise the errors of
        `VendorClient.send`.
        """
        with self._places:
            return self._send_with_retries(
                replace(request, accepted_statuses=request.accepted_statuses | HANDLED_STATUSES)
            )

    def _send_with_retries(self, request: VendorRequest) -> VendorResponse:
        for delay in (*BUSY_PAUSES_SECONDS, None):
            response = self._send_signed_in(request)
            if response.status != 429:
                break
            if delay is None:
                raise RetryLater(
                    "Encompass is busy.", retry_after_seconds=response.retry_after_seconds() or 30.0
                )
            spread = 0.5 + random.random()  # noqa: S311 (spread, not secrecy)
            self._sleep(min(response.retry_after_seconds() or delay * spread, 15.0))
        if is_loan_locked(response):
            raise RetryLater(
                "Somebody has the loan open in Encompass.",
                retry_after_seconds=LOCKED_LOAN_WAIT_SECONDS,
            )
        return response

    def _send_signed_in(self, request: VendorRequest) -> VendorResponse:
        for last_try in (False, True):
            token = self._get_token()
            headers = {**request.headers, "Authorization": f"Bearer {token}"}
            response = self._handle_http.send(replace(request, headers=headers))
            if response.status != 401:
                return response
            with self._signing_in:
                if self._token is not None and self._token.value == token:
                    self._token = None
            if last_try:
                break
        raise Misconfigured("Encompass issued a token and then rejected it.")

    def _get_token(self) -> str:
        """Return the token, signing in if needed: one thread signs in, the others wait."""
        with self._signing_in:
            now, token = self._clock(), self._token
            is_stale = (
                token is None
                or now - token.used > MAX_IDLE_SECONDS
                or now - token.born > MAX_AGE_SECONDS
            )
            if token is None or is_stale:
                token = self._token = _Token(self._sign_in(), now, now)
            token.used = now
            return token.value

    def _sign_in(self) -> str:
        settings = self.settings()
        form = [("grant_type", settings.grant), ("scope", "lp")]
        if settings.grant == "client_credentials":
            form.append(("instance_id", settings.instance))
        else:
            form.append(("username", f"{settings.user}@encompass:{settings.instance}"))
            form.append(("password", settings.password))
        pair = f"{settings.client_id}:{settings.client_secret}".encode()
        response = self._handle_http.send(
            VendorRequest(
                method="POST",
                path="/oauth2/v1/token",
                is_idempotent=True,
                headers={"Authorization": "Basic " + base64.b64encode(pair).decode()},
                form=tuple(form),
                accepted_statuses=frozenset({400, 401}),
            )
        )
        content = response.json()
        content = content if isinstance(content, dict) else {}
        if response.status >= 400:
            raise Misconfigured(SIGN_IN_PROBLEMS.get(str(content.get("error")), SIGN_IN_PROBLEM))
        token = content.get("access_token")
        if not isinstance(token, str) or not token:
            raise RetryLater("Encompass answered the sign-in without a token.")
        return token


SIGN_IN_PROBLEM = "Encompass rejected our sign-in."
SIGN_IN_PROBLEMS = {
    "invalid_client": "Encompass rejected our client id and secret.",
    "invalid_grant": "Encompass rejected our user name and password.",
    "unauthorized_client": "Our Encompass client isn't allowed to sign in this way.",
    "unsupported_grant_type": "Our Encompass client isn't allowed to sign in this way.",
}


def is_loan_locked(response: VendorResponse) -> bool:
    """Return True if the loan is open elsewhere. The status is undocumented, so test three."""
    if response.status in {409, 423}:
        return True
    content = response.json()
    if response.status != 400 or not isinstance(content, dict):
        return False
    message = f"{content.get('summary', '')} {content.get('details', '')}".lower()
    return "locked" in message or "lock by" in message


def build_refusal(
    response: VendorResponse, purpose: str, *, with_details: bool = False
) -> RequestRejected:
    """Build the error for a refused request: codes and field names, no borrower data.

    Args:
        with_details: add Encompass's own sentence; only for requests without borrower data.
    """
    content = response.json()
    content = content if isinstance(content, dict) else {}
    errors = content.get("errors")
    field_names = tuple(
        str(error.get("key") or error.get("fieldId") or "")
        for error in (errors if isinstance(errors, list) else [])
        if isinstance(error, dict)
    )
    code = str(content.get("errorCode") or response.status)
    suffix = f": {', '.join(filter(None, field_names))}" if any(field_names) else ""
    if with_details and isinstance(content.get("details"), str):
        suffix += f": {content['details'].rstrip('.')}"
    return RequestRejected(
        f"Encompass refused {purpose} ({code}){suffix}.",
        code=code,
        fields=tuple(filter(None, field_names)),
    )
