"""The scheduled part of retention: plan removals, run them, remind of privacy requests."""

from datetime import datetime

from rooftree.retention import privacy_requests, purges


def plan_removal(*, at: datetime) -> None:
    """Plan the next removal by the schedule, and send reminders of due requests."""
    purges.plan_scheduled_purge(at=at)
    privacy_requests.send_due_reminders(at=at)


def run_removals(*, at: datetime) -> None:
    """Run the slices of every approved removal."""
    while purges.remove_next_slice(at=at):
        pass
