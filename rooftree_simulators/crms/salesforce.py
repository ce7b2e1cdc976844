"""Salesforce's REST interface: client credentials, descriptions, SOQL queries page by page.

After developer.salesforce.com (REST API Developer Guide; OAuth 2.0 client credentials flow;
SOQL): a query names its fields and continues at `nextRecordsUrl` while `done` is false; an
error is a list of `{message, errorCode}`. Only plain queries are supported here.
"""

import re
from typing import Any

from rooftree_simulators.vendor_base import Json, Reply, Request, SimulatorSetup, Vendor, json_reply

CLIENT_ID, CLIENT_SECRET = "3MVG9.consumer-key", "consumer-secret"
API_VERSION = "v62.0"
MIN_PAGE_SIZE, MAX_PAGE_SIZE = 200, 2000
_QUERY = re.compile(
    r"SELECT (?P<fields>[\w, ]+) FROM (?P<name>\w+)( WHERE (?P<not_null>\w+) != null)?"
)
_FIELDS = {
    "Lead": "Id FirstName LastName Company Email Phone MobilePhone Street City State PostalCode "
    "Country LeadSource Status Rating DoNotCall HasOptedOutOfEmail IsConverted "
    "ConvertedContactId ConvertedOpportunityId CreatedDate OwnerId Description",
    "User": "Id Name Email Title IsActive",
    "Task": "Id WhoId OwnerId Subject Description Status IsClosed ActivityDate TaskSubtype "
    "CallType CreatedDate CompletedDateTime",
    "Event": "Id WhoId OwnerId Subject Description StartDateTime",
    "Note": "Id ParentId OwnerId Title Body CreatedDate",
}
_PREFIXES = {"Lead": "00Q", "User": "005", "Task": "00T", "Event": "00U", "Note": "002"}


