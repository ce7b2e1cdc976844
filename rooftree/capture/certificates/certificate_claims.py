"""Claiming certificates before their witness destroys them: claim the row, commit, ask, record.

What could not be claimed is an alarm, never a silence: without it the consent cannot be proven.
"""

import hashlib
import logging
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

from rooftree.capture.certificates import trustedform
from rooftree.capture.certificates.trustedform import ClaimResult, ClaimStatus
from rooftree.capture.intake.claim_due_row import claim_due_row
from rooftree.capture.models import Certificate, CertificateAccount
from rooftree.capture.parsing.vendor_api import VendorAnswer
from rooftree.compliance.consent import build_consent_record, store_consents, store_revocation
from rooftree.core import http_client
from rooftree.core.masking import mask_numbers
from rooftree.core.uuid7 import uuid7_at
from rooftree.core.vendor_errors import Misconfigured, RetryLater, VendorError, retry_delay
from rooftree.leads.models import Touch
from rooftree.ledger.write_events import write_event
from rooftree.org import staff_notices

log = logging.getLogger(__name__)
BACK_OFF = (5, 20, 60, 300, 900)  # seconds; then every quarter of an hour
KEY_RETRY_INTERVAL = timedelta(minutes=5)  # a missing or wrong key is tried again so often
MISMATCH_STOPS_MEDIA = [
    "text",
    "call",
    "voicemail",
]  # what a certificate of another person's session stops


def queue_certificate(touch: Touch, *, at: datetime) -> bool:
    """Put the certificate an inquiry brought in line; whether it brought one. Repeat-safe."""
    inquiry = touch.inquiry
    url = inquiry.get("consent", {}).get("certificate_url")
    if not url:
        return False
    numbers = [one["e164"] for one in inquiry.get("phones", []) if one.get("e164")]
    mails = [one["address"] for one in inquiry.get("emails", []) if one.get("address")]
    row = Certificate(
        id=uuid7_at(at),
        touch=touch,
        url=url,
        phone=next(iter(numbers), ""),
        email=next(iter(mails), "")[:254],
        claim_by=_session_time(touch) + trustedform.CLAIM_WINDOW,
        due_at=at,
        wanted_at=at,
    )
    Certificate.objects.bulk_create([row], ignore_conflicts=True)
    return True


def claim_next_certificate(*, at: datetime) -> UUID | None:
    """Claim the certificate that is longest due; the lead it belongs to, or None.

    Must not run in a transaction.
    """
    row = _lock_due_certificate(at)
    if row is None:
        return None
    try:
        told = _send_claim(row)
        found = trustedform.parse_claim_answer(told)
    except VendorError as problem:
        told = None
        claim = ClaimStatus.PENDING if isinstance(problem, RetryLater) else ClaimStatus.FAILED
        found = ClaimResult(status=claim, failure=problem)
    with transaction.atomic():
        _record_result(row, told, found, at)
    return row.touch.lead_id


def save_trustedform_key(key: str, *, by: object, at: datetime) -> None:
    """Keep the company's TrustedForm key, sealed; what waited for it is claimed at once."""
    with transaction.atomic():
        CertificateAccount.objects.update_or_create(
            provider="trustedform", defaults={"key": key.strip(), "changed_at": at}
        )
        Certificate.objects.filter(state="pending", due_at__isnull=False).update(due_at=at)
        write_event(
            "capture.certificates.key_set", at=at, actor=f"user:{by}", provider="trustedform"
        )


def _lock_due_certificate(at: datetime) -> Certificate | None:
    rows = Certificate.objects.select_related("touch__source", "touch__person")
    return claim_due_row(rows, at=at)


def _send_claim(row: Certificate) -> VendorAnswer:
    account = CertificateAccount.objects.filter(provider=row.provider).first()
    if account is None or not account.key:
        raise Misconfigured("TrustedForm's key is missing: fill it in under Set-up, Certificates.")
    client = _http_client(
        settings.UPSTREAMS.get("consent_trustedform", trustedform.HOST), account.key
    )
    answer = client.send(
        trustedform.build_claim_request(
            row.url,
            phone=row.phone,
            email=row.email,
            reference=str(row.touch.lead_id),
            vendor=row.touch.source.name,
        )
    )
    return VendorAnswer(status=answer.status, body=answer.body)


