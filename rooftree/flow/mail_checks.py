"""Changes and daily checks of outgoing email, and what follows for borrowers' marketing email."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from rooftree.core.user_errors import InvalidField
from rooftree.flow.company_changes import update_company
from rooftree.org import mail_setup, staff_notices
from rooftree.org.mail_server import stored_setup
from rooftree.org.mail_setup import MailState
from rooftree.org.models import Company, User

CHECK_INTERVAL = timedelta(days=1)
PAGE = "/setup/mail/"


def save_account(typed: Mapping[str, Any], *, by: User, at: datetime) -> None:
    """Try an account and use it; a new domain counts as unauthenticated until it is looked up.

    Raises `mail_setup.BadMailAccount`. Must not run in a transaction.
    """
    domain = mail_setup.read_state().domain
    mail_setup.save_account(typed, by=by, at=at)
    state = mail_setup.read_state()
    if state.domain != domain:
        _apply_authentication(state, by=by, at=at)


def look_up_domain(*, selector: str, by: User | None, at: datetime) -> MailState:
    """Look up SPF, DKIM and DMARC, and let the gate know. Raises `InvalidField`."""
    state = mail_setup.look_up_domain(selector=selector, by=by, at=at)
    _apply_authentication(state, by=by, at=at)
    return state


def confirm_domain(*, by: User, at: datetime) -> None:
    """Let a person confirm the records that DNS could not be asked for. Raises `InvalidField`."""
    _apply_authentication(mail_setup.confirm_domain(by=by, at=at), by=by, at=at)


def recheck_mail(*, at: datetime) -> None:
    """Repeat yesterday's checks: a password changes, and a record can vanish from DNS.

    Does nothing before somebody used the page, nor in a demo, whose domain doesn't exist.
    Administrators are told what stopped working.
    """
    row = stored_setup()
    if row is None or settings.IS_DEMO:
        return
    before = mail_setup.read_state()
    if row.checked_at and row.checked_at <= at - CHECK_INTERVAL:
        mail_setup.check_active_server(at=at)
    if row.looked_up_at and row.looked_up_at <= at - CHECK_INTERVAL:
        with suppress(InvalidField):  # the environment has another sender now
            look_up_domain(selector=row.dkim_selector, by=None, at=at)
    after = mail_setup.read_state()
    if (before.works and not after.works) or (
        before.is_authenticated and not after.is_authenticated
    ):
        staff_notices.notify_users(
            staff_notices.alarm_users(None),
            kind="mail_setup",
            cause=f"mail_setup:{at.date()}",
            text=f"Email needs attention: {after.next_step}",
            link=PAGE,
            at=at,
        )


def _apply_authentication(state: MailState, *, by: User | None, at: datetime) -> None:
    """Store on the company what the gate asks before each marketing email."""
    facts = {"mail_is_authenticated": state.is_authenticated}
    if Company.objects.exclude(**facts).exists():
        update_company(facts, by=by, at=at)
