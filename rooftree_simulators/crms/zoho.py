"""Zoho CRM, version 8: a refresh token, users, fields, and records of modules by page token.

After zoho.com/crm/developer (Get records; Users; Fields metadata; Get record count; Refresh
access tokens): `fields` is required, at most 50; a page holds at most 200; `page` reaches
2,000 records and `page_token` all; an empty result is a 204; a token lives one hour.
"""

import json
import re
from datetime import timedelta
from typing import Any

from rooftree_simulators.vendor_base import Json, Reply, Request, SimulatorSetup, Vendor, json_reply

CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN = "1000.CLIENT", "zoho-secret", "1000.refresh-token"
MAX_PAGE_SIZE, MAX_FIELDS = 200, 50
MAX_PAGED_RECORDS = 2000  # reachable by page number
_PAGE_TOKEN_PREFIX = "c8582xx9e7c7-"  # noqa: S105
_TOKEN_LIFETIME = timedelta(hours=1)
_KNOWN_FIELDS = (
    *("id", "Owner", "Company", "First_Name", "Last_Name", "Full_Name", "Email"),
    *("Secondary_Email", "Phone", "Mobile", "Lead_Source", "Lead_Status", "Email_Opt_Out"),
    *("Street", "City", "State", "Zip_Code", "Country", "Created_Time", "Tag", "Description"),
)
_REQUIRED = {"Leads": "Last_Name", "Notes": "Note_Content", "Tasks": "Subject"}
_CRITERION = re.compile(r"\((\w+):(equals|starts_with|not_equal|in):([^()]*)\)")
_SEARCH_FIELDS = {"email": "Email", "phone": "Phone"}
_MODULES = ("Leads", "Notes", "Tasks", "Calls", "Events")
_LIST_PARAMETERS = {
    "fields",
    "per_page",
    "page",
    "page_token",
    "sort_by",
    "sort_order",
    "cvid",
    "ids",
}


