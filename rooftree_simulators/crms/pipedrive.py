"""Pipedrive, versions 1 and 2: users, leads, deals, persons, fields, stages, notes, activities.

After developers.pipedrive.com (API reference; Pagination; Authentication; Rate limiting): a
personal token in `x-api-token` or the older `api_token` parameter; version 1 pages by `start`,
version 2 by an opaque `cursor`; both answer `{success, data, additional_data}`.
"""

import base64
import json
import uuid
from typing import Any

from rooftree_simulators.vendor_base import Json, Reply, Request, SimulatorSetup, Vendor, json_reply

TOKEN = "pipedrive-personal-token"  # noqa: S105
MAX_PAGE_SIZE = 500
_V1_LISTS = {"v1/leads": "leads", "v1/leads/archived": "archived", "v1/notes": "notes"}
_V2_LISTS = {
    "api/v2/deals": "deals",
    "api/v2/activities": "activities",
    "api/v2/persons": "persons",
    "api/v2/stages": "stages",
    "api/v2/dealFields": "fields",
}
# What a new row must have, by kind. The kinds that are not named here are only read.
_REQUIRED = {
    "leads": ("title",),
    "notes": ("content",),
    "deals": ("title",),
    "persons": ("name",),
    "activities": ("subject",),
}
_CHANGE_METHODS = ("PATCH", "PUT")
_TOKEN_PARAMETER = "api_token"  # noqa: S105
_CURSOR_PARAMETERS = {"cursor", "limit", "ids", "sort_by", _TOKEN_PARAMETER}


