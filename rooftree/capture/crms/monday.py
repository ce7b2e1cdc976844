"""monday.com over GraphQL: users, and the items of boards with their updates.

Items go on by the cursor of `items_page`, which lives for an hour; too much at once is an
error with the seconds to wait, in an answer of 200. Contract: docs/sources/crm.md.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from rooftree.capture.crm_shapes import (
    Cursor,
    Happened,
    Owner,
    Page,
    Past,
    inside,
    listed,
    moment_of,
    nmls_of,
    plain,
)
from rooftree.capture.crm_talk import Talk
from rooftree.capture.notes import as_text
from rooftree.core import http
from rooftree.core.failures import Failure, Misconfigured, Refused, TryLater

NAME = "monday.com"
BEGINS: Cursor = {"part": "users"}
MEND = (
    "In monday.com open your picture, Developers, My access tokens, as a user who sees the "
    "boards, and type the token and the numbers of the boards under Credentials."
)
VERSION = "2026-07"
OWNER = "owner_id"  # the column that we add: who is named first in one of people
WAIT = 30.0  # seconds
MOST_USERS = 200
_ITEM = (
    "id name created_at board { id name } group { title } "
    "column_values { id type text value column { title } } "
    "updates (limit: 100) { id body text_body created_at creator_id "
    "replies { id body text_body created_at creator_id } }"
)
_USERS = "query ($page: Int!) { users (limit: 200, page: $page) { id name email title } }"
_FIRST = (
    "query ($board: [ID!]) { boards (ids: $board) { id name items_count "
    f"items_page (limit: 50) {{ cursor items {{ {_ITEM} }} }} }} }}"
)
_NEXT = (
    "query ($cursor: String!) { next_items_page (limit: 50, cursor: $cursor) "
    f"{{ cursor items {{ {_ITEM} }} }} }}"
)


def address_of(credentials: Mapping[str, str]) -> str:
    """One for all."""
    return "https://api.monday.com"


def headers(credentials: Mapping[str, str], token: str) -> dict[str, str]:
    """The token stands alone, and the version is ours to choose."""
    return {"Authorization": credentials.get("access_token", ""), "API-Version": VERSION}


def failure_of(answer: http.Answer) -> Failure | None:
    """Errors come with an answer of 200 too; those of a sign-in are plain words."""
    found = answer.json()
    errors = found.get("errors") if isinstance(found, dict) else None
    if not isinstance(errors, list) or not errors or answer.status in (401, 403):
        return None
    code = as_text(inside(errors[0], "extensions", "code")).upper()
    said = as_text(inside(errors[0], "message"))[:120]
    wait = inside(errors[0], "extensions", "retry_in_seconds")
    if answer.status == 429 or any(word in code for word in ("LIMIT", "COMPLEXITY", "BUDGET")):
        after = float(wait) if isinstance(wait, int | float) else answer.wait_seconds() or WAIT
        return TryLater(f"monday.com asks us to wait {after:.0f} seconds.", after=after)
    if "AUTH" in code:
        return Misconfigured(f"monday.com does not let us in. {MEND}")
    return Refused(f"monday.com refuses what we asked: {said or code}.", code=code)


def page(talk: Talk, cursor: Cursor) -> Page:
    """It is one page of the users, or of the items of a board."""
    boards = re.findall(r"\d+", talk.credentials.get("boards", ""))
    if not boards:
        raise Misconfigured(f"Name the boards by the numbers in their addresses. {MEND}")
    if cursor["part"] == "users":
        return _users(talk, cursor)
    nth = int(cursor.get("board", 0))
    if "after" in cursor:
        found = _asked(talk, _NEXT, {"cursor": cursor["after"]})
        held = inside(found, "data", "next_items_page")
        declared = {}
    else:
        found = _asked(talk, _FIRST, {"board": [boards[nth]]})
        board = next(iter(listed(inside(found, "data", "boards"))), None)
        if board is None:
            raise Misconfigured(f"There is no board {boards[nth]}, or the token may not see it.")
        held = board.get("items_page")
        declared = {"records": int(board.get("items_count") or 0) + int(cursor.get("before", 0))}
    items = listed(inside(held, "items"))
    for one in items:
        _say_owner(one)
    past = tuple(happened for one in items for happened in _updates(one))
    before = declared.get("records", int(cursor.get("before", 0)))
    return Page(
        answer=found,
        past=past,
        declared=declared,
        more=_more(as_text(inside(held, "cursor")), nth, len(boards), before),
    )


def _asked(talk: Talk, query: str, variables: Mapping[str, Any]) -> dict[str, Any]:
    return talk.post("/v2", {"query": query, "variables": dict(variables)})


def _users(talk: Talk, cursor: Cursor) -> Page:
    nth = int(cursor.get("page", 1))
    rows = listed(inside(_asked(talk, _USERS, {"page": nth}), "data", "users"))
    owners = tuple(
        Owner(
            id=as_text(one.get("id")),
            name=as_text(one.get("name")),
            email=as_text(one.get("email")),
            nmls_id=nmls_of(one.get("title"), one.get("name")),
        )
        for one in rows
    )
    is_full = len(rows) == MOST_USERS
    return Page(owners=owners, more={"part": "users", "page": nth + 1} if is_full else _ITEMS)


_ITEMS: Cursor = {"part": "items"}


def _more(after: str, nth: int, boards: int, before: int) -> Cursor | None:
    if after:
        return {"part": "items", "board": nth, "before": before, "after": after}
    return {"part": "items", "board": nth + 1, "before": before} if nth + 1 < boards else None


def _say_owner(item: dict[str, Any]) -> None:
    """The first person of a column of people owns the item."""
    for one in listed(item.get("column_values")):
        if one.get("type") != "people":
            continue
        try:
            value = json.loads(as_text(one.get("value")) or "null")
        except (ValueError, RecursionError):
            continue
        named = listed(inside(value, "personsAndTeams"))
        people = [as_text(who.get("id")) for who in named if who.get("kind") == "person"]
        if people:
            said = {"column": {"title": OWNER}, "type": "text", "text": people[0]}
            item["column_values"] = [*item["column_values"], said]
            return


def _updates(item: Mapping[str, Any]) -> Iterator[Happened]:
    board, number = as_text(inside(item, "board", "id")), as_text(item.get("id"))
    about = (f"{board}:{number}" if board else number,)
    for update in listed(item.get("updates")):
        for one in (update, *listed(update.get("replies"))):
            yield Happened(
                kind=Past.NOTE,
                key=as_text(one.get("id")),
                about=about,
                at=moment_of(one.get("created_at")),
                text=as_text(one.get("text_body")).strip() or plain(one.get("body")),
                owner_id=as_text(one.get("creator_id")),
            )
