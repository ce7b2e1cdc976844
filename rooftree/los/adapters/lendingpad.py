"""LendingPad over its Web API: loans by JSON import, changes by its posts to us.

Every import makes a new loan, and no call reads one loan with its dates: these come with the posts
only. What is seen, known and assumed: docs/los/lendingpad.md.
"""

import base64
import hmac
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from rooftree.core.http_client import ClientLimits, VendorRequest
from rooftree.core.vendor_errors import Misconfigured, OutcomeUnknown, RequestRejected, RetryLater
from rooftree.los.adapters import lendingpad_loans
from rooftree.los.adapters.lendingpad_profile import PROFILE
from rooftree.los.field_mapping import load_field_table
from rooftree.los.handoff_record import HandoffRecord
from rooftree.los.loan_snapshot import (
    ChangedLoan,
    CreatedLoan,
    LoanHint,
    LoanLookup,
    LoanSnapshot,
)
from rooftree.los.los_adapter import PushScope
from rooftree.los.los_http import FollowingClient
from rooftree.los.los_payload import MissingData, build_payload
from rooftree.los.status_mapping import build_status_map

__all__ = ["PROFILE", "LendingPad", "Settings"]

PAGE_SIZE = 25  # the most that one list takes
MAX_PAGES = 40
MAX_IN_FLIGHT = 3
CLOCK_SLACK = timedelta(minutes=5)  # between our clock and LendingPad's
POLL_OVERLAP = timedelta(days=2)  # the list's dates have no time zone, its order is not promised
SEARCH_PATIENCE = timedelta(minutes=10)
PUSH_USER = "rooftree"
LONG_NUMBER = re.compile(r"\d[\d\-]{6,}\d")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How to reach one lender's LendingPad."""

    base_url: str
    instance: str  # the company's GUID
    contact_id: str
    user: str
    password: str = field(repr=False)
    branch_id: str = ""
    campaign_id: str = ""
    channel: int | None = None
    lead_id_field: str = ""
    mapping: Mapping[str, Any] = field(default_factory=dict)
    zone: str = "America/New_York"


