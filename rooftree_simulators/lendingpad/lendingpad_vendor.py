"""LendingPad on one port: its calls, its posts of changed loans, and control calls."""

import base64
import json
import uuid
from collections.abc import Iterator
from datetime import datetime
from functools import partial

from rooftree_simulators.http_sender import send_request
from rooftree_simulators.lendingpad import import_checks
from rooftree_simulators.lendingpad.loan_book import SCENARIOS, STATUSES, PadLoan
from rooftree_simulators.vendor_base import Json, Reply, Request, SimulatorSetup, Vendor, json_reply

CONTACT = "00000000-0000-4000-8000-000000000001"
COMPANY = "00000000-0000-4000-8000-000000000002"
USER, PASSWORD = "lpuser", "lppass"
_BANNER = b"LendingPad WebApi Service: Production (2.24.0)"
_DAY_S = 86_400.0
_BATCH = 25


class LendingPad(Vendor):
    key = "lp"
    latencies = {"*": (300, 1500)}

    def __init__(self, setup: SimulatorSetup) -> None:
        super().__init__(setup)
        self._start()

    def _start(self) -> None:
        self.loans: dict[str, PadLoan] = {}
        self.export: Json = {}  # url, user, password
        self.pushes: list[Json] = []
        self.switches.values = {
            "export_interval_s": 60, "retry_none": False, "retry_max": 12, "ip_block": False,
            "dup_rate": 0.0, "revenue_bps": 150, "revenue_field": "",
        }  # fmt: skip
        self._serial = self.setup.first_number
        self._is_exporting = False

    def operation(self, request: Request) -> str:
        return request.path.removeprefix("/integrations/")

    def authenticate(self, request: Request) -> Reply | None:
        if self.switches.values["ip_block"]:
            return Reply(status=403, body=b"<html>Forbidden</html>", content_type="text/html")
        pair = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if request.header("authorization") == f"Basic {pair}":
            return None
        return Reply(status=401, headers=(("WWW-Authenticate", "Basic"),))

    def handle(self, request: Request) -> Reply:
        match request.method, request.path:
            case "POST", "/integrations/import/loan":
                return self._import_loan(request)
            case "POST", "/integrations/update/loan":
                return self._update_loan(request)
            case "GET", "/integrations/list/loans":
                return self._list_loans(request)
        return Reply(status=200, body=_BANNER, content_type="text/plain")

    def _import_loan(self, request: Request) -> Reply:
        body = _read_object(request)
        if body is None:
            return json_reply(400, {"message": "Bad JSON"})
        if import_checks.finds_ssn(body):
            self.violations.append({"violation": "ssn_sent"})
        problem = import_checks.find_import_problem(body, CONTACT, COMPANY)
        if problem:
            return _answer(None, problem)
        with self.lock:
            loan = self._open_loan(body)
        return json_reply(
            200, {"id": loan.id, "loanNumber": loan.number, "status": _status("Success")}
        )

    def _open_loan(self, body: Json) -> PadLoan:
        self._serial += 1
        now = self.clock.now()
        loan = PadLoan(
            id=str(uuid.UUID(int=self.rng.getrandbits(128), version=4)),
            number=f"R{self._serial:06d}",
            content=body,
            status=0,
            status_name="",
            status_at=now,
            created_at=now,
            custom={row["id"]: list(row["values"]) for row in body.get("customFields") or []},
        )
        first = 1 if body.get("campaign") else 27
        loan.set_status(first, STATUSES[first][0], now)
        self.loans[loan.id] = loan
        self._start_export()
        return loan

    def _update_loan(self, request: Request) -> Reply:
        body = _read_object(request)
        if body is None:
            return json_reply(400, {"message": "Bad JSON"})
        unknown = body.keys() - {
            "contact", "company", "loan", "dates", "assignments", "fields", "customFields",
        }  # fmt: skip
        loan = self.loans.get(str(body.get("loan")))
        if loan is None or unknown or body.get("company") != COMPANY:
            return _answer(None, "Loan not found." if loan is None else "Unknown property.")
        with self.lock:
            for row in body.get("customFields") or []:
                loan.custom[row["id"]] = list(row["values"])
            loan.is_dirty = True
        self._start_export()
        return _answer(loan.id, "")

    def _list_loans(self, request: Request) -> Reply:
        take = request.parameter("take")
        if not take.isdigit() or not 1 <= int(take) <= _BATCH:
            return json_reply(400, {"message": "take must be 1 to 25"})
        if (request.parameter("contact"), request.parameter("company")) != (CONTACT, COMPANY):
            return _answer(None, "Contact or company not found.")
        name = request.parameter("borrower").casefold()
        with self.lock:
            rows = [
                loan.as_row()
                for loan in sorted(self.loans.values(), key=lambda row: row.status_at, reverse=True)
                if name in str((loan.content.get("borrower") or {}).get("lastName", "")).casefold()
            ]
        skip = int(request.parameter("skip", "0"))
        page = rows[skip : skip + int(take)]
        return json_reply(200, {"totalRecords": len(rows), "data": page})

    # Posts of changed loans

    def _start_export(self) -> None:
        with self.lock:
            if self.export and not self._is_exporting:
                self._is_exporting = True
                self.clock.run_process(
                    self._export_dirty(), after=float(self.switches.values["export_interval_s"])
                )

    def _export_dirty(self) -> Iterator[float]:
        """Post changed loans, 25 at a time, until none is left; a failed post is repeated."""
        while True:
            with self.lock:
                dirty = [loan for loan in self.loans.values() if loan.is_dirty][:_BATCH]
                for loan in dirty:
                    loan.is_dirty = False
                if not dirty:
                    self._is_exporting = False
                    return
            status = self.post_loans([loan.as_export(COMPANY) for loan in dirty])
            if self.rng.random() < float(self.switches.values["dup_rate"]):
                self.post_loans([loan.as_export(COMPANY) for loan in dirty])
            for loan in dirty:
                loan.deliveries += 1
                tries = int(self.switches.values["retry_max"])
                if status != 200 and not self.switches.values["retry_none"]:
                    loan.is_dirty = loan.deliveries % (tries + 1) != 0
            yield float(self.switches.values["export_interval_s"])

    def post_loans(self, loans: list[Json], **headers: str) -> int:
        """Post loans to the lender's address; return the status it answered."""
        pair = f"{self.export['user']}:{self.export['password']}".encode()
        basic = "Basic " + base64.b64encode(pair).decode()
        answer = send_request(
            "POST",
            str(self.export["url"]),
            json.dumps(loans).encode(),
            {"Content-Type": "application/json", "Authorization": basic, **headers},
        )
        self.pushes.append({"loans": len(loans), "status": answer.status})
        return answer.status

    # Control

    def control(self, method: str, path: list[str], body: Json) -> Json:
        match method, path:
            case "POST", ["switches"]:
                return self.switches.update(body)
            case "POST", ["export"]:
                self.export = {name: str(body[name]) for name in ("url", "user", "password")}
                return {}
            case "POST", ["xtest"]:
                sample = {"loanId": str(uuid.UUID(int=0)), "loanStatus": {"id": 1, "name": "Lead"}}
                return {"status": self.post_loans([sample], **{"X-TEST": "true"})}
            case "POST", ["loans", loan_id, "status"]:
                self.move_loan(loan_id, str(body["status"]), body.get("date"))
                return {}
            case "POST", ["loans", loan_id, "field"]:
                loan = self.loans[loan_id]
                loan.custom[str(body["field"])] = [str(body["value"])]
                loan.is_dirty = True
                self._start_export()
                return {}
            case "POST", ["scenario"]:
                steps, loan_id = SCENARIOS[str(body["path"])], str(body["loan_id"])
                gap = float(body.get("days", 35)) * _DAY_S / len(steps)
                for nth, status in enumerate(steps, start=1):
                    move = partial(self.move_loan, loan_id, str(status))
                    self.clock.schedule_job(gap * nth, move)
                return {"id": loan_id, "steps": list(steps)}
        raise LookupError("/".join(path))

    def move_loan(self, loan_id: str, status: str, day: str | None = None) -> None:
        """Set a status by id or name; a name that LendingPad doesn't ship is the lender's own."""
        loan = self.loans[loan_id]
        at = self.clock.now()
        if day:
            at = datetime.fromisoformat(f"{day}T12:00:00").replace(tzinfo=at.tzinfo)
        by_name = {name: number for number, (name, _) in STATUSES.items()}
        number = int(status) if status.isdigit() else by_name.get(status, 90)
        with self.lock:
            loan.set_status(number, STATUSES[number][0] if number in STATUSES else status, at)
            field = str(self.switches.values["revenue_field"])
            if number == 13 and field:
                cents = float(loan.content["loanAmount"]) * int(self.switches.values["revenue_bps"])
                loan.custom[field] = [f"{cents / 10_000:,.2f}"]
        self._start_export()

    def state(self) -> Json:
        with self.lock:
            return {
                "loans": [
                    loan.as_row() | {"content": loan.content} for loan in self.loans.values()
                ],
                "pushes": list(self.pushes),
                "violations": list(self.violations),
            }

    def reset(self) -> None:
        super().reset()
        with self.lock:
            self._start()


def _read_object(request: Request) -> Json | None:
    try:
        body = json.loads(request.body)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _answer(loan_id: str | None, problem: str) -> Reply:
    status = _status("Error", problem) if problem else _status("Success")
    return json_reply(200, {"id": loan_id, "status": status})


def _status(name: str, description: str | None = None) -> Json:
    return {"code": 1 if name == "Success" else 2, "name": name, "description": description}
