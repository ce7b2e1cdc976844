"""Telling a member of staff something, once."""

from datetime import datetime
from uuid import UUID

from rooftree.core.uuid7 import uuid7_at
from rooftree.org.models import StaffNotice, User


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
    written = StaffNotice.objects.bulk_create(
        [
            StaffNotice(
                id=uuid7_at(at), user_id=user_id, kind=kind, cause=cause,
                text=text[:400], link=link, at=at,
            )
        ],
        ignore_conflicts=True,
    )  # fmt: skip
    return StaffNotice.objects.filter(pk=written[0].pk).exists()


def read(*, notice_id: UUID | str, user_id: UUID | str, at: datetime) -> None:
    """The user has seen it. Seeing it again keeps the first time."""
    StaffNotice.objects.filter(pk=notice_id, user_id=user_id, read_at=None).update(read_at=at)


def alarm_users(named_id: UUID | str | None) -> list[User]:
    """Who hears an alarm: the one named while still here, otherwise every administrator."""
    active = User.objects.filter(is_active=True)
    named = active.filter(pk=named_id) if named_id else active.none()
    return list(named) or list(active.filter(role="administrator").order_by("pk"))