class Pipedrive(Vendor):
    key = "pipedrive"
    latencies = {"*": (80, 400)}

    def __init__(self, setup: SimulatorSetup) -> None:
        super().__init__(setup)
        self._clear_data()

    def _clear_data(self) -> None:
        self.expired = False
        kinds = ("users", *_V1_LISTS.values(), *_V2_LISTS.values())
        self.rows: dict[str, list[Json]] = {name: [] for name in kinds}

    def operation(self, request: Request) -> str:
        path = request.path.strip("/")
        return f"list {_V1_LISTS.get(path) or _V2_LISTS.get(path) or path.split('/')[-1]}"

    def authenticate(self, request: Request) -> Reply | None:
        given = request.header("x-api-token") or request.parameter(_TOKEN_PARAMETER)
        if given == TOKEN and not self.expired:
            return None
        return _error_reply(401, "unauthorized access")

    def expire_credentials(self, request: Request) -> None:
        self.expired = True

    def handle(self, request: Request) -> Reply:
        path = request.path.strip("/")
        if (request.method, path) == ("GET", "v1/users"):
            return json_reply(200, {"success": True, "data": self.rows["users"]})
        kind = (_V1_LISTS | _V2_LISTS).get(path, "")
        if kind and request.method == "POST":
            return self._create_row(request, kind)
        if kind and request.method == "GET":
            page = self._page_by_start if path in _V1_LISTS else self._page_by_cursor
            return page(request, self.rows[kind])
        place, _, key = path.rpartition("/")
        parent = (_V1_LISTS | _V2_LISTS).get(place, "")
        if parent and (request.method, key) == ("GET", "search"):
            return self._search_rows(request, parent)
        if parent:
            return self._answer_row(request, parent, key)
        return _error_reply(404, f"Unknown method /{path}.")

    def _create_row(self, request: Request, kind: str) -> Reply:
        if kind not in _REQUIRED:
            return _error_reply(405, "Method not allowed")
        content = _read_json(request)
        if missing := [name for name in _REQUIRED[kind] if not content.get(name)]:
            return _error_reply(400, f"{missing[0]} is required")
        self.add_record(kind, **content)
        return json_reply(201, {"success": True, "data": self.rows[kind][-1]})

    def _answer_row(self, request: Request, kind: str, key: str) -> Reply:
        """Read, change or delete one row."""
        row = next((row for row in self.rows[kind] if str(row["id"]) == key), None)
        if row is None:
            return _error_reply(404, f"{kind.removesuffix('s').title()} not found")
        if request.method != "GET" and kind not in _REQUIRED:
            return _error_reply(405, "Method not allowed")
        with self.lock:
            if request.method in _CHANGE_METHODS:
                row.update(_read_json(request))
            if request.method == "DELETE":
                self.rows[kind].remove(row)
                row = {"id": row["id"]}
        return json_reply(200, {"success": True, "data": row})

    def _search_rows(self, request: Request, kind: str) -> Reply:
        term = request.parameter("term").casefold()
        if len(term) < 2:
            return _error_reply(400, "term must be at least 2 characters long")
        found = [row for row in self.rows[kind] if term in json.dumps([*row.values()]).casefold()]
        items = [{"result_score": 1.0, "item": row} for row in found]
        return json_reply(200, {"success": True, "data": {"items": items}})

    def add_record(self, kind: str, **fields: Any) -> Any:
        """Add a row of one kind with Pipedrive's own names; return its id."""
        with self.lock:
            nth = sum(map(len, self.rows.values())) + 1
            key: Any = nth + 1000
            if kind in ("leads", "archived"):
                key = str(uuid.UUID(int=nth))
            now = self.clock.now()
            added = f"{now:%Y-%m-%d %H:%M:%S}" if kind == "notes" else f"{now:%Y-%m-%dT%H:%M:%SZ}"
            self.rows[kind].append({"id": key, "add_time": added, **fields})
        return key

    def add_custom_field(self, name: str) -> str:
        """Define a custom field of the company; return its key on leads and deals."""
        code = uuid.uuid5(uuid.NAMESPACE_OID, name).hex + "0" * 8
        self.rows["fields"].append(
            {
                "field_code": code,
                "field_name": name,
                "field_type": "varchar",
                "is_custom_field": True,
            }
        )
        return code

    def _page_by_start(self, request: Request, rows: list[Json]) -> Reply:
        if {name for name, _ in request.query} - {"start", "limit", "sort", _TOKEN_PARAMETER}:
            return _error_reply(400, "Bad request: unknown parameter")
        start, limit = int(request.parameter("start", "0")), int(request.parameter("limit", "100"))
        if not 1 <= limit <= MAX_PAGE_SIZE:
            return _error_reply(400, "limit must be at most 500")
        shown, is_more = rows[start : start + limit], start + limit < len(rows)
        paging: Json = {"start": start, "limit": limit, "more_items_in_collection": is_more}
        if is_more:
            paging["next_start"] = start + limit
        content = {"success": True, "data": shown or None}
        return json_reply(200, content | {"additional_data": {"pagination": paging}})

    def _page_by_cursor(self, request: Request, rows: list[Json]) -> Reply:
        if {name for name, _ in request.query} - _CURSOR_PARAMETERS:
            return _error_reply(400, "Validation failed: unknown parameter")
        limit, id_list = int(request.parameter("limit", "100")), request.parameter("ids")
        ids = id_list.split(",") if id_list else []
        if not 1 <= limit <= MAX_PAGE_SIZE or len(ids) > 100:
            return _error_reply(400, "Validation failed: limit or ids")
        if ids:
            rows = [row for row in rows if str(row["id"]) in ids]
        start, cursor = 0, request.parameter("cursor")
        if cursor:
            try:
                start = int(base64.b64decode(cursor, validate=True).decode().partition(":")[2])
            except ValueError:
                return _error_reply(400, "Validation failed: cursor")
        after = None
        if start + limit < len(rows):
            after = base64.b64encode(f"at:{start + limit}".encode()).decode()
        content = {"success": True, "data": rows[start : start + limit]}
        return json_reply(200, content | {"additional_data": {"next_cursor": after}})

    def state(self) -> Json:
        return dict(self.rows)

    def load_seed(self, body: Json) -> Json:
        """Load rows by kind: users, leads, archived, deals, persons, stages, notes, activities."""
        return {name: [self.add_record(name, **row) for row in rows] for name, rows in body.items()}

    def reset(self) -> None:
        super().reset()
        with self.lock:
            self._clear_data()


def _read_json(request: Request) -> Json:
    try:
        content = json.loads(request.body or b"{}")
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _error_reply(status: int, message: str) -> Reply:
    return json_reply(status, {"success": False, "error": message, "errorCode": status})
