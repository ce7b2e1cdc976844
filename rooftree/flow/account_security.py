"""Mail to staff about their own sign-in, and the cleanup of old sessions and counters."""

from datetime import datetime

from django.conf import settings
from django.tasks import task

from rooftree.flow import clock
from rooftree.org import passwords, staff_mail, staff_sessions, throttle
from rooftree.org.models import User

PASSWORD_LINK_TEXT = """We received a request to reset the Rooftree password for this address.
If it was you, choose a new password here:

{link}

The link works once and expires in an hour. If it wasn't you, do nothing: your password stays.
"""  # noqa: S105
INVITATION_TEXT = """{name} added you to Rooftree. Set your password and sign in here:

{link}

The link works once, for three days. You sign in as {email}. If the link no longer works, ask
{name} for a new one.
"""
SECURITY_CHANGE_TEXT = """{what}

If it was you, you don't need to do anything. If not, tell your administrator right away.
They can end your sessions.
"""


@task(queue_name="now", priority=60)
def mail_password_link(*, user_id: str) -> None:
    """Mail the link with which a user who forgot their password chooses a new one."""
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None:
        return
    uid, token = passwords.create_self_service_link(user, at=clock.now())
    link = f"{settings.PUBLIC_URL}/set-password/{uid}/{token}/"
    staff_mail.mail_users(
        user_ids=[user_id],
        subject="Choose a new password",
        text=PASSWORD_LINK_TEXT.format(link=link),
    )


def enqueue_invitation(user: User, *, by: User) -> None:
    """Enqueue the mail with which a new user sets a password and signs in."""
    mail_invitation.enqueue(user_id=str(user.pk), by=str(by.pk))


@task(queue_name="now", priority=60)
def mail_invitation(*, user_id: str, by: str) -> None:
    """Mail a user who has no password yet the link to set one; `by` is who invites."""
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None or user.has_usable_password():
        return
    inviter = User.objects.get(pk=by)
    uid, token = passwords.create_reset_link(user, by=inviter, at=clock.now())
    text = INVITATION_TEXT.format(
        name=inviter.name,
        email=user.email,
        link=f"{settings.PUBLIC_URL}/set-password/{uid}/{token}/",
    )
    staff_mail.mail_users(user_ids=[user_id], subject="Your Rooftree account", text=text)


@task(queue_name="now", priority=60)
def mail_security_change(*, user_id: str, what: str) -> None:
    """Tell the owner of an account that its sign-in changed; `what` is a sentence."""
    staff_mail.mail_users(
        user_ids=[user_id],
        subject="Your sign-in was changed",
        text=SECURITY_CHANGE_TEXT.format(what=what),
    )


def delete_expired_sessions(*, at: datetime) -> None:
    """Delete ended sessions and sign-in attempts that no longer count."""
    staff_sessions.delete_expired_sessions(at=at)
    throttle.delete_expired_counters(at=at)
