"""Storage of opt-outs and of the consumer's own return (START)."""

from datetime import datetime
from uuid import UUID

from rooftree.compliance.models import Revocation
from rooftree.core.uuid7 import uuid7_at
from rooftree.leads.models import Phone
from rooftree.ledger.write_events import write_event


def store_revocation(  # noqa: PLR0913
    *,
    person_id: UUID | None,
    address: str,
    kind: str,
    media: list[str],
    origin: str,
    idempotency_key: str,
    at: datetime,
    words: str = "",
    reply_to_purpose: str = "",
) -> Revocation:
    """End permission for `address` (E.164 or email key) from `at` on, once per idempotency key.

    47 CFR 64.1200(a)(10), (d)(3). It takes effect at once, also for messages already queued.
    """
    row, is_new = Revocation.objects.get_or_create(
        idempotency_key=idempotency_key,
        defaults={
            "id": uuid7_at(at),
            "person_id": person_id,
            "address": address,
            "kind": kind,
            "media": media,
            "borrower_words": words,
            "origin": origin,
            "reply_to_purpose": reply_to_purpose,
            "at": at,
            "recorded_at": at,
        },
    )
    if is_new:
        write_event(
            "compliance.permission.revoked",
            at=at,
            actor="borrower" if kind in ("stop", "unsubscribe", "wrong_person") else "system",
            person_id=person_id,
            revocation=row.pk,
            what=kind,
            media=media,
        )
    return row


def unlink_number(
    *, person_id: UUID, number: str, origin: str, idempotency_key: str, at: datetime
) -> None:
    """Unlink a number that belongs to someone else; stop calls and texts there for this person."""
    Phone.objects.filter(person=person_id, e164=number, unlinked_at=None).update(unlinked_at=at)
    store_revocation(
        person_id=person_id,
        address=number,
        kind="wrong_person",
        media=["call", "text", "voicemail"],
        origin=origin,
        idempotency_key=idempotency_key,
        at=at,
    )


def restore_permission(*, address: str, by: str, at: datetime) -> int:
    """End the opt-outs of an address after a START reply; return how many rows ended.

    The gate decides which messages can be sent again: START restores only what written consent
    had allowed before. It does not end a do-not-contact entry or a wrong-person reply (rulebook
    REV-05).
    """
    active = Revocation.objects.filter(
        address=address, ended_at=None, at__lte=at, kind__in=["stop", "review", "unsubscribe"]
    )
    count = active.update(ended_at=at, ended_by=by[:160])
    if count:
        write_event("compliance.permission.restored", at=at, actor="borrower", by=by, count=count)
    return count
