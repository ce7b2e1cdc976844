"""Telling a member of staff something, once."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from uuid import UUID

from rooftree.core.uuid7 import uuid7_at
from rooftree.org.compiled import Reads
from rooftree.org.insert import insert_all_once
from rooftree.org.models import StaffNotice, User
from rooftree.tasks.announce import announce_all


def tell(
    *, user_id: UUID | str, kind: str, cause: str, text: str, link: str = "", at: datetime
) -> bool:
    """Leave a notice for one user; False when the same cause was told already.

    Args:
        kind: a short code the page groups by: `unclaimed`, `reassigned`.
        cause: what makes it once: a kind and an id.
        text: no personal data beyond a first name.
        link: a path of ours.
    """
    notice = made(user_id=user_id, kind=kind, cause=cause, text=text, link=link, at=at)
    return bool(tell_all([notice]))


def tell_each(
    users: Iterable[User], *, kind: str, cause: str, text: str, link: str, at: datetime
) -> set[UUID]:
    """Leave the same notice for several users, each once; those that are new."""
    return tell_all(
        [made(user_id=one.pk, kind=kind, cause=cause, text=text, link=link, at=at) for one in users]
    )


def made(
    *, user_id: UUID | str, kind: str, cause: str, text: str, link: str = "", at: datetime
) -> StaffNotice:
    """A notice as `tell` leaves it, for `tell_all`."""
    return StaffNotice(
        id=uuid7_at(at), user_id=user_id, kind=kind, cause=cause, text=text[:400], link=link, at=at
    )


def tell_all(told: Sequence[StaffNotice]) -> set[UUID]:
    """Leave several notices; those that are new."""
    new = insert_all_once(told)
    announce_all(
        [("notice", [str(one.user_id)], {"notice": str(one.pk)}) for one in told if one.pk in new]
    )
    return new


def read(*, notice_id: UUID | str, user_id: UUID | str, at: datetime) -> None:
    """The user has seen it. Seeing it again keeps the first time."""
    StaffNotice.objects.filter(pk=notice_id, user_id=user_id, read_at=None).update(read_at=at)


def read_all(*, user_id: UUID | str, at: datetime) -> int:
    """The user has seen everything they were told until `at`; how many were new to them."""
    rows = StaffNotice.objects.filter(user_id=user_id, read_at=None, at__lte=at)
    return rows.update(read_at=at)


def settled(*, officer_id: UUID | str, cause: str, at: datetime) -> None:
    """What the officer was told of is over: they need not read it or be mailed any more."""
    told = StaffNotice.objects.filter(
        user__officer=UUID(str(officer_id)), cause=cause, read_at=None
    )
    told.update(read_at=at)


def unread(user_id: UUID | str, *, limit: int) -> list[StaffNotice]:
    """What the user has not seen yet, newest first."""
    return _unread(limit).all(user_id=user_id)


@cache
def _unread(limit: int) -> Reads[StaffNotice]:
    """Every page of the staff asks."""
    return Reads(
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
