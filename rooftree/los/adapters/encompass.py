"""ICE Encompass, over its Developer Connect REST API. See docs/los/encompass.md."""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from rooftree.core.http_client import ClientLimits, VendorRequest, VendorResponse
from rooftree.core.vendor_errors import Misconfigured, OutcomeUnknown, RequestRejected, RetryLater
from rooftree.los.adapters.encompass_profile import PROFILE
from rooftree.los.adapters.encompass_session import EncompassSession, Settings, build_refusal
from rooftree.los.adapters.encompass_snapshot import (
    build_snapshot,
    localize_steps,
    required_field_ids,
)
from rooftree.los.adapters.encompass_webhooks import parse_webhook, verify_webhook
from rooftree.los.field_mapping import load_field_table
from rooftree.los.go_live_files import LosUser
from rooftree.los.handoff_record import HandoffRecord
from rooftree.los.loan_snapshot import (
    ChangedLoan,
    CreatedLoan,
    LoanHint,
    LoanLookup,
    LoanSnapshot,
)
from rooftree.los.los_adapter import PushScope
from rooftree.los.los_payload import MissingData, build_payload
from rooftree.los.status_mapping import build_status_map

__all__ = ["PROFILE", "Encompass", "Settings", "parse_webhook", "verify_webhook"]

SEARCH_LAG = timedelta(minutes=5)  # the Reporting Database lags behind its loans
POLL_OVERLAP = timedelta(minutes=5)  # a poll looks back by the same lag
PAGE_SIZE = 500
LOAN_EVENTS = ("create", "update", "milestone", "change", "move", "lock", "unlock")


