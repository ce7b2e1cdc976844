"""Sweeps of vendors' own lead lists: a lead that never reached us is stored as a delivery."""

from datetime import datetime

from django.db import transaction

from rooftree.capture.intake import missed_lead_sweeps
from rooftree.flow import lead_arrival


def run_due_sweeps(*, at: datetime) -> None:
    """Start due sweeps and run their look-ups until none is due."""
    missed_lead_sweeps.begin_due_sweeps(at=at)
    while (step := missed_lead_sweeps.run_next_step(at=at)) is not None:
        with transaction.atomic():
            for incoming in step.missed:
                lead_arrival.accept_delivery(source=step.sweep.source, incoming=incoming, at=at)
            missed_lead_sweeps.record_step(step, at=at)
