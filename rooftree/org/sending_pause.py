"""The sending pause: after a restore nothing is sent until an administrator resumes it."""

from datetime import datetime

from rooftree.core.uuid7 import uuid7_at
from rooftree.ledger.write_events import write_event
from rooftree.org.models import SendingPause, User

PAUSED_MESSAGE = "Sending is paused. An administrator can resume it in Setup."

ACTIVE_PAUSE = SendingPause.objects.filter(released_at=None)  # for `exclude(Exists(ACTIVE_PAUSE))`


def begin_pause(*, reason: str, backup_at: datetime | None, at: datetime) -> SendingPause:
    """Pause all sending; keep and return a pause that is already active."""
    if (active_pause := current_pause()) is not None:
        return active_pause
    new_pause = SendingPause.objects.create(
        id=uuid7_at(at), from_at=at, reason=reason, backup_at=backup_at
    )
    write_event("org.sending.paused", at=at, pause=new_pause.pk, backup_at=backup_at)
    return new_pause


def current_pause() -> SendingPause | None:
    """Return the active pause, or None."""
    return ACTIVE_PAUSE.all().first()


def is_sending_paused() -> bool:
    """Return True while a pause is active."""
    return ACTIVE_PAUSE.all().exists()


def end_pause(*, by: User, at: datetime) -> bool:
    """End the pause; return False if none is active. Only `flow.restore_recovery` calls this."""
    ended = SendingPause.objects.filter(released_at=None).update(released_at=at, released_by=by)
    if ended:
        write_event("org.sending.resumed", at=at, actor=f"user:{by.pk}")
    return bool(ended)
