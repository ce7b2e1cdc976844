"""Salesforce over its REST interface: users, leads, and what happened to each.

Signed in with client credentials; a SOQL query goes on by `nextRecordsUrl`. What is asked
of a lead are the fields the company's own description names. Contract: docs/sources/crm.md.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

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
from rooftree.core import http
from rooftree.core.failures import Failure, Misconfigured, Refused, TryLater

NAME = "Salesforce"
BEGINS: Cursor = {"part": "owners"}
MEND = (
    "In Salesforce open Setup, External Client Apps; allow the client credentials flow with a "
    "user who may see all leads and activities, and type My Domain, consumer key and secret "
    "under Credentials."
)
VERSION = "v62.0"
PARTS = ("owners", "leads", "tasks", "events", "notes")
LIMITED = "REQUEST_LIMIT_EXCEEDED"  # a 403, of all
WAIT = 900.0  # seconds; that limit is one of 24 hours
MOST_FIELDS = 150
UNREADABLE = ("address", "location", "base64", "complexvalue", "anytype")  # types of fields
QUERIES = {
    "tasks": "SELECT Id, WhoId, OwnerId, Subject, Description, Status, IsClosed, ActivityDate, "
    "TaskSubtype, CallType, CreatedDate, CompletedDateTime FROM Task WHERE WhoId != null",
    "events": "SELECT Id, WhoId, OwnerId, Subject, Description, StartDateTime FROM Event "
    "WHERE WhoId != null",
    "notes": "SELECT Id, ParentId, OwnerId, Title, Body, CreatedDate FROM Note",
}
SUBTYPES = {"Call": Past.CALL, "Email": Past.EMAIL, "ListEmail": Past.EMAIL, "Task": Past.TASK}
SUBJECTS = {"call": Past.CALL, "email": Past.EMAIL}  # how one that was logged by hand begins
DIRECTIONS = {"Inbound": "in", "Outbound": "out"}


def address_of(credentials: Mapping[str, str]) -> str:
    """The company's own domain there, and no other."""
    said = credentials.get("domain", "").strip()
    host = urlsplit(said if "//" in said else f"https://{said}").hostname or ""
    if not host.endswith((".salesforce.com", ".force.com")):
        raise Misconfigured("My Domain must end in .my.salesforce.com.")
    return f"https://{host}"


def headers(credentials: Mapping[str, str], token: str) -> dict[str, str]:
    """The token of the moment, and pages that are not too long."""
    return {"Authorization": f"Bearer {token}", "Sforce-Query-Options": "batchSize=500"}


def token_of(talk: Talk) -> str:
    """It is a new token, of the client credentials flow."""
    form = {
        "grant_type": "client_credentials",
        "client_id": talk.credentials.get("client_id", ""),
        "client_secret": talk.credentials.get("client_secret", ""),
    }
    return as_text(talk.sign_in("/services/oauth2/token", form)["access_token"])


def failure_of(answer: http.Answer) -> Failure | None:
    """Errors are a list; the limit of a day is a 403 among them."""
    if answer.status < 400:
        return None
    found = answer.json()
    code = as_text(inside(found[0], "errorCode")) if isinstance(found, list) and found else ""
    if code == LIMITED:
        return TryLater("Salesforce has answered as often today as it may.", after=WAIT)
    if answer.status == 400:
        return Refused(f"Salesforce refuses what we asked ({code or 400}).", code=code)
    return None


def page(talk: Talk, cursor: Cursor) -> Page:
    """It is one page of the part that is under way."""
    part = cursor["part"]
    declared = {}
    if "next" in cursor:
        found = talk.get(cursor["next"])
    else:
        found = talk.get(f"/services/data/{VERSION}/query", q=_query(talk, part))
        declared = {"records": int(found.get("totalSize") or 0)} if part == "leads" else {}
    more = _more(found, cursor)
    rows = listed(found.get("records"))
    if part == "owners":
        return Page(owners=tuple(map(_owner, rows)), more=more)
    if part == "leads":
        return Page(answer=found, declared=declared, more=more)
    return Page(past=tuple(_happened(one, part, talk.zone) for one in rows), more=more)


def _query(talk: Talk, part: str) -> str:
    if part == "owners":
        extra = [name for name in _fields(talk, "User") if "nmls" in name.lower()]
        return _select(["Id", "Name", "Email", "Title", *extra], "User")
    return _select(_fields(talk, "Lead"), "Lead") if part == "leads" else QUERIES[part]


def _select(fields: list[str], name: str) -> str:
    return f"SELECT {', '.join(fields)} FROM {name}"  # noqa: S608 (of their own description)


def _fields(talk: Talk, name: str) -> list[str]:
    found = talk.get(f"/services/data/{VERSION}/sobjects/{name}/describe")
    named = [
        as_text(one.get("name"))
        for one in listed(found.get("fields"))
        if one.get("type") not in UNREADABLE
    ]
    own = [one for one in named if one.endswith("__c")]
    return list(dict.fromkeys(["Id", *own, *named]))[:MOST_FIELDS]


def _owner(one: Mapping[str, Any]) -> Owner:
    own = [f"NMLS {as_text(one[name])}" for name in one if "nmls" in name.lower() and one[name]]
    return Owner(
        id=as_text(one.get("Id")),
        name=as_text(one.get("Name")),
        email=as_text(one.get("Email")),
        nmls_id=nmls_of(*own, one.get("Title"), one.get("Name")),
    )


def _happened(one: Mapping[str, Any], part: str, zone: str) -> Happened:
    kind = _kind(one, part)
    who = as_text(one.get("WhoId") or one.get("ParentId"))
    started = one.get("StartDateTime") or one.get("CompletedDateTime") or one.get("CreatedDate")
    is_open = kind is Past.TASK and one.get("IsClosed") is False
    return Happened(
        kind=kind,
        key=as_text(one.get("Id")),
        about=(who, f"contact_id={who}") if who else (),  # a lead that was converted is a contact
        at=moment_of(one.get("CreatedDate") if is_open else started),
        title=as_text(one.get("Subject") or one.get("Title")),
        text=plain(one.get("Description") or one.get("Body")),
        direction=DIRECTIONS.get(as_text(one.get("CallType")), ""),
        owner_id=as_text(one.get("OwnerId")),
        due_at=due_of(one.get("ActivityDate"), zone) if kind is Past.TASK else None,
        is_open=is_open,
    )


def _kind(one: Mapping[str, Any], part: str) -> Past:
    """A closed task may be a call or a letter that was logged."""
    if part != "tasks":
        return Past.MEETING if part == "events" else Past.NOTE
    kind = SUBTYPES.get(as_text(one.get("TaskSubtype")), Past.TASK)
    begins = as_text(one.get("Subject")).partition(":")[0].strip().lower()
    if kind is Past.TASK and one.get("IsClosed"):
        return SUBJECTS.get(begins, kind)
    return Past.TASK if one.get("IsClosed") is False else kind


def _more(found: Mapping[str, Any], cursor: Cursor) -> Cursor | None:
    after = as_text(found.get("nextRecordsUrl"))
    if after and found.get("done") is not True:
        return {"part": cursor["part"], "next": after}
    return then_part(PARTS, cursor["part"])
