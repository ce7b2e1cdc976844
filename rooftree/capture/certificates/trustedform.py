"""TrustedForm certificates, retained over the Certificate API v4. docs/sources/trustedform.md."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from rooftree.capture.envelope import Envelope, Outcome, json_answer
from rooftree.capture.normalise import moment, text
from rooftree.capture.notes import Notes
from rooftree.capture.upstream import Told
from rooftree.core.failures import Failure, Misconfigured, Refused, TryLater
from rooftree.core.http import Ask

HOST = "https://cert.trustedform.com"  # the only place its key is ever sent to
KEPT_FOR = timedelta(hours=72)  # what nobody claims in this time is destroyed
VERSION = "4.0"
_KEY_WRONG = frozenset({401, 402, 403})  # 402: the account is not paid up
_WHY = {
    404: "TrustedForm does not know the certificate, or it has expired",
    405: "It is a certificate of the sandbox, which nobody can claim",
    410: "It expired before it was claimed",
}


class Claim(StrEnum):
    """What became of claiming a certificate."""

    RETAINED = "retained"
    MISMATCH = "retained_mismatch"  # kept, but of somebody else's session
    PENDING = "pending"  # will be tried again
    FAILED = "failed"  # for good


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """What TrustedForm said."""

    claim: Claim
    reason: str = ""  # the machine's
    failure: Failure | None = None  # where nothing was retained
    phone_match: bool | None = None
    email_match: bool | None = None
    expires_at: datetime | None = None  # until when they keep it
    was_retained: bool = False  # by us, earlier
    page_url: str | None = None
    ip: str | None = None
    created_at: datetime | None = None  # when the session was certified


def ask(url: str, *, phone: str, email: str, reference: str, vendor: str) -> Ask:
    """The claim of one certificate. Claiming twice claims once, so it may be repeated."""
    lead = {"email": email, "phone": phone.removeprefix("+1")}
    return Ask(
        method="POST",
        path=urlsplit(url).path,
        repeatable=True,
        headers={"Accept": "application/json", "api-version": VERSION},
        json={
            "match_lead": {name: value for name, value in lead.items() if value},
            "retain": {"reference": reference, "vendor": vendor},
        },
        wanted=frozenset(range(400, 600)),
    )


def judged(told: Told) -> Claimed:
    """It is what an answer means. Never raises."""
    if told.status not in (200, 201):
        return _unclaimed(told.status)
    said = told.fields()
    outcome = text(said.get("outcome"))
    if outcome not in ("success", "failure"):
        why = text(said.get("reason"), limit=200) or "no reason given"
        lost = Refused(f"TrustedForm retained nothing: {why}.", code="error")
        return Claimed(claim=Claim.FAILED, reason="not_retained", failure=lost)
    matched = said.part("match_lead").part("result")
    results = said.part("retain").part("results")
    seen = said.part("insights").part("properties")
    is_ours = outcome == "success"
    return Claimed(
        claim=Claim.RETAINED if is_ours else Claim.MISMATCH,
        reason="" if is_ours else "fingerprint_mismatch",
        phone_match=_flag(matched.get("phone_match")),
        email_match=_flag(matched.get("email_match")),
        expires_at=_moment(results.get("expires_at")),
        was_retained=results.get("previously_retained") is True,
        page_url=text(seen.get("page_url")),
        ip=text(seen.get("ip"), limit=45),
        created_at=_moment(seen.get("created_at")),
    )


def envelope(told: Told) -> Envelope:
    """The answer to a claim as an envelope, as `rooftree parse` shows it."""
    found = judged(told)
    said = {
        "do": "record_consent_evidence",
        "provider": "trustedform",
        "claim_status": found.claim.value,
        "phone_match": found.phone_match,
        "email_match": found.email_match,
        "expires_at": found.expires_at and found.expires_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    actions: list[Mapping[str, Any]] = [
        {name: value for name, value in said.items() if value is not None}
    ]
    actions += {
        Claim.RETAINED: [],
        Claim.MISMATCH: [{"do": "block_automated_contact"}],
        Claim.PENDING: [{"do": "retry", "policy": "backoff"}],
        Claim.FAILED: [{"do": "notify_ops"}],
    }[found.claim]
    return Envelope(
        http=json_answer(200),
        outcome=Outcome.UPDATED,
        reason=found.reason or None,
        warnings=("previously_retained",) if found.was_retained else (),
        actions=tuple(actions),
    )


def _unclaimed(status: int) -> Claimed:
    reason = f"http_{status}"
    if status >= 500 or status in (0, 408, 425, 429):
        later = TryLater(f"TrustedForm is busy or failing ({status}).")
        return Claimed(claim=Claim.PENDING, reason=reason, failure=later)
    if status in _KEY_WRONG:
        wrong = Misconfigured(f"TrustedForm does not accept our key, or its bill ({status}).")
        return Claimed(claim=Claim.FAILED, reason=reason, failure=wrong)
    why = _WHY.get(status, "TrustedForm does not take it for a certificate")
    lost = Refused(f"{why} ({status}).", code=str(status))
    return Claimed(claim=Claim.FAILED, reason=reason, failure=lost)


def _flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _moment(value: Any) -> datetime | None:
    return moment(value, "", Notes(), zone="UTC")[0]
