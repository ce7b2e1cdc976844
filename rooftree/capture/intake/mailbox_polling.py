"""Set up mailboxes and fetch their new emails.

The row holds the position of the last email. It advances in the transaction that stores the
email, so no email is lost or stored twice.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F

from rooftree.capture.intake import imap
from rooftree.capture.intake.claim_due_row import claim_due_row
from rooftree.capture.intake.imap import Folder, MailboxLogin, ReadPosition, Security
from rooftree.capture.models import Mailbox
from rooftree.core.user_errors import InvalidField
from rooftree.core.uuid7 import uuid7_at
from rooftree.core.vendor_errors import Misconfigured, VendorError, retry_delay
from rooftree.ledger.write_events import write_event
from rooftree.org import staff_notices
from rooftree.org.models import User

READ_INTERVAL = timedelta(minutes=1)
BACK_OFF = (60, 120, 300, 900)  # seconds
NOTIFY_AFTER_TRIES = 4  # tries; then staff are notified that the server does not answer
MESSAGES_PER_READ = 20  # emails fetched in one read
RENUMBER_MARGIN = timedelta(days=1)  # before the last read: the server's time zone can differ
EDITABLE = ("host", "port", "security", "user", "password", "folder", "source_id")


class BadMailbox(InvalidField):
    """The mailbox cannot be read with these settings."""


class MailboxOvertaken(Exception):
    """Another process reads this mailbox now, so the transaction must be rolled back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxMessage:
    """An email as fetched from its mailbox."""

    place: ReadPosition
    raw: bytes


def save_mailbox(
    typed: Mapping[str, Any], *, mailbox_id: UUID | None = None, by: User, at: datetime
) -> Mailbox:
    """Test a mailbox's settings and poll it from now on; emails already in it are ignored.

    An empty password keeps the stored one, as long as the server stays the same. Raises
    `BadMailbox`. Must not run in a transaction.

    Args:
        typed: columns of EDITABLE.
    """
    stored = Mailbox.objects.get(pk=mailbox_id) if mailbox_id else None
    settings = {name: typed[name] for name in EDITABLE}
    if stored and not settings["password"]:
        if settings["host"] != stored.host:  # else a new server could be used to steal the password
            raise BadMailbox("password", "Enter the password again: the server has changed.")
        settings["password"] = stored.password
    end = _try_connection(settings)
    is_same = stored is not None and all(
        getattr(stored, name) == settings[name] for name in ("host", "user", "folder")
    )
    place = {} if is_same else {"validity": end.validity, "uid": end.uid, "read_at": at}
    columns = {**settings, **place, "due_at": at, "attempts": 0, "problem": ""}
    key = stored.pk if stored else uuid7_at(at)
    try:
        with transaction.atomic():
            if not Mailbox.objects.filter(pk=key).update(**columns):
                Mailbox.objects.create(id=key, **columns)
            row = Mailbox.objects.get(pk=key)
            _record_event("kept", row, by, at)
    except IntegrityError as problem:
        raise BadMailbox("user", "This mailbox is already set up.") from problem
    return row


def stop_mailbox(*, mailbox_id: UUID, by: User, at: datetime) -> None:
    """Stop polling a mailbox; safe to repeat."""
    with transaction.atomic():
        rows = Mailbox.objects.filter(pk=mailbox_id, due_at__isnull=False)
        if rows.update(due_at=None, problem=""):
            _record_event("stopped", Mailbox.objects.get(pk=mailbox_id), by, at)


def resume_mailbox(*, mailbox_id: UUID, by: User, at: datetime) -> None:
    """Poll a stopped mailbox again, from the email it was stopped at."""
    with transaction.atomic():
        if Mailbox.objects.filter(pk=mailbox_id, due_at=None).update(due_at=at, attempts=0):
            _record_event("resumed", Mailbox.objects.get(pk=mailbox_id), by, at)


