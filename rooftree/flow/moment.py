"""The one clock that tasks read. A test or a demo's history may stop it; production never does."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime

from django.utils import timezone

_stopped: ContextVar[datetime | None] = ContextVar("stopped", default=None)


def now() -> datetime:
    """This moment, aware, UTC."""
    return _stopped.get() or timezone.now()


@contextmanager
def at(moment: datetime) -> Iterator[None]:
    """Let tasks run inside believe that it is `moment`."""
    token = _stopped.set(moment)
    try:
        yield
    finally:
        _stopped.reset(token)
