"""A simulated Byte: sessions, new files, whole loan files, and failures with status 200."""

import copy
import json

from rooftree_simulators.vendor_base import Json, Reply, Request, SimulatorSetup, Vendor, json_reply

KEY, USER, PASSWORD = "byte-key", "byteuser", "bytepass"
_DATES = {
    1: "PrequalDate", 3: "InProcessingDate", 4: "SubmittedDate", 5: "ApprovedDate",
    6: "ResubmittedDate", 7: "DeclinedDate", 9: "ClosedDate", 10: "CanceledDate", 11: "LeadDate",
    14: "FundingDate", 16: "ClearToCloseDate", 17: "DocsSentDate", 57: "CustomStatus7Date",
}  # fmt: skip
_REQUIRED = ("OrganizationCode", "LoanOfficerUserName", "BorrowerLastName", "SubPropState")
_OPTIONAL = {
    "TemplateId", "DesiredOriginationChannel", "LoanProcessorUserName", "BorrowerFirstName",
    "BorrowerMiddleName", "BorrowerSuffix", "CoBorrowerFirstName", "CoBorrowerMiddleName",
    "CoBorrowerLastName", "CoBorrowerSuffix", "LoanAmount",
}  # fmt: skip
_PARTS = {"FileData", "Status", "Loan", "SubProp", "Applications", "Parties", "CustomFields"}


class Byte(Vendor):
    key = "byte"
    latencies = {"*": (500, 2000)}

    def __init__(self, setup: SimulatorSetup) -> None:
        super().__init__(setup)
        self._start()

    def _start(self) -> None:
        self.files: dict[int, Json] = {}
        self.sessions: set[str] = set()
        self.sign_ins = 0
        self._serial = self.setup.first_number

    def operation(self, request: Request) -> str:
        return request.path.strip("/").partition("/")[0]

    def authenticate(self, request: Request) -> Reply | None:
        if request.path == "/auth/" or request.header("session") in self.sessions:
            return None
        return Reply(status=401)

    def expire_credentials(self, request: Request) -> None:
        self.sessions.discard(request.header("session"))

    def handle(self, request: Request) -> Reply:
        kind, _, number = request.path.strip("/").partition("/")
        match request.method, kind:
            case "GET", "auth":
                return self._sign_in(request)
            case "GET", "organization":
                return json_reply(200, [{"OrganizationCode": "CORP", "Name": "Corporate"}])
            case "POST", "NewFile":
                return self._open_file(json.loads(request.body))
            case "POST", "LoanFile":
                return self._store_file(json.loads(request.body))
            case "GET", ("LoanFile" | "FileData" | "Status"):
                file = self.files.get(int(number)) if number.isdigit() else None
                if file is None:
                    return _fail("File not found.")
                return json_reply(200, file if kind == "LoanFile" else file[kind])
        return json_reply(404, {})

    def _sign_in(self, request: Request) -> Reply:
        given = tuple(request.header(name) for name in ("authorizationKey", "username", "password"))
        if given != (KEY, USER, PASSWORD):
            return Reply(status=401)
        with self.lock:
            self.sign_ins += 1
            session = f"session-{self.rng.getrandbits(64):x}"
            self.sessions.add(session)
        return json_reply(200, session)

    def _open_file(self, body: Json) -> Reply:
        unknown = body.keys() - _OPTIONAL - set(_REQUIRED)
        missing = [name for name in _REQUIRED if not body.get(name)]
        if unknown or missing:
            return _fail(f"Unknown or missing: {', '.join([*sorted(unknown), *missing])}.")
        with self.lock:
            self._serial += 1
            number = self._serial
            names = {
                "FirstName": body.get("BorrowerFirstName"),
                "LastName": body["BorrowerLastName"],
            }
            private = {"SSN": "900-12-3456", "DOB": "1980-01-31T00:00:00"}
            self.files[number] = {
                "FileData": {"FileDataID": number, "FileName": f"2611{number:06d}"},
                "Status": {"FileDataID": number},
                "Loan": {"BaseLoan": body.get("LoanAmount")},
                "SubProp": {"State": body["SubPropState"]},
                "Applications": [{"Borrower": {"Borrower": names | private, "Residences": []}}],
                "Parties": [],
                "CustomFields": {},
            }
        self.move_file(number, 11)
        return json_reply(
            200, {"FileDataId": number, "FileName": f"2611{number:06d}", "ApplicationId": 1}
        )

    def _store_file(self, body: Json) -> Reply:
        number = (body.get("FileData") or {}).get("FileDataID")
        if number not in self.files or body.keys() != _PARTS:
            return _fail("The loan file is not complete.")
        with self.lock:
            if body["Status"] != self.files[number]["Status"]:
                self.violations.append({"violation": "stale_write"})
            self.files[number] = body
        return json_reply(200, {"FileDataId": number})

    def move_file(self, number: int, status: int, day: str = "") -> None:
        """Set a status and its day, as a user of the lender does."""
        day = day or self.clock.now().date().isoformat()
        with self.lock:
            self.files[number]["Status"]["LoanStatus"] = status
            if status in _DATES:
                self.files[number]["Status"][_DATES[status]] = f"{day}T00:00:00"

    def control(self, method: str, path: list[str], body: Json) -> Json:
        match method, path:
            case "POST", ["loans", number, "status"]:
                self.move_file(int(number), int(body["status"]), str(body.get("date") or ""))
                return {}
            case "POST", ["loans", number, "field"]:
                part, _, name = str(body["field"]).partition(".")
                self.files[int(number)][part][name] = body["value"]
                return {}
        raise LookupError("/".join(path))

    def state(self) -> Json:
        with self.lock:
            return {
                "loans": copy.deepcopy(list(self.files.values())),
                "sign_ins": self.sign_ins,
                "violations": list(self.violations),
            }

    def reset(self) -> None:
        super().reset()
        with self.lock:
            self._start()


def _fail(message: str) -> Reply:
    return json_reply(200, [{"Type": "Exception", "Message": message}])
