"""HubSpot over its CRM v3 API: owners, contacts and their activities.

Lists continue at `paging.next.after`; HubSpot returns only the properties asked for.
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
    "contacts, their schemas, owners and sales email, and type its access token under Credentials."
)
PARTS = (
    *("owners", "contacts", "notes", "tasks"),
    *("calls", "emails", "communications", "meetings"),
)
PAGE_SIZE = 100
MAX_PROPERTIES = 150  # asked for at once: they go into the URL
CONTACT_PROPERTIES = (
    *("createdate", "firstname", "lastname", "email", "hs_additional_emails", "phone"),
    *("mobilephone", "address", "city", "state", "zip", "lifecyclestage", "hs_lead_status"),
    *("hs_analytics_source", "hubspot_owner_id", "hs_email_optout", "hs_merged_object_ids"),
)
ACTIVITY_PROPERTIES = {  # the properties to ask for, by kind of object
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
    """Return the base URL, the same for every account."""
    return "https://api.hubapi.com"


def auth_headers(credentials: Mapping[str, str], token: str) -> dict[str, str]:
    """Return the header with the private app's token, which does not expire."""
    return {"Authorization": f"Bearer {credentials.get('access_token', '')}"}


def fetch_page(client: CrmClient, cursor: Cursor) -> CrmPage:
    """Fetch the next page of the current part."""
    part = cursor["part"]
    if part == "owners":
        return _fetch_owners(client, cursor)
    if part == "contacts":
        return _fetch_contacts(client, cursor)
    return _fetch_activities(client, cursor, part)


def _fetch_owners(client: CrmClient, cursor: Cursor) -> CrmPage:
    body = client.get("/crm/v3/owners", limit=PAGE_SIZE, after=cursor.get("after"))
    owners = tuple(
        CrmOwner(
            id=as_text(owner.get("id")),
            name=" ".join(as_text(owner.get(key)) for key in ("firstName", "lastName")).strip(),
            email=as_text(owner.get("email")),
            nmls_id=find_nmls_id(owner.get("lastName")),
        )
        for owner in list_objects(body.get("results"))
    )
    return CrmPage(owners=owners, next_cursor=_next_cursor(body, cursor))


def _fetch_contacts(client: CrmClient, cursor: Cursor) -> CrmPage:
    cursor = dict(cursor)
    declared = {}
    if "properties" not in cursor:
        cursor["properties"] = _list_properties(client)
        search = client.post("/crm/v3/objects/contacts/search", {"limit": 1, "filterGroups": []})
        declared = {"records": int(search.get("total") or 0)}
    body = client.get(
        "/crm/v3/objects/contacts",
        limit=PAGE_SIZE,
        after=cursor.get("after"),
        properties=",".join(cursor["properties"]),
        archived="false",
    )
    return CrmPage(answer=body, declared_counts=declared, next_cursor=_next_cursor(body, cursor))


def _list_properties(client: CrmClient) -> list[str]:
    """Return the known properties, the email opt-outs by type, and the company's custom ones."""
    body = client.get("/crm/v3/properties/contacts", archived="false")
    custom = [
        as_text(contact_property.get("name"))
        for contact_property in list_objects(body.get("results"))
        if contact_property.get("hubspotDefined") is not True
        or as_text(contact_property.get("name")).startswith("hs_email_optout_")
    ]
    return [*CONTACT_PROPERTIES, *(name for name in custom if name not in CONTACT_PROPERTIES)][
        :MAX_PROPERTIES
    ]


def _fetch_activities(client: CrmClient, cursor: Cursor, part: str) -> CrmPage:
    body = client.get(
        f"/crm/v3/objects/{part}",
        limit=PAGE_SIZE,
        after=cursor.get("after"),
        properties=",".join(("hs_timestamp", "hubspot_owner_id", *ACTIVITY_PROPERTIES[part])),
        associations="contacts",
        archived="false",
    )
    activities = tuple(
        _parse_activity(activity, part) for activity in list_objects(body.get("results"))
    )
    return CrmPage(activities=activities, next_cursor=_next_cursor(body, cursor))


def _parse_activity(activity: Mapping[str, Any], part: str) -> PastActivity:
    properties = activity.get("properties") or {}
    kind, at = ACTIVITY_KINDS[part], parse_timestamp(properties.get("hs_timestamp"))
    directions = (properties.get("hs_call_direction"), properties.get("hs_email_direction"))
    contacts = list_objects(nested_value(activity, "associations", "contacts", "results"))
    is_open = (
        kind is ActivityKind.TASK and properties.get("hs_task_status") not in CLOSED_TASK_STATUSES
    )
    return PastActivity(
        kind=kind,
        external_id=as_text(activity.get("id")),
        record_keys=tuple(as_text(contact.get("id")) for contact in contacts),
        at=parse_timestamp(activity.get("createdAt")) if kind is ActivityKind.TASK else at,
        title=next(
            (as_text(properties[name]) for name in TITLE_PROPERTIES if properties.get(name)), ""
        ),
        text=next(
            (strip_markup(properties[name]) for name in TEXT_PROPERTIES if properties.get(name)), ""
        ),
        direction=next(
            (DIRECTIONS[direction] for direction in directions if direction in DIRECTIONS), ""
        ),
        owner_id=as_text(properties.get("hubspot_owner_id")),
        due_at=at if kind is ActivityKind.TASK else None,
        is_open=is_open,
    )


def _next_cursor(body: Mapping[str, Any], cursor: Cursor) -> Cursor | None:
    after = nested_value(body, "paging", "next", "after")
    if after:
        return {**cursor, "after": as_text(after)}
    return next_part_cursor(PARTS, cursor["part"])
