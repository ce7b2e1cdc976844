"""Telling a member of staff something, once."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from uuid import UUID

from rooftree.core.uuid7 import uuid7_at
from rooftree.db.bulk_insert import insert_new_rows
from rooftree.db.prepared_queries import PreparedQuery
from rooftree.org.models import StaffNotice, User
from rooftree.tasks.live_updates import publish_updates


def notify_user(
    *, user_id: UUID | str, kind: str, idempotency_key: str, text: str, link: str = "", at: datetime
) -> bool:
    """Leave a notice for one user; False when the same cause was told already.

    Args:
        kind: a short code the page groups by: `unclaimed`, `reassigned`.
        cause: what makes it once: a kind and an id.
        text: no personal data beyond a first name.
        link: a path of ours.
    """
    notice = build_notice(
        user_id=user_id, kind=kind, cause=idempotency_key, text=text, link=link, at=at
    )
    return bool(save_notices([notice]))


def notify_users(
    users: Iterable[User], *, kind: str, cause: str, text: str, link: str, at: datetime
) -> set[UUID]:
    """Leave the same notice for several users, each once; those that are new."""
    return save_notices(
        [
            build_notice(user_id=user.pk, kind=kind, cause=cause, text=text, link=link, at=at)
            for user in users
        ]
    )


def build_notice(
    *, user_id: UUID | str, kind: str, cause: str, text: str, link: str = "", at: datetime
) -> StaffNotice:
    """A notice as `tell` leaves it, for `tell_all`."""
    return StaffNotice(
        id=uuid7_at(at), user_id=user_id, kind=kind, cause=cause, text=text[:400], link=link, at=at
    )


def save_notices(told: Sequence[StaffNotice]) -> set[UUID]:
    """Leave several notices; those that are new."""
    new = insert_new_rows(told)
    publish_updates(
        [
            ("notice", [str(staff_notice.user_id)], {"notice": str(staff_notice.pk)})
            for staff_notice in told
            if staff_notice.pk in new
        ]
    )
    return new


def mark_read(*, notice_id: UUID | str, user_id: UUID | str, at: datetime) -> None:
    """The user has seen it. Seeing it again keeps the first time."""
    StaffNotice.objects.filter(pk=notice_id, user_id=user_id, read_at=None).update(read_at=at)


def mark_all_read(*, user_id: UUID | str, at: datetime) -> int:
    """The user has seen everything they were told until `at`; how many were new to them."""
    rows = StaffNotice.objects.filter(user_id=user_id, read_at=None, at__lte=at)
    return rows.update(read_at=at)


def dismiss_for_officer(*, officer_id: UUID | str, cause: str, at: datetime) -> None:
    """What the officer was told of is over: they need not read it or be mailed any more."""
    told = StaffNotice.objects.filter(
        user__officer=UUID(str(officer_id)), cause=cause, read_at=None
    )
    told.update(read_at=at)


def unread_notices(user_id: UUID | str, *, limit: int) -> list[StaffNotice]:
    """What the user has not seen yet, newest first."""
    return _unread_query(limit).all(user_id=user_id)


@cache
def _unread_query(limit: int) -> PreparedQuery[StaffNotice]:
    """Every page of the staff asks."""
    return PreparedQuery(
        lambda user_id: StaffNotice.objects.filter(user_id=user_id, read_at=None).order_by(
            "-at", "-id"
        )[:limit],
        user_id=UUID,
    )


def alarm_users(named_id: UUID | str | None) -> list[User]:
    """Who hears an alarm: the one named while still here, otherwise every administrator."""
    active = User.objects.filter(is_active=True)
    named = active.filter(pk=named_id) if named_id else active.none()
    return list(named) or list(active.filter(role="administrator").order_by("pk"))
