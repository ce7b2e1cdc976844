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

from rooftree.capture import imap
from rooftree.capture.claim_due import claim_due
from rooftree.capture.imap import Address, Folder, Place, Security
from rooftree.capture.models import Mailbox
from rooftree.core.failures import Failure, Misconfigured, pause_after
from rooftree.core.refusal import WrongField
from rooftree.core.uuid7 import uuid7_at
from rooftree.ledger.write import write
from rooftree.org import notices
from rooftree.org.models import User

EVERY = timedelta(minutes=1)
BACK_OFF = (60, 120, 300, 900)  # seconds
SHOWN_AFTER = 4  # tries; then somebody hears that the server does not answer
AT_ONCE = 20  # letters of one look
RENUMBERED = timedelta(days=1)  # before the last look: a server's days are not ours
EDITABLE = ("host", "port", "security", "user", "password", "folder", "source_id")


class BadMailbox(WrongField):
    """A mailbox that cannot be read so."""


class Overtaken(Exception):
    """Somebody else reads this mailbox meanwhile: what was taken in here must be undone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A letter as it stands in its mailbox."""

    place: Place
    raw: bytes


def keep(
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
    end = _tried(wanted)
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
            _write("kept", row, by, at)
    except IntegrityError as problem:
        raise BadMailbox("user", "This mailbox is read already.") from problem
    return row


def stop(*, mailbox_id: UUID, by: User, at: datetime) -> None:
    """Read it no more; stopping twice is once."""
    with transaction.atomic():
        rows = Mailbox.objects.filter(pk=mailbox_id, due_at__isnull=False)
        if rows.update(due_at=None, problem=""):
            _write("stopped", Mailbox.objects.get(pk=mailbox_id), by, at)


def resume(*, mailbox_id: UUID, by: User, at: datetime) -> None:
    """Read it again, from the letter it was stopped at."""
    with transaction.atomic():
        if Mailbox.objects.filter(pk=mailbox_id, due_at=None).update(due_at=at, attempts=0):
            _write("resumed", Mailbox.objects.get(pk=mailbox_id), by, at)


def claim(*, at: datetime) -> Mailbox | None:
    """The mailbox that is longest due; None when none is."""
    return claim_due(Mailbox.objects.select_related("source"), at=at)


def letters(row: Mailbox, *, at: datetime) -> Iterator[Letter]:
    """Its letters that nobody has read yet, a few; then the row is due anew.

    Raises `Misconfigured` or `TryLater`.
    """
    with imap.opened(_address_of(row)) as folder:
        place = Place(validity=row.validity, uid=row.uid)
        waiting = folder.since(place, (row.read_at - RENUMBERED).date())
        for uid in waiting[:AT_ONCE]:
            raw = folder.letter(uid)
            if raw is not None:
                yield Letter(place=Place(validity=folder.validity, uid=uid), raw=raw)
        _look_again(row, folder, waiting, at)


def pass_on(row: Mailbox, letter: Letter, *, is_ours: bool) -> None:
    """Go on behind a letter, in the transaction that took it in. Raises `Overtaken`."""
    place = letter.place
    _set(row, validity=place.validity, uid=place.uid, taken=F("taken") + int(is_ours))


def fail(row: Mailbox, failure: Failure, *, at: datetime) -> None:
    """It could not be read: try later, and tell somebody, once a day, if it does not pass."""
    due_at = at + pause_after(failure, row.attempts, BACK_OFF)
    ours = Mailbox.objects.filter(pk=row.pk, attempts=row.attempts, due_at__isnull=False)
    if not ours.update(due_at=due_at, problem=str(failure)[:300]):
        return
    if not isinstance(failure, Misconfigured) and row.attempts < SHOWN_AFTER:
        return
    notices.tell_each(
        notices.alarm_users(None),
        kind="mailbox",
        cause=f"mailbox:{row.pk}:{at.date()}",
        text=f"The mailbox {row.user} cannot be read. {failure}",
        link="/setup/mailboxes/",
        at=at,
    )


def _tried(wanted: Mapping[str, Any]) -> Place:
    """Where the mailbox ends now. Raises `BadMailbox` with what to change."""
    columns = {name: value for name, value in wanted.items() if name != "source_id"}
    address = Address(**{**columns, "security": Security(wanted["security"])})
    try:
        with imap.opened(address) as folder:
            return folder.end
    except Failure as problem:
        raise BadMailbox("", str(problem)) from problem


def _address_of(row: Mailbox) -> Address:
    return Address(
        host=row.host,
        port=row.port,
        security=Security(row.security),
        user=row.user,
        password=row.password,
        folder=row.folder,
    )


def _look_again(row: Mailbox, folder: Folder, waiting: list[int], at: datetime) -> None:
    """At once while letters are left; else in a while, from where the folder ended."""
    if len(waiting) > AT_ONCE:
        _set(row, attempts=0, problem="", due_at=at)
        return
    _set(
        row,
        validity=folder.validity,
        uid=max([folder.end.uid, *waiting]),
        read_at=at,
        attempts=0,
        problem="",
        due_at=at + EVERY,
    )


def _set(row: Mailbox, **changes: object) -> None:
    """Change the row while it is ours: claimed by nobody else since, and not stopped."""
    ours = Mailbox.objects.filter(pk=row.pk, attempts=row.attempts, due_at__isnull=False)
    if not ours.update(**changes):
        raise Overtaken


def _write(what: str, row: Mailbox, by: User, at: datetime) -> None:
    write(f"capture.mailbox.{what}", at=at, actor=f"user:{by.pk}", mailbox=row.pk, host=row.host)
