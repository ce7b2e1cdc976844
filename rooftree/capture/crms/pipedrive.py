"""Pipedrive over its versions 1 and 2: users, leads and deals with their persons, their history.

Leads and notes go on by `start`, deals and activities by `cursor`. A page of leads or deals
is joined with its persons and the names of the company's own fields, as its adapter reads
it. Contract: docs/sources/crm.md.
"""

from collections.abc import Mapping
from typing import Any

from rooftree.capture.crm_shapes import (
    Cursor,
    Happened,
    Owner,
    Page,
    Past,
    due_of,
    inside,
    listed,
    moment_of,
    nmls_of,
    plain,
    then_part,
)
from rooftree.capture.crm_talk import Talk
from rooftree.capture.notes import as_text

NAME = "Pipedrive"
BEGINS: Cursor = {"part": "users"}
MEND = (
    "In Pipedrive open Personal preferences, API, as a user who sees all leads and deals, "
    "and type the personal API token under Credentials."
)
PARTS = ("users", "leads", "archived", "deals", "notes", "activities")
MOST = 100  # of a page, and of persons asked for together
LISTS = {  # where each is listed, and whether it goes on by a cursor
    "leads": ("/v1/leads", False),
    "archived": ("/v1/leads/archived", False),
    "deals": ("/api/v2/deals", True),
    "notes": ("/v1/notes", False),
    "activities": ("/api/v2/activities", True),
}
KINDS = {"call": Past.CALL, "email": Past.EMAIL, "meeting": Past.MEETING, "lunch": Past.MEETING}


def address_of(credentials: Mapping[str, str]) -> str:
    """One for all; the token names the company."""
    return "https://api.pipedrive.com"


def headers(credentials: Mapping[str, str], token: str) -> dict[str, str]:
    """A personal token, which lasts."""
    return {"x-api-token": credentials.get("api_token", "")}


def page(talk: Talk, cursor: Cursor) -> Page:
    """It is one page of the part that is under way."""
    part = cursor["part"]
    if part == "users":
        return Page(owners=_users(talk), more=then_part(PARTS, "users"))
    path, goes_by_cursor = LISTS[part]
    if goes_by_cursor:
        found = talk.get(path, limit=MOST, cursor=cursor.get("after"))
        after = inside(found, "additional_data", "next_cursor")
    else:
        found = talk.get(path, limit=MOST, start=cursor.get("after"))
        paging = inside(found, "additional_data", "pagination") or {}
        after = paging.get("next_start") if paging.get("more_items_in_collection") else None
    more: Cursor | None = {**cursor, "after": as_text(after)} if after else then_part(PARTS, part)
    rows = listed(found.get("data"))
    if part in ("notes", "activities"):
        return Page(past=tuple(_happened(one, part, talk.zone) for one in rows), more=more)
    return Page(answer=_joined(talk, rows), more=more)


def _users(talk: Talk) -> tuple[Owner, ...]:
    return tuple(
        Owner(
            id=as_text(one.get("id")),
            name=as_text(one.get("name")),
            email=as_text(one.get("email")),
            nmls_id=nmls_of(one.get("name")),
        )
        for one in listed(talk.get("/v1/users").get("data"))
    )


def _joined(talk: Talk, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """A page with the persons of its records, and the names of fields behind their keys."""
    people: dict[str, Any] = {}
    called: dict[str, str] = {}
    ids = sorted({as_text(one.get("person_id")) for one in rows} - {""})
    if ids:
        found = talk.get("/api/v2/persons", ids=",".join(ids), limit=MOST)
        people = {as_text(one.get("id")): one for one in listed(found.get("data"))}
    if rows:
        found = talk.get("/api/v2/dealFields", limit=500)
        called = {
            as_text(one.get("field_code")): as_text(one.get("field_name"))
            for one in listed(found.get("data"))
            if one.get("is_custom_field") is True
        }
    lookups = {"person_lookup": people, "field_lookup": called, "stage_lookup": _stages(talk, rows)}
    return {"success": True, "data": rows, **lookups}


def _stages(talk: Talk, rows: list[dict[str, Any]]) -> dict[str, str]:
    """What the stages of deals are called; leads have none."""
    if not any(one.get("stage_id") for one in rows):
        return {}
    found = talk.get("/api/v2/stages", limit=500)
    return {as_text(one.get("id")): as_text(one.get("name")) for one in listed(found.get("data"))}


def _happened(one: Mapping[str, Any], part: str, zone: str) -> Happened:
    """Leads and deals come before the person: one may have several of them."""
    lead, deal, person = (as_text(one.get(f"{name}_id")) for name in ("lead", "deal", "person"))
    parts = (f"lead:{lead}" if lead else "", f"deal:{deal}" if deal else "")
    about = tuple(filter(None, (*parts, f"person_id={person}" if person else "")))
    added = moment_of(one.get("add_time"))
    if part == "notes":
        return Happened(
            kind=Past.NOTE,
            key=as_text(one.get("id")),
            about=about,
            at=added,
            text=plain(one.get("content")),
            owner_id=as_text(one.get("user_id")),
        )
    is_open = one.get("done") is False
    due = f"{as_text(one.get('due_date'))}T{as_text(one.get('due_time'))}".rstrip("T")
    return Happened(
        kind=Past.TASK if is_open else KINDS.get(as_text(one.get("type")), Past.TASK),
        key=as_text(one.get("id")),
        about=about,
        at=added if is_open else moment_of(one.get("marked_as_done_time")) or added,
        title=as_text(one.get("subject")),
        text=plain(one.get("note") or one.get("public_description")),
        owner_id=as_text(one.get("owner_id")),
        due_at=due_of(due, zone),
        is_open=is_open,
    )
