"""TrustedForm certificates, retained over the Certificate API v4. docs/sources/trustedform.md."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from rooftree.capture.parsing.envelope import Envelope, Outcome, json_answer
from rooftree.capture.parsing.normalize_values import parse_moment, short_text
from rooftree.capture.parsing.reading_notes import ReadingNotes
from rooftree.capture.parsing.vendor_api import VendorAnswer
from rooftree.core.http_client import VendorRequest
from rooftree.core.vendor_errors import Misconfigured, RequestRejected, RetryLater, VendorError

HOST = "https://cert.trustedform.com"  # the only place its key is ever sent to
CLAIM_WINDOW = timedelta(hours=72)  # what nobody claims in this time is destroyed
VERSION = "4.0"
_BAD_KEY_STATUSES = frozenset({401, 402, 403})  # 402: the account is not paid up
_FAILURE_TEXT = {
    404: "TrustedForm does not know the certificate, or it has expired",
    405: "It is a certificate of the sandbox, which nobody can claim",
    410: "It expired before it was claimed",
}


class ClaimStatus(StrEnum):
    """What became of claiming a certificate."""

    RETAINED = "retained"
    MISMATCH = "retained_mismatch"  # kept, but of somebody else's session
    PENDING = "pending"  # will be tried again
    FAILED = "failed"  # for good


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimResult:
    """What TrustedForm said."""

    status: ClaimStatus
    reason: str = ""  # the machine's
    failure: VendorError | None = None  # where nothing was retained
    phone_match: bool | None = None
    email_match: bool | None = None
    expires_at: datetime | None = None  # until when they keep it
    was_retained: bool = False  # by us, earlier
    page_url: str | None = None
    ip: str | None = None
    created_at: datetime | None = None  # when the session was certified


def build_claim_request(
    url: str, *, phone: str, email: str, reference: str, vendor: str
) -> VendorRequest:
    """The claim of one certificate. Claiming twice claims once, so it may be repeated."""
    lead = {"email": email, "phone": phone.removeprefix("+1")}
    return VendorRequest(
        method="POST",
        path=urlsplit(url).path,
        is_idempotent=True,
        headers={"Accept": "application/json", "api-version": VERSION},
        json={
            "match_lead": {name: value for name, value in lead.items() if value},
            "retain": {"reference": reference, "vendor": vendor},
        },
        accepted_statuses=frozenset(range(400, 600)),
    )


def parse_claim_answer(told: VendorAnswer) -> ClaimResult:
    """It is what an answer means. Never raises."""
    if told.status not in (200, 201):
        return _failed_claim(told.status)
    said = told.json_fields()
    outcome = short_text(said.get("outcome"))
    if outcome not in ("success", "failure"):
        why = short_text(said.get("reason"), limit=200) or "no reason given"
        lost = RequestRejected(f"TrustedForm retained nothing: {why}.", code="error")
        return ClaimResult(status=ClaimStatus.FAILED, reason="not_retained", failure=lost)
    matched = said.nested("match_lead").nested("result")
    results = said.nested("retain").nested("results")
    seen = said.nested("insights").nested("properties")
    is_ours = outcome == "success"
    return ClaimResult(
        status=ClaimStatus.RETAINED if is_ours else ClaimStatus.MISMATCH,
        reason="" if is_ours else "fingerprint_mismatch",
        phone_match=_optional_bool(matched.get("phone_match")),
        email_match=_optional_bool(matched.get("email_match")),
        expires_at=_parse_utc(results.get("expires_at")),
        was_retained=results.get("previously_retained") is True,
        page_url=short_text(seen.get("page_url")),
        ip=short_text(seen.get("ip"), limit=45),
        created_at=_parse_utc(seen.get("created_at")),
    )


def build_claim_envelope(told: VendorAnswer) -> Envelope:
    """The answer to a claim as an envelope, as `rooftree parse` shows it."""
    found = parse_claim_answer(told)
    said = {
        "do": "record_consent_evidence",
        "provider": "trustedform",
        "claim_status": found.status.value,
        "phone_match": found.phone_match,
        "email_match": found.email_match,
        "expires_at": found.expires_at and found.expires_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    actions: list[Mapping[str, Any]] = [
        {name: value for name, value in said.items() if value is not None}
    ]
    actions += {
        ClaimStatus.RETAINED: [],
        ClaimStatus.MISMATCH: [{"do": "block_automated_contact"}],
        ClaimStatus.PENDING: [{"do": "retry", "policy": "backoff"}],
        ClaimStatus.FAILED: [{"do": "notify_ops"}],
    }[found.status]
    return Envelope(
        http=json_answer(200),
        outcome=Outcome.UPDATED,
        reason=found.reason or None,
        warnings=("previously_retained",) if found.was_retained else (),
        actions=tuple(actions),
    )


def _failed_claim(status: int) -> ClaimResult:
    reason = f"http_{status}"
    if status >= 500 or status in (0, 408, 425, 429):
        later = RetryLater(f"TrustedForm is busy or failing ({status}).")
        return ClaimResult(status=ClaimStatus.PENDING, reason=reason, failure=later)
    if status in _BAD_KEY_STATUSES:
        wrong = Misconfigured(f"TrustedForm does not accept our key, or its bill ({status}).")
        return ClaimResult(status=ClaimStatus.FAILED, reason=reason, failure=wrong)
    why = _FAILURE_TEXT.get(status, "TrustedForm does not take it for a certificate")
    lost = RequestRejected(f"{why} ({status}).", code=str(status))
    return ClaimResult(status=ClaimStatus.FAILED, reason=reason, failure=lost)


def _optional_bool(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _parse_utc(value: Any) -> datetime | None:
    return parse_moment(value, "", ReadingNotes(), zone="UTC")[0]
