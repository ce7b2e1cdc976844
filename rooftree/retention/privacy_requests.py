"""Privacy requests: received, identified, extended once, answered by a due date.

Carrying out a request touches every room, so that is up to `flow.privacy_fulfillment`.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from rooftree.core.holidays import add_business_days
from rooftree.core.uuid7 import uuid7_at
from rooftree.ledger.write_events import write_event
from rooftree.org import staff_notices
from rooftree.org.models import Company, User
from rooftree.retention.models import PrivacyRequest
from rooftree.retention.retention_schedule import (
    REQUEST_ANSWER_DAYS,
    REQUEST_EXTENSION_DAYS,
    REQUEST_WARN_DAYS,
)

ACKNOWLEDGE_DAYS = 10  # business days to confirm receipt (11 CCR 7021(a))
RECEIVED_VIA = ("letter", "e-mail", "call", "form", "in person")
REQUEST_KINDS = {
    "access": "Access their data",
    "correction": "Correct their data",
    "deletion": "Delete their data",
}


class RequestRefused(Exception):
    """The request is not ready for this step, or is already answered. The text can be shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRequest:
    """A request as received, and its sender."""

    kind: str
    address: str  # the E.164 number or email key that identifies the sender
    person_id: UUID | None  # None if nobody on file has the address
    state: str
    received_via: str
    received_date: date


def receive_request(
    new_request: NewRequest, *, owner: User, by: User, at: datetime
) -> PrivacyRequest:
    """Record a request; its time runs from the day of receipt. Raises `RequestRefused`."""
    if new_request.kind not in REQUEST_KINDS or new_request.received_via not in RECEIVED_VIA:
        raise RequestRefused("Choose the request and how it was received.")
    received_date = new_request.received_date
    if received_date > at.date():
        raise RequestRefused("The date of receipt can’t be in the future.")
    with transaction.atomic():
        row = PrivacyRequest.objects.create(
            id=uuid7_at(at), kind=new_request.kind, address=new_request.address,
            person_id=new_request.person_id, state=new_request.state,
            received_via=new_request.received_via, received_date=received_date,
            due_date=received_date + timedelta(days=REQUEST_ANSWER_DAYS), owner=owner,
            entered_by=by, entered_at=at,
        )  # fmt: skip
        _write_event("received", row, by=by, at=at, sort=new_request.kind, due=str(row.due_date))
    return row


def acknowledgment_due_date(row: PrivacyRequest) -> date:
    """Return the last day to confirm receipt to the person."""
    return add_business_days(row.received_date, ACKNOWLEDGE_DAYS)


def confirm_identity(request_id: UUID, *, how: str, by: User, at: datetime) -> None:
    """Record how the person's identity was confirmed. Raises `RequestRefused`."""
    how = how.strip()[:200]
    if len(how) < 5:
        raise RequestRefused("Enter how you confirmed their identity.")
    with transaction.atomic():
        _update_open_request(request_id, identity=how, identified_at=at)
        _write_event("identified", _load_request(request_id), by=by, at=at)


def extend_deadline(request_id: UUID, *, because: str, by: User, at: datetime) -> None:
    """Extend the due date by 45 days, once; the person must be told within the first 45.

    Raises `RequestRefused`.
    """
    because = because.strip()[:300]
    if len(because) < 10:
        raise RequestRefused("Enter the reason for the extension. The person is told.")
    with transaction.atomic():
        row = _load_request(request_id, lock=True)
        if row.extended_at:
            raise RequestRefused("This request was already extended. The law allows that once.")
        if row.due_date < at.date():
            raise RequestRefused(
                "This request is overdue. An extension must be announced within the first 45 days."
            )
        new_due_date = row.due_date + timedelta(days=REQUEST_EXTENSION_DAYS)
        _update_open_request(
            request_id, extension_reason=because, extended_at=at, due_date=new_due_date
        )
        _write_event("extended", row, by=by, at=at, due=str(new_due_date))