class Encompass:
    """One lender's Encompass. Create one per process and share it between threads.

    Args:
        settings: returns the current settings; called again at each sign-in.
    """

    def __init__(
        self,
        settings: Callable[[], Settings],
        *,
        limits: ClientLimits | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._session = EncompassSession(settings, limits=limits, clock=clock, sleep=sleep)

    def close(self) -> None:
        """Close the HTTP connections."""
        self._session.close()

    def create_loan(self, handoff: HandoffRecord) -> CreatedLoan:
        """Create the loan, carrying our lead id.

        Raises:
            OutcomeUnknown: the loan can exist; look for it with `find_created_loan`
                and never call this again before.
            RequestRejected: Encompass rejected the content.
            MissingData: the hand-off lacks facts that Encompass requires.
            Misconfigured: the folder or template is unknown.
            RetryLater: nothing was created.
        """
        payload = build_payload(handoff, "encompass", self._settings.mapping)
        if payload.missing:
            raise MissingData(payload.missing)
        response = self._session.send_request(
            VendorRequest(
                method="POST",
                path="/encompass/v3/loans",
                is_idempotent=False,
                query=tuple(payload.query.items()),
                json=payload.body,
            )
        )
        if response.status == 404:
            raise Misconfigured("Encompass has no such loan folder or template.")
        if response.status >= 400:
            raise build_refusal(response, "the new loan")
        content = response.json()
        loan_id = str(content.get("id") or "") if isinstance(content, dict) else ""
        loan_id = loan_id or response.headers.get("location", "").rstrip("/").rpartition("/")[2]
        if not loan_id:
            raise OutcomeUnknown("Encompass accepted the loan but didn't return its id.")
        return CreatedLoan(loan_id=loan_id)

    def find_created_loan(
        self, handoff: HandoffRecord, *, sent_at: datetime, at: datetime
    ) -> LoanLookup:
        """Find the loans that carry our lead id in field 4495.

        The search lags. An empty result proves nothing until `SEARCH_LAG` has
        passed since `sent_at`, the time of the create in question.
        """
        rows = self._search_loans([_search_term("Fields.4495", str(handoff.lead_id), "exact")])
        return LoanLookup(
            loan_ids=tuple(row.loan_id for row in rows),
            is_conclusive=bool(rows) or at - sent_at >= SEARCH_LAG,
        )

    def find_changed_since(self, since: datetime) -> tuple[ChangedLoan, ...]:
        """Find our loans that changed at `since` or later.

        Polling finds changes that no webhook announced, because edits on the desktop can be
        silent. Looks back a little further than `since`, for the lag of the search; the same
        loan can come again. Loans without a lead id of ours are left out.
        """
        start = (since - POLL_OVERLAP).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        rows = self._search_loans([_search_term("Loan.LastModified", start, "greaterThanOrEquals")])
        return tuple(row for row in rows if _is_lead_id(row.lead_id))

    def read_loan(self, loan_id: str, seen: Mapping[str, Any] | None = None) -> LoanSnapshot:
        """Read the loan. Raises `RequestRejected` when Encompass has no such loan.

        Args:
            seen: ignored; a webhook is only a hint.
        """
        settings = self._settings
        table = load_field_table("encompass", settings.mapping)
        statuses = build_status_map("encompass", table.statuses)
        fields = self._read_fields(
            loan_id, required_field_ids(statuses, table.reads, settings.lead_id_field)
        )
        steps = self._request_json(
            VendorRequest(
                method="GET",
                path=f"/encompass/v3/loans/{_require_safe_id(loan_id)}/milestones",
                is_idempotent=True,
            ),
            "the milestones",
        )
        return build_snapshot(
            loan_id,
            fields,
            localize_steps(steps, ZoneInfo(settings.zone)),
            statuses=statuses,
            reads=table.reads,
            lead_id_field=settings.lead_id_field,
        )

    def write_fields(self, loan_id: str, values: Mapping[str, str]) -> str:
        """Set fields by id. Safe to repeat."""
        self._request(
            VendorRequest(
                method="POST",
                path=f"/encompass/v3/loans/{_require_safe_id(loan_id)}/fieldWriter",
                is_idempotent=True,
                json=[{"fieldId": name, "value": value} for name, value in values.items()],
            ),
            "the fields",
        )
        return ""

    @staticmethod
    def verify_push(headers: Mapping[str, str], body: bytes, keys: Sequence[str]) -> bool:
        """Return True if the webhook was signed with one of `keys`."""
        return verify_webhook(headers, body, keys)

    @staticmethod
    def parse_push(
        headers: Mapping[str, str], body: bytes, scope: PushScope
    ) -> tuple[LoanHint, ...]:
        """Parse the hint of a verified webhook; one of another instance is left out."""
        hint = parse_webhook(body)
        return (hint,) if hint and hint.instance == scope.instance else ()

    def subscribe(
        self, endpoint: str, signing_key: str, events: Sequence[str] = LOAN_EVENTS
    ) -> str:
        """Subscribe to webhooks at `endpoint`; return the id of the subscription.

        Safe to repeat: Encompass keeps one subscription for each event and endpoint, and an
        existing one gets the new key. `signing_key` has 32 to 64 characters.
        """
        body = {
            "resource": "Loan",
            "events": list(events),
            "endpoint": endpoint,
            "signingkey": signing_key,
            "deliveryPolicy": {"backoff": "exponential"},
            "enableSubscription": True,
        }
        request = VendorRequest(
            method="POST", path="/webhook/v1/subscriptions", is_idempotent=True, json=body
        )
        try:
            response = self._request(request, "the subscription", with_details=True)
        except RetryLater:
            subscription_id = self._find_subscription(endpoint)
            if not subscription_id:
                raise
            self._request(
                VendorRequest(
                    method="PUT",
                    path=f"/webhook/v1/subscriptions/{_require_safe_id(subscription_id)}",
                    is_idempotent=True,
                    json=body,
                ),
                "the subscription",
                with_details=True,
            )
            return subscription_id
        return response.headers.get("location", "").rstrip("/").rpartition("/")[2]

    def is_subscribed(self, endpoint: str) -> bool:
        """Return True if Encompass lists an enabled subscription for `endpoint`."""
        rows = self._list_settings("/webhook/v1/subscriptions", "the list of subscriptions")
        return any(
            row.get("endpoint") == endpoint and row.get("enableSubscription", True) for row in rows
        )

    def list_milestones(self) -> tuple[str, ...]:
        """Return the lender's milestone names, in order. Needs Encompass 25.1 or later."""
        rows = self._list_settings("/encompass/v3/settings/milestones", "the list of milestones")
        names = (str(row.get("name") or "") for row in rows if not row.get("archived"))
        return tuple(filter(None, names))

    def list_users(self) -> tuple[LosUser, ...]:
        """Return the users of the instance; the NMLS ID is "" where Encompass has none."""
        rows = self._list_settings("/encompass/v1/company/users", "the list of users")
        return tuple(
            LosUser(name=str(row["id"]), nmls_id=_find_nmls_id(row)) for row in rows if "id" in row
        )

    def list_folders(self) -> tuple[str, ...]:
        """Return the names of the loan folders."""
        rows = self._list_settings("/encompass/v3/loanFolders", "the list of loan folders")
        return tuple(str(row.get("name") or row.get("folderName") or "") for row in rows)

    def list_custom_fields(self) -> tuple[str, ...]:
        """Return the ids of the lender's custom fields."""
        path = "/encompass/v3/settings/loan/customFields"
        return tuple(
            str(row.get("id")) for row in self._list_settings(path, "the list of custom fields")
        )

    @property
    def _settings(self) -> Settings:
        return self._session.settings()

    def _list_settings(self, path: str, purpose: str) -> list[dict[str, Any]]:
        request = VendorRequest(method="GET", path=path, is_idempotent=True)
        rows = self._request_json(request, purpose)
        return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []

    def _find_subscription(self, endpoint: str) -> str:
        rows = self._list_settings("/webhook/v1/subscriptions", "the list of subscriptions")
        for row in rows:
            if row.get("endpoint") == endpoint:
                return str(row.get("subscriptionId") or row.get("id") or "")
        return ""

    def _read_fields(self, loan_id: str, names: list[str]) -> dict[str, str]:
        rows = self._request_json(
            VendorRequest(
                method="POST",
                path=f"/encompass/v3/loans/{_require_safe_id(loan_id)}/fieldReader",
                is_idempotent=True,
                query=(("invalidFieldBehavior", "Exclude"),),
                json=names,
            ),
            "the fields",
        )
        return {
            str(row.get("fieldId")): str(row.get("value") or "")
            for row in (rows if isinstance(rows, list) else [])
            if isinstance(row, dict)
        }

    def _search_loans(self, terms: list[dict[str, str]]) -> list[ChangedLoan]:
        loans: list[ChangedLoan] = []
        while True:
            rows = self._request_json(
                VendorRequest(
                    method="POST",
                    path="/encompass/v3/loanPipeline",
                    is_idempotent=True,
                    query=(("start", str(len(loans))), ("limit", str(PAGE_SIZE))),
                    json={
                        "fields": ["Loan.GUID", "Loan.LoanFolder", "Fields.4495"],
                        "filter": {"operator": "and", "terms": terms},
                        "sortOrder": [{"canonicalName": "Loan.LastModified", "order": "asc"}],
                    },
                ),
                "the search; are fields 4495 and Loan.LastModified in the Reporting Database?",
            )
            page = [_parse_search_row(row) for row in rows if isinstance(row, dict)]
            loans += page
            if len(page) < PAGE_SIZE:
                return list({row.loan_id: row for row in loans if row.loan_id}.values())

    def _request_json(self, request: VendorRequest, purpose: str) -> Any:
        content = self._request(request, purpose).json()
        if not isinstance(content, dict | list):
            raise RetryLater("Encompass answered with something other than JSON.")
        return content

    def _request(
        self, request: VendorRequest, purpose: str, *, with_details: bool = False
    ) -> VendorResponse:
        response = self._session.send_request(request)
        if response.status == 404:
            raise RequestRejected(f"Encompass has no such record for {purpose}.", code="404")
        if response.status >= 400:
            raise build_refusal(response, purpose, with_details=with_details)
        return response


def _search_term(name: str, value: str, match: str) -> dict[str, str]:
    return {"canonicalName": name, "value": value, "matchType": match}


def _parse_search_row(row: Mapping[str, Any]) -> ChangedLoan:
    fields = row.get("fields")
    fields = fields if isinstance(fields, dict) else {}
    loan_id = row.get("loanId") or row.get("loanGuid") or fields.get("Loan.GUID") or ""
    return ChangedLoan(
        loan_id=str(loan_id).strip("{}"),
        lead_id=str(fields.get("Fields.4495") or ""),
        folder=str(fields.get("Loan.LoanFolder") or ""),
    )


def _find_nmls_id(user: Mapping[str, Any]) -> str:
    """Return a user's NMLS ID. The spelling of its key differs between published examples."""
    for key, value in user.items():
        if key.casefold() == "nmlsoriginatorid":
            return "".join(char for char in str(value or "") if char.isdigit())
    return ""


def _is_lead_id(lead_id: str) -> bool:
    try:
        UUID(lead_id)
    except ValueError:
        return False
    return True


def _require_safe_id(identifier: str) -> str:
    """Return an id that is safe as one step of a path. Raises `RequestRejected`."""
    if not identifier or not all(char.isalnum() or char in "-_" for char in identifier):
        raise RequestRejected("This is not an Encompass id.", code="id")
    return identifier
