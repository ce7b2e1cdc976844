"""Approval of large exports by a second person (SEC-01; 16 CFR 314.4(c))."""

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

MAX_WITHOUT_APPROVAL = 10  # people one user can export without approval
APPROVAL_VALID_FOR = timedelta(days=3)  # after approval; then a new request is needed
MIN_REASON_LENGTH = 10  # characters
MAX_REASON_LENGTH = 300
PAGE = "/compliance/exports/"


class CannotExport(Exception):
    """An export without a reason or approval, or too large. The text is fit to show."""


class NotAllowed(CannotExport):
    """An export that no second person approved, or not at this size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportIntent:
    """An export a user wants: the list, the reason and the client."""

    user_id: UUID
    subject: str  # list to export: `records:funded`
    reason: str
    caller: ClientInfo
    query: str = ""  # filters of the list, as in its URL

    def clean_reason(self) -> str:
        """Return the reason to store. Raises `CannotExport` if it is too short."""
        reason = " ".join(self.reason.split())
        if len(reason) < MIN_REASON_LENGTH:
            raise CannotExport("Say why, in a few words. The reason is stored with your name.")
        return reason[:MAX_REASON_LENGTH]


def is_needed(number: int) -> bool:
    """Return True if exporting this many people needs a second person's approval."""
    return number > MAX_WITHOUT_APPROVAL


def find_open_request(intent: ExportIntent, *, number: int, at: datetime) -> ExportRequest | None:
    """Find the user's request for this list that is pending, or approved for the current size."""
    is_usable = Q(decided_at=None) | Q(number__gte=number - MAX_WITHOUT_APPROVAL)
    return _open_requests(intent, at).filter(is_usable).order_by("-requested_at").first()


def request_approval(
    intent: ExportIntent, *, number: int, approvers: QuerySet[User], at: datetime
) -> ExportRequest:
    """Request approval by a second person; repeats return the pending or approved request.

    Raises `CannotExport` without a reason.
    """
    reason = intent.clean_reason()
    with transaction.atomic():
        # Lock the user, so a double click makes one request.
        User.objects.select_for_update(no_key=True).get(pk=intent.user_id)
        if existing := find_open_request(intent, number=number, at=at):
            return existing
        row = ExportRequest.objects.create(
            id=uuid7_at(at), subject=intent.subject, query=intent.query[:500], number=number,
            reason=reason, requested_by_id=intent.user_id, requested_at=at,
        )  # fmt: skip
        write_event(
            "reporting.export.asked", at=at, actor=f"user:{intent.user_id}", ask=row.pk,
            subject=intent.subject, number=number,
        )  # fmt: skip
        staff_notices.save_notices(
            [
                staff_notices.build_notice(
                    user_id=approver.pk, kind="export", cause=f"export:{row.pk}",
                    text=f"{row.requested_by.name} requests an export of {number:,} people's data.",
                    link=PAGE, at=at,
                )
                for approver in approvers.exclude(pk=intent.user_id)
            ]
        )  # fmt: skip
    return row


def decide_request(request_id: UUID, *, is_allowed: bool, by: User, at: datetime) -> ExportRequest:
    """Approve or reject a request. Raises `CannotExport` if it is one's own or already decided."""
    with transaction.atomic():
        pending = ExportRequest.objects.filter(pk=request_id, decided_at=None)
        if pending.filter(requested_by=by).exists():
            raise CannotExport("You can’t decide your own request.")
        if not pending.update(decided_by=by, decided_at=at, is_refused=not is_allowed):
            raise CannotExport("This request is already decided.")
        row = ExportRequest.objects.get(pk=request_id)
        outcome = "allowed" if is_allowed else "refused"
        write_event(f"reporting.export.{outcome}", at=at, actor=f"user:{by.pk}", ask=row.pk)
        staff_notices.notify_user(
            user_id=row.requested_by_id, kind="export", idempotency_key=f"export:{row.pk}:decided",
            text=f"{by.name} {'approved' if is_allowed else 'rejected'} your export of "
            f"{row.number:,} people."
            + (f" Use it once within {APPROVAL_VALID_FOR.days} days." if is_allowed else ""),
            at=at,
        )  # fmt: skip
    return row


def use_approval(intent: ExportIntent, *, number: int, at: datetime) -> None:
    """Use up the approval of an export, once; call it in the transaction of the export.

    Raises `NotAllowed` without an approval, or if the list grew by more than
    `MAX_WITHOUT_APPROVAL` since the request.
    """
    row = (
        _open_requests(intent, at).filter(decided_at__isnull=False).order_by("-decided_at").first()
    )
    if row is None:
        raise NotAllowed(
            f"A second person must approve exports of more than {MAX_WITHOUT_APPROVAL} people."
        )
    if number > row.number + MAX_WITHOUT_APPROVAL:
        raise NotAllowed(f"The approval covers {row.number:,} people; the list now has {number:,}.")
    if not ExportRequest.objects.filter(pk=row.pk, downloaded_at=None).update(downloaded_at=at):
        raise NotAllowed("This approval was already used.")


def _open_requests(intent: ExportIntent, at: datetime) -> QuerySet[ExportRequest]:
    is_valid = Q(decided_at=None) | Q(decided_at__gt=at - APPROVAL_VALID_FOR)
    return ExportRequest.objects.filter(
        is_valid, requested_by_id=intent.user_id, subject=intent.subject, query=intent.query[:500],
        is_refused=False, downloaded_at=None,
    )  # fmt: skip
