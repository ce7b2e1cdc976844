"""Talking to another system's interface: signed in, asked again when a token ends, told why not."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol, runtime_checkable

from rooftree.capture.crm_shapes import Cursor, Page
from rooftree.capture.notes import as_text
from rooftree.core import http
from rooftree.core.failures import Failure, Misconfigured, Refused, TryLater

CLIENT_ERRORS = frozenset(range(400, 500))
WAIT = 10.0  # seconds, where a system asks for patience and does not say how much
LIMITS = http.Limits(silence_seconds=30, answer_seconds=90, most_bytes=24 * 1024 * 1024)


@runtime_checkable
class System(Protocol):
    """What the module of another system has."""

    NAME: str
    BEGINS: Cursor
    MEND: str  # what to change when it does not let us in, as one sentence

    def address_of(self, credentials: Mapping[str, str], /) -> str:
        """Where its interface is. Raises `Misconfigured`."""
        ...

    def headers(self, credentials: Mapping[str, str], token: str, /) -> dict[str, str]:
        """What proves who asks."""
        ...

    def page(self, talk: "Talk", cursor: Cursor, /) -> Page:
        """It is one page. Asking for it twice changes nothing. Raises a `Failure`."""
        ...


@runtime_checkable
class SignsIn(System, Protocol):
    """One whose credentials must be exchanged for a token that ends."""

    def token_of(self, talk: "Talk", /) -> str:
        """It is a new token. Raises a `Failure`."""
        ...


@runtime_checkable
class Complains(System, Protocol):
    """One whose failures do not all show in the status."""

    def failure_of(self, answer: http.Answer, /) -> Failure | None:
        """How an answer failed in its own way; None: ask the status."""
        ...


class Talk:
    """One conversation with one system. `token` is what to keep for the next."""

    def __init__(
        self,
        system: System,
        *,
        credentials: Mapping[str, str],
        token: str = "",
        zone: str = "UTC",
        stands_in: str = "",
    ) -> None:
        """Open it.

        Args:
            zone: of days that name none.
            stands_in: the address of a simulator, in place of the system's own addresses.
        """
        self.system, self.credentials = system, credentials
        self.token, self.zone, self._stands_in = token, zone, stands_in
        self._client = self._at(stands_in or system.address_of(credentials))

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """What a page of theirs says; {} when it is empty. Raises a `Failure`."""
        pairs = tuple((name, as_text(value)) for name, value in query.items() if value)
        return self._said(http.Ask(method="GET", path=path, query=pairs, repeatable=True))

    def post(self, path: str, body: Any) -> dict[str, Any]:
        """The same of a question that is posted. It must change nothing over there."""
        return self._said(http.Ask(method="POST", path=path, json=body, repeatable=True))

    def sign_in(self, path: str, form: Mapping[str, str], *, at: str = "") -> dict[str, Any]:
        """Ask for a token with a form, at an address of its own where they have one."""
        client = self._at(self._stands_in or at) if at else self._client
        try:
            answer = client.ask(
                http.Ask(
                    method="POST",
                    path=path,
                    form=tuple(form.items()),
                    repeatable=True,
                    wanted=CLIENT_ERRORS,
                )
            )
        finally:
            if client is not self._client:
                client.close()
        found = answer.json()
        told = found if isinstance(found, dict) else {}
        if answer.status == 429:
            raise self._wait(answer)
        if not told.get("access_token"):
            said = as_text(told.get("error_description") or told.get("error"))[:120]
            raise self._shut_out(f" It says: {said}." if said else "")
        return told

    def _at(self, address: str) -> http.Client:
        return http.Client(address, limits=LIMITS)

    def _said(self, ask: http.Ask) -> dict[str, Any]:
        is_new = self._signed_in()
        answer = self._asked(ask)
        if answer.status == 401 and isinstance(self.system, SignsIn) and not is_new:
            self.token = ""
            self._signed_in()
            answer = self._asked(ask)
        if problem := self._failure_of(answer):
            raise problem
        if answer.status == 204:
            return {}
        found = answer.json()
        if not isinstance(found, dict):
            raise TryLater(f"{self.system.NAME} gave half an answer.")
        return found

    def _signed_in(self) -> bool:
        """Whether a token had to be fetched."""
        if self.token or not isinstance(self.system, SignsIn):
            return False
        self.token = self.system.token_of(self)
        return True

    def _asked(self, ask: http.Ask) -> http.Answer:
        headers = self.system.headers(self.credentials, self.token)
        return self._client.ask(replace(ask, headers=headers, wanted=CLIENT_ERRORS))

    def _failure_of(self, answer: http.Answer) -> Failure | None:
        name, status = self.system.NAME, answer.status
        if isinstance(self.system, Complains) and (own := self.system.failure_of(answer)):
            return own
        if status < 400:
            return None
        if status == 429:
            return self._wait(answer)
        if status in (401, 403):
            return self._shut_out()
        return Refused(f"{name} refuses what we asked ({status}).", code=str(status))

    def _wait(self, answer: http.Answer) -> TryLater:
        after = answer.wait_seconds() or WAIT
        return TryLater(f"{self.system.NAME} asks us to wait {after:.0f} seconds.", after=after)

    def _shut_out(self, said: str = "") -> Misconfigured:
        return Misconfigured(f"{self.system.NAME} does not let us in.{said} {self.system.MEND}")
