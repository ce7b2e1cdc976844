"""The clock's part in keeping: what is due is counted, what may go goes, requests are not late."""

from datetime import datetime

from rooftree.compliance.keeping import purges, requests


def count(*, at: datetime) -> None:
    """Plan the next removal by the schedule, and tell of requests that are due."""
    purges.plan(at=at)
    requests.remind(at=at)


def remove(*, at: datetime) -> None:
    """Do the slices of every removal that may go."""
    while purges.remove_next(at=at):
        pass
