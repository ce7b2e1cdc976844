"""monday.com's GraphQL, as far as reading boards needs: users, boards, item pages, updates.

After developer.monday.com (Querying board items; Users; Updates; Error handling; Rate
limits): one URL, the bare token in `Authorization`, a version in `API-Version`; application
errors come with status 200; a cursor lives one hour; exceeding the complexity budget is an
error with the seconds to wait. Fields of a query are checked by name, not selected.
"""

import json
import re
from datetime import datetime, timedelta
from typing import Any

from rooftree_simulators.vendor_base import Json, Reply, Request, SimulatorSetup, Vendor, json_reply

TOKEN = "monday-personal-token"  # noqa: S105
MAX_PAGE_SIZE = 500
_CURSOR_LIFETIME = timedelta(hours=1)
_KNOWN_WORDS = {
    *("query", "page", "Int", "users", "limit", "id", "name", "email", "title", "board", "ID"),
    *("boards", "ids", "items_count", "items_page", "cursor", "items", "created_at", "group"),
    *("column_values", "type", "text", "value", "column", "updates", "body", "text_body"),
    *("creator_id", "replies", "next_items_page", "String"),
}


class Monday(Vendor):
    key = "monday"
    latencies = {"*": (120, 600)}

    def __init__(self, setup: SimulatorSetup) -> None:
        super().__init__(setup)
        self._clear_data()

    def _clear_data(self) -> None:
        self.expired = False
        self.users: list[Json] = []
        self.boards: dict[str, Json] = {}
        self.items: dict[str, list[Json]] = {}  # by board
        self.cursors: dict[str, tuple[str, int, datetime]] = {}

    def operation(self, request: Request) -> str:
        query = _read_body(request).get("query", "")
        names = ("next_items_page", "boards", "users")
        return next((name for name in names if f"{name} (" in str(query)), "query")

    def authenticate(self, request: Request) -> Reply | None:
        if request.header("Authorization") == TOKEN and not self.expired:
            return None
        return json_reply(401, {"errors": ["Not Authenticated"]})

    def expire_credentials(self, request: Request) -> None:
        self.expired = True

    def handle(self, request: Request) -> Reply:
        body = _read_body(request)
        query, variables = body.get("query"), body.get("variables") or {}
        if request.method != "POST" or request.path != "/v2" or not isinstance(query, str):
            return json_reply(400, {"errors": [{"message": "No query string was present"}]})
        if not re.fullmatch(r"20\d\d-(01|04|07|10)", request.header("API-Version")):
            return _error_reply("API_VERSION_INVALID", "Unknown version")
        unknown = set(re.findall(r"[A-Za-z_]+", query)) - _KNOWN_WORDS
        if unknown:
            return _error_reply("undefinedField", f"Field '{min(unknown)}' doesn't exist")
        with self.lock:
            match self.operation(request):
                case "users":
                    size, page = _page_limit(query), int(variables.get("page", 1))
                    users = self.users[(page - 1) * size : page * size]
                    return self._data_reply({"users": users})
                case "boards":
                    return self._data_reply({"boards": self._list_boards(query, variables)})
                case "next_items_page":
                    return self._next_page(query, variables)
        return _error_reply("parseError", "Parse error")

    def add_user(self, name: str, email: str) -> str:
        key = str(880 + len(self.users))
        self.users.append({"id": key, "name": name, "email": email, "title": ""})
        return key

    def add_board(self, name: str) -> str:
        key = str(4455 + len(self.boards))
        self.boards[key], self.items[key] = {"id": key, "name": name}, []
        return key

    def add_item(self, board: str, name: str, *, group: str = "New Leads", **columns: Any) -> str:
        """Add an item; a column is its text, or `(type, text, value)`."""
        values = []
        for title, content in columns.items():
            kind, text, value = (
                content if isinstance(content, tuple) else ("text", content, content)
            )
            column = {"id": title, "type": kind, "text": text, "value": json.dumps(value)}
            values.append(column | {"column": {"title": title.replace("_", " ")}})
        with self.lock:
            key = str(9001 + sum(map(len, self.items.values())))
            self.items[board].append(
                {
                    "id": key,
                    "name": name,
                    "created_at": _format_time(self.clock.now()),
                    "board": self.boards[board],
                    "group": {"title": group},
                    "column_values": values,
                    "updates": [],
                }
            )
        return key

    def add_update(self, item: str, text: str, by: str, *replies: str) -> None:
        """Add an update below an item, and the replies to it."""
        rows = [row for board_rows in self.items.values() for row in board_rows]
        item_row = next(row for row in rows if row["id"] == item)
        first = 70_001 + 100 * len([update for row in rows for update in row["updates"]])
        entries = [
            {
                "id": str(first + nth),
                "body": f"<p>{entry_text}</p>",
                "text_body": entry_text,
                "created_at": _format_time(self.clock.now()),
                "creator_id": by,
            }
            for nth, entry_text in enumerate((text, *replies))
        ]
        item_row["updates"].append(entries[0] | {"replies": entries[1:]})

    def _list_boards(self, query: str, variables: Json) -> list[Json]:
        keys = [str(key) for key in variables.get("board", [])]
        return [
            {
                **self.boards[key],
                "items_count": len(self.items[key]),
                "items_page": self._items_page(key, 0, _page_limit(query)),
            }
            for key in keys
            if key in self.boards
        ]

    def _next_page(self, query: str, variables: Json) -> Reply:
        board, start, until = self.cursors.get(
            variables.get("cursor", ""), ("", 0, self.clock.now())
        )
        if until <= self.clock.now():
            return _error_reply(
                "CursorException", "CursorExpiredError: the cursor is no longer valid"
            )
        return self._data_reply(
            {"next_items_page": self._items_page(board, start, _page_limit(query))}
        )

    def _items_page(self, board: str, start: int, size: int) -> Json:
        rows, cursor = self.items[board], None
        if start + size < len(rows):
            cursor = f"MSw{board}-{start + size}"
            self.cursors[cursor] = (board, start + size, self.clock.now() + _CURSOR_LIFETIME)
        return {"cursor": cursor, "items": rows[start : start + size]}

    def _data_reply(self, content: Json) -> Reply:
        return json_reply(200, {"data": content, "account_id": 1})

    def state(self) -> Json:
        return {"users": self.users, "boards": [*self.boards.values()], "items": self.items}

    def reset(self) -> None:
        super().reset()
        with self.lock:
            self._clear_data()


def budget_fault(seconds: int) -> Json:
    """Return the fault of a used-up complexity budget; the status is 200."""
    error = {
        "message": "Complexity budget exhausted",
        "extensions": {"code": "COMPLEXITY_BUDGET_EXHAUSTED", "retry_in_seconds": seconds},
    }
    return {"action": "status:200", "body": json.dumps({"errors": [error], "account_id": 1})}


def _read_body(request: Request) -> Json:
    try:
        content = json.loads(request.body)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _page_limit(query: str) -> int:
    """Return the page size: the first limit in the query."""
    match = re.search(r"limit: (\d+)", query)
    return min(int(match[1]) if match else 25, MAX_PAGE_SIZE)


def _format_time(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _error_reply(code: str, message: str) -> Reply:
    error = {"message": message, "extensions": {"code": code}}
    return json_reply(200, {"data": None, "errors": [error], "account_id": 1})
