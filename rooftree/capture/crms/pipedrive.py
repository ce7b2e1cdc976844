"""Pipedrive over its versions 1 and 2: users, leads and deals with their persons, their history.

Leads and notes go on by `start`, deals and activities by `cursor`. A page of leads or deals
is joined with its persons and the names of the company's own fields, as its adapter reads
it. Contract: docs/sources/crm.md.
"""

from collections.abc import Mapping
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
    next_part_cursor,
    parse_due_at,
    parse_timestamp,
    strip_markup,
)
from rooftree.capture.parsing.reading_notes import as_text

NAME = "Pipedrive"
START_CURSOR: Cursor = {"part": "users"}
FIX_HINT = (
    "In Pipedrive open Personal preferences, API, as a user who sees all leads and deals, "
    "and type the personal API token under Credentials."
)
PARTS = ("users", "leads", "archived", "deals", "notes", "activities")
PAGE_SIZE = 100  # of a page, and of persons asked for together
LIST_ENDPOINTS = {  # where each is listed, and whether it goes on by a cursor
    "leads": ("/v1/leads", False),
    "archived": ("/v1/leads/archived", False),
    "deals": ("/api/v2/deals", True),
    "notes": ("/v1/notes", False),
    "activities": ("/api/v2/activities", True),
}
ACTIVITY_KINDS = {
    "call": ActivityKind.CALL,
    "email": ActivityKind.EMAIL,
    "meeting": ActivityKind.MEETING,
    "lunch": ActivityKind.MEETING,
}


def base_url(credentials: Mapping[str, str]) -> str:
    """One for all; the token names the company."""
    return "https://api.pipedrive.com"


def auth_headers(credentials: Mapping[str, str], token: str) -> dict[str, str]:
    """A personal token, which lasts."""
    return {"x-api-token": credentials.get("api_token", "")}


def fetch_page(talk: CrmClient, cursor: Cursor) -> CrmPage:
    """It is one page of the part that is under way."""
    part = cursor["part"]
    if part == "users":
        return CrmPage(owners=_fetch_users(talk), next_cursor=next_part_cursor(PARTS, "users"))
    path, goes_by_cursor = LIST_ENDPOINTS[part]
    if goes_by_cursor:
        found = talk.get(path, limit=PAGE_SIZE, cursor=cursor.get("after"))
        after = nested_value(found, "additional_data", "next_cursor")
    else:
        found = talk.get(path, limit=PAGE_SIZE, start=cursor.get("after"))
        paging = nested_value(found, "additional_data", "pagination") or {}
        after = paging.get("next_start") if paging.get("more_items_in_collection") else None
    more: Cursor | None = (
        {**cursor, "after": as_text(after)} if after else next_part_cursor(PARTS, part)
    )
    rows = list_objects(found.get("data"))
    if part in ("notes", "activities"):
        return CrmPage(
            activities=tuple(_parse_activity(row, part, talk.zone) for row in rows),
            next_cursor=more,
        )
    return CrmPage(answer=_join_lookups(talk, rows), next_cursor=more)


def _fetch_users(talk: CrmClient) -> tuple[CrmOwner, ...]:
    return tuple(
        CrmOwner(
            id=as_text(list_object.get("id")),
            name=as_text(list_object.get("name")),
            email=as_text(list_object.get("email")),
            nmls_id=find_nmls_id(list_object.get("name")),
        )
        for list_object in list_objects(talk.get("/v1/users").get("data"))
    )


def _join_lookups(talk: CrmClient, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """A page with the persons of its records, and the names of fields behind their keys."""
    people: dict[str, Any] = {}
    called: dict[str, str] = {}
    ids = sorted({as_text(row.get("person_id")) for row in rows} - {""})
    if ids:
        found = talk.get("/api/v2/persons", ids=",".join(ids), limit=PAGE_SIZE)
        people = {
            as_text(list_object.get("id")): list_object
            for list_object in list_objects(found.get("data"))
        }
    if rows:
        found = talk.get("/api/v2/dealFields", limit=500)
        called = {
            as_text(list_object.get("field_code")): as_text(list_object.get("field_name"))
            for list_object in list_objects(found.get("data"))
            if list_object.get("is_custom_field") is True
        }
    lookups = {
        "person_lookup": people,
        "field_lookup": called,
        "stage_lookup": _fetch_stages(talk, rows),
    }
    return {"success": True, "data": rows, **lookups}


def _fetch_stages(talk: CrmClient, rows: list[dict[str, Any]]) -> dict[str, str]:
    """What the stages of deals are called; leads have none."""
    if not any(row.get("stage_id") for row in rows):
        return {}
    found = talk.get("/api/v2/stages", limit=500)
    return {
        as_text(list_object.get("id")): as_text(list_object.get("name"))
        for list_object in list_objects(found.get("data"))
    }


def _parse_activity(one: Mapping[str, Any], part: str, zone: str) -> PastActivity:
    """Leads and deals come before the person: one may have several of them."""
    lead, deal, person = (as_text(one.get(f"{name}_id")) for name in ("lead", "deal", "person"))
    parts = (f"lead:{lead}" if lead else "", f"deal:{deal}" if deal else "")
    about = tuple(filter(None, (*parts, f"person_id={person}" if person else "")))
    added = parse_timestamp(one.get("add_time"))
    if part == "notes":
        return PastActivity(
            kind=ActivityKind.NOTE,
            external_id=as_text(one.get("id")),
            record_keys=about,
            at=added,
            text=strip_markup(one.get("content")),
            owner_id=as_text(one.get("user_id")),
        )
    is_open = one.get("done") is False
    due = f"{as_text(one.get('due_date'))}T{as_text(one.get('due_time'))}".rstrip("T")
    return PastActivity(
        kind=ActivityKind.TASK
        if is_open
        else ACTIVITY_KINDS.get(as_text(one.get("type")), ActivityKind.TASK),
        external_id=as_text(one.get("id")),
        record_keys=about,
        at=added if is_open else parse_timestamp(one.get("marked_as_done_time")) or added,
        title=as_text(one.get("subject")),
        text=strip_markup(one.get("note") or one.get("public_description")),
        owner_id=as_text(one.get("owner_id")),
        due_at=parse_due_at(due, zone),
        is_open=is_open,
    )