def claim_due_mailbox(*, at: datetime) -> Mailbox | None:
    """Claim the mailbox that has been due longest; None if none is due."""
    return claim_due_row(Mailbox.objects.select_related("source"), at=at)


def fetch_new_messages(row: Mailbox, *, at: datetime) -> Iterator[MailboxMessage]:
    """Yield up to `LETTERS_PER_READ` new emails, then schedule the next read.

    Raises `Misconfigured` or `RetryLater`.
    """
    with imap.open_folder(_mailbox_login(row)) as folder:
        place = ReadPosition(validity=row.validity, uid=row.uid)
        waiting = folder.uids_after(place, (row.read_at - RENUMBER_MARGIN).date())
        for uid in waiting[:MESSAGES_PER_READ]:
            raw = folder.fetch_message(uid)
            if raw is not None:
                yield MailboxMessage(place=ReadPosition(validity=folder.validity, uid=uid), raw=raw)
        _schedule_next_read(row, folder, waiting, at)


def advance_position(row: Mailbox, message: MailboxMessage, *, is_ours: bool) -> None:
    """Advance past an email, in the transaction that stores it. Raises `MailboxOvertaken`."""
    place = message.place
    _update_claimed(row, validity=place.validity, uid=place.uid, taken=F("taken") + int(is_ours))


def record_failure(row: Mailbox, failure: VendorError, *, at: datetime) -> None:
    """Schedule a retry after a failed read; notify staff, once a day, if it keeps failing."""
    due_at = at + retry_delay(failure, row.attempts, BACK_OFF)
    claimed = Mailbox.objects.filter(pk=row.pk, attempts=row.attempts, due_at__isnull=False)
    if not claimed.update(due_at=due_at, problem=str(failure)[:300]):
        return
    if not isinstance(failure, Misconfigured) and row.attempts < NOTIFY_AFTER_TRIES:
        return
    staff_notices.notify_users(
        staff_notices.alarm_users(None),
        kind="mailbox",
        cause=f"mailbox:{row.pk}:{at.date()}",
        text=f"The mailbox {row.user} cannot be read. {failure}",
        link="/setup/mailboxes/",
        at=at,
    )


def _try_connection(settings: Mapping[str, Any]) -> ReadPosition:
    """Return the position of the newest email. Raises `BadMailbox`, which says what to change."""
    columns = {name: value for name, value in settings.items() if name != "source_id"}
    address = MailboxLogin(**{**columns, "security": Security(settings["security"])})
    try:
        with imap.open_folder(address) as folder:
            return folder.end
    except VendorError as problem:
        raise BadMailbox("", str(problem)) from problem


def _mailbox_login(row: Mailbox) -> MailboxLogin:
    return MailboxLogin(
        host=row.host,
        port=row.port,
        security=Security(row.security),
        user=row.user,
        password=row.password,
        folder=row.folder,
    )


def _schedule_next_read(row: Mailbox, folder: Folder, waiting: list[int], at: datetime) -> None:
    """Read again at once while emails are left, else after `READ_INTERVAL`."""
    if len(waiting) > MESSAGES_PER_READ:
        _update_claimed(row, attempts=0, problem="", due_at=at)
        return
    _update_claimed(
        row,
        validity=folder.validity,
        uid=max([folder.end.uid, *waiting]),
        read_at=at,
        attempts=0,
        problem="",
        due_at=at + READ_INTERVAL,
    )


def _update_claimed(row: Mailbox, **changes: object) -> None:
    """Update the row unless another process claimed it meanwhile or a user stopped it."""
    claimed = Mailbox.objects.filter(pk=row.pk, attempts=row.attempts, due_at__isnull=False)
    if not claimed.update(**changes):
        raise MailboxOvertaken


def _record_event(change: str, row: Mailbox, by: User, at: datetime) -> None:
    write_event(
        f"capture.mailbox.{change}", at=at, actor=f"user:{by.pk}", mailbox=row.pk, host=row.host
    )
