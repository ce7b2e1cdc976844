"""What staff are told by mail about their own sign-in, and what of it is swept away."""

from datetime import datetime

from django.conf import settings
from django.tasks import task

from rooftree.flow import moment
from rooftree.org import passwords, sessions, staff_mail, throttle
from rooftree.org.models import User

LINK = """Somebody asked for a new password for this address at Rooftree.
If it was you, choose one here:

{link}

The link works once, within an hour. If it was not you, do nothing: your password stays.
"""
CHANGED = """{what}

If it was you, all is well. If not, tell your administrator at once; they can end your sessions.
"""


@task(queue_name="now", priority=60)
def mail_password_link(*, user_id: str) -> None:
    """The link by which somebody who forgot their password chooses another."""
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None:
        return
    who, token = passwords.own_link_for(user, at=moment.now())
    link = f"{settings.PUBLIC_URL}/set-password/{who}/{token}/"
    staff_mail.send(
        user_ids=[user_id], subject="Choose a new password", text=LINK.format(link=link)
    )


@task(queue_name="now", priority=60)
def mail_security_change(*, user_id: str, what: str) -> None:
    """Tell the owner of an account that its sign-in was changed: `what` is a sentence."""
    staff_mail.send(
        user_ids=[user_id], subject="Your sign-in was changed", text=CHANGED.format(what=what)
    )


def sweep(*, at: datetime) -> None:
    """Drop sessions that have ended and tries that count no more."""
    sessions.forget(at=at)
    throttle.forget(at=at)
