"""Going through vendors' own lists: what never reached us is taken in as if it had been posted."""

from datetime import datetime

from django.db import transaction

from rooftree.capture.intake import missed_lead_sweeps
from rooftree.flow import lead_arrival


def run_due_sweeps(*, at: datetime) -> None:
    """Begin the sweeps that are due, and make their look-ups until none is due."""
    missed_lead_sweeps.begin_due_sweeps(at=at)
    while (step := missed_lead_sweeps.run_next_step(at=at)) is not None:
        with transaction.atomic():
            for incoming in step.missed:
                lead_arrival.accept_delivery(source=step.sweep.source, incoming=incoming, at=at)
            missed_lead_sweeps.record_step(step, at=at)