@cache
def _http_client(base_url: str, key: str) -> http_client.VendorClient:
    limits = http_client.ClientLimits(read_timeout_seconds=10, total_timeout_seconds=20, max_response_bytes=1024 * 1024)
    return http_client.VendorClient(base_url, limits=limits, basic=("API", key))


def _record_result(
    row: Certificate, told: VendorAnswer | None, found: ClaimResult, at: datetime
) -> None:
    due_at = _next_attempt_at(row, found, at)
    is_over = due_at is None
    state = _settled_state(found) if is_over else "pending"
    kept: dict[str, Any] = {
        "state": state,
        "due_at": due_at,
        "problem": str(found.failure or "")[:300],
        "settled_at": at if is_over else None,
    }
    if told is not None and is_over:
        kept |= {
            "status": told.status,
            "answer": mask_numbers(told.body).body,
            "answer_sha256": hashlib.sha256(told.body).hexdigest(),
            "phone_match": found.phone_match,
            "email_match": found.email_match,
            "expires_at": found.expires_at,
        }
    if not Certificate.objects.filter(pk=row.pk, attempts=row.attempts).update(**kept):
        return  # it took longer than its claim held: whoever asked after us records what came
    if is_over:
        _apply_settled_result(row, found, state, at)
    elif isinstance(found.failure, Misconfigured):
        _alert_users(str(found.failure), f"trustedform_key:{at.date()}", "/setup/certificates/", at)


def _settled_state(found: ClaimResult) -> str:
    """One whose number is not the lead's proves nothing for it, whatever else matched."""
    if found.failure:
        return "failed"
    return ClaimStatus.MISMATCH.value if found.phone_match is False else found.status.value


def _apply_settled_result(row: Certificate, found: ClaimResult, state: str, at: datetime) -> None:
    """What the claim means for the consent; a certificate of another person's session is none."""
    write_event(
        "capture.certificate.settled",
        at=at,
        lead_id=row.touch.lead_id,
        person_id=row.touch.person_id,
        certificate=row.pk,
        state=state,
    )
    if state == "retained" and found.phone_match:
        store_consents.store_certificate_consent(
            touch=row.touch, address=row.phone, certificate=_consent_certificate(row, found), at=at
        )
        return
    if state == "retained_mismatch" and row.phone:
        store_revocation.store_revocation(
            person_id=row.touch.person_id,
            address=row.phone,
            kind="review",
            media=MISMATCH_STOPS_MEDIA,
            words="The TrustedForm certificate is of somebody else's session.",
            origin=f"certificate:{row.pk}",
            idempotency_key=f"certificate:{row.pk}",
            at=at,
        )
    if state in ("failed", "retained_mismatch"):
        why = str(found.failure or "The certificate is of somebody else's session.")
        text = f"A consent certificate of {row.touch.source} proves nothing: {why}"
        _alert_users(text, f"certificate:{row.pk}", f"/leads/{row.touch.lead_id}/", at)


def _consent_certificate(
    row: Certificate, found: ClaimResult
) -> build_consent_record.SessionCertificate:
    return build_consent_record.SessionCertificate(
        phone=row.phone,
        signature=None,  # a certificate shows the box, its answer does not tell how it works
        page_url=found.page_url,
        ip=found.ip,
        user_agent=None,
        captured_at=found.created_at,
        wording=None,
    )


def _next_attempt_at(row: Certificate, found: ClaimResult, at: datetime) -> datetime | None:
    """When to try again; None when it is settled, or too late."""
    failure = found.failure
    if not isinstance(failure, RetryLater | Misconfigured):
        return None
    is_ours = isinstance(failure, Misconfigured)
    pause = KEY_RETRY_INTERVAL if is_ours else retry_delay(failure, row.attempts, BACK_OFF)
    return at + pause if at + pause < row.claim_by else None


def _session_time(touch: Touch) -> datetime:
    """When the session was, as far as anybody says; not later than it reached us."""
    told = touch.inquiry.get("consent", {}).get("timestamp") or touch.inquiry.get("submitted_at")
    return min(datetime.fromisoformat(told), touch.at) if told else touch.at


def _alert_users(text: str, cause: str, link: str, at: datetime) -> None:
    log.warning("a consent certificate could not be claimed")
    heard = staff_notices.alarm_users(None)
    staff_notices.notify_users(heard, kind="certificate", cause=cause, text=text, link=link, at=at)
