"""Holding everything back: after a restore nothing leaves until a person says so."""

from datetime import datetime

from rooftree.core.uuid7 import uuid7_at
from rooftree.ledger.write_events import write_event
from rooftree.org.models import SendingPause, User

PAUSED_MESSAGE = "Sending is paused; an administrator ends the pause in Set-up."

ACTIVE_PAUSE = SendingPause.objects.filter(released_at=None)  # for `exclude(Exists(PAUSED))`


def begin_pause(*, reason: str, backup_at: datetime | None, at: datetime) -> SendingPause:
    """From now on nothing leaves. A pause that is already on is kept as it is."""
    if (held := current_pause()) is not None:
        return held
    made = SendingPause.objects.create(
        id=uuid7_at(at), from_at=at, because=reason, backup_at=backup_at
    )
    write_event("org.sending.paused", at=at, pause=made.pk, backup_at=backup_at)
    return made


def current_pause() -> SendingPause | None:
    """The pause that is on now."""
    return ACTIVE_PAUSE.all().first()


def is_sending_paused() -> bool:
    """Whether nothing may leave now."""
    return ACTIVE_PAUSE.all().exists()


def end_pause(*, by: User, at: datetime) -> bool:
    """Let things leave again; False when no pause is on. `flow.after_restore` is what calls it."""
    ended = SendingPause.objects.filter(released_at=None).update(released_at=at, released_by=by)
    if ended:
        write_event("org.sending.resumed", at=at, actor=f"user:{by.pk}")
    return bool(ended)
