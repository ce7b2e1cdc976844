"""The clock's part in keeping: what is due is counted, what may go goes, requests are not late."""

from datetime import datetime

from rooftree.retention import privacy_requests, purges


def plan_removal(*, at: datetime) -> None:
    """Plan the next removal by the schedule, and tell of requests that are due."""
    purges.plan_scheduled_purge(at=at)
    privacy_requests.send_due_reminders(at=at)


def run_removals(*, at: datetime) -> None:
    """Do the slices of every removal that may go."""
    while purges.remove_next_slice(at=at):
        pass
