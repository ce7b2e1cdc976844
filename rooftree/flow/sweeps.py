"""Going through vendors' own lists: what never reached us is taken in as if it had been posted."""

from datetime import datetime

from django.db import transaction

from rooftree.capture import sweep
from rooftree.flow import intake


def go_through(*, at: datetime) -> None:
    """Begin the sweeps that are due, and make their look-ups until none is due."""
    sweep.begin_due(at=at)
    while (step := sweep.ask_next(at=at)) is not None:
        with transaction.atomic():
            for incoming in step.missed:
                intake.accept(source=step.sweep.source, incoming=incoming, at=at)
            sweep.record(step, at=at)
