"""monday.com over GraphQL: users, and the items of boards with their updates.

Items go on by the cursor of `items_page`, which lives for an hour; too much at once is an
error with the seconds to wait, in an answer of 200. Contract: docs/sources/crm.md.
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
OWNER_COLUMN = "owner_id"  # the column that we add: who is named first in one of people
DEFAULT_WAIT_SECONDS = 30.0  # seconds
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
    """One for all."""
    return "https://api.monday.com"


def auth_headers(credentials: Mapping[str, str], token: str) -> dict[str, str]:
    """The token stands alone, and the version is ours to choose."""
    return {"Authorization": credentials.get("access_token", ""), "API-Version": API_VERSION}


def classify_failure(answer: http_client.VendorResponse) -> VendorError | None:
    """Errors come with an answer of 200 too; those of a sign-in are plain words."""
    found = answer.json()
    errors = found.get("errors") if isinstance(found, dict) else None
    if not isinstance(errors, list) or not errors or answer.status in (401, 403):
        return None
    code = as_text(nested_value(errors[0], "extensions", "code")).upper()
    said = as_text(nested_value(errors[0], "message"))[:120]
    wait = nested_value(errors[0], "extensions", "retry_in_seconds")
    if answer.status == 429 or any(word in code for word in ("LIMIT", "COMPLEXITY", "BUDGET")):
        after = (
            float(wait)
            if isinstance(wait, int | float)
            else answer.retry_after_seconds() or DEFAULT_WAIT_SECONDS
        )
        return RetryLater(
            f"monday.com asks us to wait {after:.0f} seconds.", retry_after_seconds=after
        )
    if "AUTH" in code:
        return Misconfigured(f"monday.com does not let us in. {FIX_HINT}")
    return RequestRejected(f"monday.com refuses what we asked: {said or code}.", code=code)


def fetch_page(talk: CrmClient, cursor: Cursor) -> CrmPage:
    """It is one page of the users, or of the items of a board."""
    boards = re.findall(r"\d+", talk.credentials.get("boards", ""))
    if not boards:
        raise Misconfigured(f"Name the boards by the numbers in their addresses. {FIX_HINT}")
    if cursor["part"] == "users":
        return _fetch_users(talk, cursor)
    nth = int(cursor.get("board", 0))
    if "after" in cursor:
        found = _run_query(talk, _NEXT_PAGE_QUERY, {"cursor": cursor["after"]})
        held = nested_value(found, "data", "next_items_page")
        declared = {}
    else:
        found = _run_query(talk, _FIRST_PAGE_QUERY, {"board": [boards[nth]]})
        board = next(iter(list_objects(nested_value(found, "data", "boards"))), None)
        if board is None:
            raise Misconfigured(f"There is no board {boards[nth]}, or the token may not see it.")
        held = board.get("items_page")
        declared = {"records": int(board.get("items_count") or 0) + int(cursor.get("before", 0))}
    items = list_objects(nested_value(held, "items"))
    for item in items:
        _add_owner_column(item)
    past = tuple(happened for item in items for happened in _parse_updates(item))
    before = declared.get("records", int(cursor.get("before", 0)))
    return CrmPage(
        answer=found,
        activities=past,
        declared_counts=declared,
        next_cursor=_next_cursor(as_text(nested_value(held, "cursor")), nth, len(boards), before),
    )


def _run_query(talk: CrmClient, query: str, variables: Mapping[str, Any]) -> dict[str, Any]:
    return talk.post("/v2", {"query": query, "variables": dict(variables)})


def _fetch_users(talk: CrmClient, cursor: Cursor) -> CrmPage:
    nth = int(cursor.get("page", 1))
    rows = list_objects(
        nested_value(_run_query(talk, _USERS_QUERY, {"page": nth}), "data", "users")
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
    return CrmPage(
        owners=owners, next_cursor={"part": "users", "page": nth + 1} if is_full else _ITEMS_CURSOR
    )


_ITEMS_CURSOR: Cursor = {"part": "items"}


def _next_cursor(after: str, nth: int, boards: int, before: int) -> Cursor | None:
    if after:
        return {"part": "items", "board": nth, "before": before, "after": after}
    return {"part": "items", "board": nth + 1, "before": before} if nth + 1 < boards else None


def _add_owner_column(item: dict[str, Any]) -> None:
    """The first person of a column of people owns the item."""
    for list_object in list_objects(item.get("column_values")):
        if list_object.get("type") != "people":
            continue
        try:
            value = json.loads(as_text(list_object.get("value")) or "null")
        except (ValueError, RecursionError):
            continue
        named = list_objects(nested_value(value, "personsAndTeams"))
        people = [as_text(who.get("id")) for who in named if who.get("kind") == "person"]
        if people:
            said = {"column": {"title": OWNER_COLUMN}, "type": "text", "text": people[0]}
            item["column_values"] = [*item["column_values"], said]
            return


def _parse_updates(item: Mapping[str, Any]) -> Iterator[PastActivity]:
    board, number = as_text(nested_value(item, "board", "id")), as_text(item.get("id"))
    about = (f"{board}:{number}" if board else number,)
    for update in list_objects(item.get("updates")):
        for one in (update, *list_objects(update.get("replies"))):
            yield PastActivity(
                kind=ActivityKind.NOTE,
                external_id=as_text(one.get("id")),
                record_keys=about,
                at=parse_timestamp(one.get("created_at")),
                text=as_text(one.get("text_body")).strip() or strip_markup(one.get("body")),
                owner_id=as_text(one.get("creator_id")),
            )
