"""Writing down that permission was taken back, or given again by the consumer."""

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
    """End permission for `address` (E.164 or e-mail key) from `at` on. Once per cause.

    Rule: 47 CFR 64.1200(a)(10), (d)(3); effective at once, whatever is queued.
    """
    row, is_new = Revocation.objects.get_or_create(
        cause=idempotency_key,
        defaults={
            "id": uuid7_at(at),
            "person_id": person_id,
            "address": address,
            "kind": kind,
            "media": media,
            "words": words,
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
    """The number is somebody else's: no call or text goes there again for this person."""
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
    """The consumer came back (START); how many rows it ended.

    What they may be sent again the gate decides: START restores only what
    written consent had given before. A do-not-contact entry and a wrong person
    are not ended this way (rulebook REV-05).
    """
    live = Revocation.objects.filter(
        address=address, ended_at=None, at__lte=at, kind__in=["stop", "review", "unsubscribe"]
    )
    count = live.update(ended_at=at, ended_by=by[:160])
    if count:
        write_event("compliance.permission.restored", at=at, actor="borrower", by=by, count=count)
    return count
