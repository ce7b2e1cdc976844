"""HubSpot over its CRM v3 interface: owners, contacts, and what happened to each.

Lists of objects go on by `paging.next.after`; only properties that are asked for come back.
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
    inside,
    listed,
    moment_of,
    nmls_of,
    plain,
    then_part,
)
from rooftree.capture.crm_talk import Talk
from rooftree.capture.notes import as_text

NAME = "HubSpot"
BEGINS: Cursor = {"part": "owners"}
MEND = (
    "In HubSpot open Settings, Integrations, Private apps; give the app the scopes to read "
    "contacts, their schemas, owners and sales e-mail, and type its access token under Credentials."
)
PARTS = (
    *("owners", "contacts", "notes", "tasks"),
    *("calls", "emails", "communications", "meetings"),
)
MOST = 100  # of a page
LONGEST_LIST = 150  # properties asked for: they stand in the address
WANTED = (
    *("createdate", "firstname", "lastname", "email", "hs_additional_emails", "phone"),
    *("mobilephone", "address", "city", "state", "zip", "lifecyclestage", "hs_lead_status"),
    *("hs_analytics_source", "hubspot_owner_id", "hs_email_optout", "hs_merged_object_ids"),
)
DETAILS = {  # of what happened: the properties asked for
    "notes": ("hs_note_body",),
    "tasks": ("hs_task_subject", "hs_task_body", "hs_task_status"),
    "calls": ("hs_call_title", "hs_call_body", "hs_call_direction"),
    "emails": ("hs_email_subject", "hs_email_text", "hs_email_html", "hs_email_direction"),
    "communications": ("hs_communication_channel_type", "hs_communication_body"),
    "meetings": ("hs_meeting_title", "hs_meeting_body"),
}
KINDS = {
    "notes": Past.NOTE,
    "tasks": Past.TASK,
    "calls": Past.CALL,
    "emails": Past.EMAIL,
    "communications": Past.TEXT,
    "meetings": Past.MEETING,
}
TITLES = ("hs_task_subject", "hs_call_title", "hs_email_subject", "hs_meeting_title")
WORDS = (
    *("hs_note_body", "hs_task_body", "hs_call_body", "hs_email_text", "hs_email_html"),
    *("hs_communication_body", "hs_meeting_body"),
)
DIRECTIONS = {"INBOUND": "in", "INCOMING_EMAIL": "in", "OUTBOUND": "out", "EMAIL": "out"}
OVER = ("COMPLETED", "DEFERRED")


def address_of(credentials: Mapping[str, str]) -> str:
    """One for all."""
    return "https://api.hubapi.com"


def headers(credentials: Mapping[str, str], token: str) -> dict[str, str]:
    """A private app's token, which lasts."""
    return {"Authorization": f"Bearer {credentials.get('access_token', '')}"}


def page(talk: Talk, cursor: Cursor) -> Page:
    """It is one page of the part that is under way."""
    part = cursor["part"]
    if part == "owners":
        return _owners(talk, cursor)
    return _contacts(talk, cursor) if part == "contacts" else _history(talk, cursor, part)


def _owners(talk: Talk, cursor: Cursor) -> Page:
    found = talk.get("/crm/v3/owners", limit=MOST, after=cursor.get("after"))
    owners = tuple(
        Owner(
            id=as_text(one.get("id")),
            name=f"{as_text(one.get('firstName'))} {as_text(one.get('lastName'))}".strip(),
            email=as_text(one.get("email")),
            nmls_id=nmls_of(one.get("lastName")),
        )
        for one in listed(found.get("results"))
    )
    return Page(owners=owners, more=_more(found, cursor))


def _contacts(talk: Talk, cursor: Cursor) -> Page:
    cursor = dict(cursor)
    declared = {}
    if "properties" not in cursor:
        cursor["properties"] = _properties(talk)
        told = talk.post("/crm/v3/objects/contacts/search", {"limit": 1, "filterGroups": []})
        declared = {"records": int(told.get("total") or 0)}
    found = talk.get(
        "/crm/v3/objects/contacts",
        limit=MOST,
        after=cursor.get("after"),
        properties=",".join(cursor["properties"]),
        archived="false",
    )
    return Page(answer=found, declared=declared, more=_more(found, cursor))


def _properties(talk: Talk) -> list[str]:
    """Those we know, each opt-out of a kind of e-mail, and those the company made itself."""
    found = talk.get("/crm/v3/properties/contacts", archived="false")
    own = [
        as_text(one.get("name"))
        for one in listed(found.get("results"))
        if one.get("hubspotDefined") is not True
        or as_text(one.get("name")).startswith("hs_email_optout_")
    ]
    return [*WANTED, *(one for one in own if one not in WANTED)][:LONGEST_LIST]


def _history(talk: Talk, cursor: Cursor, part: str) -> Page:
    found = talk.get(
        f"/crm/v3/objects/{part}",
        limit=MOST,
        after=cursor.get("after"),
        properties=",".join(("hs_timestamp", "hubspot_owner_id", *DETAILS[part])),
        associations="contacts",
        archived="false",
    )
    past = tuple(_happened(one, part) for one in listed(found.get("results")))
    return Page(past=past, more=_more(found, cursor))


def _happened(one: Mapping[str, Any], part: str) -> Happened:
    told = one.get("properties") or {}
    kind, at = KINDS[part], moment_of(told.get("hs_timestamp"))
    ways = (told.get("hs_call_direction"), told.get("hs_email_direction"))
    about = listed(inside(one, "associations", "contacts", "results"))
    is_open = kind is Past.TASK and told.get("hs_task_status") not in OVER
    return Happened(
        kind=kind,
        key=as_text(one.get("id")),
        about=tuple(as_text(who.get("id")) for who in about),
        at=moment_of(one.get("createdAt")) if kind is Past.TASK else at,
        title=next((as_text(told[name]) for name in TITLES if told.get(name)), ""),
        text=next((plain(told[name]) for name in WORDS if told.get(name)), ""),
        direction=next((DIRECTIONS[way] for way in ways if way in DIRECTIONS), ""),
        owner_id=as_text(told.get("hubspot_owner_id")),
        due_at=at if kind is Past.TASK else None,
        is_open=is_open,
    )


def _more(found: Mapping[str, Any], cursor: Cursor) -> Cursor | None:
    after = inside(found, "paging", "next", "after")
    if after:
        return {**cursor, "after": as_text(after)}
    return then_part(PARTS, cursor["part"])
