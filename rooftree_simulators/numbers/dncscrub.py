"""Contact Center Compliance's Full Scrub, version 5, and its query of reassigned numbers.

After docs.dncscrub.com: the key in a header `loginId`; ten-digit numbers, at most 10,000 per
scrub and 1,000 per query; one bad number fails the whole request; one result code and reason
per number; `null` for dates before the FCC's data, which begin on 2021-01-27.
"""

import json
import re
from datetime import date, datetime
from typing import Any

from rooftree_simulators.vendor_base import Json, Reply, Request, SimulatorSetup, Vendor, json_reply

LOGIN_ID = "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8S9t0U1v2"
DATA_BEGINS = date(2021, 1, 27)
_TEN_DIGITS = re.compile(r"[2-9]\d\d[2-9]\d{6}")
_SCRUB_PARAMETERS = {"phoneList", "version", "output", "projId", "campaignId"}
_QUERY_PARAMETERS = {"data", "useSandbox", "projId"}
_DATE_FORMATS = ("%Y%m%d", "%Y-%m-%d", "%m/%d/%Y", "%m/%d/%y")


class DncScrub(Vendor):
    key = "dncscrub"
    latencies = {"*": (80, 400)}

    def __init__(self, setup: SimulatorSetup) -> None:
        super().__init__(setup)
        self._clear_data()

    def _clear_data(self) -> None:
        self.results: dict[
            str, tuple[str, str]
        ] = {}  # by number: code and reason; all others are clean
        self.disconnected: dict[str, date] = {}  # by number: day of permanent disconnection
        self.is_authorized = (
            True  # the client's letter of authorization is on file, so the safe harbor applies
        )
        self.is_sandbox = False
        self.data_begins = DATA_BEGINS

    def operation(self, request: Request) -> str:
        return "scrub" if request.path.endswith("/scrub") else "query"

    def authenticate(self, request: Request) -> Reply | None:
        if request.header("loginId") == LOGIN_ID:
            return None
        return json_reply(401, {"Message": "Authorization has been denied for this request."})

    def handle(self, request: Request) -> Reply:
        try:
            body = json.loads(request.body)
        except ValueError:
            body = None
        if request.method != "POST" or not isinstance(body, dict):
            return _bad_request_reply("The request body is missing or is no JSON object.")
        with self.lock:
            match request.path:
                case "/app/main/rpc/scrub":
                    return self._scrub_numbers(body)
                case "/v1.5/Data/RNDBasic":
                    return self._query_reassigned(body)
        return json_reply(404, {"Message": "No HTTP resource was found."})

    def _scrub_numbers(self, body: Json) -> Reply:
        if (
            set(body) - _SCRUB_PARAMETERS
            or body.get("version") != "5"
            or body.get("output") != "json"
        ):
            return _bad_request_reply(
                "Only version 5 and output json are simulated; no other parameters."
            )
        entries = [entry.partition("|") for entry in str(body.get("phoneList", "")).split(",")]
        if len(entries) > 10_000 or not all(
            _TEN_DIGITS.fullmatch(phone) for phone, _, _ in entries
        ):
            return _bad_request_reply(
                "phoneList must hold at most 10,000 numbers of exactly 10 digits."
            )
        return json_reply(200, [self._scrub_result(phone, mark) for phone, _, mark in entries])

    def _scrub_result(self, phone: str, mark: str) -> Json:
        code, reason = self.results.get(phone, ("C", ""))
        return {
            "Phone": phone,
            "ResultCode": code,
            "Reserved": mark,
            "Reason": reason,
            "RegionAbbrev": "",
            "Country": "US",
            "Locale": "",
            "CarrierInfo": "",
            "NewReassignedAreaCode": "",
            "TZCode": "",
            "CallingWindow": "",
            "UTCOffset": "",
            "DoNotCallToday": "",
            "CallingTimeRestrictions": "",
            "EBRType": "",
            "IsWirelessOrVoIP": "1" if code in "WLFGHVY" else "0",
            "LineType": "Wireless" if code in "WLFGHV" else "AllOther",
        }

    def _query_reassigned(self, body: Json) -> Reply:
        rows = body.get("data")
        if (
            set(body) - _QUERY_PARAMETERS
            or not isinstance(rows, list)
            or not 1 <= len(rows) <= 1000
        ):
            return _bad_request_reply(
                "The data property is missing or empty, or holds more than 1,000."
            )
        results = []
        for row in rows:
            since = _parse_day(row)
            if since is None or not _TEN_DIGITS.fullmatch(str(row.get("phoneNumber", ""))):
                return _bad_request_reply("Invalid phone number or date format.")
            results.append(self._reassigned_result(row["phoneNumber"], since))
        return json_reply(200, results)

    def _reassigned_result(self, phone: str, since: date) -> Json:
        disconnected_on = self.disconnected.get(phone)
        changed: bool | None = disconnected_on is not None and disconnected_on >= since
        if disconnected_on is None and since < self.data_begins:
            changed = None
        return {
            "PhoneNumber": phone,
            "IsReassigned": changed,
            "HasSafeHarbor": self.is_authorized and changed is False,
            "IsSandBox": self.is_sandbox,
        }

    def load_seed(self, body: Json) -> Json:
        """Load results `{number: [code, reason]}` and disconnected `{number: day}`, ten digits."""
        with self.lock:
            self.results |= {key: (code, why) for key, (code, why) in body["results"].items()}
            for key, day in body.get("disconnected", {}).items():
                self.disconnected[key] = date.fromisoformat(day)
        return self.state()

    def state(self) -> Json:
        disconnected = {key: day.isoformat() for key, day in self.disconnected.items()}
        return {"results": self.results, "disconnected": disconnected}

    def reset(self) -> None:
        super().reset()
        with self.lock:
            self._clear_data()


def _parse_day(row: Any) -> date | None:
    text = str(row.get("date", "")) if isinstance(row, dict) else ""
    for form in _DATE_FORMATS:
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007 (a day has no zone)
        except ValueError:
            continue
    return None


def _bad_request_reply(text: str) -> Reply:
    return json_reply(400, {"Message": text})
