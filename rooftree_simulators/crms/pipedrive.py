"""Pipedrive, versions 1 and 2: users, leads, deals, persons, fields, stages, notes, activities.

After developers.pipedrive.com (API reference; Pagination; Authentication; Rate limiting): a
personal token in `x-api-token`; version 1 pages by `start`, version 2 by an opaque
`cursor`; both answer `{success, data, additional_data}`.
"""

import base64
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
        if request.header("x-api-token") == TOKEN and not self.expired:
            return None
        return _error_reply(401, "unauthorized access")

    def expire_credentials(self, request: Request) -> None:
        self.expired = True

    def handle(self, request: Request) -> Reply:
        path = request.path.strip("/")
        if request.method != "GET":
            return _error_reply(405, "Method not allowed")
        if path == "v1/users":
            return json_reply(200, {"success": True, "data": self.rows["users"]})
        if path in _V1_LISTS:
            return self._page_by_start(request, self.rows[_V1_LISTS[path]])
        if path in _V2_LISTS:
            return self._page_by_cursor(request, self.rows[_V2_LISTS[path]])
        return _error_reply(404, "Unknown method .")

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
        if {name for name, _ in request.query} - {"start", "limit", "sort"}:
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
        if {name for name, _ in request.query} - {"cursor", "limit", "ids", "sort_by"}:
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


def _error_reply(status: int, message: str) -> Reply:
    return json_reply(status, {"success": False, "error": message, "errorCode": status})
