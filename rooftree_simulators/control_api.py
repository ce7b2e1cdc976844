"""The control API: clock, faults, request log, state and seeds. Never for production."""

import json
from collections.abc import Callable
from typing import Any

from rooftree_simulators.simulated_clock import SimulatedClock, parse_duration
from rooftree_simulators.vendor_base import Json, Reply, Request, SimulatorSetup, Vendor, json_reply


class ControlApi(Vendor):
    """The handler of all calls below /_sim/: 400 for a bad request, 404 for an unknown call."""

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
                self.clock.clear_jobs()
                for vendor in self.vendors.values():
                    vendor.reset()
                return {"now": self.clock.now().isoformat()}
            case "GET" | "POST", "clock":
                return set_clock(self.clock, body)
            case "GET", "state":
                return {name: vendor.state() for name, vendor in self.vendors.items()}
            case _, name, *call if name in self.vendors and call:
                vendor = self.vendors[name]
                common = _COMMON_CALLS.get((method, call[0])) if len(call) == 1 else None
                return common(vendor, body) if common else vendor.control(method, call, body)
        raise LookupError("/".join(path))


def set_clock(clock: SimulatedClock, body: Json) -> Json:
    """Freeze, change the speed and advance, in that order; return the current time and speed."""
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


def _clear_faults(vendor: Vendor, body: Json) -> Json:
    vendor.faults.clear_faults()
    return {}


def _list_requests(vendor: Vendor, body: Json) -> Json:
    rows: list[Any] = [
        row.as_json() for row in vendor.record.requests_since(int(body.get("since", 0)))
    ]
    return {"requests": rows, "total": vendor.record.total}


_COMMON_CALLS: dict[tuple[str, str], Callable[[Vendor, Json], Json]] = {
    ("POST", "faults"): lambda vendor, body: {"fault_id": vendor.faults.add_fault(body)},
    ("DELETE", "faults"): _clear_faults,
    ("GET", "requests"): _list_requests,
    ("GET", "state"): lambda vendor, body: vendor.state(),
    ("POST", "seed"): lambda vendor, body: vendor.load_seed(body),
}
