"""The one way out over HTTP: time limits, retries by kind of failure, size caps.

The caller says whether a request is safe to repeat. From that follows what a
lost answer means: a safe request is asked again and ends as `TryLater`, any
other ends as `Uncertain` and is never repeated here.
"""

import ipaddress
import json
import logging
import random
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2

from rooftree.core.vendor_errors import Misconfigured, OutcomeUnknown, RequestRejected, RetryLater

log = logging.getLogger(__name__)
# The client's own log lines hold whole addresses, and those hold phone numbers.
logging.getLogger("httpx2").setLevel(logging.WARNING)
logging.getLogger("httpcore2").setLevel(logging.WARNING)

NOT_SENT_ERRORS = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.ProxyError,
)
UNSENDABLE_ERRORS = (httpx2.UnsupportedProtocol, httpx2.InvalidURL, httpx2.LocalProtocolError)
REDIRECT_STATUSES = frozenset({301, 302, 303, 307, 308})
RETRYABLE_STATUSES = frozenset({408, 425, 429})
MAX_REDIRECTS = 3
RETRY_DELAYS_SECONDS = (0.2, 0.8)  # before the second and the third try


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientLimits:
    """How long and how much, for one client."""

    connect_timeout_seconds: float = 5.0
    read_timeout_seconds: float = 20.0  # longest wait for the next byte
    total_timeout_seconds: float = 45.0  # longest wait for the whole answer
    max_response_bytes: int = 6 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorRequest:
    """One request. At most one of `json`, `form` and `content` is given."""

    method: str
    path: str  # below the client's base URL
    is_idempotent: bool  # true when asking twice does no more than asking once
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    form: tuple[tuple[str, str], ...] | None = field(default=None, repr=False)
    content: bytes | None = field(default=None, repr=False)
    accepted_statuses: frozenset[int] = (
        frozenset()
    )  # statuses besides 2xx that are answers to the caller


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorResponse:
    """What came back, whole and within the size cap."""

    status: int
    headers: Mapping[str, str]  # names in lower case
    body: bytes = field(repr=False)

    def json(self) -> Any:
        """The body as JSON; None when it is not JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    def retry_after_seconds(self) -> float | None:
        """What `Retry-After` asks for, in seconds or as a date; None when absent or odd."""
        return _parse_retry_after(self.headers.get("retry-after", ""), self.headers.get("date", ""))


class VendorClient:
    """HTTP to one vendor, below one configured base URL; may be shared by threads."""

    def __init__(
        self,
        base_url: str,
        *,
        limits: ClientLimits | None = None,
        basic: tuple[str, str] | None = None,
        transport: httpx2.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.base = httpx2.URL(base_url.rstrip("/") + "/")
        if self.base.scheme not in {"http", "https"} or not self.base.host:
            raise Misconfigured("The vendor's address must begin with https:// and name a host.")
        near = _is_loopback(self.base.host)
        if self.base.scheme == "http" and not near:
            raise Misconfigured("The vendor's address must be https; plain http is for this host.")
        self.limits = limits or ClientLimits()
        self._sleep = sleep
        self._handle_http = httpx2.Client(
            auth=basic,
            transport=transport,
            trust_env=not near,
            follow_redirects=False,
            timeout=httpx2.Timeout(
                self.limits.read_timeout_seconds, connect=self.limits.connect_timeout_seconds
            ),
            headers={"User-Agent": "rooftree", "Accept-Encoding": "identity"},
        )

    def close(self) -> None:
        """Give the connections back."""
        self._handle_http.close()

    def send(self, ask: VendorRequest) -> VendorResponse:
        """Send one request and give its answer: any 2xx, or a status in `ask.accepted_statuses`.

        Raises:
            TryLater: nothing was carried out, or the request is repeatable.
            Uncertain: it is not repeatable and may have been carried out.
            Refused: a 4xx that is final.
            Misconfigured: 401, 403, or an address that cannot be asked.
        """
        for pause in (*RETRY_DELAYS_SECONDS, None):
            try:
                return self._check_status(ask, self._send_following_redirects(ask))
            except RetryLater as problem:
                if pause is None or not _should_retry(problem):
                    raise
                self._sleep(pause * (0.5 + random.random()))  # noqa: S311 (spread, not secrecy)
        raise AssertionError("the last pause is None")

    def _send_following_redirects(self, ask: VendorRequest) -> VendorResponse:
        url = self.base.join(ask.path.lstrip("/"))
        if ask.query:
            url = url.copy_merge_params(list(ask.query))
        answer = self._send_once(ask, url, private_is_fine=True)
        hops = 0
        while answer.status in REDIRECT_STATUSES and answer.status not in ask.accepted_statuses:
            hops += 1
            if ask.method not in {"GET", "HEAD"} or hops > MAX_REDIRECTS:
                raise Misconfigured(f"{self.base.host} sent us elsewhere; check its address.")
            url = self._check_redirect(url, answer)
            answer = self._send_once(ask, url, private_is_fine=False)
        return answer

    def _check_redirect(self, url: httpx2.URL, answer: VendorResponse) -> httpx2.URL:
        target = url.join(answer.headers.get("location", ""))
        home = (target.scheme, target.host, target.port)
        if home == (self.base.scheme, self.base.host, self.base.port):
            return target
        if target.scheme != "https" or not _is_public(target.host):
            raise Misconfigured(f"{self.base.host} sent us to an address we do not follow.")
        return target

    def _send_once(
        self, ask: VendorRequest, url: httpx2.URL, *, private_is_fine: bool
    ) -> VendorResponse:
        at_home = private_is_fine or (url.host, url.port) == (self.base.host, self.base.port)
        request = self._handle_http.build_request(
            ask.method,
            url,
            headers=dict(ask.headers) if at_home else {},
            json=ask.json,
            data=None if ask.form is None else _form_fields(ask.form),
            content=ask.content,
        )
        began = time.monotonic()
        answer = self._execute_request(ask, request, at_home=at_home)
        took = int((time.monotonic() - began) * 1000)
        log.debug("%s %s %s %d ms", ask.method, self.base.host, answer.status, took)
        return answer

    def _execute_request(
        self, ask: VendorRequest, request: httpx2.Request, *, at_home: bool
    ) -> VendorResponse:
        host = self.base.host
        # None sends no password: what is ours must not follow a redirect elsewhere.
        auth = httpx2.USE_CLIENT_DEFAULT if at_home else None
        try:
            response = self._handle_http.send(request, stream=True, auth=auth)
            try:
                body = self._read_body(response, host)
            finally:
                response.close()
        except NOT_SENT_ERRORS as problem:
            raise RetryLater(f"{host} could not be reached.") from problem
        except UNSENDABLE_ERRORS as problem:
            raise Misconfigured(f"The address of {host} cannot be used.") from problem
        except (httpx2.HTTPError, _ResponseLimitExceeded) as problem:
            if ask.is_idempotent:
                raise RetryLater(f"{host} did not finish its answer.") from problem
            raise OutcomeUnknown(f"{host} took the request and gave no whole answer.") from problem
        headers = {name.lower(): value for name, value in response.headers.items()}
        return VendorResponse(status=response.status_code, headers=headers, body=body)

    def _read_body(self, response: httpx2.Response, host: str) -> bytes:
        ends = time.monotonic() + self.limits.total_timeout_seconds
        parts, size = [], 0
        for part in response.iter_bytes():
            parts.append(part)
            size += len(part)
            if size > self.limits.max_response_bytes or time.monotonic() > ends:
                raise _ResponseLimitExceeded(host)
        return b"".join(parts)

    def _check_status(self, ask: VendorRequest, answer: VendorResponse) -> VendorResponse:
        host, status = self.base.host, answer.status
        if 200 <= status < 300 or status in ask.accepted_statuses:
            return answer
        if status in RETRYABLE_STATUSES:
            raise RetryLater(
                f"{host} is busy ({status}).",
                retry_after_seconds=answer.retry_after_seconds() or 1.0,
            )
        if status >= 500 and not ask.is_idempotent:
            raise OutcomeUnknown(f"{host} failed ({status}) while it had the request.")
        if status >= 500:
            raise RetryLater(
                f"{host} failed ({status}).", retry_after_seconds=answer.retry_after_seconds()
            )
        if status in {401, 403}:
            raise Misconfigured(f"{host} does not accept our credentials ({status}).")
        raise RequestRejected(f"{host} refused the request ({status}).", code=str(status))


class _ResponseLimitExceeded(Exception):
    """The answer was too long or too slow."""


def _should_retry(problem: RetryLater) -> bool:
    """A vendor that named its own wait is not pressed."""
    return problem.retry_after_seconds is None


def _form_fields(pairs: tuple[tuple[str, str], ...]) -> dict[str, list[str]]:
    fields: dict[str, list[str]] = {}
    for name, value in pairs:
        fields.setdefault(name, []).append(value)
    return fields


def _parse_retry_after(text: str, answered: str) -> float | None:
    if not text:
        return None
    if text.isdigit():
        return float(text)
    try:
        until = parsedate_to_datetime(text)
        since = parsedate_to_datetime(answered) if answered else datetime.now(UTC)
        return max(0.0, (until - since).total_seconds())
    except (TypeError, ValueError):
        return None


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_public(host: str) -> bool:
    """Every address the name resolves to is on the open Internet."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return False
    addresses = [ipaddress.ip_address(str(entry[4][0]).split("%")[0]) for entry in found]
    return bool(addresses) and all(address.is_global for address in addresses)