class Zoho(Vendor):
    key = "zoho"
    latencies = {"*": (100, 500)}

    def __init__(self, setup: SimulatorSetup) -> None:
        super().__init__(setup)
        self._clear_data()

    def _clear_data(self) -> None:
        self.tokens: dict[str, Any] = {}  # with the time each expires
        self.signed_in = 0
        self.users: list[Json] = []
        self.custom: list[str] = []
        self.rows: dict[str, list[Json]] = {name: [] for name in _MODULES}

    def operation(self, request: Request) -> str:
        parts = request.path.strip("/").split("/")
        return "token" if parts[0] == "oauth" else f"list {parts[2]}"

    def authenticate(self, request: Request) -> Reply | None:
        if request.path == "/oauth/v2/token":
            return None
        kind, _, token = request.header("Authorization").partition(" ")
        now = self.clock.now()
        if kind == "Zoho-oauthtoken" and self.tokens.get(token, now) > now:
            return None
        return _error_reply(401, "INVALID_TOKEN", "invalid oauth token")

    def expire_credentials(self, request: Request) -> None:
        self.tokens.clear()

    def handle(self, request: Request) -> Reply:
        match request.method, *request.path.strip("/").split("/"):
            case "POST", "oauth", "v2", "token":
                return self._issue_token(request)
            case "GET", "crm", "v8", "users":
                return self._list_users(request)
            case "GET", "crm", "v8", "settings", "fields":
                return self._list_fields(request)
            case "GET", "crm", "v8", module, "actions", "count" if module in self.rows:
                return json_reply(200, {"count": len(self.rows[module])})
            case "GET", "crm", "v8", module if module in self.rows:
                return self._list_records(request, module)
            case _, "crm", "v8", module, *path if module in self.rows:
                return self._answer_module(request, module, path)
        return _not_found(request)

    def _answer_module(self, request: Request, module: str, path: list[str]) -> Reply:
        """Search, create, read, change or delete records of a module."""
        match request.method, *path:
            case "GET", "search":
                return self._search_records(request, module)
            case ("POST",):
                return self._write_records(request, module)
            case "GET" | "PUT" | "DELETE", key:
                return self._answer_record(request, module, key)
        return _not_found(request)

    def _write_records(self, request: Request, module: str) -> Reply:
        results: list[Json] = []
        for content in _read_rows(request):
            required = _REQUIRED.get(module, "id")
            if not content.get(required):
                details = {"api_name": required, "json_path": f"$.data[{len(results)}].{required}"}
                results.append(_result("MANDATORY_NOT_FOUND", "required field not found", details))
                continue
            key = self.add_record(module, **content)
            results.append(_result("SUCCESS", "record added", {"id": key}))
        if not results:
            return _error_reply(400, "MANDATORY_NOT_FOUND", "required field not found: data")
        is_good = all(result["code"] == "SUCCESS" for result in results)
        return json_reply(201 if is_good else 400, {"data": results})

    def _answer_record(self, request: Request, module: str, key: str) -> Reply:
        row = next((row for row in self.rows[module] if row["id"] == key), None)
        if row is None:
            message = "the id given seems to be invalid"
            return _error_reply(400, "INVALID_DATA", message)
        if request.method == "GET":
            return json_reply(200, {"data": [row]})
        with self.lock:
            if request.method == "DELETE":
                self.rows[module].remove(row)
            for content in _read_rows(request):
                row.update(content)
        message = "record deleted" if request.method == "DELETE" else "record updated"
        return json_reply(200, {"data": [_result("SUCCESS", message, {"id": key})]})

    def _search_records(self, request: Request, module: str) -> Reply:
        """Search by email, phone, a word, or criteria that must all match; 204 when none does."""
        criteria = request.parameter("criteria")
        tests = [match.groups() for match in _CRITERION.finditer(criteria)]
        named = [
            (field, "equals", request.parameter(name))
            for name, field in _SEARCH_FIELDS.items()
            if request.parameter(name)
        ]
        word = request.parameter("word").casefold()
        if (criteria and not tests) or " or " in criteria or not (tests or named or word):
            return _error_reply(400, "INVALID_QUERY", "invalid query formed")
        found = [
            row
            for row in self.rows[module]
            if all(_matches_criterion(row, *test) for test in (*tests, *named))
            and word in json.dumps([*row.values()]).casefold()
        ]
        if not found:
            return Reply(status=204)
        info = {"per_page": MAX_PAGE_SIZE, "count": len(found), "more_records": False}
        return json_reply(200, {"data": found[:MAX_PAGE_SIZE], "info": info})

    def add_user(self, name: str, email: str) -> Json:
        """Add a user; return the owner object that records carry."""
        key = f"57257670000004119{90 + len(self.users)}"
        row = {"id": key, "full_name": name, "email": email, "status": "active"}
        self.users.append(row)
        return {"name": name, "id": key, "email": email}

    def add_record(self, module: str, **fields: Any) -> str:
        """Add a record of a module; return its id."""
        with self.lock:
            if module == "Leads":
                self.custom += [
                    field for field in fields if field not in (*_KNOWN_FIELDS, *self.custom)
                ]
            key = str(5725767000000411001 + sum(map(len, self.rows.values())))
            created = self.clock.now().isoformat(timespec="seconds")
            self.rows[module].append({"id": key, "Created_Time": created, **fields})
        return key

    def _issue_token(self, request: Request) -> Reply:
        form = {**dict(request.query), **dict(request.form)}
        if form.get("grant_type") != "refresh_token":
            return json_reply(200, {"error": "unsupported_grant_type"})
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return json_reply(200, {"error": "invalid_client"})
        if form.get("refresh_token") != REFRESH_TOKEN:
            return json_reply(200, {"error": "invalid_code"})
        with self.lock:
            self.signed_in += 1
            token = f"1000.access-{self.signed_in}"
            self.tokens[token] = self.clock.now() + _TOKEN_LIFETIME
        grant = {"access_token": token, "api_domain": "https://www.zohoapis.com"}
        return json_reply(200, grant | {"token_type": "Bearer", "expires_in": 3600})

    def _list_users(self, request: Request) -> Reply:
        if request.parameter("type") not in ("AllUsers", "ActiveUsers"):
            return _error_reply(400, "INVALID_REQUEST", "type is not valid")
        nth, size = int(request.parameter("page", "1")), int(request.parameter("per_page", "200"))
        shown = self.users[(nth - 1) * size : nth * size]
        if not shown:
            return Reply(status=204)
        info = {"page": nth, "per_page": size, "count": len(shown)}
        info["more_records"] = len(self.users) > nth * size
        return json_reply(200, {"users": shown, "info": info})

    def _list_fields(self, request: Request) -> Reply:
        if request.parameter("module") != "Leads":
            return _error_reply(400, "INVALID_MODULE", "the module name given seems to be invalid")
        named = [
            *((known_field, False) for known_field in _KNOWN_FIELDS),
            *((custom_field, True) for custom_field in self.custom),
        ]
        return json_reply(
            200,
            {
                "fields": [
                    {"api_name": name, "custom_field": is_custom} for name, is_custom in named
                ]
            },
        )

    def _list_records(self, request: Request, module: str) -> Reply:
        fields = [name for name in request.parameter("fields").split(",") if name]
        size = int(request.parameter("per_page", "200"))
        refusal = _check_query(request, fields, size)
        begins = _page_start(request, module, size)
        if refusal or begins is None:
            return refusal or _error_reply(400, "INVALID_DATA", "page_token")
        with self.lock:
            rows = self.rows[module]
            shown = [
                {"id": row["id"], **{name: row.get(name) for name in fields}}
                for row in rows[begins : begins + size]
            ]
            is_more = begins + size < len(rows)
        if not shown:
            return Reply(status=204)
        after = f"{_PAGE_TOKEN_PREFIX}{module}-{begins + size}" if is_more else None
        info = {"per_page": size, "count": len(shown), "more_records": is_more}
        return json_reply(200, {"data": shown, "info": info | {"next_page_token": after}})

    def state(self) -> Json:
        return {"users": self.users, **self.rows}

    def load_seed(self, body: Json) -> Json:
        """Load records by module: `{"Leads": [{"Last_Name": …}]}`."""
        return {name: [self.add_record(name, **row) for row in rows] for name, rows in body.items()}

    def reset(self) -> None:
        super().reset()
        with self.lock:
            self._clear_data()


