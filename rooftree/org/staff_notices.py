"""Notices to staff, each stored once."""

from collections.abc import Collection, Iterable, Sequence
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
    """Store a notice for one user; return False if it was already stored.

    Args:
        kind: a short code the page groups by: `unclaimed`, `reassigned`.
        idempotency_key: a kind and an id; a user gets one notice for each.
        text: the borrower, as `Person.short_name`, and the event; no other personal data.
        link: a path on this site.
    """
    notice = build_notice(
        user_id=user_id, kind=kind, cause=idempotency_key, text=text, link=link, at=at
    )
    return bool(save_notices([notice]))


def notify_users(
    users: Iterable[User], *, kind: str, cause: str, text: str, link: str, at: datetime
) -> set[UUID]:
    """Store the same notice for several users, once each; return the ids of new notices."""
    return save_notices(
        [
            build_notice(user_id=user.pk, kind=kind, cause=cause, text=text, link=link, at=at)
            for user in users
        ]
    )


def build_notice(
    *, user_id: UUID | str, kind: str, cause: str, text: str, link: str = "", at: datetime
) -> StaffNotice:
    """Build a notice for `save_notices`, without storing it."""
    return StaffNotice(
        id=uuid7_at(at),
        user_id=user_id,
        kind=kind,
        idempotency_key=cause,
        text=text[:400],
        link=link,
        at=at,
    )


def save_notices(notices: Sequence[StaffNotice]) -> set[UUID]:
    """Store several notices; return the ids of new ones."""
    new_ids = insert_new_rows(notices)
    publish_updates(
        [
            ("notice", [str(notice.user_id)], {"notice": str(notice.pk)})
            for notice in notices
            if notice.pk in new_ids
        ]
    )
    return new_ids


def mark_read(*, notice_id: UUID | str, user_id: UUID | str, at: datetime) -> None:
    """Mark a notice as read. A repeat keeps the first time."""
    StaffNotice.objects.filter(pk=notice_id, user_id=user_id, read_at=None).update(read_at=at)


def mark_all_read(*, user_id: UUID | str, at: datetime) -> int:
    """Mark all the user's notices up to `at` as read; return how many were unread."""
    rows = StaffNotice.objects.filter(user_id=user_id, read_at=None, at__lte=at)
    return rows.update(read_at=at)


def dismiss_for_officer(*, officer_id: UUID | str, cause: str, at: datetime) -> None:
    """Mark an officer's notices of a finished cause as read, so that none is mailed."""
    notices = StaffNotice.objects.filter(
        user__officer=UUID(str(officer_id)), idempotency_key=cause, read_at=None
    )
    notices.update(read_at=at)


def dismiss_causes(causes: Collection[str], *, at: datetime) -> int:
    """Mark everyone's notices of finished causes as read; return how many were unread."""
    if not causes:
        return 0
    rows = StaffNotice.objects.filter(read_at=None, idempotency_key__in=causes)
    return rows.update(read_at=at)


def unread_notices(user_id: UUID | str, *, limit: int) -> list[StaffNotice]:
    """Return the user's unread notices, newest first."""
    return _unread_query(limit).all(user_id=user_id)


@cache
def _unread_query(limit: int) -> PreparedQuery[StaffNotice]:
    """Prepare the query, which every staff page runs."""
    return PreparedQuery(
        lambda user_id: StaffNotice.objects.filter(user_id=user_id, read_at=None).order_by(
            "-at", "-id"
        )[:limit],
        user_id=UUID,
    )


def alarm_users(named_id: UUID | str | None) -> list[User]:
    """Return the recipients of an alarm: the named user if active, else every administrator."""
    named = User.objects.filter(pk=named_id, is_active=True) if named_id else ()
    return list(named) or list(User.objects.with_role("administrator").order_by("pk"))
