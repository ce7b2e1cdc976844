"""Encompass on one port: the routes, the frame's checks, and its control calls."""

from collections.abc import Callable
from datetime import date
from pathlib import PurePosixPath
from typing import Any

from rooftree_simulators.encompass import loan_calls, pipeline
from rooftree_simulators.encompass.answers import (
    bad_request,
    body_of,
    not_found,
    problem,
    whole_number,
)
from rooftree_simulators.encompass.contract import FIELDS
from rooftree_simulators.encompass.drawer import Drawer
from rooftree_simulators.encompass.loans import Loan, write_field
from rooftree_simulators.encompass.moves import SCENARIOS, move, scenario
from rooftree_simulators.encompass.office import Office
from rooftree_simulators.encompass.webhooks import EVENTS
from rooftree_simulators.frame import Json, Reply, Request, Setup, Vendor, json_reply

_LIMIT = 30
_HISTORY_PAGE = 100


class Encompass(Vendor):
    key = "enc"
    latencies = {
        "token": (200, 500),
        "create": (1500, 6000),
        "loan": (300, 1000),
        "fieldReader": (200, 600),
        "pipeline": (500, 3000),
    }

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        drawer = Drawer(setup.folder / "encompass.sqlite3") if setup.folder else None
        self.office = Office(self.clock, self.rng, drawer)

    # The frame

    def operation(self, request: Request) -> str:
        path = request.path.rstrip("/")
        last = PurePosixPath(path).name
        if path.startswith("/oauth2/"):
            return "token"
        if path == "/encompass/v3/loans":
            return "create"
        if last in {"fieldReader", "fieldWriter", "milestones"}:
            return last
        if path.startswith("/webhook/"):
            return "webhook"
        if path.startswith("/encompass/v3/loans/"):
            return "loan" if request.method == "GET" else "patch"
        return "pipeline" if last == "loanPipeline" else last

    def authenticate(self, request: Request) -> Reply | None:
        if request.path.startswith("/oauth2/"):
            return None
        if self.office.tokens.user_of(request):
            return None
        return problem(401, "Unauthorized", "The token is missing or has ended.")

    def expire(self, request: Request) -> None:
        self.office.tokens.expire(request)

    def admit(self, request: Request) -> Reply | None:
        office = self.office
        with office.lock:
            if office.in_flight + office.foreign_load >= _LIMIT:
                office.refused_for_load += 1
                return problem(429, "Too Many Requests", "Concurrency limit reached.")
            office.in_flight += 1
            office.peak_in_flight = max(office.peak_in_flight, office.in_flight)
        return None

    def leave(self) -> None:
        with self.office.lock:
            self.office.in_flight = max(0, self.office.in_flight - 1)

    def dress(self, reply: Reply) -> Reply:
        office = self.office
        left = max(0, _LIMIT - office.in_flight - office.foreign_load)
        return reply.with_headers(
            ("X-Concurrency-Limit-Limit", str(_LIMIT)),
            ("X-Concurrency-Limit-Remaining", str(left)),
            ("X-Correlation-ID", f"{self.rng.getrandbits(128):032x}"),
        )

    # The routes

    def handle(self, request: Request) -> Reply:
        parts = request.path.strip("/").split("/")
        match parts:
            case ["oauth2", "v1", *action]:
                return self.office.tokens.answer(request, "/".join(action))
            case ["webhook", "v1", *rest]:
                return self._webhook(request, rest)
            case ["encompass", "v3", *rest]:
                return self._encompass(request, rest)
        raise not_found("No such resource.")

    def _encompass(self, request: Request, rest: list[str]) -> Reply:
        user = self.office.tokens.user_of(request, touch=False)
        match request.method, *rest:
            case "POST", "loans":
                return loan_calls.create(self.office, request, user)
            case "POST", "loanPipeline":
                return pipeline.search(self.office, request)
            case "POST", "resourceLocks":
                return loan_calls.lock(self.office, request, user)
            case "DELETE", "resourceLocks", lock_id:
                return loan_calls.unlock(self.office, lock_id)
            case method, "loans", guid, *tail:
                return self._loan(request, self.office.loan(guid), [method, *tail], user)
            case "GET", *tail:
                return self._settings(request, "/".join(tail))
        raise not_found("No such resource.")

    def _loan(self, request: Request, loan: Loan, call: list[str], user: str) -> Reply:
        match call:
            case ["GET"]:
                return loan_calls.read(self.office, request, loan)
            case ["PATCH"]:
                return loan_calls.change(self.office, request, loan, user)
            case ["POST", "fieldReader"]:
                return loan_calls.read_fields(self.office, request, loan)
            case ["POST", "fieldWriter"]:
                return loan_calls.write_fields(self.office, request, loan, user)
            case ["GET" | "PATCH", "milestones", *rest]:
                return loan_calls.milestones(request, loan, rest, user)
        raise not_found("No such resource.")

    def _settings(self, request: Request, path: str) -> Reply:
        if path == "loanFolders":
            return json_reply(200, [{"name": name} for name in self.office.folders])
        if path == "settings/loan/customFields":
            names = sorted(self.office.custom_fields)
            return json_reply(200, [{"id": name, "format": "STRING"} for name in names])
        if path == "schemas/loan/standardFields":
            asked = [name for name in request.parameter("ids").split(",") if name]
            unknown = [name for name in asked if name not in FIELDS]
            if unknown:
                raise bad_request(f"Unknown field: {', '.join(unknown)}")
            rows = [FIELDS[name] for name in asked or FIELDS]
            return json_reply(
                200, [{"id": row.field_id, "path": row.path, "type": row.kind} for row in rows]
            )
        raise not_found("No such resource.")

    def _webhook(self, request: Request, rest: list[str]) -> Reply:
        hooks = self.office.webhooks
        match request.method, *rest:
            case "GET", "resources":
                return json_reply(200, [{"name": "Loan"}])
            case "GET", "resources", "Loan", "events":
                return json_reply(200, [{"name": name} for name in sorted(EVENTS)])
            case "GET", "events":
                start = whole_number(request, "start", 0)
                rows = hooks.history[start : start + _HISTORY_PAGE]
                return json_reply(200, rows, ("X-Total-Count", str(len(hooks.history))))
            case "GET", "subscriptions":
                return json_reply(200, [row.as_json() for row in hooks.subscriptions.values()])
            case "POST", "subscriptions":
                made = hooks.create(body_of(request, dict))
                place = ("Location", f"/webhook/v1/subscriptions/{made.id}")
                return Reply(status=201, headers=(place,))
            case method, "subscriptions", subscription_id:
                return self._subscription(request, method, subscription_id)
        raise not_found("No such resource.")

    def _subscription(self, request: Request, method: str, subscription_id: str) -> Reply:
        hooks = self.office.webhooks
        if method == "GET":
            return json_reply(200, hooks.get(subscription_id).as_json())
        if method == "DELETE":
            hooks.delete(subscription_id)
            return Reply(status=204)
        if method in {"PUT", "PATCH"}:
            hooks.change(subscription_id, body_of(request, dict), whole=method == "PUT")
            return Reply(status=204)
        raise not_found("No such resource.")

    # The control calls

    def control(self, method: str, path: list[str], body: Json) -> Json:
        match method, *path:
            case "POST", "loans", guid, action if action in _LOAN_ACTIONS:
                loan = self._known(guid)
                _LOAN_ACTIONS[action](self.office, loan, body)
                return {"id": loan.guid, "milestone": loan.last_completed}
            case "POST", "scenario":
                return self._start_scenario(body)
            case "POST", "foreign_load":
                self.office.foreign_load = int(body["n"])
                return {"foreign_load": self.office.foreign_load}
            case "POST", "switches":
                return self.office.change_switches(body)
            case "POST", "expire_tokens":
                self.office.tokens.expire_all()
                return {}
        raise LookupError("/".join(path))

    def _known(self, guid: str) -> Loan:
        if guid not in self.office.loans:
            raise ValueError(f"no loan {guid}")
        return self.office.loans[guid]

    def _start_scenario(self, body: Json) -> Json:
        loan = self._known(str(body["loan_id"]))
        path = str(body.get("path", "happy"))
        scenario(
            self.office,
            loan,
            path,
            days=float(body.get("days", 35)),
            by=str(body.get("by", "web")),
        )
        return {"id": loan.guid, "steps": [name for _, name in SCENARIOS[path]]}

    def state(self) -> Json:
        office = self.office
        with office.lock:
            return {
                "loans": [_described(loan) for loan in office.loans.values()],
                "tokens": {"issued": office.tokens.issued, "alive": office.tokens.alive()},
                "subscriptions": [row.as_json() for row in office.webhooks.subscriptions.values()],
                "deliveries": list(office.webhooks.history),
                "violations": list(office.violations),
                "load": {
                    "in_flight": office.in_flight,
                    "peak_in_flight": office.peak_in_flight,
                    "refused": office.refused_for_load,
                    "foreign_load": office.foreign_load,
                },
                "switches": dict(office.switches.values),
            }

    def plant(self, body: Json) -> Json:
        """Add users (name -> password), folders, custom and reportable fields, loans."""
        office = self.office
        office.tokens.users.update(body.get("users") or {})
        office.tokens.clients.update(body.get("clients") or {})
        office.folders += [name for name in body.get("folders") or [] if name not in office.folders]
        office.custom_fields |= set(body.get("custom_fields") or [])
        office.reportable |= set(body.get("reportable") or [])
        made = []
        for row in body.get("loans") or []:
            loan = office.open_loan(str(row.get("folder", "Prospects")))
            for field_id, value in (row.get("fields") or {}).items():
                write_field(loan, field_id, value)
            office.changed(loan, [], user="processor1", paths=[])
            made.append(loan.guid)
        return {"loans": made}

    def reset(self) -> None:
        super().reset()
        with self.office.lock:
            self.office.throw_away()
            self.office.start_over()


