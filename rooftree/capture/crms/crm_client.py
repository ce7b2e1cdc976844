"""HTTP client for a CRM's API: sign-in, one retry with a new token, and failures in plain words."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol, runtime_checkable

from rooftree.capture.crms.crm_pages import CrmPage, Cursor
from rooftree.capture.parsing.reading_notes import as_text
from rooftree.core import http_client
from rooftree.core.vendor_errors import Misconfigured, RequestRejected, RetryLater, VendorError

CLIENT_ERRORS = frozenset(range(400, 500))
DEFAULT_WAIT_SECONDS = 10.0  # after a rate limit that names no wait
HTTP_LIMITS = http_client.ClientLimits(
    read_timeout_seconds=30, total_timeout_seconds=90, max_response_bytes=24 * 1024 * 1024
)


@runtime_checkable
class CrmSystem(Protocol):
    """The interface of a CRM's module."""

    NAME: str
    START_CURSOR: Cursor
    FIX_HINT: str  # what to change when access is denied, as one sentence

    def base_url(self, credentials: Mapping[str, str], /) -> str:
        """Return the base URL of the API. Raises `Misconfigured`."""
        ...

    def auth_headers(self, credentials: Mapping[str, str], token: str, /) -> dict[str, str]:
        """Return the headers that authenticate a request."""
        ...

    def fetch_page(self, client: "CrmClient", cursor: Cursor, /) -> CrmPage:
        """Fetch one page; safe to repeat. Raises `VendorError`."""
        ...


@runtime_checkable
class TokenCrmSystem(CrmSystem, Protocol):
    """A CRM whose credentials must be exchanged for a token that expires."""

    def request_token(self, client: "CrmClient", /) -> str:
        """Request a new token. Raises `VendorError`."""
        ...


@runtime_checkable
class CustomFailureCrmSystem(CrmSystem, Protocol):
    """A CRM whose failures do not all show in the HTTP status."""

    def classify_failure(self, response: http_client.VendorResponse, /) -> VendorError | None:
        """Return the failure that the response's body tells; None: go by the status."""
        ...


class CrmClient:
    """A connection to one CRM; store `token` afterwards for the next connection."""

    def __init__(
        self,
        system: CrmSystem,
        *,
        credentials: Mapping[str, str],
        token: str = "",
        zone: str = "UTC",
        simulator_url: str = "",
    ) -> None:
        """Open the connection.

        Args:
            zone: time zone of days that name none.
            simulator_url: the base URL of a simulator, in place of the CRM's own URLs.
        """
        self.system, self.credentials = system, credentials
        self.token, self.zone, self._simulator_url = token, zone, simulator_url
        self._client = self._open_client(simulator_url or system.base_url(credentials))

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """GET a path and return its JSON object, {} for a 204. Raises `VendorError`."""
        pairs = tuple((name, as_text(value)) for name, value in query.items() if value)
        return self._request_object(
            http_client.VendorRequest(method="GET", path=path, query=pairs, is_idempotent=True)
        )

    def post(self, path: str, body: Any) -> dict[str, Any]:
        """POST a query that changes nothing at the CRM; return its JSON object."""
        return self._request_object(
            http_client.VendorRequest(method="POST", path=path, json=body, is_idempotent=True)
        )

    def sign_in(self, path: str, form: Mapping[str, str], *, base_url: str = "") -> dict[str, Any]:
        """Request a token with a form, at `base_url` if the CRM issues tokens on another host."""
        client = self._open_client(self._simulator_url or base_url) if base_url else self._client
        try:
            response = client.send(
                http_client.VendorRequest(
                    method="POST",
                    path=path,
                    form=tuple(form.items()),
                    is_idempotent=True,
                    accepted_statuses=CLIENT_ERRORS,
                )
            )
        finally:
            if client is not self._client:
                client.close()
        body = response.json()
        grant = body if isinstance(body, dict) else {}
        if response.status == 429:
            raise self._rate_limited(response)
        if not grant.get("access_token"):
            message = as_text(grant.get("error_description") or grant.get("error"))[:120]
            raise self._access_denied(f" It says: {message}." if message else "")
        return grant

    def _open_client(self, base_url: str) -> http_client.VendorClient:
        return http_client.VendorClient(base_url, limits=HTTP_LIMITS)

    def _request_object(self, request: http_client.VendorRequest) -> dict[str, Any]:
        is_new = self._ensure_token()
        response = self._send_request(request)
        if response.status == 401 and isinstance(self.system, TokenCrmSystem) and not is_new:
            self.token = ""
            self._ensure_token()
            response = self._send_request(request)
        if problem := self._classify_answer(response):
            raise problem
        if response.status == 204:
            return {}
        body = response.json()
        if not isinstance(body, dict):
            raise RetryLater(f"{self.system.NAME} sent an incomplete response.")
        return body

    def _ensure_token(self) -> bool:
        """Fetch a token if there is none; return True if one was fetched."""
        if self.token or not isinstance(self.system, TokenCrmSystem):
            return False
        self.token = self.system.request_token(self)
        return True

    def _send_request(self, request: http_client.VendorRequest) -> http_client.VendorResponse:
        headers = self.system.auth_headers(self.credentials, self.token)
        return self._client.send(replace(request, headers=headers, accepted_statuses=CLIENT_ERRORS))

    def _classify_answer(self, response: http_client.VendorResponse) -> VendorError | None:
        name, status = self.system.NAME, response.status
        if isinstance(self.system, CustomFailureCrmSystem) and (
            failure := self.system.classify_failure(response)
        ):
            return failure
        if status < 400:
            return None
        if status == 429:
            return self._rate_limited(response)
        if status in (401, 403):
            return self._access_denied()
        return RequestRejected(f"{name} rejected the request ({status}).", code=str(status))

    def _rate_limited(self, response: http_client.VendorResponse) -> RetryLater:
        after = response.retry_after_seconds() or DEFAULT_WAIT_SECONDS
        return RetryLater(
            f"{self.system.NAME} asked us to wait {after:.0f} seconds.", retry_after_seconds=after
        )

    def _access_denied(self, detail: str = "") -> Misconfigured:
        return Misconfigured(f"{self.system.NAME} denied access.{detail} {self.system.FIX_HINT}")
