"""Pipedrive over its API versions 1 and 2: users, leads and deals with persons, and activities.

Leads and notes continue at `start`, deals and activities at `cursor`. A page of leads or deals
is joined with its persons and the names of the company's custom fields, as its adapter reads
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
PAGE_SIZE = 100  # of a page, and of persons fetched together
LIST_ENDPOINTS = {  # the path of each list, and True if it continues by a cursor
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
    """Return the base URL, the same for every account; the token names the company."""
    return "https://api.pipedrive.com"


def auth_headers(credentials: Mapping[str, str], token: str) -> dict[str, str]:
    """Return the header with the personal token, which does not expire."""
    return {"x-api-token": credentials.get("api_token", "")}


def fetch_page(client: CrmClient, cursor: Cursor) -> CrmPage:
    """Fetch the next page of the current part."""
    part = cursor["part"]
    if part == "users":
        return CrmPage(owners=_fetch_users(client), next_cursor=next_part_cursor(PARTS, "users"))
    path, has_cursor = LIST_ENDPOINTS[part]
    if has_cursor:
        body = client.get(path, limit=PAGE_SIZE, cursor=cursor.get("after"))
        after = nested_value(body, "additional_data", "next_cursor")
    else:
        body = client.get(path, limit=PAGE_SIZE, start=cursor.get("after"))
        paging = nested_value(body, "additional_data", "pagination") or {}
        after = paging.get("next_start") if paging.get("more_items_in_collection") else None
    next_cursor: Cursor | None = (
        {**cursor, "after": as_text(after)} if after else next_part_cursor(PARTS, part)
    )
    rows = list_objects(body.get("data"))
    if part in ("notes", "activities"):
        return CrmPage(
            activities=tuple(_parse_activity(row, part, client.zone) for row in rows),
            next_cursor=next_cursor,
        )
    return CrmPage(answer=_join_lookups(client, rows), next_cursor=next_cursor)


def _fetch_users(client: CrmClient) -> tuple[CrmOwner, ...]:
    return tuple(
        CrmOwner(
            id=as_text(user.get("id")),
            name=as_text(user.get("name")),
            email=as_text(user.get("email")),
            nmls_id=find_nmls_id(user.get("name")),
        )
        for user in list_objects(client.get("/v1/users").get("data"))
    )


def _join_lookups(client: CrmClient, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Add to a page the persons of its records and the names of custom fields and stages."""
    people: dict[str, Any] = {}
    field_names: dict[str, str] = {}
    ids = sorted({as_text(row.get("person_id")) for row in rows} - {""})
    if ids:
        body = client.get("/api/v2/persons", ids=",".join(ids), limit=PAGE_SIZE)
        people = {as_text(item.get("id")): item for item in list_objects(body.get("data"))}
    if rows:
        body = client.get("/api/v2/dealFields", limit=500)
        field_names = {
            as_text(item.get("field_code")): as_text(item.get("field_name"))
            for item in list_objects(body.get("data"))
            if item.get("is_custom_field") is True
        }
    lookups = {
        "person_lookup": people,
        "field_lookup": field_names,
        "stage_lookup": _fetch_stages(client, rows),
    }
    return {"success": True, "data": rows, **lookups}


def _fetch_stages(client: CrmClient, rows: list[dict[str, Any]]) -> dict[str, str]:
    """Return the names of deal stages by id; {} for leads, which have no stage."""
    if not any(row.get("stage_id") for row in rows):
        return {}
    body = client.get("/api/v2/stages", limit=500)
    return {
        as_text(stage.get("id")): as_text(stage.get("name"))
        for stage in list_objects(body.get("data"))
    }


def _parse_activity(activity: Mapping[str, Any], part: str, zone: str) -> PastActivity:
    """Parse an activity; its lead or deal comes before its person, who can have several."""
    lead, deal, person = (
        as_text(activity.get(f"{name}_id")) for name in ("lead", "deal", "person")
    )
    deal_keys = (f"lead:{lead}" if lead else "", f"deal:{deal}" if deal else "")
    record_keys = tuple(filter(None, (*deal_keys, f"person_id={person}" if person else "")))
    added_at = parse_timestamp(activity.get("add_time"))
    if part == "notes":
        return PastActivity(
            kind=ActivityKind.NOTE,
            external_id=as_text(activity.get("id")),
            record_keys=record_keys,
            at=added_at,
            text=strip_markup(activity.get("content")),
            owner_id=as_text(activity.get("user_id")),
        )
    is_open = activity.get("done") is False
    due = f"{as_text(activity.get('due_date'))}T{as_text(activity.get('due_time'))}".rstrip("T")
    return PastActivity(
        kind=ActivityKind.TASK
        if is_open
        else ACTIVITY_KINDS.get(as_text(activity.get("type")), ActivityKind.TASK),
        external_id=as_text(activity.get("id")),
        record_keys=record_keys,
        at=added_at
        if is_open
        else parse_timestamp(activity.get("marked_as_done_time")) or added_at,
        title=as_text(activity.get("subject")),
        text=strip_markup(activity.get("note") or activity.get("public_description")),
        owner_id=as_text(activity.get("owner_id")),
        due_at=parse_due_at(due, zone),
        is_open=is_open,
    )
