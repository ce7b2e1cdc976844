"""Salesforce over its REST API: users, leads and their activities.

Signs in with client credentials; a SOQL query continues at `nextRecordsUrl`. The query names
the lead fields that the company's own describe call lists. Contract: docs/sources/crm.md.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

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
from rooftree.core import http_client
from rooftree.core.vendor_errors import Misconfigured, RequestRejected, RetryLater, VendorError

NAME = "Salesforce"
START_CURSOR: Cursor = {"part": "owners"}
FIX_HINT = (
    "In Salesforce open Setup, External Client Apps; allow the client credentials flow with a "
    "user who can see all leads and activities, and type My Domain, consumer key and secret "
    "under Credentials."
)
API_VERSION = "v62.0"
PARTS = ("owners", "leads", "tasks", "events", "notes")
DAILY_LIMIT_CODE = "REQUEST_LIMIT_EXCEEDED"  # comes with status 403
DAILY_LIMIT_WAIT_SECONDS = 900.0  # the limit covers 24 hours
MAX_FIELDS = 150
SKIPPED_FIELD_TYPES = ("address", "location", "base64", "complexvalue", "anytype")
QUERIES = {
    "tasks": "SELECT Id, WhoId, OwnerId, Subject, Description, Status, IsClosed, ActivityDate, "
    "TaskSubtype, CallType, CreatedDate, CompletedDateTime FROM Task WHERE WhoId != null",
    "events": "SELECT Id, WhoId, OwnerId, Subject, Description, StartDateTime FROM Event "
    "WHERE WhoId != null",
    "notes": "SELECT Id, ParentId, OwnerId, Title, Body, CreatedDate FROM Note",
}
KINDS_BY_SUBTYPE = {
    "Call": ActivityKind.CALL,
    "Email": ActivityKind.EMAIL,
    "ListEmail": ActivityKind.EMAIL,
    "Task": ActivityKind.TASK,
}
# How the subject of an activity logged by hand begins.
KINDS_BY_SUBJECT = {"call": ActivityKind.CALL, "email": ActivityKind.EMAIL}
DIRECTIONS = {"Inbound": "in", "Outbound": "out"}


def base_url(credentials: Mapping[str, str]) -> str:
    """Return the company's My Domain URL; raise `Misconfigured` for any other host."""
    domain = credentials.get("domain", "").strip()
    host = urlsplit(domain if "//" in domain else f"https://{domain}").hostname or ""
    if not host.endswith((".salesforce.com", ".force.com")):
        raise Misconfigured("My Domain must end in .my.salesforce.com.")
    return f"https://{host}"


def auth_headers(credentials: Mapping[str, str], token: str) -> dict[str, str]:
    """Return the current token's header, and one that keeps pages at 500 records."""
    return {"Authorization": f"Bearer {token}", "Sforce-Query-Options": "batchSize=500"}


def request_token(client: CrmClient) -> str:
    """Request a new token by the client credentials flow."""
    form = {
        "grant_type": "client_credentials",
        "client_id": client.credentials.get("client_id", ""),
        "client_secret": client.credentials.get("client_secret", ""),
    }
    return as_text(client.sign_in("/services/oauth2/token", form)["access_token"])


def classify_failure(response: http_client.VendorResponse) -> VendorError | None:
    """Return the failure in the list of errors; the daily limit comes as a 403."""
    if response.status < 400:
        return None
    errors = response.json()
    code = (
        as_text(nested_value(errors[0], "errorCode")) if isinstance(errors, list) and errors else ""
    )
    if code == DAILY_LIMIT_CODE:
        return RetryLater(
            "Salesforce's daily request limit is reached.",
            retry_after_seconds=DAILY_LIMIT_WAIT_SECONDS,
        )
    if response.status == 400:
        return RequestRejected(f"Salesforce rejected the request ({code or 400}).", code=code)
    return None


