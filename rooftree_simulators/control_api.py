"""The control API: the clock, faults, what was asked, state, seeds. Never for production."""

import json
from collections.abc import Callable
from typing import Any

from rooftree_simulators.simulated_clock import SimulatedClock, parse_duration
from rooftree_simulators.vendor_base import Json, Reply, Request, SimulatorSetup, Vendor, json_reply


class ControlApi(Vendor):
    """Everything below /_sim/. Errors: 400 not understood, 404 unknown call."""

    key = "ctl"

    def __init__(self, setup: SimulatorSetup, vendors: dict[str, Vendor]) -> None:
        super().__init__(setup)
        self.vendors = vendors

    def handle(self, request: Request) -> Reply:
        parts = request.path.strip("/").split("/")
        if parts[:1] != ["_sim"]:
            return json_reply(404, {"error": "unknown call"})
        try:
            body = json.loads(request.body) if request.body else dict(request.query)
            if not isinstance(body, dict):
                raise ValueError("a JSON object is required")
            return json_reply(200, self._dispatch(request.method, parts[1:], body))
        except LookupError as unknown:
            wrong = isinstance(unknown, KeyError)
            text = f"missing {unknown}" if wrong else f"unknown call: {unknown}"
            return json_reply(400 if wrong else 404, {"error": text})
        except (TypeError, ValueError) as problem:
            return json_reply(400, {"error": str(problem)})

    def _dispatch(self, method: str, path: list[str], body: Json) -> Json:
        match method, *path:
            case "POST", "reset":
                return self._reset_vendors()
            case "GET" | "POST", "clock":
                return set_clock(self.clock, body)
            case "GET", "state":
                return {name: vendor.state() for name, vendor in self.vendors.items()}
            case _, name, *call if name in self.vendors and call:
                return self._dispatch_vendor_call(self.vendors[name], method, call, body)
        raise LookupError("/".join(path))

    def _reset_vendors(self) -> Json:
        self.clock.clear_jobs()
        for vendor in self.vendors.values():
            vendor.reset()
        return {"now": self.clock.now().isoformat()}

    def _dispatch_vendor_call(
        self, vendor: Vendor, method: str, call: list[str], body: Json
    ) -> Json:
        common = _COMMON_CALLS.get((method, call[0])) if len(call) == 1 else None
        return common(vendor, body) if common else vendor.control(method, call, body)


def set_clock(clock: SimulatedClock, body: Json) -> Json:
    """Advance, freeze or change the speed, in that order; always says the moment."""
    unknown = body.keys() - {"advance", "speed", "freeze"}
    if unknown:
        raise ValueError(f"unknown keys: {', '.join(sorted(unknown))}")
    if body.get("freeze"):
        clock.set_speed(0)
    if "speed" in body:
        clock.set_speed(float(body["speed"]))
    if "advance" in body:
        clock.advance(parse_duration(str(body["advance"])))
    return {"now": clock.now().isoformat(), "speed": clock.speed}


def _add_fault(vendor: Vendor, body: Json) -> Json:
    return {"fault_id": vendor.faults.add_fault(body)}


def _clear_faults(vendor: Vendor, body: Json) -> Json:
    vendor.faults.clear_faults()
    return {}


def _list_requests(vendor: Vendor, body: Json) -> Json:
    rows: list[Any] = [
        row.as_json() for row in vendor.record.requests_since(int(body.get("since", 0)))
    ]
    return {"requests": rows, "total": vendor.record.total}


_COMMON_CALLS: dict[tuple[str, str], Callable[[Vendor, Json], Json]] = {
    ("POST", "faults"): _add_fault,
    ("DELETE", "faults"): _clear_faults,
    ("GET", "requests"): _list_requests,
    ("GET", "state"): lambda vendor, body: vendor.state(),
    ("POST", "seed"): lambda vendor, body: vendor.load_seed(body),
}
