"""HubSpot's CRM v3 interface: owners, contact properties, objects with associations, search.

After developers.hubspot.com (CRM, Using object APIs; Owners; Properties; Search; Usage
guidelines): lists of at most 100 go on by `paging.next.after`, only requested properties
come back, and every failure is an object with `status`, `message` and `category`.
"""

import json
from datetime import datetime
from typing import Any

from rooftree_simulators.crms import hubspot_search
from rooftree_simulators.vendor_base import Json, Reply, Request, SimulatorSetup, Vendor, json_reply

TOKEN = "hubspot-private-app-token"  # noqa: S105
MAX_PAGE_SIZE = 100
_OBJECTS = {
    *("contacts", "notes", "tasks", "calls"),
    *("emails", "communications", "meetings"),
}
_LIST_PARAMETERS = {
    "limit",
    "after",
    "properties",
    "propertiesWithHistory",
    "associations",
    "archived",
}
_DEFAULT_PROPERTIES = ("createdate", "hs_lastmodifieddate", "hs_object_id")
_CONTACT_PROPERTIES = (
    "email",
    "firstname",
    "lastname",
    "createdate",
    "lastmodifieddate",
    "hs_object_id",
)
# Contact properties that HubSpot defines in every account.
_COMMON_PROPERTIES = {
    *("phone", "mobilephone", "company", "address", "city", "state", "zip", "country"),
    *("lifecyclestage", "hs_lead_status", "hubspot_owner_id", "website", "jobtitle"),
}
_TIME_FORMAT = "%Y-%m-%dT%H:%M:%S.000Z"


