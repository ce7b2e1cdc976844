"""Salesforce over its REST interface: users, leads, and what happened to each.

Signed in with client credentials; a SOQL query goes on by `nextRecordsUrl`. What is asked
of a lead are the fields the company's own description names. Contract: docs/sources/crm.md.
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
    "user who may see all leads and activities, and type My Domain, consumer key and secret "
    "under Credentials."
)
API_VERSION = "v62.0"
PARTS = ("owners", "leads", "tasks", "events", "notes")
DAILY_LIMIT_CODE = "REQUEST_LIMIT_EXCEEDED"  # a 403, of all
DAILY_LIMIT_WAIT_SECONDS = 900.0  # seconds; that limit is one of 24 hours
MAX_FIELDS = 150
SKIPPED_FIELD_TYPES = (
    "address",
    "location",
    "base64",
    "complexvalue",
    "anytype",
)  # types of fields
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
KINDS_BY_SUBJECT = {
    "call": ActivityKind.CALL,
    "email": ActivityKind.EMAIL,
}  # how one that was logged by hand begins
DIRECTIONS = {"Inbound": "in", "Outbound": "out"}


def base_url(credentials: Mapping[str, str]) -> str:
    """The company's own domain there, and no other."""
    said = credentials.get("domain", "").strip()
    host = urlsplit(said if "//" in said else f"https://{said}").hostname or ""
    if not host.endswith((".salesforce.com", ".force.com")):
        raise Misconfigured("My Domain must end in .my.salesforce.com.")
    return f"https://{host}"


def auth_headers(credentials: Mapping[str, str], token: str) -> dict[str, str]:
    """The token of the moment, and pages that are not too long."""
    return {"Authorization": f"Bearer {token}", "Sforce-Query-Options": "batchSize=500"}


def request_token(talk: CrmClient) -> str:
    """It is a new token, of the client credentials flow."""
    form = {
        "grant_type": "client_credentials",
        "client_id": talk.credentials.get("client_id", ""),
        "client_secret": talk.credentials.get("client_secret", ""),
    }
    return as_text(talk.sign_in("/services/oauth2/token", form)["access_token"])


def classify_failure(answer: http_client.VendorResponse) -> VendorError | None:
    """Errors are a list; the limit of a day is a 403 among them."""
    if answer.status < 400:
        return None
    found = answer.json()
    code = as_text(nested_value(found[0], "errorCode")) if isinstance(found, list) and found else ""
    if code == DAILY_LIMIT_CODE:
        return RetryLater(
            "Salesforce has answered as often today as it may.",
            retry_after_seconds=DAILY_LIMIT_WAIT_SECONDS,
        )
    if answer.status == 400:
        return RequestRejected(f"Salesforce refuses what we asked ({code or 400}).", code=code)
    return None


def fetch_page(talk: CrmClient, cursor: Cursor) -> CrmPage:
    """It is one page of the part that is under way."""
    part = cursor["part"]
    declared = {}
    if "next" in cursor:
        found = talk.get(cursor["next"])
    else:
        found = talk.get(f"/services/data/{API_VERSION}/query", q=_build_query(talk, part))
        declared = {"records": int(found.get("totalSize") or 0)} if part == "leads" else {}
    more = _next_cursor(found, cursor)
    rows = list_objects(found.get("records"))
    if part == "owners":
        return CrmPage(owners=tuple(map(_parse_owner, rows)), next_cursor=more)
    if part == "leads":
        return CrmPage(answer=found, declared_counts=declared, next_cursor=more)
    return CrmPage(
        activities=tuple(_parse_activity(row, part, talk.zone) for row in rows), next_cursor=more
    )


def _build_query(talk: CrmClient, part: str) -> str:
    if part == "owners":
        extra = [name for name in _list_fields(talk, "User") if "nmls" in name.lower()]
        return _select_statement(["Id", "Name", "Email", "Title", *extra], "User")
    return (
        _select_statement(_list_fields(talk, "Lead"), "Lead") if part == "leads" else QUERIES[part]
    )


def _select_statement(fields: list[str], name: str) -> str:
    return f"SELECT {', '.join(fields)} FROM {name}"  # noqa: S608 (of their own description)


def _list_fields(talk: CrmClient, name: str) -> list[str]:
    found = talk.get(f"/services/data/{API_VERSION}/sobjects/{name}/describe")
    named = [
        as_text(list_object.get("name"))
        for list_object in list_objects(found.get("fields"))
        if list_object.get("type") not in SKIPPED_FIELD_TYPES
    ]
    own = [one for one in named if one.endswith("__c")]
    return list(dict.fromkeys(["Id", *own, *named]))[:MAX_FIELDS]


def _parse_owner(one: Mapping[str, Any]) -> CrmOwner:
    own = [f"NMLS {as_text(one[name])}" for name in one if "nmls" in name.lower() and one[name]]
    return CrmOwner(
        id=as_text(one.get("Id")),
        name=as_text(one.get("Name")),
        email=as_text(one.get("Email")),
        nmls_id=find_nmls_id(*own, one.get("Title"), one.get("Name")),
    )


def _parse_activity(one: Mapping[str, Any], part: str, zone: str) -> PastActivity:
    kind = _activity_kind(one, part)
    who = as_text(one.get("WhoId") or one.get("ParentId"))
    started = one.get("StartDateTime") or one.get("CompletedDateTime") or one.get("CreatedDate")
    is_open = kind is ActivityKind.TASK and one.get("IsClosed") is False
    return PastActivity(
        kind=kind,
        external_id=as_text(one.get("Id")),
        record_keys=(who, f"contact_id={who}")
        if who
        else (),  # a lead that was converted is a contact
        at=parse_timestamp(one.get("CreatedDate") if is_open else started),
        title=as_text(one.get("Subject") or one.get("Title")),
        text=strip_markup(one.get("Description") or one.get("Body")),
        direction=DIRECTIONS.get(as_text(one.get("CallType")), ""),
        owner_id=as_text(one.get("OwnerId")),
        due_at=parse_due_at(one.get("ActivityDate"), zone) if kind is ActivityKind.TASK else None,
        is_open=is_open,
    )


def _activity_kind(one: Mapping[str, Any], part: str) -> ActivityKind:
    """A closed task may be a call or a letter that was logged."""
    if part != "tasks":
        return ActivityKind.MEETING if part == "events" else ActivityKind.NOTE
    kind = KINDS_BY_SUBTYPE.get(as_text(one.get("TaskSubtype")), ActivityKind.TASK)
    begins = as_text(one.get("Subject")).partition(":")[0].strip().lower()
    if kind is ActivityKind.TASK and one.get("IsClosed"):
        return KINDS_BY_SUBJECT.get(begins, kind)
    return ActivityKind.TASK if one.get("IsClosed") is False else kind


def _next_cursor(found: Mapping[str, Any], cursor: Cursor) -> Cursor | None:
    after = as_text(found.get("nextRecordsUrl"))
    if after and found.get("done") is not True:
        return {"part": cursor["part"], "next": after}
    return next_part_cursor(PARTS, cursor["part"])
