"""Zoho CRM over its version 8: users, leads, notes, tasks, calls and meetings.

A refresh token buys tokens of an hour; lists go on by `page_token`; an empty list is a 204.
Contract: docs/sources/crm.md.
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
from rooftree.core.failures import Misconfigured

NAME = "Zoho CRM"
BEGINS: Cursor = {"part": "users"}
MEND = (
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
MOST = 200  # of a page
MOST_FIELDS = 50  # asked for at once
FIRST = (
    *("Last_Name", "First_Name", "Email", "Secondary_Email", "Phone", "Mobile", "Street"),
    *("City", "State", "Zip_Code", "Country", "Lead_Source", "Lead_Status", "Email_Opt_Out"),
    *("Owner", "Created_Time", "Tag", "Description"),
)
FIELDS = {
    "notes": "Note_Title,Note_Content,Parent_Id,Owner,Created_Time",
    "tasks": "Subject,Status,Due_Date,Description,What_Id,Who_Id,Owner,Created_Time,Closed_Time",
    "calls": "Subject,Call_Type,Call_Start_Time,Description,What_Id,Who_Id,Owner,Created_Time",
    "events": "Event_Title,Start_DateTime,Description,What_Id,Who_Id,Owner,Created_Time",
}
KINDS = {"notes": Past.NOTE, "tasks": Past.TASK, "calls": Past.CALL, "events": Past.MEETING}
DIRECTIONS = {"Inbound": "in", "Outbound": "out", "Missed": "in"}
OVER = ("Completed", "Deferred")


def address_of(credentials: Mapping[str, str]) -> str:
    """Where the records of its data center are."""
    return _hosts(credentials)[1]


def headers(credentials: Mapping[str, str], token: str) -> dict[str, str]:
    """Zoho's own word before the token."""
    return {"Authorization": f"Zoho-oauthtoken {token}"}


def token_of(talk: Talk) -> str:
    """It is a new token of an hour."""
    form = {
        "grant_type": "refresh_token",
        "client_id": talk.credentials.get("client_id", ""),
        "client_secret": talk.credentials.get("client_secret", ""),
        "refresh_token": talk.credentials.get("refresh_token", ""),
    }
    accounts = _hosts(talk.credentials)[0]
    return as_text(talk.sign_in("/oauth/v2/token", form, at=accounts)["access_token"])


def page(talk: Talk, cursor: Cursor) -> Page:
    """It is one page of the part that is under way."""
    part = cursor["part"]
    if part == "users":
        return _users(talk, cursor)
    cursor = dict(cursor)
    declared = {}
    if part == "leads" and "fields" not in cursor:
        cursor["fields"] = _fields(talk)
        told = talk.get("/crm/v8/Leads/actions/count")
        declared = {"records": int(told.get("count") or 0)}
    found = talk.get(
        f"/crm/v8/{part.capitalize()}",
        fields=cursor.get("fields") or FIELDS[part],
        per_page=MOST,
        page_token=cursor.get("token"),
    )
    more = _more(found, cursor)
    if part == "leads":
        return Page(answer=found, declared=declared, more=more)
    rows = listed(found.get("data"))
    return Page(past=tuple(_happened(one, part, talk.zone) for one in rows), more=more)


def _hosts(credentials: Mapping[str, str]) -> tuple[str, str]:
    said = credentials.get("data_center", "").strip().lower().removeprefix("zoho.") or "com"
    if said not in HOSTS:
        raise Misconfigured(f"The data center is one of {', '.join(HOSTS)}.")
    return HOSTS[said]


def _users(talk: Talk, cursor: Cursor) -> Page:
    nth = int(cursor.get("page", 1))
    found = talk.get("/crm/v8/users", type="AllUsers", page=nth, per_page=MOST)
    owners = tuple(
        Owner(
            id=as_text(one.get("id")),
            name=as_text(one.get("full_name")),
            email=as_text(one.get("email")),
            nmls_id=nmls_of(one.get("full_name"), one.get("alias"), one.get("signature")),
        )
        for one in listed(found.get("users"))
    )
    if inside(found, "info", "more_records") is True:
        return Page(owners=owners, more={**cursor, "page": nth + 1})
    return Page(owners=owners, more=then_part(PARTS, "users"))


def _fields(talk: Talk) -> str:
    """Those we know, and as many of the company's own as may be asked for at once."""
    found = talk.get("/crm/v8/settings/fields", module="Leads")
    named = [(as_text(one.get("api_name")), one) for one in listed(found.get("fields"))]
    known = [name for name, _ in named]
    own = [name for name, one in named if one.get("custom_field") is True]
    wanted = [*(name for name in FIRST if name in known), *own, *known]
    return ",".join(list(dict.fromkeys(wanted))[:MOST_FIELDS])


def _happened(one: Mapping[str, Any], part: str, zone: str) -> Happened:
    kind = KINDS[part]
    parents = ("Parent_Id", "What_Id", "Who_Id")
    about = tuple(filter(None, (as_text(inside(one, name, "id")) for name in parents)))
    is_open = kind is Past.TASK and one.get("Status") not in OVER
    times = ("Call_Start_Time", "Start_DateTime", "Closed_Time", "Created_Time")
    at = one.get("Created_Time") if is_open else next(filter(None, map(one.get, times)), None)
    titles = ("Subject", "Note_Title", "Event_Title")
    return Happened(
        kind=kind,
        key=as_text(one.get("id")),
        about=about,
        at=moment_of(at),
        title=as_text(next(filter(None, map(one.get, titles)), "")),
        text=plain(one.get("Note_Content") or one.get("Description")),
        direction=DIRECTIONS.get(as_text(one.get("Call_Type")), ""),
        owner_id=as_text(inside(one, "Owner", "id")),
        due_at=due_of(one.get("Due_Date"), zone) if kind is Past.TASK else None,
        is_open=is_open,
    )


def _more(found: Mapping[str, Any], cursor: Cursor) -> Cursor | None:
    token = inside(found, "info", "next_page_token")
    if inside(found, "info", "more_records") is True and token:
        return {**cursor, "token": as_text(token)}
    return then_part(PARTS, cursor["part"])