class HubSpot(Vendor):
    key = "hubspot"
    latencies = {"*": (60, 300)}

    def __init__(self, setup: SimulatorSetup) -> None:
        super().__init__(setup)
        self._clear_data()

    def _clear_data(self) -> None:
        self.expired = False
        self.owners: list[Json] = []
        self.properties: dict[str, bool] = {}  # of contacts; True: HubSpot defines it
        self.objects: dict[str, list[Json]] = {name: [] for name in _OBJECTS}

    def operation(self, request: Request) -> str:
        parts = request.path.strip("/").split("/")
        return f"list {parts[3]}" if parts[2:3] == ["objects"] else f"list {parts[2]}"

    def authenticate(self, request: Request) -> Reply | None:
        if request.header("Authorization") == f"Bearer {TOKEN}" and not self.expired:
            return None
        category = "EXPIRED_AUTHENTICATION" if self.expired else "INVALID_AUTHENTICATION"
        return _error_reply(401, category, "Authentication credentials not found.")

    def expire_credentials(self, request: Request) -> None:
        self.expired = True

    def handle(self, request: Request) -> Reply:
        match request.method, *request.path.strip("/").split("/"):
            case "GET", "crm", "v3", "owners":
                return self._page_reply(
                    request, self.owners, {"limit", "after", "email", "archived"}
                )
            case "GET", "crm", "v3", "properties", "contacts":
                definitions = [
                    {"name": name, "label": name, "type": "string", "hubspotDefined": is_standard}
                    for name, is_standard in sorted(self.properties.items())
                ]
                return json_reply(200, {"results": definitions})
            case "GET", "crm", "v3", "objects", kind if kind in self.objects:
                shown = [_show_object(request, kind, row) for row in self.objects[kind]]
                return self._page_reply(request, shown, _LIST_PARAMETERS)
            case _, "crm", "v3", "objects", kind, *path if kind in self.objects:
                return self._answer_object(request, kind, path)
        return _not_found(request)

    def _answer_object(self, request: Request, kind: str, path: list[str]) -> Reply:
        match request.method, *path:
            case "POST", "search":
                return self._search_objects(request, kind)
            case "POST", "batch", "read":
                return self._read_batch(request, kind)
            case ("POST",):
                return self._create_object(request, kind)
            case "GET" | "PATCH" | "DELETE", key:
                return self._answer_record(request, kind, key)
        return _not_found(request)

    def _answer_record(self, request: Request, kind: str, key: str) -> Reply:
        """Read, change or archive one record, named by its id or a property such as its email."""
        name = request.parameter("idProperty") or "hs_object_id"
        rows = [row for row in self.objects[kind] if row["properties"].get(name) == key]
        if not rows:
            return _error_reply(404, "OBJECT_NOT_FOUND", "resource not found")
        row = rows[0]
        if request.method == "GET":
            return json_reply(200, _show_object(request, kind, row))
        if request.method == "PATCH":
            changes = _read_body(request).get("properties", {})
            if refusal := self._check_properties(kind, changes):
                return refusal
            with self.lock:
                row["properties"].update(changes)
                row["updatedAt"] = self.clock.now().strftime(_TIME_FORMAT)
            return json_reply(200, row)
        with self.lock:
            self.objects[kind].remove(row)
        return Reply(status=204)

    def _create_object(self, request: Request, kind: str) -> Reply:
        properties = _read_body(request).get("properties", {})
        if refusal := self._check_properties(kind, properties):
            return refusal
        email = properties.get("email")
        for row in self.objects[kind] if email else ():
            if row["properties"].get("email") == email:
                message = f"Contact already exists. Existing ID: {row['id']}"
                return _error_reply(409, "CONFLICT", message)
        key = self._add_object(kind, None, properties)
        return json_reply(201, next(row for row in self.objects[kind] if row["id"] == key))

    def _check_properties(self, kind: str, properties: Json) -> Reply | None:
        """Refuse a contact's property that neither HubSpot nor the company defines."""
        known = {*self.properties, *_CONTACT_PROPERTIES, *_COMMON_PROPERTIES}
        unknown = sorted(set(properties) - known) if kind == "contacts" else []
        if not unknown:
            return None
        message = f'Property values were not valid: Property "{unknown[0]}" does not exist'
        return _error_reply(400, "VALIDATION_ERROR", message)

    def _read_batch(self, request: Request, kind: str) -> Reply:
        body = _read_body(request)
        keys = {str(row.get("id")) for row in body.get("inputs", [])}
        name = body.get("idProperty") or "hs_object_id"
        rows = [row for row in self.objects[kind] if row["properties"].get(name) in keys]
        shown = [_with_properties(kind, row, body.get("properties") or []) for row in rows]
        now = self.clock.now().strftime(_TIME_FORMAT)
        content = {"status": "COMPLETE", "results": shown, "startedAt": now, "completedAt": now}
        return json_reply(200, content)

    def add_owner(self, name: str, email: str) -> str:
        """Add a user who can own records; return the id."""
        first, _, last = name.partition(" ")
        key = str(770 + len(self.owners))
        self.owners.append(
            {
                "id": key,
                "email": email,
                "firstName": first,
                "lastName": last,
                "userId": int(key) + 9000,
                "archived": False,
            }
        )
        return key

    def add_contact(self, created_at: datetime | None = None, **properties: Any) -> str:
        """Add a contact with HubSpot's own property names; return the id."""
        for name in properties:
            self.properties.setdefault(name, True)
        return self._add_object("contacts", created_at, properties)

    def add_custom_property(self, name: str) -> None:
        """Define a custom property of the company."""
        self.properties[name] = False

    def add_engagement(
        self, kind: str, *contacts: str, created_at: datetime | None = None, **properties: Any
    ) -> str:
        """Add a note, task, call, email, communication or meeting with contacts; return its id."""
        key = self._add_object(kind, created_at, properties)
        label = f"{kind.removesuffix('s')}_to_contact"
        linked = [{"id": contact, "type": label} for contact in contacts]
        if linked:
            self.objects[kind][-1]["associations"] = {"contacts": {"results": linked}}
        return key

    def _add_object(self, kind: str, created_at: datetime | None, properties: Json) -> str:
        at = (created_at or self.clock.now()).strftime(_TIME_FORMAT)
        with self.lock:
            key = str(151 + sum(map(len, self.objects.values())))
            values = {
                name: None if value is None else str(value) for name, value in properties.items()
            }
            self.objects[kind].append(
                {
                    "id": key,
                    "properties": {"createdate": at, "hs_object_id": key, **values},
                    "createdAt": at,
                    "updatedAt": at,
                    "archived": False,
                }
            )
        return key

    def _page_reply(self, request: Request, rows: list[Json], known_parameters: set[str]) -> Reply:
        unknown = {name for name, _ in request.query} - known_parameters
        if unknown:
            return _error_reply(400, "VALIDATION_ERROR", f"unknown parameters: {sorted(unknown)}")
        try:
            limit = int(request.parameter("limit", "10"))
            after = int(request.parameter("after", "0"))
        except ValueError:
            return _error_reply(400, "VALIDATION_ERROR", "limit and after are numbers")
        if not 1 <= limit <= MAX_PAGE_SIZE:
            return _error_reply(400, "VALIDATION_ERROR", "limit exceeds the maximum of 100")
        with self.lock:
            later = [row for row in rows if int(row["id"]) > after]
        shown, rest = later[:limit], later[limit:]
        content: Json = {"results": shown}
        if rest:
            mark = shown[-1]["id"]
            link = f"https://api.hubapi.com{request.path}?after={mark}"
            content["paging"] = {"next": {"after": mark, "link": link}}
        return json_reply(200, content)

    def _search_objects(self, request: Request, kind: str) -> Reply:
        search = _read_body(request)
        if not search:
            return _error_reply(400, "VALIDATION_ERROR", "Invalid input JSON")
        try:
            page, found, ends = hubspot_search.search_rows(self.objects[kind], search)
        except hubspot_search.InvalidSearch as problem:
            return _error_reply(400, "VALIDATION_ERROR", str(problem))
        shown = [_with_properties(kind, row, search.get("properties") or []) for row in page]
        content: Json = {"total": len(found), "results": shown}
        if ends < len(found):
            content["paging"] = {"next": {"after": str(ends)}}
        return json_reply(200, content)

    def state(self) -> Json:
        return {"owners": self.owners, **self.objects}

    def load_seed(self, body: Json) -> Json:
        """Load owners `[{name, email}]`, contacts `[{...}]`, engagements `[{kind, contacts}]`."""
        for row in body.get("owners", []):
            self.add_owner(row["name"], row["email"])
        contacts = [self.add_contact(**row) for row in body.get("contacts", [])]
        for row in body.get("engagements", []):
            values = {
                name: value for name, value in row.items() if name not in ("kind", "contacts")
            }
            self.add_engagement(row["kind"], *row.get("contacts", []), **values)
        return {"contacts": contacts}

    def reset(self) -> None:
        super().reset()
        with self.lock:
            self._clear_data()


