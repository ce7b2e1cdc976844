"""Zoho CRM over its API version 8: users, leads, notes, tasks, calls and meetings.

A refresh token yields tokens of one hour; lists continue at `page_token`; an empty list is a 204.
Contract: docs/sources/crm.md.
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
from rooftree.core.vendor_errors import Misconfigured

NAME = "Zoho CRM"
START_CURSOR: Cursor = {"part": "users"}
FIX_HINT = (
    "In Zoho's API console make a self client with the scopes ZohoCRM.modules.READ, "
    "ZohoCRM.settings.READ and ZohoCRM.users.READ, and type its id, its secret and a refresh "
    "token under Credentials."
)
HOSTS = {  # by data center: the host of tokens, and the host of records
    "com": ("https://accounts.zoho.com", "https://www.zohoapis.com"),
    "ca": ("https://accounts.zohocloud.ca", "https://www.zohoapis.ca"),
    "eu": ("https://accounts.zoho.eu", "https://www.zohoapis.eu"),
    "in": ("https://accounts.zoho.in", "https://www.zohoapis.in"),
    "com.au": ("https://accounts.zoho.com.au", "https://www.zohoapis.com.au"),
    "jp": ("https://accounts.zoho.jp", "https://www.zohoapis.jp"),
}
PARTS = ("users", "leads", "notes", "tasks", "calls", "events")
PAGE_SIZE = 200
MAX_FIELDS = 50  # asked for at once
PREFERRED_FIELDS = (
    *("Last_Name", "First_Name", "Email", "Secondary_Email", "Phone", "Mobile", "Street"),
    *("City", "State", "Zip_Code", "Country", "Lead_Source", "Lead_Status", "Email_Opt_Out"),
    *("Owner", "Created_Time", "Tag", "Description"),
)
ACTIVITY_FIELDS = {
    "notes": "Note_Title,Note_Content,Parent_Id,Owner,Created_Time",
    "tasks": "Subject,Status,Due_Date,Description,What_Id,Who_Id,Owner,Created_Time,Closed_Time",
    "calls": "Subject,Call_Type,Call_Start_Time,Description,What_Id,Who_Id,Owner,Created_Time",
    "events": "Event_Title,Start_DateTime,Description,What_Id,Who_Id,Owner,Created_Time",
}
ACTIVITY_KINDS = {
    "notes": ActivityKind.NOTE,
    "tasks": ActivityKind.TASK,
    "calls": ActivityKind.CALL,
    "events": ActivityKind.MEETING,
}
DIRECTIONS = {"Inbound": "in", "Outbound": "out", "Missed": "in"}
CLOSED_TASK_STATUSES = ("Completed", "Deferred")


def base_url(credentials: Mapping[str, str]) -> str:
    """Return the API host of the account's data center."""
    return _data_center_hosts(credentials)[1]


def auth_headers(credentials: Mapping[str, str], token: str) -> dict[str, str]:
    """Return the header with the token, behind Zoho's own scheme name."""
    return {"Authorization": f"Zoho-oauthtoken {token}"}


def request_token(client: CrmClient) -> str:
    """Request a new token, valid for an hour."""
    form = {
        "grant_type": "refresh_token",
        "client_id": client.credentials.get("client_id", ""),
        "client_secret": client.credentials.get("client_secret", ""),
        "refresh_token": client.credentials.get("refresh_token", ""),
    }
    accounts = _data_center_hosts(client.credentials)[0]
    return as_text(client.sign_in("/oauth/v2/token", form, base_url=accounts)["access_token"])