def answer_request(
    request_id: UUID,
    *,
    outcome: str,
    by: User,
    at: datetime,
    because: str = "",
    notified_recipients: str = "",
) -> None:
    """Record that the answer was handed over. Raises `RequestRefused`.

    Args:
        outcome: done, refused or withdrawn; a refusal needs a reason.
        notified_recipients: the recipients of the data who were told of a correction or deletion.
    """
    because, notified_recipients = because.strip()[:300], notified_recipients.strip()[:300]
    with transaction.atomic():
        row = _load_request(request_id, lock=True)
        if outcome == "done" and row.person_id and not row.carried_at:
            raise RequestRefused("This request is not carried out yet.")
        if outcome == "refused" and len(because) < 10:
            raise RequestRefused("Enter the reason for the refusal. The person is told.")
        if outcome not in ("done", "refused", "withdrawn"):
            raise RequestRefused("Choose the outcome.")
        _update_open_request(
            request_id, outcome=outcome, refusal_reason=because,
            notified_recipients=notified_recipients,
            answered_at=at, answered_by=by,
        )  # fmt: skip
        _write_event("answered", row, by=by, at=at, outcome=outcome)


def mark_carried_out(request_id: UUID, *, by: User, at: datetime, **changes: Any) -> None:
    """Mark a request as carried out or started; call it in the transaction that does the work."""
    _update_open_request(request_id, carried_at=at, **changes)
    _write_event("carried_out", _load_request(request_id), by=by, at=at)


def lock_request(request_id: UUID, *, kind: str) -> PrivacyRequest:
    """Lock and return an open request of a confirmed person. Raises `RequestRefused`."""
    row = _load_request(request_id, lock=True)
    if row.kind != kind:
        raise RequestRefused("This is a different kind of request.")
    if row.answered_at:
        raise RequestRefused("This request is already answered.")
    if row.identified_at is None:
        raise RequestRefused("Confirm their identity first.")
    if row.person_id is None:
        raise RequestRefused("Nobody on file has this number or address. Tell the person so.")
    return row


def send_due_reminders(*, at: datetime) -> int:
    """Notify owners of requests due soon, and alarm users of late ones; return how many notices."""
    soon = at.date() + timedelta(days=REQUEST_WARN_DAYS)
    rows = PrivacyRequest.objects.filter(answered_at=None, due_date__lte=soon)
    alarm_user_id = Company.objects.values_list("alarm_user_id", flat=True).first()
    count = 0
    for row in rows.select_related("owner"):
        is_late = row.due_date < at.date()
        users = {row.owner, *staff_notices.alarm_users(alarm_user_id)} if is_late else {row.owner}
        for user in users:
            count += staff_notices.notify_user(
                user_id=user.pk, kind="privacy_request",
                idempotency_key=f"request:{row.pk}:{'late' if is_late else 'soon'}:{row.due_date}",
                text=f"A privacy request {'was' if is_late else 'is'} due on "
                f"{row.due_date:%b} {row.due_date.day} and is not answered.",
                link=f"/compliance/requests/{row.pk}/", at=at,
            )  # fmt: skip
    return count


def _load_request(request_id: UUID, *, lock: bool = False) -> PrivacyRequest:
    rows = PrivacyRequest.objects.all()
    return (rows.select_for_update() if lock else rows).get(pk=request_id)


def _update_open_request(request_id: UUID, **changes: Any) -> None:
    if not PrivacyRequest.objects.filter(pk=request_id, answered_at=None).update(**changes):
        raise RequestRefused("This request is already answered.")


def _write_event(step: str, row: PrivacyRequest, *, by: User, at: datetime, **more: Any) -> None:
    write_event(
        f"compliance.request.{step}", at=at, actor=f"user:{by.pk}", person_id=row.person_id,
        request=row.pk, **more,
    )  # fmt: skip
