"""Mail to our own staff. It takes ids of users, so it cannot reach a borrower."""

import logging
from collections.abc import Collection
from datetime import datetime, timedelta
from smtplib import SMTPException
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.transaction import atomic

from rooftree.org import sending_pause
from rooftree.org.models import StaffNotice, User

log = logging.getLogger(__name__)
READ_GRACE = timedelta(seconds=10)
SUBJECTS = {
    "unclaimed": "A lead is waiting for someone",
    "given": "You were given a lead",
    "offer": "A lead is offered to you",
    "called": "A borrower called",
    "reply": "A borrower wrote back",
    "source_silent": "A source is silent",
    "source_back": "A source brings leads again",
    "source_drifted": "The leads of a source got worse",
    "source_steady": "The leads of a source are as agreed again",
    "approval_ends": "An approval of wording ends",
    "edition": "Wording was proposed or decided",
}
DEFAULT_SUBJECT = "Something needs your attention"


def mail_users(*, user_ids: Collection[UUID | str], subject: str, text: str) -> int:
    """Mail each of some users, one message each; how many were sent.

    Those who left get none. Raises what the mail server raises.
    """
    users = User.objects.filter(pk__in=list(user_ids), is_active=True).order_by("pk")
    return sum(
        EmailMessage(subject=subject, body=text, to=[user.email]).send() or 0 for user in users
    )


def mail_due_notices(*, at: datetime, limit: int) -> int:
    """Mail the notices that nobody has read or mailed yet, oldest first; how many.

    One on the page for less than `SEEN_WITHIN` waits: most are read there. Each
    is marked before it is sent, so that a crash loses one mail at most and never
    sends one twice; what a mail server that is down did not take goes later.
    None while sending is paused.
    """
    if sending_pause.is_sending_paused():
        return 0
    with atomic():
        notices = list(
            StaffNotice.objects.filter(
                mailed_at=None, read_at=None, user__is_active=True, at__lte=at - READ_GRACE
            )
            .select_for_update(of=("self",), skip_locked=True)
            .order_by("at", "id")[:limit]
        )
        StaffNotice.objects.filter(pk__in=[notice.pk for notice in notices]).update(mailed_at=at)
    mailed = 0
    for place, notice in enumerate(notices):
        try:
            mailed += _mail_notice(notice)
        except (OSError, SMTPException) as problem:
            log.warning("staff mail waits: %s", type(problem).__name__)
            left = [notice.pk for notice in notices[place:]]
            StaffNotice.objects.filter(pk__in=left).update(mailed_at=None)
            break
    return mailed


def _mail_notice(notice: StaffNotice) -> int:
    return mail_users(
        user_ids=[notice.user_id],
        subject=SUBJECTS.get(notice.kind, DEFAULT_SUBJECT),
        text=f"{notice.text}\n\n{settings.PUBLIC_URL}{notice.link}\n",
    )
