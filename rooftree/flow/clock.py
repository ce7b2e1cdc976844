"""The one clock that tasks and pages read. Tests and a demo's history may stop it; nothing else."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.utils import timezone

_frozen_moments: list[datetime] = []  # of the whole process: a stopped clock stands in every thread


def now() -> datetime:
    """This moment, aware, UTC."""
    return _frozen_moments[-1] if _frozen_moments else timezone.now()


@contextmanager
def freeze(moment: datetime) -> Iterator[None]:
    """Let the whole process believe that it is `moment`."""
    _frozen_moments.append(moment)
    try:
        yield
    finally:
        _frozen_moments.pop()
