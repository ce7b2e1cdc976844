"""Claim consent certificates before their witness deletes them: claim, commit, ask, record.

A certificate that cannot be claimed always raises an alarm: without it the consent is unproven.
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
from rooftree.core.user_errors import InvalidField
from rooftree.core.uuid7 import uuid7_at
from rooftree.core.vendor_errors import Misconfigured, RetryLater, VendorError, retry_delay
from rooftree.leads.models import Touch
from rooftree.ledger.write_events import write_event
from rooftree.org import staff_notices

log = logging.getLogger(__name__)
BACK_OFF = (5, 20, 60, 300, 900)  # seconds; then every 15 minutes
KEY_RETRY_INTERVAL = timedelta(minutes=5)  # retry interval for a missing or wrong key
# Media that a certificate of another person's session stops.
MISMATCH_STOPS_MEDIA = ["text", "call", "voicemail"]


def queue_certificate(touch: Touch, *, at: datetime) -> None:
    """Queue the certificate of an inquiry that has one. Safe to repeat."""
    inquiry = touch.inquiry
    phones = [phone["e164"] for phone in inquiry.get("phones", []) if phone.get("e164")]
    emails = [email["address"] for email in inquiry.get("emails", []) if email.get("address")]
    # The visitor's session ended as stated, but not later than the inquiry arrived.
    stated_time = inquiry.get("consent", {}).get("timestamp") or inquiry.get("submitted_at")
    session_at = min(datetime.fromisoformat(stated_time), touch.at) if stated_time else touch.at
    row = Certificate(
        id=uuid7_at(at),
        touch=touch,
        url=inquiry["consent"]["certificate_url"],
        phone=next(iter(phones), ""),
        email=next(iter(emails), "")[:254],
        claim_by=session_at + trustedform.CLAIM_WINDOW,
        due_at=at,
        requested_at=at,
    )
    Certificate.objects.bulk_create([row], ignore_conflicts=True)


def claim_next_certificate(*, at: datetime) -> UUID | None:
    """Claim the certificate that has been due longest; return its lead's id, or None.

    Must not run in a transaction.
    """
    rows = Certificate.objects.select_related("touch__source", "touch__person")
    row = claim_due_row(rows, at=at)
    if row is None:
        return None
    try:
        answer = _send_claim(row)
        result = trustedform.parse_claim_answer(answer)
    except VendorError as problem:
        answer = None
        status = ClaimStatus.PENDING if isinstance(problem, RetryLater) else ClaimStatus.FAILED
        result = ClaimResult(status=status, failure=problem)
    with transaction.atomic():
        _record_result(row, answer, result, at)
    return row.touch.lead_id


def refuse_wrong_key(key: str) -> None:
    """Raise `InvalidField` if TrustedForm rejects the key for a certificate that can't exist.

    TrustedForm documents no check of a key, so another answer proves nothing: only a claimed
    certificate does. An outage refuses nothing.
    """
    request = trustedform.build_claim_request(
        f"{trustedform.HOST}/{'0' * 40}", phone="", email="", reference="key-check", vendor=""
    )
    try:
        answer = _http_client(_trustedform_url(), key.strip()).send(request)
    except RetryLater:
        return
    except VendorError as problem:
        raise InvalidField("key", str(problem)) from problem
    failure = trustedform.parse_claim_answer(
        VendorAnswer(status=answer.status, body=answer.body)
    ).failure
    if isinstance(failure, Misconfigured):
        raise InvalidField("key", str(failure))


def _trustedform_url() -> str:
    url: str = settings.UPSTREAMS.get("consent_trustedform", trustedform.HOST)
    return url


def save_trustedform_key(key: str, *, by: object, at: datetime) -> None:
    """Store the company's TrustedForm key encrypted, and claim waiting certificates now."""
    with transaction.atomic():
        CertificateAccount.objects.update_or_create(
            provider="trustedform", defaults={"key": key.strip(), "changed_at": at}
        )
        Certificate.objects.filter(state="pending", due_at__isnull=False).update(due_at=at)
        write_event(
            "capture.certificates.key_set", at=at, actor=f"user:{by}", provider="trustedform"
        )