def fetch_page(client: CrmClient, cursor: Cursor) -> CrmPage:
    """Fetch the next page of the current part."""
    part = cursor["part"]
    declared = {}
    if "next" in cursor:
        body = client.get(cursor["next"])
    else:
        body = client.get(f"/services/data/{API_VERSION}/query", q=_build_query(client, part))
        declared = {"records": int(body.get("totalSize") or 0)} if part == "leads" else {}
    next_cursor = next_part_cursor(PARTS, part)
    if (after := as_text(body.get("nextRecordsUrl"))) and body.get("done") is not True:
        next_cursor = {"part": part, "next": after}
    rows = list_objects(body.get("records"))
    if part == "owners":
        return CrmPage(owners=tuple(map(_parse_owner, rows)), next_cursor=next_cursor)
    if part == "leads":
        return CrmPage(answer=body, declared_counts=declared, next_cursor=next_cursor)
    return CrmPage(
        activities=tuple(_parse_activity(row, part, client.zone) for row in rows),
        next_cursor=next_cursor,
    )


def _build_query(client: CrmClient, part: str) -> str:
    if part == "owners":
        nmls_fields = [name for name in _list_fields(client, "User") if "nmls" in name.lower()]
        return _select_statement(["Id", "Name", "Email", "Title", *nmls_fields], "User")
    if part == "leads":
        return _select_statement(_list_fields(client, "Lead"), "Lead")
    return QUERIES[part]


def _select_statement(fields: list[str], name: str) -> str:
    return f"SELECT {', '.join(fields)} FROM {name}"  # noqa: S608 (names from their describe call)


def _list_fields(client: CrmClient, name: str) -> list[str]:
    body = client.get(f"/services/data/{API_VERSION}/sobjects/{name}/describe")
    names = [
        as_text(field.get("name"))
        for field in list_objects(body.get("fields"))
        if field.get("type") not in SKIPPED_FIELD_TYPES
    ]
    custom = [field_name for field_name in names if field_name.endswith("__c")]
    return list(dict.fromkeys(["Id", *custom, *names]))[:MAX_FIELDS]


def _parse_owner(owner: Mapping[str, Any]) -> CrmOwner:
    nmls_values = [
        f"NMLS {as_text(owner[name])}" for name in owner if "nmls" in name.lower() and owner[name]
    ]
    return CrmOwner(
        id=as_text(owner.get("Id")),
        name=as_text(owner.get("Name")),
        email=as_text(owner.get("Email")),
        nmls_id=find_nmls_id(*nmls_values, owner.get("Title"), owner.get("Name")),
    )


def _parse_activity(activity: Mapping[str, Any], part: str, zone: str) -> PastActivity:
    kind = _activity_kind(activity, part)
    record_id = as_text(activity.get("WhoId") or activity.get("ParentId"))
    occurred_at = (
        activity.get("StartDateTime")
        or activity.get("CompletedDateTime")
        or activity.get("CreatedDate")
    )
    is_open = kind is ActivityKind.TASK and activity.get("IsClosed") is False
    return PastActivity(
        kind=kind,
        external_id=as_text(activity.get("Id")),
        # A converted lead is a contact.
        record_keys=(record_id, f"contact_id={record_id}") if record_id else (),
        at=parse_timestamp(activity.get("CreatedDate") if is_open else occurred_at),
        title=as_text(activity.get("Subject") or activity.get("Title")),
        text=strip_markup(activity.get("Description") or activity.get("Body")),
        direction=DIRECTIONS.get(as_text(activity.get("CallType")), ""),
        owner_id=as_text(activity.get("OwnerId")),
        due_at=parse_due_at(activity.get("ActivityDate"), zone)
        if kind is ActivityKind.TASK
        else None,
        is_open=is_open,
    )


def _activity_kind(activity: Mapping[str, Any], part: str) -> ActivityKind:
    """Return the kind of activity; a closed task can be a logged call or email."""
    if part != "tasks":
        return ActivityKind.MEETING if part == "events" else ActivityKind.NOTE
    kind = KINDS_BY_SUBTYPE.get(as_text(activity.get("TaskSubtype")), ActivityKind.TASK)
    prefix = as_text(activity.get("Subject")).partition(":")[0].strip().lower()
    if kind is ActivityKind.TASK and activity.get("IsClosed"):
        return KINDS_BY_SUBJECT.get(prefix, kind)
    return ActivityKind.TASK if activity.get("IsClosed") is False else kind
