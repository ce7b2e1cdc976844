"""A second person says whether people's data may be taken out (SEC-01; 16 CFR 314.4(c))."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from rooftree.core.uuid7 import uuid7_at
from rooftree.ledger.write_events import write_event
from rooftree.org import staff_notices
from rooftree.org.client_info import ClientInfo
from rooftree.org.models import User
from rooftree.reporting.models import ExportRequest

MAX_WITHOUT_APPROVAL = 10  # people that one member of staff may take out alone
APPROVAL_VALID_FOR = timedelta(days=3)  # after it was allowed; then it is asked for again
MIN_REASON_LENGTH = 10  # characters of a reason
MAX_REASON_LENGTH = 300
PAGE = "/compliance/exports/"


class CannotExport(Exception):
    """An export without a reason or a second person, or too large. The text is fit to show."""


class NotAllowed(CannotExport):
    """No second person has agreed to it, or not to this much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportIntent:
    """Who takes what out, why, and from where."""

    user_id: UUID
    subject: str  # which list: `records:funded`
    reason: str
    caller: ClientInfo
    query: str = ""  # what narrows the list, as in its address

    def checked_reason(self) -> str:
        """The reason as it is kept. Raises `CannotExport` when it is none."""
        reason = " ".join(self.reason.split())
        if len(reason) < MIN_REASON_LENGTH:
            raise CannotExport("Say why, in a few words: it is kept beside your name.")
        return reason[:MAX_REASON_LENGTH]


def is_needed(number: int) -> bool:
    """Whether so many people's data is more than one person takes out alone."""
    return number > MAX_WITHOUT_APPROVAL


def find_open_request(asked: ExportIntent, *, number: int, at: datetime) -> ExportRequest | None:
    """What this person asked for this very list that still waits, or may be taken as it is now."""
    waits = Q(decided_at=None) | Q(number__gte=number - MAX_WITHOUT_APPROVAL)
    return _open_requests(asked, at).filter(waits).order_by("-asked_at").first()


def request_approval(
    asked: ExportIntent, *, number: int, approvers: QuerySet[User], at: datetime
) -> ExportRequest:
    """Ask for a second person; asked twice it is one. Raises `CannotExport` without a reason."""
    reason = asked.checked_reason()
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(
            pk=asked.user_id
        )  # the mutex of two presses
        if known := find_open_request(asked, number=number, at=at):
            return known
        row = ExportRequest.objects.create(
            id=uuid7_at(at), subject=asked.subject, query=asked.query[:500], number=number,
            reason=reason, asked_by_id=asked.user_id, asked_at=at,
        )  # fmt: skip
        write_event(
            "reporting.export.asked", at=at, actor=f"user:{asked.user_id}", ask=row.pk,
            subject=asked.subject, number=number,
        )  # fmt: skip
        staff_notices.save_notices(
            [
                staff_notices.build_notice(
                    user_id=approver.pk, kind="export", cause=f"export:{row.pk}",
                    text=f"{row.asked_by.name} wants to take {number:,} people's data out.",
                    link=PAGE, at=at,
                )
                for approver in approvers.exclude(pk=asked.user_id)
            ]
        )  # fmt: skip
    return row


def decide_request(ask_id: UUID, *, is_allowed: bool, by: User, at: datetime) -> ExportRequest:
    """The second person agrees, or not. Raises `CannotExport` for one's own, or decided ones."""
    with transaction.atomic():
        waits = ExportRequest.objects.filter(pk=ask_id, decided_at=None)
        if waits.filter(asked_by=by).exists():
            raise CannotExport("You asked for it. Somebody else decides.")
        if not waits.update(decided_by=by, decided_at=at, is_refused=not is_allowed):
            raise CannotExport("It is decided already.")
        row = ExportRequest.objects.get(pk=ask_id)
        said = "allowed" if is_allowed else "refused"
        write_event(f"reporting.export.{said}", at=at, actor=f"user:{by.pk}", ask=row.pk)
        staff_notices.notify_user(
            user_id=row.asked_by_id, kind="export", idempotency_key=f"export:{row.pk}:decided",
            text=f"{by.name} {said} your export of {row.number:,} people."
            + (f" It is good for {APPROVAL_VALID_FOR.days} days, once." if is_allowed else ""),
            at=at,
        )  # fmt: skip
    return row


def use_approval(asked: ExportIntent, *, number: int, at: datetime) -> None:
    """Use up the permission to take out this list, in the transaction that does. Once.

    Raises `NotAllowed` without one, or when the list has grown by more than a few since.
    """
    row = _open_requests(asked, at).filter(decided_at__isnull=False).order_by("-decided_at").first()
    if row is None:
        raise NotAllowed(
            f"More than {MAX_WITHOUT_APPROVAL} people: a second person must agree first."
        )
    if number > row.number + MAX_WITHOUT_APPROVAL:
        raise NotAllowed(f"It was allowed for {row.number:,} people and holds {number:,} now.")
    if not ExportRequest.objects.filter(pk=row.pk, taken_at=None).update(taken_at=at):
        raise NotAllowed("It was taken out already.")


def _open_requests(asked: ExportIntent, at: datetime) -> QuerySet[ExportRequest]:
    fresh = Q(decided_at=None) | Q(decided_at__gt=at - APPROVAL_VALID_FOR)
    return ExportRequest.objects.filter(
        fresh, asked_by_id=asked.user_id, subject=asked.subject, query=asked.query[:500],
        is_refused=False, taken_at=None,
    )  # fmt: skip
