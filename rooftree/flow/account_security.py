"""What staff are told by mail about their own sign-in, and what of it is swept away."""

from datetime import datetime

from django.conf import settings
from django.tasks import task

from rooftree.flow import clock
from rooftree.org import passwords, staff_mail, staff_sessions, throttle
from rooftree.org.models import User

PASSWORD_LINK_TEXT = """Somebody asked for a new password for this address at Rooftree.
If it was you, choose one here:

{link}

The link works once, within an hour. If it was not you, do nothing: your password stays.
"""  # noqa: S105
SECURITY_CHANGE_TEXT = """{what}

If it was you, all is well. If not, tell your administrator at once; they can end your sessions.
"""


@task(queue_name="now", priority=60)
def mail_password_link(*, user_id: str) -> None:
    """The link by which somebody who forgot their password chooses another."""
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None:
        return
    who, token = passwords.create_self_service_link(user, at=clock.now())
    link = f"{settings.PUBLIC_URL}/set-password/{who}/{token}/"
    staff_mail.mail_users(
        user_ids=[user_id],
        subject="Choose a new password",
        text=PASSWORD_LINK_TEXT.format(link=link),
    )


@task(queue_name="now", priority=60)
def mail_security_change(*, user_id: str, what: str) -> None:
    """Tell the owner of an account that its sign-in was changed: `what` is a sentence."""
    staff_mail.mail_users(
        user_ids=[user_id],
        subject="Your sign-in was changed",
        text=SECURITY_CHANGE_TEXT.format(what=what),
    )


def delete_expired_sessions(*, at: datetime) -> None:
    """Drop sessions that have ended and tries that count no more."""
    staff_sessions.delete_expired_sessions(at=at)
    throttle.delete_expired_counters(at=at)
