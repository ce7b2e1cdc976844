"""HubSpot's CRM v3 interface: owners, contact properties, objects with associations, search.

After developers.hubspot.com (CRM, Using object APIs; Owners; Properties; Search; Usage
guidelines): lists of at most 100 go on by `paging.next.after`, only requested properties
come back, and every failure is an object with `status`, `message` and `category`.
"""

import json
from datetime import datetime
from typing import Any

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


class HubSpot(Vendor):
    key = "hubspot"
    latencies = {"*": (60, 300)}

    def __init__(self, setup: SimulatorSetup) -> None:
        super().__init__(setup)
        self._clear_data()

    def _clear_data(self) -> None:
        self.expired = False
        self.owners: list[Json] = []
        self.properties: dict[str, bool] = {}  # of contacts; whether HubSpot defines it
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
                return json_reply(200, {"results": self._property_definitions()})
            case "GET", "crm", "v3", "objects", kind if kind in self.objects:
                return self._list_objects(request, kind)
            case "POST", "crm", "v3", "objects", kind, "search" if kind in self.objects:
                return self._search_objects(request, kind)
        return _error_reply(404, "OBJECT_NOT_FOUND", "Unable to infer object type from the path")

    def add_owner(self, name: str, email: str) -> str:
        """A user who may own records; their id."""
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

    def add_contact(self, made: datetime | None = None, **properties: Any) -> str:
        """A contact, with properties as HubSpot calls them; their id."""
        for name in properties:
            self.properties.setdefault(name, True)
        return self._add_object("contacts", made, properties)

    def add_custom_property(self, name: str) -> None:
        """A property that the company made itself."""
        self.properties[name] = False

    def add_engagement(
        self, kind: str, *contacts: str, made: datetime | None = None, **told: Any
    ) -> str:
        """A note, task, call, e-mail, communication or meeting with contacts; its id."""
        key = self._add_object(kind, made, told)
        label = f"{kind.removesuffix('s')}_to_contact"
        linked = [{"id": contact, "type": label} for contact in contacts]
        if linked:
            self.objects[kind][-1]["associations"] = {"contacts": {"results": linked}}
        return key

    def _add_object(self, kind: str, made: datetime | None, properties: Json) -> str:
        at = _format_time(made or self.clock.now())
        with self.lock:
            key = str(151 + sum(map(len, self.objects.values())))
            told = {name: None if said is None else str(said) for name, said in properties.items()}
            self.objects[kind].append(
                {
                    "id": key,
                    "properties": {"createdate": at, "hs_object_id": key, **told},
                    "createdAt": at,
                    "updatedAt": at,
                    "archived": False,
                }
            )
        return key

    def _property_definitions(self) -> list[Json]:
        return [
            {"name": name, "label": name, "type": "string", "hubspotDefined": is_theirs}
            for name, is_theirs in sorted(self.properties.items())
        ]

    def _list_objects(self, request: Request, kind: str) -> Reply:
        asked = request.parameter("properties")
        defaults = _CONTACT_PROPERTIES if kind == "contacts" else _DEFAULT_PROPERTIES
        wanted = {*defaults, *(asked.split(",") if asked else ())}
        linked = request.parameter("associations").split(",")
        shown = []
        for one in self.objects[kind]:
            told = {name: one["properties"].get(name) for name in wanted}
            kept = {**one, "properties": told}
            if "contacts" not in linked:
                kept.pop("associations", None)
            shown.append(kept)
        return self._page_reply(request, shown, _LIST_PARAMETERS)

    def _page_reply(self, request: Request, rows: list[Json], known: set[str]) -> Reply:
        unknown = {name for name, _ in request.query} - known
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
        found: Json = {"results": shown}
        if rest:
            mark = shown[-1]["id"]
            link = f"https://api.hubapi.com{request.path}?after={mark}"
            found["paging"] = {"next": {"after": mark, "link": link}}
        return json_reply(200, found)

    def _search_objects(self, request: Request, kind: str) -> Reply:
        try:
            asked = json.loads(request.body)
            is_right = isinstance(asked["filterGroups"], list) and 1 <= asked["limit"] <= 200
        except (ValueError, KeyError, TypeError):
            is_right = False
        if not is_right:
            return _error_reply(400, "VALIDATION_ERROR", "Invalid input JSON")
        rows = self.objects[kind]
        return json_reply(200, {"total": len(rows), "results": rows[: asked["limit"]]})

    def state(self) -> Json:
        return {"owners": self.owners, **self.objects}

    def load_seed(self, body: Json) -> Json:
        """Owners `[{name, email}]`, contacts `[{properties}]`, engagements `[{kind, contacts}]`."""
        for one in body.get("owners", []):
            self.add_owner(one["name"], one["email"])
        contacts = [self.add_contact(**one) for one in body.get("contacts", [])]
        for one in body.get("engagements", []):
            told = {name: said for name, said in one.items() if name not in ("kind", "contacts")}
            self.add_engagement(one["kind"], *one.get("contacts", []), **told)
        return {"contacts": contacts}

    def reset(self) -> None:
        super().reset()
        with self.lock:
            self._clear_data()


def rate_limit_fault(retry_after: int | None = None) -> Json:
    """A bad day: the limit of ten seconds is reached (a fault's body and headers)."""
    told = {
        "status": "error",
        "message": "You have reached your ten_secondly_rolling limit.",
        "errorType": "RATE_LIMIT",
        "policyName": "TEN_SECONDLY_ROLLING",
        "category": "RATE_LIMITS",
    }
    headers = {"Retry-After": str(retry_after)} if retry_after else {}
    return {"action": "status:429", "body": json.dumps(told), "headers": headers}


def _format_time(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _error_reply(status: int, category: str, said: str) -> Reply:
    found: Json = {"status": "error", "message": said, "category": category}
    return json_reply(status, found | {"correlationId": "aeb5f871-7f07-4993-9211-075dc63e7cbf"})
