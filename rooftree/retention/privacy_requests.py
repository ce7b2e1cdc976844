"""What people ask about their data: received, identified, extended once, answered; and its clock.

Carrying one out is `flow.privacy`, as that reaches into every room.
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

ACKNOWLEDGE_DAYS = 10  # business days to say that it arrived (11 CCR 7021(a))
RECEIVED_VIA = ("letter", "e-mail", "call", "form", "in person")
REQUEST_KINDS = {
    "access": "See what we hold",
    "correction": "Correct it",
    "deletion": "Delete it",
}


class RequestRefused(Exception):
    """A request that is not so far, or is answered already. The text is fit to show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRequest:
    """What came in, and from whom."""

    kind: str
    address: str  # E.164 or e-mail key by which they are known
    person_id: UUID | None  # None when nobody on file has it
    state: str
    received_via: str
    received_date: date


def receive_request(asked: NewRequest, *, owner: User, by: User, at: datetime) -> PrivacyRequest:
    """Write a request down; its clock runs from the day it was received. Raises `CannotAnswer`."""
    if asked.kind not in REQUEST_KINDS or asked.received_via not in RECEIVED_VIA:
        raise RequestRefused("Say what they ask for and how it came.")
    if asked.received_date > at.date():
        raise RequestRefused("It cannot have been received in the future.")
    with transaction.atomic():
        row = PrivacyRequest.objects.create(
            id=uuid7_at(at), kind=asked.kind, address=asked.address, person_id=asked.person_id,
            state=asked.state, came_by=asked.received_via, received_date=asked.received_date,
            due_date=asked.received_date + timedelta(days=REQUEST_ANSWER_DAYS), owner=owner,
            entered_by=by, entered_at=at,
        )  # fmt: skip
        _write_event("received", row, by=by, at=at, sort=asked.kind, due=str(row.due_date))
    return row


def acknowledgment_due_date(row: PrivacyRequest) -> date:
    """The day by which the person is told that their request arrived."""
    return add_business_days(row.received_date, ACKNOWLEDGE_DAYS)


def confirm_identity(request_id: UUID, *, how: str, by: User, at: datetime) -> None:
    """Somebody made sure that it is they who ask. Raises `CannotAnswer`."""
    how = how.strip()[:200]
    if len(how) < 5:
        raise RequestRefused("Say how you know that it is them.")
    with transaction.atomic():
        _update_open_request(request_id, identity=how, identified_at=at)
        _write_event("identified", _load_request(request_id), by=by, at=at)


def extend_deadline(request_id: UUID, *, because: str, by: User, at: datetime) -> None:
    """Take 45 days more, once, told to the person within the first 45. Raises `CannotAnswer`."""
    because = because.strip()[:300]
    if len(because) < 10:
        raise RequestRefused("Say why it takes longer: they are told so.")
    with transaction.atomic():
        row = _load_request(request_id, lock=True)
        if row.extended_at:
            raise RequestRefused("It was extended already, and the law allows that once.")
        if row.due_date < at.date():
            raise RequestRefused(
                "It is overdue: an extension must be told within the first 45 days."
            )
        later = row.due_date + timedelta(days=REQUEST_EXTENSION_DAYS)
        _update_open_request(request_id, extended_because=because, extended_at=at, due_date=later)
        _write_event("extended", row, by=by, at=at, due=str(later))


def answer_request(
    request_id: UUID,
    *,
    outcome: str,
    by: User,
    at: datetime,
    because: str = "",
    notified_recipients: str = "",
) -> None:
    """The answer was handed over. Raises `CannotAnswer`.

    Args:
        outcome: done, refused or withdrawn; refused says why.
        onward: whom of those we had handed the data to was told of a correction or deletion.
    """
    because, notified_recipients = because.strip()[:300], notified_recipients.strip()[:300]
    with transaction.atomic():
        row = _load_request(request_id, lock=True)
        if outcome == "done" and row.person_id and not row.carried_at:
            raise RequestRefused("It is not carried out yet.")
        if outcome == "refused" and len(because) < 10:
            raise RequestRefused("Say why it is refused: they are told so.")
        if outcome not in ("done", "refused", "withdrawn"):
            raise RequestRefused("Say how it ended.")
        _update_open_request(
            request_id, outcome=outcome, refused_because=because, told_onward=notified_recipients,
            answered_at=at, answered_by=by,
        )  # fmt: skip
        _write_event("answered", row, by=by, at=at, outcome=outcome)


def mark_carried_out(request_id: UUID, *, by: User, at: datetime, **changes: Any) -> None:
    """What was asked is done, or under way; to be called within the transaction that does it."""
    _update_open_request(request_id, carried_at=at, **changes)
    _write_event("carried_out", _load_request(request_id), by=by, at=at)


def lock_request(request_id: UUID, *, kind: str) -> PrivacyRequest:
    """The request, locked, of somebody known to be who they say. Raises `CannotAnswer`."""
    row = _load_request(request_id, lock=True)
    if row.kind != kind:
        raise RequestRefused("This is another kind of request.")
    if row.answered_at:
        raise RequestRefused("This request was answered already.")
    if row.identified_at is None:
        raise RequestRefused("First make sure that it is them, and write down how.")
    if row.person_id is None:
        raise RequestRefused("Nobody on file has this number or address: tell them so.")
    return row


def send_due_reminders(*, at: datetime) -> int:
    """Tell the owners of what is due soon, and those who hear alarms of what is late; how many."""
    soon = at.date() + timedelta(days=REQUEST_WARN_DAYS)
    rows = PrivacyRequest.objects.filter(answered_at=None, due_date__lte=soon)
    alarmed = Company.objects.values_list("alarm_user_id", flat=True).first()
    told = 0
    for row in rows.select_related("owner"):
        is_late = row.due_date < at.date()
        users = {row.owner, *staff_notices.alarm_users(alarmed)} if is_late else {row.owner}
        for user in users:
            told += staff_notices.notify_user(
                user_id=user.pk, kind="privacy_request",
                idempotency_key=f"request:{row.pk}:{'late' if is_late else 'soon'}:{row.due_date}",
                text=f"A request about personal data {'was' if is_late else 'is'} due on "
                f"{row.due_date:%b} {row.due_date.day} and is not answered.",
                link=f"/compliance/requests/{row.pk}/", at=at,
            )  # fmt: skip
    return told


def _load_request(request_id: UUID, *, lock: bool = False) -> PrivacyRequest:
    rows = PrivacyRequest.objects.all()
    return (rows.select_for_update() if lock else rows).get(pk=request_id)


def _update_open_request(request_id: UUID, **changes: Any) -> None:
    if not PrivacyRequest.objects.filter(pk=request_id, answered_at=None).update(**changes):
        raise RequestRefused("This request was answered already.")


def _write_event(what: str, row: PrivacyRequest, *, by: User, at: datetime, **more: Any) -> None:
    write_event(
        f"compliance.request.{what}", at=at, actor=f"user:{by.pk}", person_id=row.person_id,
        request=row.pk, **more,
    )  # fmt: skip