def fetch_page(client: CrmClient, cursor: Cursor) -> CrmPage:
    """Fetch the next page of the current part."""
    part = cursor["part"]
    if part == "users":
        return _fetch_users(client, cursor)
    cursor = dict(cursor)
    declared = {}
    if part == "leads" and "fields" not in cursor:
        cursor["fields"] = _list_fields(client)
        total = client.get("/crm/v8/Leads/actions/count")
        declared = {"records": int(total.get("count") or 0)}
    body = client.get(
        f"/crm/v8/{part.capitalize()}",
        fields=cursor.get("fields") or ACTIVITY_FIELDS[part],
        per_page=PAGE_SIZE,
        page_token=cursor.get("token"),
    )
    next_cursor = next_part_cursor(PARTS, part)
    token = nested_value(body, "info", "next_page_token")
    if token and nested_value(body, "info", "more_records") is True:
        next_cursor = {**cursor, "token": as_text(token)}
    if part == "leads":
        return CrmPage(answer=body, declared_counts=declared, next_cursor=next_cursor)
    rows = list_objects(body.get("data"))
    return CrmPage(
        activities=tuple(_parse_activity(row, part, client.zone) for row in rows),
        next_cursor=next_cursor,
    )


def _data_center_hosts(credentials: Mapping[str, str]) -> tuple[str, str]:
    data_center = credentials.get("data_center", "").strip().lower().removeprefix("zoho.") or "com"
    if data_center not in HOSTS:
        raise Misconfigured(f"Choose a data center: {', '.join(HOSTS)}.")
    return HOSTS[data_center]


def _fetch_users(client: CrmClient, cursor: Cursor) -> CrmPage:
    page_number = int(cursor.get("page", 1))
    body = client.get("/crm/v8/users", type="AllUsers", page=page_number, per_page=PAGE_SIZE)
    owners = tuple(
        CrmOwner(
            id=as_text(user.get("id")),
            name=as_text(user.get("full_name")),
            email=as_text(user.get("email")),
            nmls_id=find_nmls_id(user.get("full_name"), user.get("alias"), user.get("signature")),
        )
        for user in list_objects(body.get("users"))
    )
    if nested_value(body, "info", "more_records") is True:
        return CrmPage(owners=owners, next_cursor={**cursor, "page": page_number + 1})
    return CrmPage(owners=owners, next_cursor=next_part_cursor(PARTS, "users"))


def _list_fields(client: CrmClient) -> str:
    """Return the known fields, then as many custom ones as Zoho allows in one request."""
    body = client.get("/crm/v8/settings/fields", module="Leads")
    fields = [(as_text(item.get("api_name")), item) for item in list_objects(body.get("fields"))]
    known = [name for name, _ in fields]
    custom = [name for name, field in fields if field.get("custom_field") is True]
    wanted = [*(name for name in PREFERRED_FIELDS if name in known), *custom, *known]
    return ",".join(list(dict.fromkeys(wanted))[:MAX_FIELDS])


def _parse_activity(activity: Mapping[str, Any], part: str, zone: str) -> PastActivity:
    kind = ACTIVITY_KINDS[part]
    parents = ("Parent_Id", "What_Id", "Who_Id")
    record_keys = tuple(
        filter(None, (as_text(nested_value(activity, name, "id")) for name in parents))
    )
    is_open = kind is ActivityKind.TASK and activity.get("Status") not in CLOSED_TASK_STATUSES
    times = ("Call_Start_Time", "Start_DateTime", "Closed_Time", "Created_Time")
    at = (
        activity.get("Created_Time")
        if is_open
        else next(filter(None, map(activity.get, times)), None)
    )
    titles = ("Subject", "Note_Title", "Event_Title")
    return PastActivity(
        kind=kind,
        external_id=as_text(activity.get("id")),
        record_keys=record_keys,
        at=parse_timestamp(at),
        title=as_text(next(filter(None, map(activity.get, titles)), "")),
        text=strip_markup(activity.get("Note_Content") or activity.get("Description")),
        direction=DIRECTIONS.get(as_text(activity.get("Call_Type")), ""),
        owner_id=as_text(nested_value(activity, "Owner", "id")),
        due_at=parse_due_at(activity.get("Due_Date"), zone) if kind is ActivityKind.TASK else None,
        is_open=is_open,
    )
