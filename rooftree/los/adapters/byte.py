"""Byte over its REST interface, as an open connector shows it. See docs/los/byte.md.

Failures come with status 200, nothing can be searched, and a loan file is written back whole.
"""

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from rooftree.core.http_client import ClientLimits, VendorRequest
from rooftree.core.vendor_errors import Misconfigured, OutcomeUnknown, RequestRejected, RetryLater
from rooftree.los.adapters.byte_profile import PROFILE
from rooftree.los.field_formats import format_dashed_phone, format_dollars
from rooftree.los.field_mapping import load_field_table
from rooftree.los.handoff_record import HandoffRecord, serialize_handoff
from rooftree.los.json_paths import read_path, write_path
from rooftree.los.loan_milestones import (
    MilestoneKind,
    ObservedStep,
    UnmappedStatus,
    highest_milestone,
)
from rooftree.los.loan_snapshot import ChangedLoan, CreatedLoan, LoanLookup, LoanSnapshot
from rooftree.los.los_codes import choose_codes
from rooftree.los.los_http import FollowingClient
from rooftree.los.los_payload import MissingData, build_payload
from rooftree.los.status_mapping import build_status_map, milestone_for_code

__all__ = ["PROFILE", "Byte", "Settings"]

MAX_IN_FLIGHT = 2
LONG_NUMBER = re.compile(r"\d[\d\-]{6,}\d")
BORROWER = "Applications[0].Borrower.Borrower"
LATER_FIELDS = {  # place in the loan file: place in the hand-off
    f"{BORROWER}.Email": "canonical.emails[is_primary].address",
    "SubProp.Street": "canonical.property.line1",
    "SubProp.City": "canonical.property.city",
    "SubProp.Zip": "canonical.property.zip",
    "SubProp.County": "canonical.property.county",
    "SubProp.NoUnits": "canonical.property.units",
}
LATER_PHONES = {
    f"{BORROWER}.MobilePhone": "canonical.phones[type=mobile].e164",
    f"{BORROWER}.HomePhone": "canonical.phones[type=home].e164",
}
CODED_FIELDS = {"loan.purpose": "Loan.LoanPurpose", "property.use": "FileData.OccupancyType"}
NUMBERS = {"SubProp.NoUnits", "SubProp.AppraisedValue", *CODED_FIELDS.values()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How to reach one lender's Byte."""

    base_url: str
    instance: str
    authorization_key: str = field(repr=False)
    user: str
    password: str = field(repr=False)
    organization_code: str = ""
    lead_id_field: str = ""
    mapping: Mapping[str, Any] = field(default_factory=dict)
    zone: str = "America/New_York"


class Byte:
    """One lender's Byte. Create one per process and share it between threads."""

    polls_each_loan = True

    def __init__(
        self, settings: Callable[[], Settings], *, limits: ClientLimits | None = None
    ) -> None:
        self._load_settings = settings
        self._http = FollowingClient(limits)
        self._places = threading.BoundedSemaphore(MAX_IN_FLIGHT)
        self._sign_in = threading.Lock()
        self._session: tuple[Settings, str] | None = None

    def close(self) -> None:
        """Close the HTTP connections."""
        self._http.close()

    def create_loan(self, handoff: HandoffRecord) -> CreatedLoan:
        """Create the file. Every call makes one more, so an unclear answer is never repeated."""
        payload = build_payload(handoff, "byte", self._load_settings().mapping)
        if payload.missing:
            raise MissingData(payload.missing)
        content = self._call("POST", "/NewFile/", body=payload.body)
        if not isinstance(content, dict) or not content.get("FileDataId"):
            raise OutcomeUnknown("Byte accepted the file but didn't return its ID.")
        return CreatedLoan(loan_id=str(content["FileDataId"]))

    def find_created_loan(
        self, handoff: HandoffRecord, *, sent_at: datetime, at: datetime
    ) -> LoanLookup:
        """Ask a person: Byte has no search."""
        borrower = handoff.canonical.get("borrower") or {}
        name = f"{borrower.get('first_name') or ''} {borrower.get('last_name') or ''}".strip()
        question = (
            f"Byte can't be searched. Look there for a new file of {name}, then enter its file "
            "data ID, or send it again."
        )
        return LoanLookup(loan_ids=(), is_conclusive=False, question=question)

    def find_changed_since(self, since: datetime) -> tuple[ChangedLoan, ...]:
        """Prove that Byte answers. It lists no changes: each loan is read by its ID."""
        self._call("GET", "/organization/")
        return ()

    def read_loan(self, loan_id: str, seen: Mapping[str, Any] | None = None) -> LoanSnapshot:
        """Read the status of a file; the whole file only where revenue fields are named."""
        settings = self._load_settings()
        file_id = _require_file_id(loan_id)
        table = load_field_table("byte", settings.mapping)
        status = self._read_object(f"/Status/{file_id}")
        details = self._read_object(f"/FileData/{file_id}")
        revenue_cents = None
        if places := table.reads.get("revenue", ()):
            file = self._read_object(f"/LoanFile/{file_id}")
            amounts = [_parse_cents(read_path(file, place)) for place in places]
            known = [cents for cents in amounts if cents is not None]
            revenue_cents = sum(known) if known else None
        return _build_snapshot(
            file_id,
            status,
            str(details.get("FileName") or ""),
            revenue_cents,
            build_status_map("byte", table.statuses),
        )

    def list_later_fields(self, handoff: HandoffRecord) -> Mapping[str, str]:
        """Return what a new file doesn't take: contacts, the property, codes and the lead ID."""
        settings, data = self._load_settings(), serialize_handoff(handoff)
        values = {place: read_path(data, path) for place, path in LATER_FIELDS.items()}
        values |= {
            place: format_dashed_phone(read_path(data, path))
            for place, path in LATER_PHONES.items()
        }
        value_cents = read_path(data, "canonical.property.estimated_value_cents")
        values["SubProp.AppraisedValue"] = format_dollars(value_cents)
        table = load_field_table("byte", settings.mapping)
        codes = choose_codes(data, "byte", main=CODED_FIELDS, codes=table.codes).sets
        values |= {name: codes.get(name) for name in CODED_FIELDS.values()}
        if settings.lead_id_field:
            values[settings.lead_id_field] = str(handoff.lead_id)
        return {place: str(value) for place, value in values.items() if value not in (None, "")}

    def write_fields(self, loan_id: str, values: Mapping[str, str]) -> str:
        """Set places of a file: read it, change them, write it back at once.

        Byte knows no versions: the last writer wins, so the file is read just before.
        """
        file_id = _require_file_id(loan_id)
        file = self._read_object(f"/LoanFile/{file_id}")
        for place, text in values.items():
            cents = _parse_cents(text) if place in NUMBERS else None
            write_path(file, place, text if cents is None else format_dollars(cents))
        self._call("POST", "/LoanFile/", body=file, is_idempotent=False)
        return ""

    def _read_object(self, path: str) -> dict[str, Any]:
        content = self._call("GET", path)
        if not isinstance(content, dict):
            raise RetryLater("Byte answered with something other than a record.")
        return content

    def _call(
        self, method: str, path: str, *, body: Any = None, is_idempotent: bool | None = None
    ) -> Any:
        """Send one request with a session; sign in again once when it has expired."""
        repeatable = method == "GET" if is_idempotent is None else is_idempotent
        for is_last in (False, True):
            settings = self._load_settings()
            session = self._open_session(settings)
            request = VendorRequest(
                method=method, path=path, is_idempotent=repeatable, json=body,
                accepted_statuses=frozenset({401}),
            )  # fmt: skip
            with self._places:
                response = self._http.send(settings.base_url, request, {"Session": session})
            if response.status != 401:
                return _require_success(response.json(), repeatable)
            with self._sign_in:
                if self._session == (settings, session):
                    self._session = None
            if is_last:
                break
        raise Misconfigured("Byte refuses the session. Check the user and the authorization key.")

    def _open_session(self, settings: Settings) -> str:
        """Return the session of these settings; one thread signs in, the others wait."""
        with self._sign_in:
            if self._session is None or self._session[0] != settings:
                headers = {
                    "authorizationKey": settings.authorization_key,
                    "username": settings.user,
                    "password": settings.password,
                }
                request = VendorRequest(method="GET", path="/auth/", is_idempotent=True)
                answer = self._http.send(settings.base_url, request, headers).json()
                if not isinstance(answer, str) or not answer:
                    raise Misconfigured("Byte refuses to sign in. Check the credentials.")
                self._session = (settings, answer)
            return self._session[1]


def _require_success(content: Any, is_repeatable: bool) -> Any:
    """Return the content unless it says that the call failed: the status is 200 even then."""
    failures = content if isinstance(content, list) else []
    for row in failures:
        if isinstance(row, dict) and row.get("Type") == "Exception":
            reason = LONG_NUMBER.sub("…", str(row.get("Message") or "no reason given"))[:200]
            raise RequestRejected(f"Byte refused: {reason.rstrip('.')}.", code="Exception")
    if content is None:
        if is_repeatable:
            raise RetryLater("Byte answered with something other than JSON.")
        raise OutcomeUnknown("Byte got the request but its answer can't be read.")
    return content


def _build_snapshot(
    loan_id: str,
    status: Mapping[str, Any],
    number: str,
    revenue_cents: int | None,
    statuses: Mapping[str, Any],
) -> LoanSnapshot:
    """Build a snapshot from the small status record: its code, and a day for each milestone."""
    days = {
        entry["date_field"]: (entry["canonical"], str(entry.get("name") or code))
        for code, entry in statuses.items()
        if isinstance(entry, dict) and entry.get("date_field") and entry.get("canonical")
    }
    days |= {key: (code, key) for key, code in statuses.get("_date_fields", {}).items()}
    steps: dict[str, ObservedStep] = {}
    for key, (code, name) in days.items():
        day = _parse_day(status.get(key))
        known = steps.get(code)
        if day and (known is None or (known.on and day < known.on)):
            steps[code] = ObservedStep(code=code, on=day, source_status=name)
    unmapped: tuple[str, ...] = ()
    current = ended = ""
    text = str(status.get("LoanStatus") if status.get("LoanStatus") is not None else "")
    entry = statuses.get(text)
    name = str(entry.get("name") or "") if isinstance(entry, dict) else ""
    try:
        milestone = milestone_for_code(text, name, "byte", statuses)
    except UnmappedStatus:
        milestone, unmapped = None, (name or text,)
    if milestone is not None:
        current = milestone.code
        ended = current if milestone.kind is MilestoneKind.TERMINAL else ""
        steps.setdefault(current, ObservedStep(code=current, on=None, source_status=name or text))
    reached = {code: step.on for code, step in steps.items()}
    return LoanSnapshot(
        loan_id=loan_id,
        loan_number=number[:40],
        lead_id="",
        observed_steps=tuple(steps.values()),
        current_milestone=current or ("" if unmapped else highest_milestone(steps)),
        final_outcome=ended,
        revenue_cents=revenue_cents,
        application_date=reached.get("application"),
        funded_date=reached.get("funded"),
        closing_date=reached.get("closed") or _parse_day(status.get("SchedClosingDate")),
        unmapped_statuses=unmapped,
    )


def _require_file_id(loan_id: str) -> str:
    if not re.fullmatch(r"\d{1,12}", loan_id.strip()):
        raise RequestRejected("A file data ID of Byte is a whole number.", code="id")
    return loan_id.strip()


def _parse_day(value: object) -> date | None:
    try:
        return datetime.fromisoformat(str(value or "")).date()
    except ValueError:
        return None


def _parse_cents(value: object) -> int | None:
    text = str(value if value is not None else "").replace(",", "").replace("$", "").strip()
    try:
        amount = Decimal(text)
        return int((amount * 100).to_integral_value()) if amount.is_finite() else None
    except InvalidOperation:
        return None
