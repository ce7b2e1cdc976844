"""The clock that tasks and pages read. Only tests and the demo's history can freeze it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.utils import timezone

_frozen_moments: list[datetime] = []  # process-wide: a frozen clock holds in every thread


def now() -> datetime:
    """Return the current moment as an aware UTC datetime."""
    return _frozen_moments[-1] if _frozen_moments else timezone.now()


@contextmanager
def freeze(moment: datetime) -> Iterator[None]:
    """Freeze the clock of the whole process at `moment`."""
    _frozen_moments.append(moment)
    try:
        yield
    finally:
        _frozen_moments.pop()
