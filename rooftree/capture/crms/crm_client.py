"""Talking to another system's interface: signed in, asked again when a token ends, told why not."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol, runtime_checkable

from rooftree.capture.crms.crm_pages import CrmPage, Cursor
from rooftree.capture.parsing.reading_notes import as_text
from rooftree.core import http_client
from rooftree.core.vendor_errors import Misconfigured, RequestRejected, RetryLater, VendorError

CLIENT_ERRORS = frozenset(range(400, 500))
DEFAULT_WAIT_SECONDS = 10.0  # seconds, where a system asks for patience and does not say how much
HTTP_LIMITS = http_client.ClientLimits(
    read_timeout_seconds=30, total_timeout_seconds=90, max_response_bytes=24 * 1024 * 1024
)


@runtime_checkable
class CrmSystem(Protocol):
    """What the module of another system has."""

    NAME: str
    START_CURSOR: Cursor
    FIX_HINT: str  # what to change when it does not let us in, as one sentence

    def base_url(self, credentials: Mapping[str, str], /) -> str:
        """Where its interface is. Raises `Misconfigured`."""
        ...

    def auth_headers(self, credentials: Mapping[str, str], token: str, /) -> dict[str, str]:
        """What proves who asks."""
        ...

    def fetch_page(self, talk: "CrmClient", cursor: Cursor, /) -> CrmPage:
        """It is one page. Asking for it twice changes nothing. Raises a `Failure`."""
        ...


@runtime_checkable
class TokenCrmSystem(CrmSystem, Protocol):
    """One whose credentials must be exchanged for a token that ends."""

    def request_token(self, talk: "CrmClient", /) -> str:
        """It is a new token. Raises a `Failure`."""
        ...


@runtime_checkable
class CustomFailureCrmSystem(CrmSystem, Protocol):
    """One whose failures do not all show in the status."""

    def classify_failure(self, answer: http_client.VendorResponse, /) -> VendorError | None:
        """How an answer failed in its own way; None: ask the status."""
        ...


class CrmClient:
    """One conversation with one system. `token` is what to keep for the next."""

    def __init__(
        self,
        system: CrmSystem,
        *,
        credentials: Mapping[str, str],
        token: str = "",
        zone: str = "UTC",
        simulator_url: str = "",
    ) -> None:
        """Open it.

        Args:
            zone: of days that name none.
            simulator_url: the address of a simulator, in place of the system's own addresses.
        """
        self.system, self.credentials = system, credentials
        self.token, self.zone, self._stands_in = token, zone, simulator_url
        self._client = self._open_client(simulator_url or system.base_url(credentials))

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """What a page of theirs says; {} when it is empty. Raises a `Failure`."""
        pairs = tuple((name, as_text(value)) for name, value in query.items() if value)
        return self._request_object(
            http_client.VendorRequest(method="GET", path=path, query=pairs, is_idempotent=True)
        )

    def post(self, path: str, body: Any) -> dict[str, Any]:
        """The same of a question that is posted. It must change nothing over there."""
        return self._request_object(
            http_client.VendorRequest(method="POST", path=path, json=body, is_idempotent=True)
        )

    def sign_in(self, path: str, form: Mapping[str, str], *, at: str = "") -> dict[str, Any]:
        """Ask for a token with a form, at an address of its own where they have one."""
        client = self._open_client(self._stands_in or at) if at else self._client
        try:
            answer = client.send(
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
        found = answer.json()
        told = found if isinstance(found, dict) else {}
        if answer.status == 429:
            raise self._rate_limited(answer)
        if not told.get("access_token"):
            said = as_text(told.get("error_description") or told.get("error"))[:120]
            raise self._access_denied(f" It says: {said}." if said else "")
        return told

    def _open_client(self, address: str) -> http_client.VendorClient:
        return http_client.VendorClient(address, limits=HTTP_LIMITS)

    def _request_object(self, ask: http_client.VendorRequest) -> dict[str, Any]:
        is_new = self._ensure_token()
        answer = self._send_request(ask)
        if answer.status == 401 and isinstance(self.system, TokenCrmSystem) and not is_new:
            self.token = ""
            self._ensure_token()
            answer = self._send_request(ask)
        if problem := self._classify_answer(answer):
            raise problem
        if answer.status == 204:
            return {}
        found = answer.json()
        if not isinstance(found, dict):
            raise RetryLater(f"{self.system.NAME} gave half an answer.")
        return found

    def _ensure_token(self) -> bool:
        """Whether a token had to be fetched."""
        if self.token or not isinstance(self.system, TokenCrmSystem):
            return False
        self.token = self.system.request_token(self)
        return True

    def _send_request(self, ask: http_client.VendorRequest) -> http_client.VendorResponse:
        headers = self.system.auth_headers(self.credentials, self.token)
        return self._client.send(replace(ask, headers=headers, accepted_statuses=CLIENT_ERRORS))

    def _classify_answer(self, answer: http_client.VendorResponse) -> VendorError | None:
        name, status = self.system.NAME, answer.status
        if isinstance(self.system, CustomFailureCrmSystem) and (
            own := self.system.classify_failure(answer)
        ):
            return own
        if status < 400:
            return None
        if status == 429:
            return self._rate_limited(answer)
        if status in (401, 403):
            return self._access_denied()
        return RequestRejected(f"{name} refuses what we asked ({status}).", code=str(status))

    def _rate_limited(self, answer: http_client.VendorResponse) -> RetryLater:
        after = answer.retry_after_seconds() or DEFAULT_WAIT_SECONDS
        return RetryLater(
            f"{self.system.NAME} asks us to wait {after:.0f} seconds.", retry_after_seconds=after
        )

    def _access_denied(self, said: str = "") -> Misconfigured:
        return Misconfigured(f"{self.system.NAME} does not let us in.{said} {self.system.FIX_HINT}")