class LendingPad:
    """One lender's LendingPad. Create one per process and share it between threads."""

    def __init__(
        self, settings: Callable[[], Settings], *, limits: ClientLimits | None = None
    ) -> None:
        self._load_settings = settings
        self._http = FollowingClient(limits)
        self._places = threading.BoundedSemaphore(MAX_IN_FLIGHT)

    def close(self) -> None:
        """Close the HTTP connections."""
        self._http.close()

    def create_loan(self, handoff: HandoffRecord) -> CreatedLoan:
        """Create the loan. Every call makes one more, so an unclear answer is never repeated."""
        payload = build_payload(handoff, "lendingpad", self._load_settings().mapping)
        if payload.missing:
            raise MissingData(payload.missing)
        content = self._call(
            VendorRequest(
                method="POST",
                path="/integrations/import/loan",
                is_idempotent=False,
                json=payload.body,
                accepted_statuses=frozenset({400, 403}),
            )
        )
        _refuse_error(content, "the new loan")
        loan_id = content.get("id")
        if not isinstance(loan_id, str) or not loan_id:
            raise OutcomeUnknown("LendingPad accepted the loan but didn't return its id.")
        return CreatedLoan(loan_id=loan_id)

    def find_created_loan(
        self, handoff: HandoffRecord, *, sent_at: datetime, at: datetime
    ) -> LoanLookup:
        """Find loans of this borrower that are newer than the create.

        The list shows no custom field, so name and time are all there is. Without a match a
        person looks: nothing promises that the list is complete.
        """
        borrower = handoff.canonical.get("borrower") or {}
        last_name = str(borrower.get("last_name") or "")
        first_name = str(borrower.get("first_name") or "")
        zone = ZoneInfo(self._load_settings().zone)
        since = (sent_at - CLOCK_SLACK).astimezone(zone).replace(tzinfo=None)
        rows = self._list_loans(borrower=last_name)
        found = [
            row
            for row in rows
            if lendingpad_loans.has_borrower(row, first_name, last_name)
            and lendingpad_loans.is_since(row, since)
        ]
        is_over = not found and at - sent_at >= SEARCH_PATIENCE
        question = (
            f"LendingPad lists no new loan for {first_name} {last_name}. Look for it there, then "
            "enter its loan number, or send it again."
        )
        return LoanLookup(
            loan_ids=tuple(str(row["id"]) for row in found),
            is_conclusive=bool(found),
            question=question if is_over else "",
        )

    def find_by_number(self, handoff: HandoffRecord, number: str) -> str:
        """Return the id of the loan with this number, or this id; "" if there is none."""
        borrower = handoff.canonical.get("borrower") or {}
        for row in self._list_loans(borrower=str(borrower.get("last_name") or "")):
            if number.strip().casefold() in (
                str(row.get("loanNumber") or "").casefold(),
                str(row["id"]).casefold(),
            ):
                return str(row["id"])
        return ""

    def find_changed_since(self, since: datetime) -> tuple[ChangedLoan, ...]:
        """Find loans whose status is as new as `since`, less two days, from the newest on."""
        zone = ZoneInfo(self._load_settings().zone)
        start = (since - POLL_OVERLAP).astimezone(zone).replace(tzinfo=None)
        rows = self._list_loans(until=start)
        return tuple(
            ChangedLoan(loan_id=str(row["id"]), content=lendingpad_loans.keep_of_list(row))
            for row in rows
            if lendingpad_loans.is_since(row, start)
        )

    def read_loan(self, loan_id: str, seen: Mapping[str, Any] | None = None) -> LoanSnapshot:
        """Return the loan as the post or the list showed it.

        Without `seen` the list is searched for it. Raises `RequestRejected` when it isn't there.
        """
        if not seen:
            rows = [row for row in self._list_loans() if row["id"] == loan_id]
            if not rows:
                raise RequestRejected("LendingPad's list doesn't show the loan.", code="404")
            seen = lendingpad_loans.keep_of_list(rows[0])
        table = load_field_table("lendingpad", self._load_settings().mapping)
        statuses = build_status_map("lendingpad", table.statuses)
        return lendingpad_loans.build_snapshot(loan_id, seen, statuses)

    def write_fields(self, loan_id: str, values: Mapping[str, str]) -> str:
        """Set custom fields of a loan, by GUID. Safe to repeat."""
        settings = self._load_settings()
        content = self._call(
            VendorRequest(
                method="POST",
                path="/integrations/update/loan",
                is_idempotent=True,
                json={
                    "contact": settings.contact_id,
                    "company": settings.instance,
                    "loan": loan_id,
                    "customFields": [{"id": key, "values": [text]} for key, text in values.items()],
                },
                accepted_statuses=frozenset({400, 403}),
            )
        )
        _refuse_error(content, "the fields")
        return ""

    @staticmethod
    def verify_push(headers: Mapping[str, str], body: bytes, keys: Sequence[str]) -> bool:
        """Return True if the Basic password is one of `keys`."""
        given = next(
            (text for name, text in headers.items() if name.lower() == "authorization"), ""
        )
        expected = [
            "Basic " + base64.b64encode(f"{PUSH_USER}:{key}".encode()).decode() for key in keys
        ]
        return any([hmac.compare_digest(text.encode(), given.encode()) for text in expected])

    @staticmethod
    def parse_push(
        headers: Mapping[str, str], body: bytes, scope: PushScope
    ) -> tuple[LoanHint, ...]:
        """Parse the loans of a post; one that can't be read doesn't hold up the others."""
        if any(name.lower() == "x-test" for name in headers):
            return ()
        table = load_field_table("lendingpad", scope.mapping)
        return lendingpad_loans.parse_export(
            body,
            company=scope.instance,
            lead_id_field=scope.lead_id_field,
            revenue_fields=tuple(table.reads.get("revenue", ())),
        )

    def _list_loans(
        self, *, borrower: str = "", until: datetime | None = None
    ) -> list[dict[str, Any]]:
        """Return the listed loans, newest first; stop at a page that is older than `until`."""
        settings = self._load_settings()
        rows: dict[str, dict[str, Any]] = {}
        for page in range(MAX_PAGES):
            query = [("contact", settings.contact_id), ("company", settings.instance)]
            query += [("user", settings.contact_id)]
            query += [("borrower", borrower)] if borrower else []
            query += [("skip", str(page * PAGE_SIZE)), ("take", str(PAGE_SIZE))]
            content = self._call(
                VendorRequest(
                    method="GET", path="/integrations/list/loans", is_idempotent=True,
                    query=tuple(query), accepted_statuses=frozenset({400, 403}),
                )
            )  # fmt: skip
            listed = content.get("data")
            if not isinstance(listed, list):
                _refuse_error(content, "the list of loans", is_setting=True)
                raise RetryLater("LendingPad answered without a list of loans.")
            fresh = [row for row in listed if isinstance(row, dict) and row.get("id")]
            rows |= {str(row["id"]): row for row in fresh}
            is_old = until and not any(lendingpad_loans.is_since(row, until) for row in fresh)
            if len(listed) < PAGE_SIZE or is_old:
                break
        return list(rows.values())

    def _call(self, request: VendorRequest) -> dict[str, Any]:
        """Send one request; return its JSON object, which can still say that it failed."""
        settings = self._load_settings()
        pair = f"{settings.user}:{settings.password}".encode()
        headers = {"Authorization": "Basic " + base64.b64encode(pair).decode()}
        with self._places:
            response = self._http.send(settings.base_url, request, headers)
        if response.status == 403:
            raise Misconfigured(
                "LendingPad refuses our address. Ask it to allow this server's IP address."
            )
        if response.status == 400:
            raise RequestRejected("LendingPad couldn't read the request (400).", code="400")
        content = response.json()
        if isinstance(content, dict):
            return content
        # An unknown call is answered by a line of text, with status 200.
        if response.body.lstrip().lower().startswith(b"lendingpad webapi"):
            raise Misconfigured("LendingPad doesn't know this call. Check the API address.")
        if request.is_idempotent:
            raise RetryLater("LendingPad answered with something other than JSON.")
        raise OutcomeUnknown("LendingPad got the loan but its answer can't be read.")


def _refuse_error(content: Mapping[str, Any], purpose: str, *, is_setting: bool = False) -> None:
    """Raise if the answer says that it failed: the HTTP status is 200 even then."""
    status = content.get("status")
    status = status if isinstance(status, dict) else {}
    if status.get("code") == 1 or (not status and not is_setting):
        return
    reason = LONG_NUMBER.sub("…", str(status.get("description") or "no reason given"))[:200]
    if is_setting:
        raise Misconfigured(f"LendingPad refused {purpose}: {reason.rstrip('.')}.")
    raise RequestRejected(f"LendingPad refused {purpose}: {reason.rstrip('.')}.", code="2")
