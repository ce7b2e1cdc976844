"""Encompass on one port: routes, checks and control calls."""

from collections.abc import Callable
from datetime import date
from pathlib import PurePosixPath
from typing import Any

from rooftree_simulators.encompass import loan_endpoints, pipeline_search
from rooftree_simulators.encompass.encompass_errors import (
    bad_request_error,
    error_reply,
    not_found_error,
    read_json_body,
    read_whole_number,
)
from rooftree_simulators.encompass.encompass_instance import EncompassInstance
from rooftree_simulators.encompass.loan_files import Loan, write_field
from rooftree_simulators.encompass.loan_moves import SCENARIOS, move_loan, start_scenario
from rooftree_simulators.encompass.loan_schema import FIELDS
from rooftree_simulators.encompass.loan_store import LoanStore
from rooftree_simulators.encompass.webhooks import EVENT_TYPES
from rooftree_simulators.vendor_base import Json, Reply, Request, SimulatorSetup, Vendor, json_reply

_CONCURRENCY_LIMIT = 30
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

    def __init__(self, setup: SimulatorSetup) -> None:
        super().__init__(setup)
        store = LoanStore(setup.folder / "encompass.sqlite3") if setup.folder else None
        self.instance = EncompassInstance(self.clock, self.rng, store)

    # Authentication and limits

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
        if self.instance.tokens.user_of(request):
            return None
        return error_reply(401, "Unauthorized", "The token is missing or has ended.")

    def expire_credentials(self, request: Request) -> None:
        self.instance.tokens.expire_token(request)

    def admit(self, request: Request) -> Reply | None:
        instance = self.instance
        with instance.lock:
            if instance.in_flight + instance.foreign_load >= _CONCURRENCY_LIMIT:
                instance.refused_for_load += 1
                return error_reply(429, "Too Many Requests", "Concurrency limit reached.")
            instance.in_flight += 1
            instance.peak_in_flight = max(instance.peak_in_flight, instance.in_flight)
        return None

    def release(self) -> None:
        with self.instance.lock:
            self.instance.in_flight = max(0, self.instance.in_flight - 1)

    def add_headers(self, reply: Reply) -> Reply:
        instance = self.instance
        left = max(0, _CONCURRENCY_LIMIT - instance.in_flight - instance.foreign_load)
        return reply.with_headers(
            ("X-Concurrency-Limit-Limit", str(_CONCURRENCY_LIMIT)),
            ("X-Concurrency-Limit-Remaining", str(left)),
            ("X-Correlation-ID", f"{self.rng.getrandbits(128):032x}"),
        )

    # The routes

    def handle(self, request: Request) -> Reply:
        parts = request.path.strip("/").split("/")
        match parts:
            case ["oauth2", "v1", *action]:
                return self.instance.tokens.handle_token_call(request, "/".join(action))
            case ["webhook", "v1", *rest]:
                return self._route_webhook(request, rest)
            case ["encompass", "v3", *rest]:
                return self._route_encompass(request, rest)
            case ["encompass", "v1", "company", "users"] if request.method == "GET":
                nmls_ids = self.instance.nmls_ids
                users = [
                    {"id": user, "fullName": user, "nmlsOriginatorID": nmls_ids.get(user, "")}
                    for user in self.instance.tokens.users
                ]
                return json_reply(200, users)
        raise not_found_error("No such resource.")

    def _route_encompass(self, request: Request, rest: list[str]) -> Reply:
        user = self.instance.tokens.user_of(request, touch=False)
        match request.method, *rest:
            case "POST", "loans":
                return loan_endpoints.create_loan(self.instance, request, user)
            case "POST", "loanPipeline":
                return pipeline_search.search_pipeline(self.instance, request)
            case "POST", "resourceLocks":
                return loan_endpoints.lock_loan(self.instance, request, user)
            case "DELETE", "resourceLocks", lock_id:
                return loan_endpoints.unlock_loan(self.instance, lock_id)
            case method, "loans", guid, *tail:
                return self._route_loan(
                    request, self.instance.get_loan(guid), [method, *tail], user
                )
            case "GET", *tail:
                return self._route_settings(request, "/".join(tail))
        raise not_found_error("No such resource.")

    def _route_loan(self, request: Request, loan: Loan, call: list[str], user: str) -> Reply:
        match call:
            case ["GET"]:
                return loan_endpoints.read_loan(self.instance, request, loan)
            case ["PATCH"]:
                return loan_endpoints.update_loan(self.instance, request, loan, user)
            case ["POST", "fieldReader"]:
                return loan_endpoints.read_fields(self.instance, request, loan)
            case ["POST", "fieldWriter"]:
                return loan_endpoints.write_fields(self.instance, request, loan, user)
            case ["GET" | "PATCH", "milestones", *rest]:
                return loan_endpoints.handle_milestones(request, loan, rest, user)
        raise not_found_error("No such resource.")

    def _route_settings(self, request: Request, path: str) -> Reply:
        if path == "loanFolders":
            return json_reply(200, [{"name": name} for name in self.instance.folders])
        if path == "settings/milestones":
            names = self.instance.milestone_names
            return json_reply(200, [{"id": f"{n}", "name": name} for n, name in enumerate(names)])
        if path == "settings/loan/customFields":
            names = sorted(self.instance.custom_fields)
            return json_reply(200, [{"id": name, "format": "STRING"} for name in names])
        if path == "schemas/loan/standardFields":
            requested = [name for name in request.parameter("ids").split(",") if name]
            unknown = [name for name in requested if name not in FIELDS]
            if unknown:
                raise bad_request_error(f"Unknown field: {', '.join(unknown)}")
            rows = [FIELDS[name] for name in requested or FIELDS]
            return json_reply(
                200, [{"id": row.field_id, "path": row.path, "type": row.kind} for row in rows]
            )
        raise not_found_error("No such resource.")

    def _route_webhook(self, request: Request, rest: list[str]) -> Reply:
        hooks = self.instance.webhooks
        match request.method, *rest:
            case "GET", "resources":
                return json_reply(200, [{"name": "Loan"}])
            case "GET", "resources", "Loan", "events":
                return json_reply(200, [{"name": name} for name in sorted(EVENT_TYPES)])
            case "GET", "events":
                start = read_whole_number(request, "start", 0)
                rows = hooks.history[start : start + _HISTORY_PAGE]
                return json_reply(200, rows, ("X-Total-Count", str(len(hooks.history))))
            case "GET", "subscriptions":
                return json_reply(200, [row.as_json() for row in hooks.subscriptions.values()])
            case "POST", "subscriptions":
                subscription = hooks.create_subscription(read_json_body(request, dict))
                place = ("Location", f"/webhook/v1/subscriptions/{subscription.id}")
                return Reply(status=201, headers=(place,))
            case method, "subscriptions", subscription_id:
                return self._route_subscription(request, method, subscription_id)
        raise not_found_error("No such resource.")

    def _route_subscription(self, request: Request, method: str, subscription_id: str) -> Reply:
        hooks = self.instance.webhooks
        if method == "GET":
            return json_reply(200, hooks.get_subscription(subscription_id).as_json())
        if method == "DELETE":
            hooks.delete_subscription(subscription_id)
            return Reply(status=204)
        if method in {"PUT", "PATCH"}:
            hooks.update_subscription(
                subscription_id, read_json_body(request, dict), whole=method == "PUT"
            )
            return Reply(status=204)
        raise not_found_error("No such resource.")

    # The control calls

    def control(self, method: str, path: list[str], body: Json) -> Json:
        match method, *path:
            case "POST", "loans", guid, action if action in _LOAN_ACTIONS:
                loan = self._get_loan(guid)
                _LOAN_ACTIONS[action](self.instance, loan, body)
                return {"id": loan.guid, "milestone": loan.last_completed}
            case "POST", "scenario":
                return self._start_scenario(body)
            case "POST", "foreign_load":
                self.instance.foreign_load = int(body["n"])
                return {"foreign_load": self.instance.foreign_load}
            case "POST", "switches":
                return self.instance.update_switches(body)
            case "POST", "expire_tokens":
                self.instance.tokens.expire_all_tokens()
                return {}
        raise LookupError("/".join(path))

    def _get_loan(self, guid: str) -> Loan:
        if guid not in self.instance.loans:
            raise ValueError(f"no loan {guid}")
        return self.instance.loans[guid]

    def _start_scenario(self, body: Json) -> Json:
        loan = self._get_loan(str(body["loan_id"]))
        path = str(body.get("path", "happy"))
        start_scenario(
            self.instance,
            loan,
            path,
            days=float(body.get("days", 35)),
            by=str(body.get("by", "web")),
        )
        return {"id": loan.guid, "steps": [name for _, name in SCENARIOS[path]]}

    def state(self) -> Json:
        instance = self.instance
        with instance.lock:
            return {
                "loans": [_describe_loan(loan) for loan in instance.loans.values()],
                "tokens": {
                    "issued": instance.tokens.issued,
                    "alive": instance.tokens.count_alive(),
                },
                "subscriptions": [
                    row.as_json() for row in instance.webhooks.subscriptions.values()
                ],
                "deliveries": list(instance.webhooks.history),
                "violations": list(instance.violations),
                "load": {
                    "in_flight": instance.in_flight,
                    "peak_in_flight": instance.peak_in_flight,
                    "refused": instance.refused_for_load,
                    "foreign_load": instance.foreign_load,
                },
                "switches": dict(instance.switches.values),
            }

    def load_seed(self, body: Json) -> Json:
        """Add users (name -> password), their NMLS IDs, folders, fields, loans; set milestones."""
        instance = self.instance
        instance.nmls_ids.update(body.get("nmls_ids") or {})
        instance.milestone_names = body.get("milestones") or instance.milestone_names
        instance.tokens.users.update(body.get("users") or {})
        instance.tokens.clients.update(body.get("clients") or {})
        instance.folders += [
            name for name in body.get("folders") or [] if name not in instance.folders
        ]
        instance.custom_fields |= set(body.get("custom_fields") or [])
        instance.reportable |= set(body.get("reportable") or [])
        guids = []
        for row in body.get("loans") or []:
            loan = instance.open_loan(str(row.get("folder", "Prospects")))
            for field_id, value in (row.get("fields") or {}).items():
                write_field(loan, field_id, value)
            instance.save_change(loan, [], user="processor1", paths=[])
            guids.append(loan.guid)
        return {"loans": guids}

    def reset(self) -> None:
        super().reset()
        with self.instance.lock:
            self.instance.delete_stored_loans()
            self.instance.reset_state()


