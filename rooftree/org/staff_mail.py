"""Mail to our own staff. It takes ids of users, so it cannot reach a borrower."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.transaction import atomic

from rooftree.org import pause
from rooftree.org.models import StaffNotice, User

SUBJECTS = {
    "unclaimed": "A lead is waiting for someone",
    "given": "You were given a lead",
}
OTHER = "Something needs your attention"


def send(*, user_ids: Collection[UUID | str], subject: str, text: str) -> int:
    """Mail each of some users, one message each; how many were sent.

    Those who left get none. Raises what the mail server raises.
    """
    users = User.objects.filter(pk__in=list(user_ids), is_active=True).order_by("pk")
    return sum(
        EmailMessage(subject=subject, body=text, to=[user.email]).send() or 0 for user in users
    )


def deliver_notices(*, at: datetime, limit: int) -> int:
    """Mail the notices that nobody has read or mailed yet, oldest first; how many.

    Each is marked before it is sent, so that a crash loses one mail at most and
    never sends one twice; the notice itself stays on the page. None while sending is paused.
    """
    if pause.is_on():
        return 0
    with atomic():
        notices = list(
            StaffNotice.objects.filter(mailed_at=None, read_at=None, user__is_active=True)
            .select_for_update(of=("self",), skip_locked=True)
            .order_by("at", "id")[:limit]
        )
        StaffNotice.objects.filter(pk__in=[one.pk for one in notices]).update(mailed_at=at)
    return sum(
        send(
            user_ids=[notice.user_id],
            subject=SUBJECTS.get(notice.kind, OTHER),
            text=f"{notice.text}\n\n{settings.PUBLIC_URL}{notice.link}\n",
        )
        for notice in notices
    )
