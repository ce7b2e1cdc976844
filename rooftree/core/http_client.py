"""The HTTP client for every vendor: timeouts, retries by kind of failure, size limits.

The caller says whether a request is safe to repeat. When a response is lost, a safe request is
repeated and ends as `RetryLater`; any other ends as `OutcomeUnknown` and is never repeated here.
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
# The library's own log lines contain whole URLs, and those contain phone numbers.
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
    """Timeouts and the size limit of one client."""

    connect_timeout_seconds: float = 5.0
    read_timeout_seconds: float = 20.0  # longest wait for the next byte
    total_timeout_seconds: float = 45.0  # longest wait for the whole response
    max_response_bytes: int = 6 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorRequest:
    """One request. At most one of `json`, `form` and `content` is given."""

    method: str
    path: str  # below the client's base URL
    is_idempotent: bool  # true when sending it twice does no more than sending it once
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    form: tuple[tuple[str, str], ...] | None = field(default=None, repr=False)
    content: bytes | None = field(default=None, repr=False)
    accepted_statuses: frozenset[int] = (
        frozenset()
    )  # statuses besides 2xx that are returned, not raised


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorResponse:
    """A complete response within the size limit."""

    status: int
    headers: Mapping[str, str]  # names in lower case
    body: bytes = field(repr=False)

    def json(self) -> Any:
        """Return the body as JSON; None when it is not JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    def retry_after_seconds(self) -> float | None:
        """Return the wait that `Retry-After` asks for, in seconds.

        The header holds seconds or a date. None when it is absent or malformed.
        """
        return _parse_retry_after(self.headers.get("retry-after", ""), self.headers.get("date", ""))


