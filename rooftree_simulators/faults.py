"""Faults on request: which requests fail, and how."""

import itertools
import random
import re
import threading
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class FaultAction(StrEnum):
    STATUS = "status"  # :N; answered without reaching the vendor
    STATUS_AFTER_COMMIT = "status_after_commit"  # :N; accepted, then a failure is answered
    DELAY = "delay"  # :milliseconds, real time
    DROP_BEFORE = "drop_before"  # socket closed, nothing committed
    DROP_AFTER_COMMIT = "drop_after_commit"  # committed, socket closed: the uncertain create
    TIMEOUT_AFTER_COMMIT = "timeout_after_commit"  # :milliseconds, then the socket closes
    TRUNCATE = "truncate"  # :bytes of the body that still arrive
    HTML_MAINTENANCE = "html_maintenance"  # [:status], 503 by default
    EXPIRE_TOKEN = "expire_token"  # noqa: S105
    MALFORMED_JSON = "malformed_json"
    SLOW_BODY = "slow_body"  # [:milliseconds between pieces], 50 by default


class UnknownFault(ValueError):
    """The fault is not valid. The text can be shown."""


@dataclass(slots=True, kw_only=True)
class Fault:
    """One fault in force: which requests it matches, how often, and what it does."""

    fault_id: str
    action: FaultAction
    amount: int | None = None
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    method: str = ""
    path: re.Pattern[str] | None = None
    op: str = ""
    nth: int | None = None
    count: int | None = None
    rate: float | None = None
    matched: int = 0
    struck: int = 0

    def matches(self, method: str, path: str, op: str) -> bool:
        if self.method and self.method != method:
            return False
        if self.op and self.op != op:
            return False
        return self.path is None or bool(self.path.search(path))

    def should_strike(self, rng: random.Random) -> bool:
        """Decide whether the fault strikes the request that was just counted."""
        if self.nth is not None:
            return self.matched == self.nth
        if self.count is not None and self.struck >= self.count:
            return False
        return self.rate is None or rng.random() < self.rate


def parse_fault(fault_id: str, body: dict[str, Any]) -> Fault:
    """Parse a fault as the control API describes it.

    Without `nth`, `count` or `rate` the fault strikes every match until removed.
    Raises `UnknownFault`.
    """
    unknown = body.keys() - {"match", "nth", "count", "rate", "action", "body", "headers"}
    if unknown:
        raise UnknownFault(f"unknown keys: {', '.join(sorted(unknown))}")
    name, _, amount = str(body.get("action", "")).partition(":")
    match = dict(body.get("match") or {})
    try:
        return Fault(
            fault_id=fault_id,
            action=FaultAction(name),
            amount=int(amount) if amount else None,
            body=str(body.get("body", "")),
            headers=dict(body.get("headers") or {}),
            method=str(match.get("method", "")).upper(),
            path=re.compile(match["path_regex"]) if match.get("path_regex") else None,
            op=str(match.get("op", "")),
            nth=body.get("nth"),
            count=body.get("count"),
            rate=body.get("rate"),
        )
    except (ValueError, re.error) as problem:
        raise UnknownFault(str(problem)) from problem


class FaultBook:
    """The faults in force for one vendor. Thread-safe."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._faults: list[Fault] = []
        self._ids = itertools.count(1)
        self._lock = threading.Lock()

    def add_fault(self, body: dict[str, Any]) -> str:
        fault = parse_fault(f"fault-{next(self._ids)}", body)
        with self._lock:
            self._faults.append(fault)
        return fault.fault_id

    def clear_faults(self) -> None:
        with self._lock:
            self._faults.clear()

    def next_fault(self, method: str, path: str, op: str) -> Fault | None:
        """Count the request and return the first fault that strikes it, or None."""
        with self._lock:
            for fault in self._faults:
                if not fault.matches(method, path, op):
                    continue
                fault.matched += 1
                if fault.should_strike(self._rng):
                    fault.struck += 1
                    return fault
        return None
