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
from rooftree.capture.certificates.trustedform import Claim, Claimed
from rooftree.capture.claim_due import claim_due
from rooftree.capture.models import Certificate, CertificateAccount
from rooftree.capture.upstream import Told
from rooftree.compliance import consent_record, record_consent, revoke
from rooftree.core import http
from rooftree.core.failures import Failure, Misconfigured, TryLater, pause_after
from rooftree.core.masking import mask
from rooftree.core.uuid7 import uuid7_at
from rooftree.leads.models import Touch
from rooftree.ledger.write import write
from rooftree.org import notices

log = logging.getLogger(__name__)
BACK_OFF = (5, 20, 60, 300, 900)  # seconds; then every quarter of an hour
MEND_WITHIN = timedelta(minutes=5)  # a missing or wrong key is tried again so often
MEDIA = ["text", "call", "voicemail"]  # what a certificate of another person's session stops


def want(touch: Touch, *, at: datetime) -> bool:
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
        claim_by=_captured_at(touch) + trustedform.KEPT_FOR,
        due_at=at,
        wanted_at=at,
    )
    Certificate.objects.bulk_create([row], ignore_conflicts=True)
    return True


def carry_out_next(*, at: datetime) -> UUID | None:
    """Claim the certificate that is longest due; the lead it belongs to, or None.

    Must not run in a transaction.
    """
    row = _claimed(at)
    if row is None:
        return None
    try:
        told = _ask(row)
        found = trustedform.judged(told)
    except Failure as problem:
        told = None
        claim = Claim.PENDING if isinstance(problem, TryLater) else Claim.FAILED
        found = Claimed(claim=claim, failure=problem)
    with transaction.atomic():
        _record(row, told, found, at)
    return row.touch.lead_id


def set_key(key: str, *, by: object, at: datetime) -> None:
    """Keep the company's TrustedForm key, sealed; what waited for it is claimed at once."""
    with transaction.atomic():
        CertificateAccount.objects.update_or_create(
            provider="trustedform", defaults={"key": key.strip(), "changed_at": at}
        )
        Certificate.objects.filter(state="pending", due_at__isnull=False).update(due_at=at)
        write("capture.certificates.key_set", at=at, actor=f"user:{by}", provider="trustedform")


def _claimed(at: datetime) -> Certificate | None:
    rows = Certificate.objects.select_related("touch__source", "touch__person")
    return claim_due(rows, at=at)


def _ask(row: Certificate) -> Told:
    account = CertificateAccount.objects.filter(provider=row.provider).first()
    if account is None or not account.key:
        raise Misconfigured("TrustedForm's key is missing: fill it in under Set-up, Certificates.")
    client = _client(settings.UPSTREAMS.get("consent_trustedform", trustedform.HOST), account.key)
    answer = client.ask(
        trustedform.ask(
            row.url,
            phone=row.phone,
            email=row.email,
            reference=str(row.touch.lead_id),
            vendor=row.touch.source.name,
        )
    )
    return Told(status=answer.status, body=answer.body)


@cache
def _client(base_url: str, key: str) -> http.Client:
    limits = http.Limits(silence_seconds=10, answer_seconds=20, most_bytes=1024 * 1024)
    return http.Client(base_url, limits=limits, basic=("API", key))


def _record(row: Certificate, told: Told | None, found: Claimed, at: datetime) -> None:
    due_at = _again(row, found, at)
    is_over = due_at is None
    state = _state(found) if is_over else "pending"
    kept: dict[str, Any] = {
        "state": state,
        "due_at": due_at,
        "problem": str(found.failure or "")[:300],
        "settled_at": at if is_over else None,
    }
    if told is not None and is_over:
        kept |= {
            "status": told.status,
            "answer": mask(told.body).body,
            "answer_sha256": hashlib.sha256(told.body).hexdigest(),
            "phone_match": found.phone_match,
            "email_match": found.email_match,
            "expires_at": found.expires_at,
        }
    if not Certificate.objects.filter(pk=row.pk, attempts=row.attempts).update(**kept):
        return  # it took longer than its claim held: whoever asked after us records what came
    if is_over:
        _settle(row, found, state, at)
    elif isinstance(found.failure, Misconfigured):
        _alarm(str(found.failure), f"trustedform_key:{at.date()}", "/setup/certificates/", at)


def _state(found: Claimed) -> str:
    """One whose number is not the lead's proves nothing for it, whatever else matched."""
    if found.failure:
        return "failed"
    return Claim.MISMATCH.value if found.phone_match is False else found.claim.value


def _settle(row: Certificate, found: Claimed, state: str, at: datetime) -> None:
    """What the claim means for the consent; a certificate of another person's session is none."""
    write(
        "capture.certificate.settled",
        at=at,
        lead_id=row.touch.lead_id,
        person_id=row.touch.person_id,
        certificate=row.pk,
        state=state,
    )
    if state == "retained" and found.phone_match:
        record_consent.of_certificate(
            touch=row.touch, address=row.phone, certificate=_as_proof(row, found), at=at
        )
        return
    if state == "retained_mismatch" and row.phone:
        revoke.record(
            person_id=row.touch.person_id,
            address=row.phone,
            kind="review",
            media=MEDIA,
            words="The TrustedForm certificate is of somebody else's session.",
            origin=f"certificate:{row.pk}",
            cause=f"certificate:{row.pk}",
            at=at,
        )
    if state in ("failed", "retained_mismatch"):
        why = str(found.failure or "The certificate is of somebody else's session.")
        text = f"A consent certificate of {row.touch.source} proves nothing: {why}"
        _alarm(text, f"certificate:{row.pk}", f"/leads/{row.touch.lead_id}/", at)


def _as_proof(row: Certificate, found: Claimed) -> consent_record.Certificate:
    return consent_record.Certificate(
        phone=row.phone,
        signature=None,  # a certificate shows the box, its answer does not tell how it works
        page_url=found.page_url,
        ip=found.ip,
        user_agent=None,
        captured_at=found.created_at,
        wording=None,
    )


def _again(row: Certificate, found: Claimed, at: datetime) -> datetime | None:
    """When to try again; None when it is settled, or too late."""
    failure = found.failure
    if not isinstance(failure, TryLater | Misconfigured):
        return None
    is_ours = isinstance(failure, Misconfigured)
    pause = MEND_WITHIN if is_ours else pause_after(failure, row.attempts, BACK_OFF)
    return at + pause if at + pause < row.claim_by else None


def _captured_at(touch: Touch) -> datetime:
    """When the session was, as far as anybody says; not later than it reached us."""
    told = touch.inquiry.get("consent", {}).get("timestamp") or touch.inquiry.get("submitted_at")
    return min(datetime.fromisoformat(told), touch.at) if told else touch.at


def _alarm(text: str, cause: str, link: str, at: datetime) -> None:
    log.warning("a consent certificate could not be claimed")
    heard = notices.alarm_users(None)
    notices.tell_each(heard, kind="certificate", cause=cause, text=text, link=link, at=at)
