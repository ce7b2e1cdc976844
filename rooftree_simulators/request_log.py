"""The log of each vendor's requests and answers, with secrets masked."""

import itertools
import re
import threading
from collections import deque
from dataclasses import dataclass
from typing import Any

_MAX_ROWS = 20_000
_MAX_BODY_CHARS = 20_000
_SECRET_HEADERS = {"authorization", "cookie", "proxy-authorization", "x-api-key"}
_SECRET_VALUES = re.compile(
    r"(?i)((?:password|client_secret|signingkey|access_token|token)"
    r"(?:=|\"\s*:\s*\"))[^&\"\s]+"
)


def mask_headers(headers: list[tuple[str, str]]) -> dict[str, str]:
    """Replace credentials in headers with `***`; keep the scheme of Authorization."""
    shown = {}
    for name, value in headers:
        if name.lower() in _SECRET_HEADERS:
            value = f"{value.split(' ')[0]} ***" if " " in value else "***"
        shown[name] = value
    return shown


def mask_body(body: bytes) -> str:
    """Return a body as text, with the values of known secret fields replaced by `***`."""
    return _SECRET_VALUES.sub(r"\1***", body[:_MAX_BODY_CHARS].decode("utf-8", "replace"))


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedRequest:
    """One request and the status of its answer."""

    number: int
    at: str
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: str
    status: int  # 0: the socket was closed without an answer
    duration_ms: float
    op: str
    fault: str

    def as_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


class RequestLog:
    """The last requests of one vendor, oldest first."""

    def __init__(self) -> None:
        self._rows: deque[LoggedRequest] = deque(maxlen=_MAX_ROWS)
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self.total = 0

    def add(self, **facts: Any) -> None:
        with self._lock:
            self._rows.append(LoggedRequest(number=next(self._numbers), **facts))
            self.total += 1

    def requests_since(self, number: int = 0) -> list[LoggedRequest]:
        """Return the requests with a number above `number`."""
        with self._lock:
            return [row for row in self._rows if row.number > number]

    def clear(self) -> None:
        with self._lock:
            self._rows.clear()
            self.total = 0