def _send_claim(row: Certificate) -> VendorAnswer:
    account = CertificateAccount.objects.filter(provider=row.provider).first()
    if account is None or not account.key:
        raise Misconfigured("The TrustedForm key is missing. Add it under Setup, Certificates.")
    answer = _http_client(_trustedform_url(), account.key).send(
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
    limits = http_client.ClientLimits(
        read_timeout_seconds=10, total_timeout_seconds=20, max_response_bytes=1024 * 1024
    )
    return http_client.VendorClient(base_url, limits=limits, basic=("API", key))


def _record_result(
    row: Certificate, answer: VendorAnswer | None, result: ClaimResult, at: datetime
) -> None:
    """Store a claim's result, then apply it if it is final."""
    due_at = _next_attempt_at(row, result, at)
    is_settled = due_at is None
    if not is_settled:
        state = "pending"
    elif result.failure:
        state = "failed"
    elif result.phone_match is False:  # of another person, whatever else it proves
        state = ClaimStatus.MISMATCH.value
    else:
        state = result.status.value
    columns: dict[str, Any] = {
        "state": state,
        "due_at": due_at,
        "problem": str(result.failure or "")[:300],
        "settled_at": at if is_settled else None,
    }
    if answer is not None and is_settled:
        columns |= {
            "status": answer.status,
            "answer": mask_numbers(answer.body).body,
            "answer_sha256": hashlib.sha256(answer.body).hexdigest(),
            "phone_match": result.phone_match,
            "email_match": result.email_match,
            "expires_at": result.expires_at,
        }
    if not Certificate.objects.filter(pk=row.pk, attempts=row.attempts).update(**columns):
        return  # our claim expired: the process that claimed it after us records its result
    if is_settled:
        _apply_settled_result(row, result, state, at)
    elif isinstance(result.failure, Misconfigured):
        key = f"trustedform_key:{at.date()}"
        _alert_users(str(result.failure), key, "/setup/certificates/", at)


def _apply_settled_result(row: Certificate, result: ClaimResult, state: str, at: datetime) -> None:
    """Store the consent that a certificate proves; stop the phone and alert staff if it fails."""
    write_event(
        "capture.certificate.settled",
        at=at,
        lead_id=row.touch.lead_id,
        person_id=row.touch.person_id,
        certificate=row.pk,
        state=state,
    )
    if state == "retained" and result.phone_match:
        certificate = build_consent_record.SessionCertificate(
            phone=row.phone,
            signature=None,  # the answer does not say how the consent box works
            page_url=result.page_url,
            ip=result.ip,
            user_agent=None,
            captured_at=result.created_at,
            wording=None,
        )
        store_consents.store_certificate_consent(
            touch=row.touch, address=row.phone, certificate=certificate, at=at
        )
        return
    if state == "retained_mismatch" and row.phone:
        store_revocation.store_revocation(
            person_id=row.touch.person_id,
            address=row.phone,
            kind="review",
            media=MISMATCH_STOPS_MEDIA,
            words="The TrustedForm certificate is from another person's session.",
            origin=f"certificate:{row.pk}",
            idempotency_key=f"certificate:{row.pk}",
            at=at,
        )
    if state in ("failed", "retained_mismatch"):
        reason = str(result.failure or "It is from another person's session.")
        text = f"A consent certificate from {row.touch.source} does not prove consent. {reason}"
        _alert_users(text, f"certificate:{row.pk}", f"/leads/{row.touch.lead_id}/", at)


def _next_attempt_at(row: Certificate, result: ClaimResult, at: datetime) -> datetime | None:
    """Return when to try again; None if the claim is settled or too late."""
    failure = result.failure
    if not isinstance(failure, RetryLater | Misconfigured):
        return None
    is_key_problem = isinstance(failure, Misconfigured)
    delay = KEY_RETRY_INTERVAL if is_key_problem else retry_delay(failure, row.attempts, BACK_OFF)
    return at + delay if at + delay < row.claim_by else None


def _alert_users(text: str, cause: str, link: str, at: datetime) -> None:
    log.warning("a consent certificate could not be claimed")
    users = staff_notices.alarm_users(None)
    staff_notices.notify_users(users, kind="certificate", cause=cause, text=text, link=link, at=at)
