"""Mail to staff. It takes user ids, so it can't reach a borrower."""

import logging
from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.transaction import atomic

from rooftree.core.vendor_errors import RequestRejected, VendorError
from rooftree.org import mail_transport, sending_pause
from rooftree.org.mail_server import active_mail_server
from rooftree.org.models import StaffNotice, User

log = logging.getLogger(__name__)
READ_GRACE = timedelta(seconds=10)
SUBJECTS = {
    "unclaimed": "A lead is waiting for an owner",
    "promise_due": "Something you promised a borrower is due",
    "promise_late": "A promise to a borrower is late",
    "covering": "You cover for a loan officer",
    "offers_missed": "You missed two offers in a row",
    "given": "A lead was assigned to you",
    "offer": "You have a new lead offer",
    "called": "A borrower called",
    "reply": "A borrower replied",
    "asked_again": "A borrower inquired again",
    "appointment": "An appointment begins soon",
    "rate": "A borrower’s target rate was reached",
    "milestone": "A loan reached a milestone",
    "clock": "A disclosure deadline",
    "source_silent": "A source went silent",
    "source_back": "A source is sending leads again",
    "source_drifted": "Lead quality of a source dropped",
    "source_steady": "Lead quality of a source is back to normal",
    "approval_ends": "A template approval is ending",
    "edition": "A template was proposed or reviewed",
    "form_version": "A website form was proposed or reviewed",
}
DEFAULT_SUBJECT = "Something needs your attention"


def mail_users(*, user_ids: Collection[UUID | str], subject: str, text: str) -> int:
    """Mail each user separately; return how many messages were sent.

    Skips users who left. Raises `VendorError` as `mail_transport.send_mail` does.
    """
    users = list(User.objects.filter(pk__in=list(user_ids), is_active=True).order_by("pk"))
    server = active_mail_server()
    for user in users:
        mail_transport.send_mail(
            EmailMessage(subject=subject, body=text, from_email=server.sender, to=[user.email]),
            server,
        )
    return len(users)


def mail_due_notices(*, at: datetime, limit: int) -> int:
    """Mail unread notices that weren't mailed yet, oldest first; return how many.

    A notice waits for `READ_GRACE`, since most are read on the page. Each notice is marked
    before its mail is sent, so a crash loses one mail at most and never sends one twice.
    Mail that a broken server didn't take is sent later. Does nothing while sending is paused.
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
        except RequestRejected as problem:  # this address only: the others still get theirs
            log.warning("staff mail refused: %s", problem)
        except VendorError as problem:
            log.warning("staff mail postponed: %s", type(problem).__name__)
            unsent_ids = [notice.pk for notice in notices[place:]]
            StaffNotice.objects.filter(pk__in=unsent_ids).update(mailed_at=None)
            break
    return mailed


def _mail_notice(notice: StaffNotice) -> int:
    return mail_users(
        user_ids=[notice.user_id],
        subject=SUBJECTS.get(notice.kind, DEFAULT_SUBJECT),
        text=f"{notice.text}\n\n{settings.PUBLIC_URL}{notice.link}\n",
    )