def _described(loan: Loan) -> Json:
    return {
        **loan.entity(),
        "lo_id": loan.lo_id,
        "template": loan.template,
        "currentMilestone": loan.current_milestone,
        "lastCompleted": loan.last_completed,
        "lockedBy": loan.lock["userId"] if loan.lock else None,
    }


def _move(office: Office, loan: Loan, body: Json) -> None:
    on = date.fromisoformat(body["date"]) if body.get("date") else None
    move(office, loan, str(body["status"]), by=str(body.get("by", "web")), on=on)


def _set_field(office: Office, loan: Loan, body: Json) -> None:
    field_id, by = str(body["field"]), str(body.get("by", "web"))
    write_field(loan, field_id, body["value"])
    path = FIELDS[field_id].path if field_id in FIELDS else "customFields"
    silent = by == "desktop" and bool(office.switches.values["desktop_silent"])
    events: list[tuple[str, Json]] = [("update", {}), ("change", {})]
    office.changed(loan, events, user="processor1", paths=[path], silent=silent)


def _lock(office: Office, loan: Loan, body: Json) -> None:
    if body.get("release"):
        loan.lock = None
        return
    minutes: Any = body.get("minutes")
    kind = str(body.get("type", "exclusive"))
    loan.lock = loan_calls.hold(office, str(body["user"]), kind, minutes=minutes)


_LOAN_ACTIONS: dict[str, Callable[[Office, Loan, Json], None]] = {
    "status": _move,
    "field": _set_field,
    "lock": _lock,
}
