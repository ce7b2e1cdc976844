"""Holding everything back: after a restore nothing leaves until a person says so."""

from datetime import datetime

from rooftree.core.uuid7 import uuid7_at
from rooftree.ledger.write import write
from rooftree.org.models import SendingPause, User

SENTENCE = "Sending is paused; an administrator ends the pause in Set-up."

PAUSED = SendingPause.objects.filter(released_at=None)  # for `exclude(Exists(PAUSED))`


def begin(*, because: str, backup_at: datetime | None, at: datetime) -> SendingPause:
    """From now on nothing leaves. A pause that is already on is kept as it is."""
    if (held := current()) is not None:
        return held
    made = SendingPause.objects.create(
        id=uuid7_at(at), from_at=at, because=because, backup_at=backup_at
    )
    write("org.sending.paused", at=at, pause=made.pk, backup_at=backup_at)
    return made


def current() -> SendingPause | None:
    """The pause that is on now."""
    return PAUSED.all().first()


def is_on() -> bool:
    """Whether nothing may leave now."""
    return PAUSED.all().exists()


def end(*, by: User, at: datetime) -> bool:
    """Let things leave again; False when no pause is on. `flow.after_restore` is what calls it."""
    ended = SendingPause.objects.filter(released_at=None).update(released_at=at, released_by=by)
    if ended:
        write("org.sending.resumed", at=at, actor=f"user:{by.pk}")
    return bool(ended)
