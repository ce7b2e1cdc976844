"""Salesforce's REST interface: sign-in, descriptions, records, and SOQL queries page by page.

After developer.salesforce.com (REST API Developer Guide; OAuth 2.0 client credentials flow): a
query names its fields and continues at `nextRecordsUrl` while `done` is false; an error is a list
of `{message, errorCode}`; what isn't simulated answers NOT_FOUND in that form.
"""

import base64
import binascii
import json
import re
from typing import Any

from rooftree_simulators.crms import soql
from rooftree_simulators.vendor_base import Json, Reply, Request, SimulatorSetup, Vendor, json_reply

CLIENT_ID, CLIENT_SECRET = "3MVG9.consumer-key", "consumer-secret"
API_VERSION = "v62.0"
FIRST_VERSION, LAST_VERSION = 31, 67
MIN_PAGE_SIZE, MAX_PAGE_SIZE = 200, 2000
_VERSION = re.compile(r"v(\d+)\.0")
_QUERY_NAME = re.compile(r"\bFROM\s+(\w+)", re.IGNORECASE)
_RELATIONS = {
    "Owner": ("OwnerId", "User"),
    "Who": ("WhoId", "Lead"),
    "Parent": ("ParentId", "Lead"),
}
_MAX_ALL_FIELDS = 200  # rows of a query with FIELDS()
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
        self.cursors: dict[str, tuple[str, list[Json]]] = {}

    def operation(self, request: Request) -> str:
        if request.path == "/services/oauth2/token":
            return "token"
        match = _QUERY_NAME.search(request.parameter("q"))
        parts = request.path.split("/")
        return f"query {match[1]}" if match else parts[4] if len(parts) > 4 else "versions"

    def authenticate(self, request: Request) -> Reply | None:
        kind, _, token = request.header("Authorization").partition(" ")
        is_open = request.path in ("/services/oauth2/token", "/services/data")
        if is_open or (kind == "Bearer" and token in self.tokens):
            return None
        return _error_reply(401, "INVALID_SESSION_ID", "Session expired or invalid")

    def expire_credentials(self, request: Request) -> None:
        self.tokens.clear()

    def handle(self, request: Request) -> Reply:
        parts = request.path.strip("/").split("/")
        if request.path == "/services/oauth2/token":
            return self._issue_token(request)
        if parts == ["services", "data"]:
            numbers = range(FIRST_VERSION, LAST_VERSION + 1)
            versions = [{"version": f"{n}.0", "url": f"/services/data/v{n}.0"} for n in numbers]
            return json_reply(200, versions)
        version = _VERSION.fullmatch(parts[2]) if parts[:2] == ["services", "data"] else None
        if version is None or not FIRST_VERSION <= int(version[1]) <= LAST_VERSION:
            return _not_found(request)
        return self._answer_version(request, parts[2:])

    def _answer_version(self, request: Request, parts: list[str]) -> Reply:
        version = parts[0]
        match request.method, *parts[1:]:
            case "GET", "query" | "queryAll":
                return self._run_query(request, version)
            case "GET", "query" | "queryAll", locator:
                return self._query_more(request, version, locator)
            case "GET", "limits":
                return json_reply(200, {"DailyApiRequests": {"Max": 15000, "Remaining": 14998}})
            case "GET", "sobjects":
                names = [{"name": name, "keyPrefix": _PREFIXES[name]} for name in sorted(_FIELDS)]
                return json_reply(200, {"encoding": "UTF-8", "sobjects": names})
            case _, "sobjects", name, *path if name in _FIELDS:
                return self._answer_object(request, name, path)
        return _not_found(request)

    def _answer_object(self, request: Request, name: str, path: list[str]) -> Reply:
        """Answer a call to one kind of record: describe, create, read, change or delete."""
        match request.method, *path:
            case "GET", "describe":
                return self._describe(name)
            case ("GET",):
                return json_reply(200, {"objectDescribe": {"name": name}, "recentItems": []})
            case ("POST",):
                return self._create_record(request, name)
            case "GET" | "PATCH" | "DELETE", key:
                return self._answer_record(request, name, key)
        return _not_found(request)

    def _describe(self, name: str) -> Reply:
        names = [*_FIELDS[name].split(), *self.custom[name]]
        fields: list[Json] = [
            {"name": field, "type": "string", "custom": field.endswith("__c")} for field in names
        ]
        fields.append({"name": "Address", "type": "address", "custom": False})
        return json_reply(200, {"name": name, "fields": fields})

    def _create_record(self, request: Request, name: str) -> Reply:
        content = _read_json(request)
        if wrong := self._unknown_fields(name, content):
            return self._refuse_field(name, wrong[0])
        if name == "Lead" and not content.get("LastName"):
            return _error_reply(
                400, "REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName]"
            )
        key = self.add_record(name, **content)
        return json_reply(201, {"id": key, "success": True, "errors": []})

    def _answer_record(self, request: Request, name: str, key: str) -> Reply:
        row = next((row for row in self.rows[name] if row["Id"][:15] == key[:15]), None)
        if row is None:
            return _not_found(request)
        if request.method == "GET":
            names = request.parameter("fields")
            fields = names.split(",") if names else [*_FIELDS[name].split(), *self.custom[name]]
            if wrong := self._unknown_fields(name, fields):
                return self._refuse_field(name, wrong[0])
            return json_reply(200, self._show_row(name, API_VERSION, row, fields))
        content = _read_json(request)
        if wrong := self._unknown_fields(name, content):
            return self._refuse_field(name, wrong[0])
        with self.lock:
            if request.method == "DELETE":
                self.rows[name].remove(row)
            row.update(content)
        return Reply(status=204)

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
        given = (form.get("client_id"), form.get("client_secret"))
        if request.header("Authorization").startswith("Basic "):
            given = _read_basic(request.header("Authorization"))
        if given != (CLIENT_ID, CLIENT_SECRET):
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

    def _run_query(self, request: Request, version: str) -> Reply:
        try:
            query = soql.parse_query(request.parameter("q"), self.clock.now())
        except soql.MalformedQuery as problem:
            return _error_reply(400, "MALFORMED_QUERY", str(problem))
        name = next((name for name in _FIELDS if name.casefold() == query.name.casefold()), "")
        if not name:
            message = f"sObject type '{query.name}' is not supported."
            return _error_reply(400, "INVALID_TYPE", message)
        fields = self._expand_fields(name, query.fields)
        if wrong := self._unknown_fields(name, [*fields, *query.named]):
            return self._refuse_field(name, wrong[0])
        if fields != query.fields and (query.limit or _MAX_ALL_FIELDS + 1) > _MAX_ALL_FIELDS:
            message = "The SOQL FIELDS function must have a LIMIT of at most 200"
            return _error_reply(400, "MALFORMED_QUERY", message)
        with self.lock:
            found = query.run([self._with_relations(row) for row in self.rows[name]])
        if query.is_count:
            return json_reply(200, {"totalSize": len(found), "done": True, "records": []})
        shown = [self._show_row(name, version, row, fields) for row in found]
        return json_reply(200, self._page(request, version, name, shown, 0))

    def _expand_fields(self, name: str, fields: list[str]) -> list[str]:
        """Replace FIELDS(ALL), FIELDS(STANDARD) and FIELDS(CUSTOM) by the fields they stand for."""
        standard, custom = _FIELDS[name].split(), self.custom[name]
        groups = {
            "FIELDS(ALL)": [*standard, *custom],
            "FIELDS(STANDARD)": standard,
            "FIELDS(CUSTOM)": [field for field in custom if field.endswith("__c")],
        }
        return [known for field in fields for known in groups.get(field, [field])]

    def _with_relations(self, row: Json) -> Json:
        """Return the row with the fields of the records it refers to, such as `Owner.Name`."""
        joined = dict(row)
        for relation, (key_field, name) in _RELATIONS.items():
            target = next(
                (other for other in self.rows[name] if other["Id"] == row.get(key_field)), None
            )
            joined |= {f"{relation}.{field}": value for field, value in (target or {}).items()}
        return joined

    def _unknown_fields(self, name: str, fields: Any) -> list[str]:
        known = [*_FIELDS[name].split(), *self.custom[name]]
        unknown = []
        for field in fields:
            relation, _, rest = field.partition(".")
            key_field, target = _RELATIONS.get(relation, ("", ""))
            is_related = (
                bool(rest) and key_field in known and not self._unknown_fields(target, [rest])
            )
            if field not in known and not is_related:
                unknown.append(field)
        return unknown

    def _refuse_field(self, name: str, field: str) -> Reply:
        return _error_reply(400, "INVALID_FIELD", f"No such column '{field}' on entity '{name}'.")

    def _show_row(self, name: str, version: str, row: Json, fields: list[str]) -> Json:
        url = f"/services/data/{version}/sobjects/{name}/{row['Id']}"
        shown: Json = {"attributes": {"type": name, "url": url}}
        for field in fields:
            relation, _, rest = field.partition(".")
            if not rest:
                shown[field] = row.get(field)
            elif not row.get(_RELATIONS[relation][0]):
                shown[relation] = None
            else:
                target = {"attributes": {"type": _RELATIONS[relation][1]}}
                shown[relation] = (shown.get(relation) or target) | {rest: row.get(field)}
        return shown

    def _query_more(self, request: Request, version: str, locator: str) -> Reply:
        key, _, begins = locator.partition("-")
        if key not in self.cursors or not begins.isdigit():
            return _error_reply(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        name, shown = self.cursors[key]
        return json_reply(200, self._page(request, version, name, shown, int(begins), key))

    def _page(
        self,
        request: Request,
        version: str,
        name: str,
        shown: list[Json],
        begins: int,
        key: str = "",
    ) -> Json:
        match = re.search(r"batchSize=(\d+)", request.header("Sforce-Query-Options"))
        size = min(max(int(match[1]) if match else MAX_PAGE_SIZE, MIN_PAGE_SIZE), MAX_PAGE_SIZE)
        ends = begins + size
        page: Json = {
            "totalSize": len(shown),
            "done": ends >= len(shown),
            "records": shown[begins:ends],
        }
        if not page["done"]:
            with self.lock:
                key = key or f"01g{len(self.cursors):06d}"
                self.cursors[key] = (name, shown)
            page["nextRecordsUrl"] = f"/services/data/{version}/query/{key}-{ends}"
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


def _not_found(request: Request) -> Reply:
    message = f"The requested resource does not exist: {request.path}"
    return _error_reply(404, "NOT_FOUND", message)


def _read_json(request: Request) -> Json:
    try:
        content = json.loads(request.body or b"{}")
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _read_basic(header: str) -> tuple[str, str]:
    try:
        user, _, secret = base64.b64decode(header.partition(" ")[2]).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return user, secret
