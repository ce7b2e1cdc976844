"""Zoho CRM over its version 8: users, leads, notes, tasks, calls and meetings.

A refresh token buys tokens of an hour; lists go on by `page_token`; an empty list is a 204.
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
HOSTS = {  # by data center: where tokens are bought, and where records are
    "com": ("https://accounts.zoho.com", "https://www.zohoapis.com"),
    "ca": ("https://accounts.zohocloud.ca", "https://www.zohoapis.ca"),
    "eu": ("https://accounts.zoho.eu", "https://www.zohoapis.eu"),
    "in": ("https://accounts.zoho.in", "https://www.zohoapis.in"),
    "com.au": ("https://accounts.zoho.com.au", "https://www.zohoapis.com.au"),
    "jp": ("https://accounts.zoho.jp", "https://www.zohoapis.jp"),
}
PARTS = ("users", "leads", "notes", "tasks", "calls", "events")
PAGE_SIZE = 200  # of a page
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
    """Where the records of its data center are."""
    return _data_center_hosts(credentials)[1]


def auth_headers(credentials: Mapping[str, str], token: str) -> dict[str, str]:
    """Zoho's own word before the token."""
    return {"Authorization": f"Zoho-oauthtoken {token}"}


def request_token(talk: CrmClient) -> str:
    """It is a new token of an hour."""
    form = {
        "grant_type": "refresh_token",
        "client_id": talk.credentials.get("client_id", ""),
        "client_secret": talk.credentials.get("client_secret", ""),
        "refresh_token": talk.credentials.get("refresh_token", ""),
    }
    accounts = _data_center_hosts(talk.credentials)[0]
    return as_text(talk.sign_in("/oauth/v2/token", form, at=accounts)["access_token"])


def fetch_page(talk: CrmClient, cursor: Cursor) -> CrmPage:
    """It is one page of the part that is under way."""
    part = cursor["part"]
    if part == "users":
        return _fetch_users(talk, cursor)
    cursor = dict(cursor)
    declared = {}
    if part == "leads" and "fields" not in cursor:
        cursor["fields"] = _list_fields(talk)
        told = talk.get("/crm/v8/Leads/actions/count")
        declared = {"records": int(told.get("count") or 0)}
    found = talk.get(
        f"/crm/v8/{part.capitalize()}",
        fields=cursor.get("fields") or ACTIVITY_FIELDS[part],
        per_page=PAGE_SIZE,
        page_token=cursor.get("token"),
    )
    more = _next_cursor(found, cursor)
    if part == "leads":
        return CrmPage(answer=found, declared_counts=declared, next_cursor=more)
    rows = list_objects(found.get("data"))
    return CrmPage(
        activities=tuple(_parse_activity(row, part, talk.zone) for row in rows), next_cursor=more
    )


def _data_center_hosts(credentials: Mapping[str, str]) -> tuple[str, str]:
    said = credentials.get("data_center", "").strip().lower().removeprefix("zoho.") or "com"
    if said not in HOSTS:
        raise Misconfigured(f"The data center is one of {', '.join(HOSTS)}.")
    return HOSTS[said]


def _fetch_users(talk: CrmClient, cursor: Cursor) -> CrmPage:
    nth = int(cursor.get("page", 1))
    found = talk.get("/crm/v8/users", type="AllUsers", page=nth, per_page=PAGE_SIZE)
    owners = tuple(
        CrmOwner(
            id=as_text(list_object.get("id")),
            name=as_text(list_object.get("full_name")),
            email=as_text(list_object.get("email")),
            nmls_id=find_nmls_id(
                list_object.get("full_name"), list_object.get("alias"), list_object.get("signature")
            ),
        )
        for list_object in list_objects(found.get("users"))
    )
    if nested_value(found, "info", "more_records") is True:
        return CrmPage(owners=owners, next_cursor={**cursor, "page": nth + 1})
    return CrmPage(owners=owners, next_cursor=next_part_cursor(PARTS, "users"))


def _list_fields(talk: CrmClient) -> str:
    """Those we know, and as many of the company's own as may be asked for at once."""
    found = talk.get("/crm/v8/settings/fields", module="Leads")
    named = [
        (as_text(list_object.get("api_name")), list_object)
        for list_object in list_objects(found.get("fields"))
    ]
    known = [name for name, _ in named]
    own = [name for name, one in named if one.get("custom_field") is True]
    wanted = [*(name for name in PREFERRED_FIELDS if name in known), *own, *known]
    return ",".join(list(dict.fromkeys(wanted))[:MAX_FIELDS])


def _parse_activity(one: Mapping[str, Any], part: str, zone: str) -> PastActivity:
    kind = ACTIVITY_KINDS[part]
    parents = ("Parent_Id", "What_Id", "Who_Id")
    about = tuple(filter(None, (as_text(nested_value(one, name, "id")) for name in parents)))
    is_open = kind is ActivityKind.TASK and one.get("Status") not in CLOSED_TASK_STATUSES
    times = ("Call_Start_Time", "Start_DateTime", "Closed_Time", "Created_Time")
    at = one.get("Created_Time") if is_open else next(filter(None, map(one.get, times)), None)
    titles = ("Subject", "Note_Title", "Event_Title")
    return PastActivity(
        kind=kind,
        external_id=as_text(one.get("id")),
        record_keys=about,
        at=parse_timestamp(at),
        title=as_text(next(filter(None, map(one.get, titles)), "")),
        text=strip_markup(one.get("Note_Content") or one.get("Description")),
        direction=DIRECTIONS.get(as_text(one.get("Call_Type")), ""),
        owner_id=as_text(nested_value(one, "Owner", "id")),
        due_at=parse_due_at(one.get("Due_Date"), zone) if kind is ActivityKind.TASK else None,
        is_open=is_open,
    )


def _next_cursor(found: Mapping[str, Any], cursor: Cursor) -> Cursor | None:
    token = nested_value(found, "info", "next_page_token")
    if nested_value(found, "info", "more_records") is True and token:
        return {**cursor, "token": as_text(token)}
    return next_part_cursor(PARTS, cursor["part"])