def _check_query(request: Request, fields: list[str], size: int) -> Reply | None:
    if {name for name, _ in request.query} - _LIST_PARAMETERS:
        return _error_reply(400, "INVALID_REQUEST", "unknown parameter")
    if not fields:
        return _error_reply(
            400, "REQUIRED_PARAM_MISSING", "One of the expected parameter is missing"
        )
    if len(fields) > MAX_FIELDS:
        return _error_reply(400, "LIMIT_EXCEEDED", "at most 50 fields")
    return None if 1 <= size <= MAX_PAGE_SIZE else _error_reply(400, "INVALID_DATA", "per_page")


def _page_start(request: Request, module: str, size: int) -> int | None:
    """Return the index of the first record; None for a bad token or a page that is too far."""
    token = request.parameter("page_token")
    if not token:
        begins = (int(request.parameter("page", "1")) - 1) * size
        return begins if begins < MAX_PAGED_RECORDS else None
    mark, _, number = token.rpartition("-")
    return int(number) if f"{mark}-" == f"{_PAGE_TOKEN_PREFIX}{module}-" else None


def _matches_criterion(row: Json, field: str, operator: str, value: str) -> bool:
    found = str(row.get(field) or "").casefold()
    values = [each.casefold() for each in value.split(",")]
    if operator == "starts_with":
        return found.startswith(values[0])
    return (found in values) != (operator == "not_equal")


def _read_rows(request: Request) -> list[Json]:
    """Read the records of a body; none if it has no list `data`."""
    try:
        rows = json.loads(request.body or b"{}").get("data")
    except (ValueError, AttributeError):
        rows = None
    return [row for row in rows or [] if isinstance(row, dict)]


def _result(code: str, message: str, details: Json) -> Json:
    status = "success" if code == "SUCCESS" else "error"
    return {"code": code, "details": details, "message": message, "status": status}


def _not_found(request: Request) -> Reply:
    message = f"Please check if the URL trying to access is a correct one: {request.path}"
    return _error_reply(404, "INVALID_URL_PATTERN", message)


def _error_reply(status: int, code: str, message: str) -> Reply:
    return json_reply(status, {"code": code, "details": {}, "message": message, "status": "error"})
