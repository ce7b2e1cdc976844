"""The base of every simulated vendor: authentication, faults, concurrency, handler, request log."""

import json
import random
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from rooftree_simulators.faults import Fault, FaultAction, FaultBook
from rooftree_simulators.request_log import RequestLog, mask_body, mask_headers
from rooftree_simulators.simulated_clock import SimulatedClock

type Json = dict[str, Any]

_MAINTENANCE_PAGE = b"<html><body><h1>Down for maintenance</h1></body></html>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One HTTP request to a vendor."""

    method: str
    path: str
    query_string: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    @property
    def query(self) -> list[tuple[str, str]]:
        return parse_qsl(self.query_string, keep_blank_values=True)

    @property
    def form(self) -> list[tuple[str, str]]:
        return parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True)

    def parameter(self, name: str, default: str = "") -> str:
        """Return the last value of a query parameter."""
        return dict(self.query).get(name, default)

    def header(self, name: str) -> str:
        lower_name = name.lower()
        return next((value for key, value in self.headers if key.lower() == lower_name), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One HTTP answer of a vendor."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()

    def with_headers(self, *added: tuple[str, str]) -> "Reply":
        return Reply(
            status=self.status,
            body=self.body,
            content_type=self.content_type,
            headers=self.headers + added,
        )


def json_reply(status: int, content: Any, *headers: tuple[str, str]) -> Reply:
    return Reply(status=status, body=json.dumps(content).encode(), headers=headers)


class ReplyError(Exception):
    """Ends a handler with the given reply."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(f"answered {reply.status}")
        self.reply = reply


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyPlan:
    """How a reply is sent; `reply` None closes the socket without an answer."""

    reply: Reply | None
    only_bytes: int | None = None
    drip_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatorSetup:
    """The settings that all vendors of one run share."""

    clock: SimulatedClock
    seed: int = 7
    latency_scale: float = 0.0
    folder: Path | None = None  # for data that outlives a restart; None: none does

    @property
    def first_number(self) -> int:
        """The first id number of a vendor; differs by seed, so a restart reuses no id."""
        return self.seed * 1000


@dataclass(slots=True)
class Switches:
    """Named settings of a vendor; an unknown name or a wrong type is refused."""

    values: Json = field(default_factory=dict)

    def update(self, body: Json) -> Json:
        for name, value in body.items():
            current = self.values.get(name)
            is_same_type = isinstance(current, bool) == isinstance(value, bool)
            if name not in self.values or not is_same_type:
                raise ValueError(f"no such switch or wrong type: {name}")
        self.values.update(body)
        return dict(self.values)


class Vendor:
    """A simulated vendor; subclasses override its checks, answers and state."""

    key = ""
    latencies: dict[str, tuple[int, int]] = {}  # op -> milliseconds from, to (real x scale)

    def __init__(self, setup: SimulatorSetup) -> None:
        self.setup = setup
        self.clock = setup.clock
        self.rng = random.Random(f"{setup.seed}:{self.key}")
        self.lock = threading.RLock()
        self.record = RequestLog()
        self.faults = FaultBook(self.rng)
        self.violations: list[Json] = []
        self.switches = Switches()

    def operation(self, request: Request) -> str:
        """Return a short name of the call, for faults, latencies and the request log."""
        return f"{request.method} {request.path}"

    def authenticate(self, request: Request) -> Reply | None:
        """Return a refusal, or None if the credentials are valid."""
        return None

    def expire_credentials(self, request: Request) -> None:
        """Expire the credential of this request (fault `expire_token`)."""

    def admit(self, request: Request) -> Reply | None:
        """Return a refusal for overload, or None; every None is followed by one `release`."""
        return None

    def release(self) -> None:
        """Record the end of an admitted request."""

    def handle(self, request: Request) -> Reply:
        raise NotImplementedError

    def add_headers(self, reply: Reply) -> Reply:
        """Add the headers that every answer of the vendor carries."""
        return reply

    def control(self, method: str, path: list[str], body: Json) -> Json:
        """Run a control call below /_sim/<key>/. Raises `LookupError` for an unknown one."""
        raise LookupError("/".join(path))

    def state(self) -> Json:
        return {}

    def load_seed(self, body: Json) -> Json:
        """Load seed data."""
        raise LookupError("seed")

    def reset(self) -> None:
        """Return to the state at the start."""
        self.record.clear()
        self.faults.clear_faults()
        self.violations.clear()


def answer_request(vendor: Vendor, request: Request) -> ReplyPlan:
    """Run one request through all checks, faults and the handler, and log it."""
    began = time.perf_counter()
    op = vendor.operation(request)
    fault: Fault | None = None
    refusal = vendor.authenticate(request)
    if refusal is None:
        fault = vendor.faults.next_fault(request.method, request.path, op)
        plan = _respond_with_fault(vendor, request, op, fault)
    else:
        plan = ReplyPlan(reply=refusal)
    if plan.reply is not None:
        plan = ReplyPlan(
            reply=vendor.add_headers(plan.reply),
            only_bytes=plan.only_bytes,
            drip_ms=plan.drip_ms,
        )
    vendor.record.add(
        at=vendor.clock.now().isoformat(),
        method=request.method,
        path=request.path,
        query=request.query_string,
        headers=mask_headers(list(request.headers)),
        body=mask_body(request.body),
        status=plan.reply.status if plan.reply else 0,
        duration_ms=round((time.perf_counter() - began) * 1000, 3),
        op=op,
        fault=str(fault.action) if fault else "",
    )
    return plan


def _respond_with_fault(
    vendor: Vendor, request: Request, op: str, fault: Fault | None
) -> ReplyPlan:
    """Answer under a fault, if any; a fault before the handler keeps it from running."""
    if fault is None:
        return ReplyPlan(reply=_run_handler(vendor, request, op))
    before = _apply_fault_before(vendor, request, fault)
    if before is not None:
        return before
    return _apply_fault_after(fault, _run_handler(vendor, request, op))


def _apply_fault_before(vendor: Vendor, request: Request, fault: Fault) -> ReplyPlan | None:
    match fault.action:
        case FaultAction.STATUS:
            return ReplyPlan(reply=_fault_reply(fault))
        case FaultAction.DROP_BEFORE:
            return ReplyPlan(reply=None)
        case FaultAction.HTML_MAINTENANCE:
            page = Reply(
                status=fault.amount or 503, body=_MAINTENANCE_PAGE, content_type="text/html"
            )
            return ReplyPlan(reply=page)
        case FaultAction.EXPIRE_TOKEN:
            vendor.expire_credentials(request)
            return ReplyPlan(reply=vendor.authenticate(request) or json_reply(401, {}))
        case FaultAction.DELAY:
            time.sleep((fault.amount or 0) / 1000)
    return None


def _apply_fault_after(fault: Fault, reply: Reply) -> ReplyPlan:
    match fault.action:
        case FaultAction.DROP_AFTER_COMMIT:
            return ReplyPlan(reply=None)
        case FaultAction.TIMEOUT_AFTER_COMMIT:
            time.sleep((fault.amount or 0) / 1000)
            return ReplyPlan(reply=None)
        case FaultAction.STATUS_AFTER_COMMIT:
            return ReplyPlan(reply=_fault_reply(fault))
        case FaultAction.TRUNCATE:
            return ReplyPlan(reply=reply, only_bytes=fault.amount or 0)
        case FaultAction.SLOW_BODY:
            return ReplyPlan(reply=reply, drip_ms=fault.amount or 50)
        case FaultAction.MALFORMED_JSON:
            broken = Reply(status=reply.status, body=reply.body[:-1] + b",,", headers=reply.headers)
            return ReplyPlan(reply=broken)
    return ReplyPlan(reply=reply)


def _fault_reply(fault: Fault) -> Reply:
    return Reply(
        status=fault.amount or 500,
        body=fault.body.encode(),
        content_type=fault.headers.get("Content-Type", "application/json"),
        headers=tuple(item for item in fault.headers.items() if item[0] != "Content-Type"),
    )


def _run_handler(vendor: Vendor, request: Request, op: str) -> Reply:
    refusal = vendor.admit(request)
    if refusal is not None:
        return refusal
    try:
        _simulate_latency(vendor, op)
        return vendor.handle(request)
    except ReplyError as ending:
        return ending.reply
    finally:
        vendor.release()


def _simulate_latency(vendor: Vendor, op: str) -> None:
    """Wait as long as the vendor would: log-normal between the op's two figures."""
    scale = vendor.setup.latency_scale
    span = vendor.latencies.get(op) or vendor.latencies.get("*")
    if not scale or not span:
        return
    low, high = span
    middle = (low * high) ** 0.5
    drawn = middle * vendor.rng.lognormvariate(0, 0.4)
    time.sleep(min(max(drawn, low), high) / 1000 * scale)
