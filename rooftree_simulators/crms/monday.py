"""monday.com's GraphQL, as far as reading boards needs: users, boards, item pages, updates.

After developer.monday.com (Querying board items; Users; Updates; Error handling; Rate
limits): one URL, the bare token in `Authorization`, a version in `API-Version`; application
errors come with status 200; a cursor lives one hour; exceeding the complexity budget is an
error with the seconds to wait. An unknown field is an error that names it and its type.
"""

import json
import re
from datetime import datetime, timedelta
from typing import Any

from rooftree_simulators.crms import graphql_query
from rooftree_simulators.crms.graphql_query import Selection
from rooftree_simulators.vendor_base import Json, Reply, Request, SimulatorSetup, Vendor, json_reply

TOKEN = "monday-personal-token"  # noqa: S105
MAX_PAGE_SIZE = 500
_CURSOR_LIFETIME = timedelta(hours=1)
_MUTATIONS = {
    *("create_item", "change_column_value", "change_simple_column_value"),
    *("change_multiple_column_values", "create_update", "delete_item", "archive_item"),
}


_TYPES = {"users": "User", "me": "User", "boards": "Board", "next_items_page": "ItemsResponse"}


class _Refusal(ValueError):
    """An application error, answered with status 200."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


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
        names = ("next_items_page", "boards", "users", "items")
        found = re.search(rf"\b({'|'.join((*names, *sorted(_MUTATIONS)))})\b", str(query))
        return found[1] if found else "query"

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
        try:
            operation = graphql_query.parse_operation(query, variables)
            with self.lock:
                content = {
                    selection.alias: graphql_query.select_fields(
                        self._resolve(operation.kind, selection),
                        selection.fields,
                        _TYPES.get(selection.name, "Item"),
                    )
                    for selection in operation.fields
                }
        except graphql_query.ParseError as problem:
            return _error_reply("parseError", f"Parse error: {problem}")
        except graphql_query.UnknownField as problem:
            return _error_reply("undefinedField", str(problem))
        except _Refusal as refusal:
            return _error_reply(refusal.code, str(refusal))
        return json_reply(200, {"data": content, "account_id": 1})

    def _resolve(self, kind: str, selection: Selection) -> Any:
        """Return the content of one field of the operation. Raises `UnknownField`."""
        arguments, name = selection.arguments, selection.name
        if kind == "mutation" and name in _MUTATIONS:
            return self._change(name, arguments)
        match kind, name:
            case "query", "users":
                size, page = int(arguments.get("limit", 25)), int(arguments.get("page", 1))
                return self._pick(self.users, arguments)[(page - 1) * size : page * size]
            case "query", "me":
                return self.users[0] if self.users else None
            case "query", "boards":
                return self._list_boards(selection)
            case "query", "items":
                rows = [row for rows in self.items.values() for row in rows]
                return self._pick(rows, arguments)[: int(arguments.get("limit", 25))]
            case "query", "next_items_page":
                return self._next_page(arguments)
            case "query", "items_page_by_column_values":
                return self._items_by_values(arguments)
        title = kind.title()
        raise graphql_query.UnknownField(f"Field '{name}' doesn't exist on type '{title}'")

    def _pick(self, rows: list[Json], arguments: Json) -> list[Json]:
        """Return the rows whose ids are asked for; all rows without ids."""
        keys = {str(key) for key in graphql_query.as_list(arguments.get("ids"))}
        return [row for row in rows if not keys or row["id"] in keys]

    def _change(self, name: str, arguments: Json) -> Json:
        """Run one mutation; return the item or the update."""
        board = str(arguments.get("board_id", ""))
        if name == "create_item":
            if board not in self.boards:
                raise _Refusal("InvalidBoardIdException", "This board ID doesn't exist")
            values = _read_values(arguments.get("column_values"))
            title = str(arguments.get("group_id") or "New Leads")
            key = self.add_item(board, str(arguments["item_name"]), group=title, **values)
            return self._find_item(key)
        item = self._find_item(str(arguments.get("item_id", "")))
        if name == "create_update":
            by = self.users[0]["id"] if self.users else "1"
            self.add_update(item["id"], str(arguments.get("body", "")), by)
            return dict(item["updates"][-1])
        if name in ("delete_item", "archive_item"):
            for rows in self.items.values():
                rows[:] = [row for row in rows if row["id"] != item["id"]]
            return item
        changes = (
            _read_values(arguments.get("column_values"))
            if name == "change_multiple_column_values"
            else {str(arguments["column_id"]): arguments.get("value")}
        )
        for column, value in changes.items():
            _set_column(item, column, value)
        return item

    def _find_item(self, key: str) -> Json:
        for rows in self.items.values():
            for row in rows:
                if row["id"] == key:
                    return row
        raise _Refusal("InvalidItemIdException", "This item ID doesn't exist")

    def _items_by_values(self, arguments: Json) -> Json:
        """Return the items of a board whose columns have one of the values asked for."""
        board = str(arguments.get("board_id", ""))
        if board not in self.boards:
            raise _Refusal("InvalidBoardIdException", "This board ID doesn't exist")
        rows = self.items[board]
        for wanted in graphql_query.as_list(arguments.get("columns")):
            values = {str(value) for value in wanted.get("column_values", [])}
            column = wanted.get("column_id")
            rows = [
                row
                for row in rows
                if any(
                    cell["id"] == column and cell["text"] in values
                    for cell in (*row["column_values"], {"id": "name", "text": row["name"]})
                )
            ]
        return {"cursor": None, "items": rows[: int(arguments.get("limit") or 25)]}

    def add_user(self, name: str, email: str) -> str:
        key = str(880 + len(self.users))
        self.users.append(
            {"id": key, "name": name, "email": email, "title": "", "enabled": True, "teams": []}
        )
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
                    "group": {"id": group, "title": group},
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

    def _list_boards(self, selection: Selection) -> list[Json]:
        arguments = selection.arguments
        size, page = int(arguments.get("limit", 25)), int(arguments.get("page", 1))
        rows = self._pick([*self.boards.values()], arguments)[(page - 1) * size : page * size]
        items_page = next((row for row in selection.fields if row.name == "items_page"), None)
        wanted = items_page.arguments if items_page else {}
        return [
            {
                **board,
                "items_count": len(self.items[board["id"]]),
                "items_page": self._items_page(board["id"], 0, _page_size(wanted)),
                "groups": [
                    {"id": title, "title": title}
                    for title in sorted({row["group"]["title"] for row in self.items[board["id"]]})
                ],
                "columns": self._columns(board["id"]),
                **{"permissions": "everyone", "tags": [], "state": "active", "type": "board"},
                **{"board_kind": "public", "description": None},
            }
            for board in rows
        ]

    def _columns(self, board: str) -> list[Json]:
        columns = {
            column["id"]: {
                "id": column["id"],
                "title": column["column"]["title"],
                "type": column["type"],
                "settings_str": "{}",
            }
            for row in self.items[board]
            for column in row["column_values"]
        }
        return [*columns.values()]

    def _next_page(self, arguments: Json) -> Json:
        board, start, until = self.cursors.get(
            str(arguments.get("cursor") or ""), ("", 0, self.clock.now())
        )
        if until <= self.clock.now():
            message = "CursorExpiredError: the cursor is no longer valid"
            raise _Refusal("CursorException", message)
        return self._items_page(board, start, _page_size(arguments))

    def _items_page(self, board: str, start: int, size: int) -> Json:
        rows, cursor = self.items[board], None
        if start + size < len(rows):
            cursor = f"MSw{board}-{start + size}"
            self.cursors[cursor] = (board, start + size, self.clock.now() + _CURSOR_LIFETIME)
        return {"cursor": cursor, "items": rows[start : start + size]}

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


def _page_size(arguments: Json) -> int:
    return min(int(arguments.get("limit") or 25), MAX_PAGE_SIZE)


def _read_values(text: Any) -> Json:
    """Read the values of columns, which come as JSON in a string."""
    try:
        content = json.loads(text or "{}")
    except (TypeError, ValueError) as problem:
        raise _Refusal("ColumnValueException", "column_values is not JSON") from problem
    return content if isinstance(content, dict) else {}


def _set_column(item: Json, column: str, value: Any) -> None:
    try:
        content = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        content = value
    text = content if isinstance(content, str) else json.dumps(content)
    if isinstance(content, dict):
        text = str(next(iter(content.values()), ""))
    for row in item["column_values"]:
        if row["id"] == column:
            row.update(text=text, value=json.dumps(content))
            return
    raise _Refusal("InvalidColumnIdException", f"Column {column} doesn't exist on the board")


def _format_time(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _error_reply(code: str, message: str) -> Reply:
    error = {"message": message, "extensions": {"code": code}}
    return json_reply(200, {"data": None, "errors": [error], "account_id": 1})
