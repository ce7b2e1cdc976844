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
CLAIM_WINDOW = timedelta(hours=72)  # TrustedForm deletes a certificate not claimed in this time
VERSION = "4.0"
_BAD_KEY_STATUSES = frozenset({401, 402, 403})  # 402: the account is not paid up
_FAILURE_TEXT = {
    404: "TrustedForm does not know the certificate, or it has expired",
    405: "It is a sandbox certificate, which cannot be claimed",
    410: "It expired before it was claimed",
}


class ClaimStatus(StrEnum):
    """Result of claiming a certificate."""

    RETAINED = "retained"
    MISMATCH = "retained_mismatch"  # retained, but from another person's session
    PENDING = "pending"  # will be retried
    FAILED = "failed"  # final


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimResult:
    """TrustedForm's answer to one claim."""

    status: ClaimStatus
    reason: str = ""  # reason code
    failure: VendorError | None = None  # set if nothing was retained
    phone_match: bool | None = None
    email_match: bool | None = None
    expires_at: datetime | None = None  # when TrustedForm deletes it
    was_retained: bool = False  # by us, earlier
    page_url: str | None = None
    ip: str | None = None
    created_at: datetime | None = None  # when the session was certified


def build_claim_request(
    url: str, *, phone: str, email: str, reference: str, vendor: str
) -> VendorRequest:
    """Build the request that claims a certificate; it can be repeated, as a claim counts once."""
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


def parse_claim_answer(answer: VendorAnswer) -> ClaimResult:
    """Parse TrustedForm's answer to a claim; never raises."""
    if answer.status not in (200, 201):
        return _failed_claim(answer.status)
    fields = answer.json_fields()
    outcome = short_text(fields.get("outcome"))
    if outcome not in ("success", "failure"):
        reason = short_text(fields.get("reason"), limit=200) or "no reason given"
        failure = RequestRejected(f"TrustedForm retained nothing: {reason}.", code="error")
        return ClaimResult(status=ClaimStatus.FAILED, reason="not_retained", failure=failure)
    match = fields.nested("match_lead").nested("result")
    retention = fields.nested("retain").nested("results")
    session = fields.nested("insights").nested("properties")
    is_match = outcome == "success"
    return ClaimResult(
        status=ClaimStatus.RETAINED if is_match else ClaimStatus.MISMATCH,
        reason="" if is_match else "fingerprint_mismatch",
        phone_match=_optional_bool(match.get("phone_match")),
        email_match=_optional_bool(match.get("email_match")),
        expires_at=_parse_utc(retention.get("expires_at")),
        was_retained=retention.get("previously_retained") is True,
        page_url=short_text(session.get("page_url")),
        ip=short_text(session.get("ip"), limit=45),
        created_at=_parse_utc(session.get("created_at")),
    )


def build_claim_envelope(answer: VendorAnswer) -> Envelope:
    """Build an envelope from the answer to a claim, as `rooftree parse` shows it."""
    result = parse_claim_answer(answer)
    evidence = {
        "do": "record_consent_evidence",
        "provider": "trustedform",
        "claim_status": result.status.value,
        "phone_match": result.phone_match,
        "email_match": result.email_match,
        "expires_at": result.expires_at and result.expires_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    actions: list[Mapping[str, Any]] = [
        {name: value for name, value in evidence.items() if value is not None}
    ]
    actions += {
        ClaimStatus.RETAINED: [],
        ClaimStatus.MISMATCH: [{"do": "block_automated_contact"}],
        ClaimStatus.PENDING: [{"do": "retry", "policy": "backoff"}],
        ClaimStatus.FAILED: [{"do": "notify_ops"}],
    }[result.status]
    return Envelope(
        http=json_answer(200),
        outcome=Outcome.UPDATED,
        reason=result.reason or None,
        warnings=("previously_retained",) if result.was_retained else (),
        actions=tuple(actions),
    )


def _failed_claim(status: int) -> ClaimResult:
    reason = f"http_{status}"
    if status >= 500 or status in (0, 408, 425, 429):
        busy = RetryLater(f"TrustedForm is busy or failing ({status}).")
        return ClaimResult(status=ClaimStatus.PENDING, reason=reason, failure=busy)
    if status in _BAD_KEY_STATUSES:
        bad_key = Misconfigured(
            f"TrustedForm rejected our key, or its account is not paid ({status})."
        )
        return ClaimResult(status=ClaimStatus.FAILED, reason=reason, failure=bad_key)
    text = _FAILURE_TEXT.get(status, "TrustedForm does not recognize it as a certificate")
    rejected = RequestRejected(f"{text} ({status}).", code=str(status))
    return ClaimResult(status=ClaimStatus.FAILED, reason=reason, failure=rejected)


def _optional_bool(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _parse_utc(value: Any) -> datetime | None:
    return parse_moment(value, "", ReadingNotes(), zone="UTC")[0]