def _show_object(request: Request, kind: str, row: Json) -> Json:
    """Return a record with the requested properties, and associations only where named."""
    requested = request.parameter("properties")
    item = _with_properties(kind, row, requested.split(",") if requested else [])
    if "contacts" not in request.parameter("associations").split(","):
        item.pop("associations", None)
    return item


def _with_properties(kind: str, row: Json, names: list[str]) -> Json:
    defaults = _CONTACT_PROPERTIES if kind == "contacts" else _DEFAULT_PROPERTIES
    return {
        **row,
        "properties": {name: row["properties"].get(name) for name in (*defaults, *names)},
    }


def _read_body(request: Request) -> Json:
    try:
        content = json.loads(request.body)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _not_found(request: Request) -> Reply:
    message = f"Unable to infer object type from: {request.path}"
    return _error_reply(404, "OBJECT_NOT_FOUND", message)


def rate_limit_fault(retry_after: int | None = None) -> Json:
    """Return the fault of a reached ten-second limit, with the vendor's body and headers."""
    content = {
        "status": "error",
        "message": "You have reached your ten_secondly_rolling limit.",
        "errorType": "RATE_LIMIT",
        "policyName": "TEN_SECONDLY_ROLLING",
        "category": "RATE_LIMITS",
    }
    headers = {"Retry-After": str(retry_after)} if retry_after else {}
    return {"action": "status:429", "body": json.dumps(content), "headers": headers}


def _error_reply(status: int, category: str, message: str) -> Reply:
    content: Json = {"status": "error", "message": message, "category": category}
    return json_reply(status, content | {"correlationId": "aeb5f871-7f07-4993-9211-075dc63e7cbf"})