class VendorClient:
    """Sends requests to one vendor below one configured base URL; threads can share it."""

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
            raise Misconfigured("The vendor's URL must begin with https:// and contain a host.")
        is_local = _is_loopback(self.base.host)
        if self.base.scheme == "http" and not is_local:
            raise Misconfigured(
                "The vendor's URL must begin with https://; http:// is only for this machine."
            )
        self.limits = limits or ClientLimits()
        self._sleep = sleep
        self._client = httpx2.Client(
            auth=basic,
            transport=transport,
            trust_env=not is_local,
            follow_redirects=False,
            timeout=httpx2.Timeout(
                self.limits.read_timeout_seconds, connect=self.limits.connect_timeout_seconds
            ),
            headers={"User-Agent": "rooftree", "Accept-Encoding": "identity"},
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def send(self, request: VendorRequest) -> VendorResponse:
        """Send one request; return a response with a 2xx or one of its `accepted_statuses`.

        Raises:
            RetryLater: the vendor did nothing, or the request is safe to repeat.
            OutcomeUnknown: it is not safe to repeat and may have been carried out.
            RequestRejected: a 4xx that is final.
            Misconfigured: 401, 403, or a URL that cannot be called.
        """
        for pause in (*RETRY_DELAYS_SECONDS, None):
            try:
                return self._check_status(request, self._send_following_redirects(request))
            except RetryLater as problem:
                # Don't retry before the vendor's own Retry-After.
                if pause is None or problem.retry_after_seconds is not None:
                    raise
                self._sleep(pause * (0.5 + random.random()))  # noqa: S311 (jitter, no secret)
        raise AssertionError("the last pause is None")

    def _send_following_redirects(self, request: VendorRequest) -> VendorResponse:
        url = self.base.join(request.path.lstrip("/"))
        if request.query:
            url = url.copy_merge_params(list(request.query))
        response = self._send_once(request, url, is_first=True)
        hops = 0
        while (
            response.status in REDIRECT_STATUSES
            and response.status not in request.accepted_statuses
        ):
            hops += 1
            if request.method not in {"GET", "HEAD"} or hops > MAX_REDIRECTS:
                raise Misconfigured(f"{self.base.host} redirected the request. Check its URL.")
            url = self._check_redirect(url, response)
            response = self._send_once(request, url, is_first=False)
        return response

    def _check_redirect(self, url: httpx2.URL, response: VendorResponse) -> httpx2.URL:
        target = url.join(response.headers.get("location", ""))
        origin = (target.scheme, target.host, target.port)
        if origin == (self.base.scheme, self.base.host, self.base.port):
            return target
        if target.scheme != "https" or not _is_public(target.host):
            raise Misconfigured(f"{self.base.host} redirected to a URL that isn't allowed.")
        return target

    def _send_once(
        self, request: VendorRequest, url: httpx2.URL, *, is_first: bool
    ) -> VendorResponse:
        is_same_host = is_first or (url.host, url.port) == (self.base.host, self.base.port)
        form: dict[str, list[str]] | None = None
        if request.form is not None:
            form = {}
            for name, value in request.form:
                form.setdefault(name, []).append(value)
        http_request = self._client.build_request(
            request.method,
            url,
            headers=dict(request.headers) if is_same_host else {},
            json=request.json,
            data=form,
            content=request.content,
        )
        started = time.monotonic()
        response = self._execute_request(request, http_request, is_same_host=is_same_host)
        milliseconds = int((time.monotonic() - started) * 1000)
        log.debug("%s %s %s %d ms", request.method, self.base.host, response.status, milliseconds)
        return response

    def _execute_request(
        self, request: VendorRequest, http_request: httpx2.Request, *, is_same_host: bool
    ) -> VendorResponse:
        host = self.base.host
        # None sends no credentials: they must not follow a redirect to another host.
        auth = httpx2.USE_CLIENT_DEFAULT if is_same_host else None
        try:
            response = self._client.send(http_request, stream=True, auth=auth)
            try:
                body = self._read_body(response, host)
            finally:
                response.close()
        except NOT_SENT_ERRORS as problem:
            raise RetryLater(f"{host} can't be reached.") from problem
        except UNSENDABLE_ERRORS as problem:
            raise Misconfigured(f"The URL of {host} is invalid.") from problem
        except (httpx2.HTTPError, _ResponseLimitExceeded) as problem:
            if request.is_idempotent:
                raise RetryLater(f"{host} didn't send a complete response.") from problem
            raise OutcomeUnknown(
                f"{host} got the request but didn't send a complete response."
            ) from problem
        headers = {name.lower(): value for name, value in response.headers.items()}
        return VendorResponse(status=response.status_code, headers=headers, body=body)

    def _read_body(self, response: httpx2.Response, host: str) -> bytes:
        deadline = time.monotonic() + self.limits.total_timeout_seconds
        parts, size = [], 0
        for part in response.iter_bytes():
            parts.append(part)
            size += len(part)
            if size > self.limits.max_response_bytes or time.monotonic() > deadline:
                raise _ResponseLimitExceeded(host)
        return b"".join(parts)

    def _check_status(self, request: VendorRequest, response: VendorResponse) -> VendorResponse:
        host, status = self.base.host, response.status
        if 200 <= status < 300 or status in request.accepted_statuses:
            return response
        if status in RETRYABLE_STATUSES:
            raise RetryLater(
                f"{host} is busy ({status}).",
                retry_after_seconds=response.retry_after_seconds() or 1.0,
            )
        if status >= 500 and not request.is_idempotent:
            raise OutcomeUnknown(f"{host} failed ({status}) after it got the request.")
        if status >= 500:
            raise RetryLater(
                f"{host} failed ({status}).", retry_after_seconds=response.retry_after_seconds()
            )
        if status in {401, 403}:
            raise Misconfigured(f"{host} rejected our credentials ({status}).")
        raise RequestRejected(f"{host} rejected the request ({status}).", code=str(status))


class _ResponseLimitExceeded(Exception):
    """The response was too long or too slow."""


def _parse_retry_after(text: str, response_date: str) -> float | None:
    if not text:
        return None
    if text.isdigit():
        return float(text)
    try:
        until = parsedate_to_datetime(text)
        since = parsedate_to_datetime(response_date) if response_date else datetime.now(UTC)
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
    """Return True if every address the host resolves to is on the public Internet."""
    try:
        entries = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return False
    addresses = [ipaddress.ip_address(str(entry[4][0]).split("%")[0]) for entry in entries]
    return bool(addresses) and all(address.is_global for address in addresses)
