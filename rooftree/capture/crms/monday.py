"""monday.com over GraphQL: users, and the items of boards with their updates.

Items continue at the cursor of `items_page`, which is valid for an hour; a rate limit is an
error with the seconds to wait, in a response of status 200. Contract: docs/sources/crm.md.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from rooftree.capture.crms.crm_client import CrmClient
from rooftree.capture.crms.crm_pages import (
    ActivityKind,
    CrmOwner,
    CrmPage,
    Cursor,
    PastActivity,
    find_nmls_id,
    list_objects,
    nested_value,
    parse_timestamp,
    strip_markup,
)
from rooftree.capture.parsing.reading_notes import as_text
from rooftree.core import http_client
from rooftree.core.vendor_errors import Misconfigured, RequestRejected, RetryLater, VendorError

NAME = "monday.com"
START_CURSOR: Cursor = {"part": "users"}
FIX_HINT = (
    "In monday.com open your picture, Developers, My access tokens, as a user who sees the "
    "boards, and type the token and the numbers of the boards under Credentials."
)
API_VERSION = "2026-07"
OWNER_COLUMN = "owner_id"  # a column we add: the first person of a people column
DEFAULT_WAIT_SECONDS = 30.0
USERS_PER_PAGE = 200
_ITEM_FIELDS = (
    "id name created_at board { id name } group { title } "
    "column_values { id type text value column { title } } "
    "updates (limit: 100) { id body text_body created_at creator_id "
    "replies { id body text_body created_at creator_id } }"
)
_USERS_QUERY = "query ($page: Int!) { users (limit: 200, page: $page) { id name email title } }"
_FIRST_PAGE_QUERY = (
    "query ($board: [ID!]) { boards (ids: $board) { id name items_count "
    f"items_page (limit: 50) {{ cursor items {{ {_ITEM_FIELDS} }} }} }} }}"
)
_NEXT_PAGE_QUERY = (
    "query ($cursor: String!) { next_items_page (limit: 50, cursor: $cursor) "
    f"{{ cursor items {{ {_ITEM_FIELDS} }} }} }}"
)


def base_url(credentials: Mapping[str, str]) -> str:
    """Return the base URL, the same for every account."""
    return "https://api.monday.com"


def auth_headers(credentials: Mapping[str, str], token: str) -> dict[str, str]:
    """Return the headers: the bare token, and the API version to use."""
    return {"Authorization": credentials.get("access_token", ""), "API-Version": API_VERSION}


def classify_failure(response: http_client.VendorResponse) -> VendorError | None:
    """Return the failure in the body, which can come with status 200.

    Sign-in errors are plain text, and go by the status.
    """
    body = response.json()
    errors = body.get("errors") if isinstance(body, dict) else None
    if not isinstance(errors, list) or not errors or response.status in (401, 403):
        return None
    code = as_text(nested_value(errors[0], "extensions", "code")).upper()
    message = as_text(nested_value(errors[0], "message"))[:120]
    wait = nested_value(errors[0], "extensions", "retry_in_seconds")
    if response.status == 429 or any(word in code for word in ("LIMIT", "COMPLEXITY", "BUDGET")):
        after = (
            float(wait)
            if isinstance(wait, int | float)
            else response.retry_after_seconds() or DEFAULT_WAIT_SECONDS
        )
        return RetryLater(
            f"monday.com asked us to wait {after:.0f} seconds.", retry_after_seconds=after
        )
    if "AUTH" in code:
        return Misconfigured(f"monday.com denied access. {FIX_HINT}")
    return RequestRejected(f"monday.com rejected the request: {message or code}.", code=code)


def fetch_page(client: CrmClient, cursor: Cursor) -> CrmPage:
    """Fetch one page of the users, or of the items of a board."""
    boards = re.findall(r"\d+", client.credentials.get("boards", ""))
    if not boards:
        raise Misconfigured(f"Enter the numbers of the boards, as in their URLs. {FIX_HINT}")
    if cursor["part"] == "users":
        return _fetch_users(client, cursor)
    nth = int(cursor.get("board", 0))
    if "after" in cursor:
        body = _run_query(client, _NEXT_PAGE_QUERY, {"cursor": cursor["after"]})
        items_page = nested_value(body, "data", "next_items_page")
        declared = {}
    else:
        body = _run_query(client, _FIRST_PAGE_QUERY, {"board": [boards[nth]]})
        board = next(iter(list_objects(nested_value(body, "data", "boards"))), None)
        if board is None:
            raise Misconfigured(
                f"There is no board {boards[nth]}, or the token has no access to it."
            )
        items_page = board.get("items_page")
        declared = {"records": int(board.get("items_count") or 0) + int(cursor.get("before", 0))}
    items = list_objects(nested_value(items_page, "items"))
    for item in items:
        _add_owner_column(item)
    updates = tuple(update for item in items for update in _parse_updates(item))
    before = declared.get("records", int(cursor.get("before", 0)))
    return CrmPage(
        answer=body,
        activities=updates,
        declared_counts=declared,
        next_cursor=_next_cursor(
            as_text(nested_value(items_page, "cursor")), nth, len(boards), before
        ),
    )


def _run_query(client: CrmClient, query: str, variables: Mapping[str, Any]) -> dict[str, Any]:
    return client.post("/v2", {"query": query, "variables": dict(variables)})


def _fetch_users(client: CrmClient, cursor: Cursor) -> CrmPage:
    page_number = int(cursor.get("page", 1))
    rows = list_objects(
        nested_value(_run_query(client, _USERS_QUERY, {"page": page_number}), "data", "users")
    )
    owners = tuple(
        CrmOwner(
            id=as_text(row.get("id")),
            name=as_text(row.get("name")),
            email=as_text(row.get("email")),
            nmls_id=find_nmls_id(row.get("title"), row.get("name")),
        )
        for row in rows
    )
    is_full = len(rows) == USERS_PER_PAGE
    next_cursor: Cursor = (
        {"part": "users", "page": page_number + 1} if is_full else {"part": "items"}
    )
    return CrmPage(owners=owners, next_cursor=next_cursor)


def _next_cursor(after: str, nth: int, boards: int, before: int) -> Cursor | None:
    if after:
        return {"part": "items", "board": nth, "before": before, "after": after}
    return {"part": "items", "board": nth + 1, "before": before} if nth + 1 < boards else None


def _add_owner_column(item: dict[str, Any]) -> None:
    """Add the item's owner as a column: the first person of its people column."""
    for column in list_objects(item.get("column_values")):
        if column.get("type") != "people":
            continue
        try:
            value = json.loads(as_text(column.get("value")) or "null")
        except (ValueError, RecursionError):
            continue
        entries = list_objects(nested_value(value, "personsAndTeams"))
        people = [as_text(entry.get("id")) for entry in entries if entry.get("kind") == "person"]
        if people:
            owner = {"column": {"title": OWNER_COLUMN}, "type": "text", "text": people[0]}
            item["column_values"] = [*item["column_values"], owner]
            return


def _parse_updates(item: Mapping[str, Any]) -> Iterator[PastActivity]:
    board, number = as_text(nested_value(item, "board", "id")), as_text(item.get("id"))
    record_keys = (f"{board}:{number}" if board else number,)
    for update in list_objects(item.get("updates")):
        for post in (update, *list_objects(update.get("replies"))):
            yield PastActivity(
                kind=ActivityKind.NOTE,
                external_id=as_text(post.get("id")),
                record_keys=record_keys,
                at=parse_timestamp(post.get("created_at")),
                text=as_text(post.get("text_body")).strip() or strip_markup(post.get("body")),
                owner_id=as_text(post.get("creator_id")),
            )
