"""Mailboxes that are read for letters: set up with a try, read from a row, letter by letter.

Which letter was the last stands in the row and moves in the transaction that takes the letter
in, so that none is lost and none is taken in twice.
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
NOTIFY_AFTER_TRIES = 4  # tries; then somebody hears that the server does not answer
LETTERS_PER_READ = 20  # letters of one look
RENUMBER_MARGIN = timedelta(days=1)  # before the last look: a server's days are not ours
EDITABLE = ("host", "port", "security", "user", "password", "folder", "source_id")


class BadMailbox(InvalidField):
    """A mailbox that cannot be read so."""


class MailboxOvertaken(Exception):
    """Somebody else reads this mailbox meanwhile: what was taken in here must be undone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxLetter:
    """A letter as it stands in its mailbox."""

    place: ReadPosition
    raw: bytes


def save_mailbox(
    typed: Mapping[str, Any], *, mailbox_id: UUID | None = None, by: User, at: datetime
) -> Mailbox:
    """Read a mailbox from now on, once it was tried. What stands in it already is left alone.

    An empty password stays as it was, at the server it was given for. Raises `BadMailbox`.
    Must not run in a transaction.

    Args:
        typed: columns of EDITABLE.
    """
    held = Mailbox.objects.get(pk=mailbox_id) if mailbox_id else None
    wanted = {name: typed[name] for name in EDITABLE}
    if held and not wanted["password"]:
        if wanted["host"] != held.host:  # or whoever names a server is told the password
            raise BadMailbox("password", "Type the password: it goes to another server.")
        wanted["password"] = held.password
    end = _try_connection(wanted)
    same = held is not None and all(
        getattr(held, name) == wanted[name] for name in ("host", "user", "folder")
    )
    place = {} if same else {"validity": end.validity, "uid": end.uid, "read_at": at}
    columns = {**wanted, **place, "due_at": at, "attempts": 0, "problem": ""}
    key = held.pk if held else uuid7_at(at)
    try:
        with transaction.atomic():
            if not Mailbox.objects.filter(pk=key).update(**columns):
                Mailbox.objects.create(id=key, **columns)
            row = Mailbox.objects.get(pk=key)
            _record_event("kept", row, by, at)
    except IntegrityError as problem:
        raise BadMailbox("user", "This mailbox is read already.") from problem
    return row


def stop_mailbox(*, mailbox_id: UUID, by: User, at: datetime) -> None:
    """Read it no more; stopping twice is once."""
    with transaction.atomic():
        rows = Mailbox.objects.filter(pk=mailbox_id, due_at__isnull=False)
        if rows.update(due_at=None, problem=""):
            _record_event("stopped", Mailbox.objects.get(pk=mailbox_id), by, at)


def resume_mailbox(*, mailbox_id: UUID, by: User, at: datetime) -> None:
    """Read it again, from the letter it was stopped at."""
    with transaction.atomic():
        if Mailbox.objects.filter(pk=mailbox_id, due_at=None).update(due_at=at, attempts=0):
            _record_event("resumed", Mailbox.objects.get(pk=mailbox_id), by, at)


def claim_due_mailbox(*, at: datetime) -> Mailbox | None:
    """The mailbox that is longest due; None when none is."""
    return claim_due_row(Mailbox.objects.select_related("source"), at=at)


def fetch_new_letters(row: Mailbox, *, at: datetime) -> Iterator[MailboxLetter]:
    """Its letters that nobody has read yet, a few; then the row is due anew.

    Raises `Misconfigured` or `TryLater`.
    """
    with imap.open_folder(_mailbox_login(row)) as folder:
        place = ReadPosition(validity=row.validity, uid=row.uid)
        waiting = folder.uids_after(place, (row.read_at - RENUMBER_MARGIN).date())
        for uid in waiting[:LETTERS_PER_READ]:
            raw = folder.fetch_letter(uid)
            if raw is not None:
                yield MailboxLetter(place=ReadPosition(validity=folder.validity, uid=uid), raw=raw)
        _schedule_next_read(row, folder, waiting, at)


def advance_position(row: Mailbox, letter: MailboxLetter, *, is_ours: bool) -> None:
    """Go on behind a letter, in the transaction that took it in. Raises `Overtaken`."""
    place = letter.place
    _update_claimed(row, validity=place.validity, uid=place.uid, taken=F("taken") + int(is_ours))


def record_failure(row: Mailbox, failure: VendorError, *, at: datetime) -> None:
    """It could not be read: try later, and tell somebody, once a day, if it does not pass."""
    due_at = at + retry_delay(failure, row.attempts, BACK_OFF)
    ours = Mailbox.objects.filter(pk=row.pk, attempts=row.attempts, due_at__isnull=False)
    if not ours.update(due_at=due_at, problem=str(failure)[:300]):
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


def _try_connection(wanted: Mapping[str, Any]) -> ReadPosition:
    """Where the mailbox ends now. Raises `BadMailbox` with what to change."""
    columns = {name: value for name, value in wanted.items() if name != "source_id"}
    address = MailboxLogin(**{**columns, "security": Security(wanted["security"])})
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
    """At once while letters are left; else in a while, from where the folder ended."""
    if len(waiting) > LETTERS_PER_READ:
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
    """Change the row while it is ours: claimed by nobody else since, and not stopped."""
    ours = Mailbox.objects.filter(pk=row.pk, attempts=row.attempts, due_at__isnull=False)
    if not ours.update(**changes):
        raise MailboxOvertaken


def _record_event(what: str, row: Mailbox, by: User, at: datetime) -> None:
    write_event(
        f"capture.mailbox.{what}", at=at, actor=f"user:{by.pk}", mailbox=row.pk, host=row.host
    )
