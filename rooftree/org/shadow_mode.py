"""The switch of shadow mode: leads are received and decided, nothing is sent, no one is called.

The database enforces it: triggers of `outreach`, `los` and `routing` refuse what would reach
someone while a period is open. `flow.shadow_switch` turns the switch.
"""

from datetime import datetime

from django.db.models import BooleanField, Exists, F, Func

from rooftree.core.uuid7 import uuid7_at
from rooftree.ledger.write_events import write_event
from rooftree.org.models import ShadowPeriod, User

NOTHING_SENT = "Shadow mode is on: nothing is sent and nobody is called."
NOT_SENT = "Not sent: shadow mode."  # the problem of a message

OPEN_PERIOD = ShadowPeriod.objects.filter(ended_at=None)


def current_period() -> ShadowPeriod | None:
    """Return the open period of shadow mode, or None while it is off."""
    return OPEN_PERIOD.select_related("started_by").first()


def is_shadow_on() -> bool:
    """Return True while shadow mode is on."""
    return OPEN_PERIOD.all().exists()


def shadow_is_on() -> Exists:
    """Return the condition that shadow mode is on, for an annotation of a query."""
    return Exists(OPEN_PERIOD)


def is_shadow_message(cause: F, created_at: F) -> Func:
    """Return the condition that the database never lets a message go, for an annotation."""
    return Func(cause, created_at, function="is_shadow_message", output_field=BooleanField())


def begin_period(*, by: User, at: datetime) -> ShadowPeriod:
    """Begin a period of shadow mode; only `flow.shadow_switch` calls this."""
    period = ShadowPeriod.objects.create(id=uuid7_at(at), from_at=at, started_by=by)
    write_event("org.shadow.started", at=at, actor=f"user:{by.pk}", period=period.pk)
    return period


def end_period(period: ShadowPeriod, *, by: User, at: datetime) -> bool:
    """End a period; return False if it ended before. Only `flow.shadow_switch` calls this."""
    ended = OPEN_PERIOD.filter(pk=period.pk).update(ended_at=at, ended_by=by)
    if ended:
        write_event("org.shadow.ended", at=at, actor=f"user:{by.pk}", period=period.pk)
    return bool(ended)