def _describe_loan(loan: Loan) -> Json:
    return {
        **loan.entity(),
        "lo_id": loan.lo_id,
        "template": loan.template,
        "currentMilestone": loan.current_milestone,
        "lastCompleted": loan.last_completed,
        "lockedBy": loan.lock["userId"] if loan.lock else None,
    }


def _control_move(instance: EncompassInstance, loan: Loan, body: Json) -> None:
    day = date.fromisoformat(body["date"]) if body.get("date") else None
    move_loan(instance, loan, str(body["status"]), by=str(body.get("by", "web")), on=day)


def _control_field(instance: EncompassInstance, loan: Loan, body: Json) -> None:
    field_id, by = str(body["field"]), str(body.get("by", "web"))
    write_field(loan, field_id, body["value"])
    path = FIELDS[field_id].path if field_id in FIELDS else "customFields"
    silent = by == "desktop" and bool(instance.switches.values["desktop_silent"])
    events: list[tuple[str, Json]] = [("update", {}), ("change", {})]
    instance.save_change(loan, events, user="processor1", paths=[path], silent=silent)


def _control_lock(instance: EncompassInstance, loan: Loan, body: Json) -> None:
    if body.get("release"):
        loan.lock = None
        return
    minutes: Any = body.get("minutes")
    kind = str(body.get("type", "exclusive"))
    loan.lock = loan_endpoints.new_lock(instance, str(body["user"]), kind, minutes=minutes)


_LOAN_ACTIONS: dict[str, Callable[[EncompassInstance, Loan, Json], None]] = {
    "status": _control_move,
    "field": _control_field,
    "lock": _control_lock,
}