class Salesforce(Vendor):
    key = "salesforce"
    latencies = {"*": (80, 400)}

    def __init__(self, setup: SimulatorSetup) -> None:
        super().__init__(setup)
        self._clear_data()

    def _clear_data(self) -> None:
        self.tokens: set[str] = set()
        self.signed_in = 0
        self.custom: dict[str, list[str]] = {name: [] for name in _FIELDS}
        self.rows: dict[str, list[Json]] = {name: [] for name in _FIELDS}
        self.cursors: dict[str, tuple[str, list[str], int]] = {}

    def operation(self, request: Request) -> str:
        if request.path == "/services/oauth2/token":
            return "token"
        match = _QUERY.fullmatch(request.parameter("q"))
        return f"query {match['name']}" if match else request.path.split("/")[4]

    def authenticate(self, request: Request) -> Reply | None:
        kind, _, token = request.header("Authorization").partition(" ")
        if request.path == "/services/oauth2/token" or (kind == "Bearer" and token in self.tokens):
            return None
        return _error_reply(401, "INVALID_SESSION_ID", "Session expired or invalid")

    def expire_credentials(self, request: Request) -> None:
        self.tokens.clear()

    def handle(self, request: Request) -> Reply:
        parts = request.path.strip("/").split("/")
        if request.path == "/services/oauth2/token":
            return self._issue_token(request)
        if request.method != "GET" or parts[:3] != ["services", "data", API_VERSION]:
            return _error_reply(404, "NOT_FOUND", "The requested resource does not exist")
        match parts[3:]:
            case "sobjects", name, "describe" if name in _FIELDS:
                names = [*_FIELDS[name].split(), *self.custom[name]]
                fields = [
                    {"name": field, "type": "string", "custom": field.endswith("__c")}
                    for field in names
                ]
                fields.append({"name": "Address", "type": "address", "custom": False})
                return json_reply(200, {"name": name, "fields": fields})
            case ("query",):
                return self._run_query(request)
            case "query", locator:
                return self._query_more(request, locator)
        return _error_reply(404, "NOT_FOUND", "The requested resource does not exist")

    def add_record(self, name: str, **fields: Any) -> str:
        """Add a record of one kind; return its id of 18 characters."""
        with self.lock:
            standard_fields = _FIELDS[name].split()
            self.custom[name] += [
                field for field in fields if field not in (*standard_fields, *self.custom[name])
            ]
            number = f"{sum(map(len, self.rows.values())) + 1:09d}"
            key = f"{_PREFIXES[name]}Hs0{number}AAA"
            created = self.clock.now().strftime("%Y-%m-%dT%H:%M:%S.000+0000")
            self.rows[name].append({"Id": key, "CreatedDate": created} | fields)
        return key

    def _issue_token(self, request: Request) -> Reply:
        form = dict(request.form)
        if request.method != "POST" or form.get("grant_type") != "client_credentials":
            error = {
                "error": "unsupported_grant_type",
                "error_description": "grant type not supported",
            }
            return json_reply(400, error)
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            error = {"error": "invalid_client", "error_description": "invalid client credentials"}
            return json_reply(401, error)
        with self.lock:
            self.signed_in += 1
            token = f"00D.session-{self.signed_in}"
            self.tokens.add(token)
        return json_reply(
            200,
            {
                "access_token": token,
                "instance_url": "https://lindenfield.my.salesforce.com",
                "token_type": "Bearer",
                "scope": "api",
            },
        )

    def _run_query(self, request: Request) -> Reply:
        match = _QUERY.fullmatch(request.parameter("q"))
        if match is None:
            return _error_reply(400, "MALFORMED_QUERY", "unexpected token")
        name, fields = match["name"], [field.strip() for field in match["fields"].split(",")]
        known_fields = [*_FIELDS.get(name, "").split(), *self.custom.get(name, [])]
        if name not in _FIELDS:
            return _error_reply(400, "INVALID_TYPE", f"sObject type '{name}' is not supported.")
        if wrong := [field for field in fields if field not in known_fields]:
            return _error_reply(
                400, "INVALID_FIELD", f"No such column '{wrong[0]}' on entity '{name}'."
            )
        needed = match["not_null"] or ""
        total = len(self._matching_rows(name, needed))
        return json_reply(200, self._query_page(request, name, fields, needed, 0, total))

    def _query_more(self, request: Request, locator: str) -> Reply:
        key, _, begins = locator.partition("-")
        if key not in self.cursors or not begins.isdigit():
            return _error_reply(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        name, fields, total = self.cursors[key]
        needed = {"Task": "WhoId", "Event": "WhoId"}.get(name, "")
        return json_reply(200, self._query_page(request, name, fields, needed, int(begins), total))

    def _matching_rows(self, name: str, needed: str) -> list[Json]:
        return [row for row in self.rows[name] if not needed or row.get(needed)]

    def _query_page(
        self, request: Request, name: str, fields: list[str], needed: str, begins: int, total: int
    ) -> Json:
        match = re.search(r"batchSize=(\d+)", request.header("Sforce-Query-Options"))
        size = min(max(int(match[1]) if match else MAX_PAGE_SIZE, MIN_PAGE_SIZE), MAX_PAGE_SIZE)
        with self.lock:
            rows = self._matching_rows(name, needed)
            ends = begins + size
            shown: list[Json] = [
                {
                    "attributes": {
                        "type": name,
                        "url": f"/services/data/{API_VERSION}/sobjects/{name}/{row['Id']}",
                    },
                    **{field: row.get(field) for field in fields},
                }
                for row in rows[begins:ends]
            ]
            page: Json = {"totalSize": total, "done": ends >= len(rows), "records": shown}
            if not page["done"]:
                key = f"01g{len(self.cursors):06d}"
                self.cursors[key] = (name, fields, total)
                page["nextRecordsUrl"] = f"/services/data/{API_VERSION}/query/{key}-{ends}"
        return page

    def state(self) -> Json:
        return dict(self.rows)

    def load_seed(self, body: Json) -> Json:
        """Load records by kind: `{"Lead": [{"LastName": …}]}`."""
        return {name: [self.add_record(name, **row) for row in rows] for name, rows in body.items()}

    def reset(self) -> None:
        super().reset()
        with self.lock:
            self._clear_data()


def _error_reply(status: int, code: str, message: str) -> Reply:
    return json_reply(status, [{"message": message, "errorCode": code}])
