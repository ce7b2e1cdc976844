"""HubSpot over its CRM v3 interface: owners, contacts, and what happened to each.

Lists of objects go on by `paging.next.after`; only properties that are asked for come back.
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
    parse_timestamp,
    strip_markup,
)
from rooftree.capture.parsing.reading_notes import as_text

NAME = "HubSpot"
START_CURSOR: Cursor = {"part": "owners"}
FIX_HINT = (
    "In HubSpot open Settings, Integrations, Private apps; give the app the scopes to read "
    "contacts, their schemas, owners and sales e-mail, and type its access token under Credentials."
)
PARTS = (
    *("owners", "contacts", "notes", "tasks"),
    *("calls", "emails", "communications", "meetings"),
)
PAGE_SIZE = 100  # of a page
MAX_PROPERTIES = 150  # properties asked for: they stand in the address
CONTACT_PROPERTIES = (
    *("createdate", "firstname", "lastname", "email", "hs_additional_emails", "phone"),
    *("mobilephone", "address", "city", "state", "zip", "lifecyclestage", "hs_lead_status"),
    *("hs_analytics_source", "hubspot_owner_id", "hs_email_optout", "hs_merged_object_ids"),
)
ACTIVITY_PROPERTIES = {  # of what happened: the properties asked for
    "notes": ("hs_note_body",),
    "tasks": ("hs_task_subject", "hs_task_body", "hs_task_status"),
    "calls": ("hs_call_title", "hs_call_body", "hs_call_direction"),
    "emails": ("hs_email_subject", "hs_email_text", "hs_email_html", "hs_email_direction"),
    "communications": ("hs_communication_channel_type", "hs_communication_body"),
    "meetings": ("hs_meeting_title", "hs_meeting_body"),
}
ACTIVITY_KINDS = {
    "notes": ActivityKind.NOTE,
    "tasks": ActivityKind.TASK,
    "calls": ActivityKind.CALL,
    "emails": ActivityKind.EMAIL,
    "communications": ActivityKind.TEXT,
    "meetings": ActivityKind.MEETING,
}
TITLE_PROPERTIES = ("hs_task_subject", "hs_call_title", "hs_email_subject", "hs_meeting_title")
TEXT_PROPERTIES = (
    *("hs_note_body", "hs_task_body", "hs_call_body", "hs_email_text", "hs_email_html"),
    *("hs_communication_body", "hs_meeting_body"),
)
DIRECTIONS = {"INBOUND": "in", "INCOMING_EMAIL": "in", "OUTBOUND": "out", "EMAIL": "out"}
CLOSED_TASK_STATUSES = ("COMPLETED", "DEFERRED")


def base_url(credentials: Mapping[str, str]) -> str:
    """One for all."""
    return "https://api.hubapi.com"


def auth_headers(credentials: Mapping[str, str], token: str) -> dict[str, str]:
    """A private app's token, which lasts."""
    return {"Authorization": f"Bearer {credentials.get('access_token', '')}"}


def fetch_page(talk: CrmClient, cursor: Cursor) -> CrmPage:
    """It is one page of the part that is under way."""
    part = cursor["part"]
    if part == "owners":
        return _fetch_owners(talk, cursor)
    return (
        _fetch_contacts(talk, cursor)
        if part == "contacts"
        else _fetch_activities(talk, cursor, part)
    )


def _fetch_owners(talk: CrmClient, cursor: Cursor) -> CrmPage:
    found = talk.get("/crm/v3/owners", limit=PAGE_SIZE, after=cursor.get("after"))
    owners = tuple(
        CrmOwner(
            id=as_text(list_object.get("id")),
            name=" ".join(
                as_text(list_object.get(key)) for key in ("firstName", "lastName")
            ).strip(),
            email=as_text(list_object.get("email")),
            nmls_id=find_nmls_id(list_object.get("lastName")),
        )
        for list_object in list_objects(found.get("results"))
    )
    return CrmPage(owners=owners, next_cursor=_next_cursor(found, cursor))


def _fetch_contacts(talk: CrmClient, cursor: Cursor) -> CrmPage:
    cursor = dict(cursor)
    declared = {}
    if "properties" not in cursor:
        cursor["properties"] = _list_properties(talk)
        told = talk.post("/crm/v3/objects/contacts/search", {"limit": 1, "filterGroups": []})
        declared = {"records": int(told.get("total") or 0)}
    found = talk.get(
        "/crm/v3/objects/contacts",
        limit=PAGE_SIZE,
        after=cursor.get("after"),
        properties=",".join(cursor["properties"]),
        archived="false",
    )
    return CrmPage(answer=found, declared_counts=declared, next_cursor=_next_cursor(found, cursor))


def _list_properties(talk: CrmClient) -> list[str]:
    """Those we know, each opt-out of a kind of e-mail, and those the company made itself."""
    found = talk.get("/crm/v3/properties/contacts", archived="false")
    own = [
        as_text(list_object.get("name"))
        for list_object in list_objects(found.get("results"))
        if list_object.get("hubspotDefined") is not True
        or as_text(list_object.get("name")).startswith("hs_email_optout_")
    ]
    return [*CONTACT_PROPERTIES, *(one for one in own if one not in CONTACT_PROPERTIES)][
        :MAX_PROPERTIES
    ]


def _fetch_activities(talk: CrmClient, cursor: Cursor, part: str) -> CrmPage:
    found = talk.get(
        f"/crm/v3/objects/{part}",
        limit=PAGE_SIZE,
        after=cursor.get("after"),
        properties=",".join(("hs_timestamp", "hubspot_owner_id", *ACTIVITY_PROPERTIES[part])),
        associations="contacts",
        archived="false",
    )
    past = tuple(
        _parse_activity(list_object, part) for list_object in list_objects(found.get("results"))
    )
    return CrmPage(activities=past, next_cursor=_next_cursor(found, cursor))


def _parse_activity(one: Mapping[str, Any], part: str) -> PastActivity:
    told = one.get("properties") or {}
    kind, at = ACTIVITY_KINDS[part], parse_timestamp(told.get("hs_timestamp"))
    ways = (told.get("hs_call_direction"), told.get("hs_email_direction"))
    about = list_objects(nested_value(one, "associations", "contacts", "results"))
    is_open = kind is ActivityKind.TASK and told.get("hs_task_status") not in CLOSED_TASK_STATUSES
    return PastActivity(
        kind=kind,
        external_id=as_text(one.get("id")),
        record_keys=tuple(as_text(who.get("id")) for who in about),
        at=parse_timestamp(one.get("createdAt")) if kind is ActivityKind.TASK else at,
        title=next((as_text(told[name]) for name in TITLE_PROPERTIES if told.get(name)), ""),
        text=next((strip_markup(told[name]) for name in TEXT_PROPERTIES if told.get(name)), ""),
        direction=next((DIRECTIONS[way] for way in ways if way in DIRECTIONS), ""),
        owner_id=as_text(told.get("hubspot_owner_id")),
        due_at=at if kind is ActivityKind.TASK else None,
        is_open=is_open,
    )


def _next_cursor(found: Mapping[str, Any], cursor: Cursor) -> Cursor | None:
    after = nested_value(found, "paging", "next", "after")
    if after:
        return {**cursor, "after": as_text(after)}
    return next_part_cursor(PARTS, cursor["part"])
