"""Promises to borrowers that come due: warning, alarm, escalation, all clear."""

from datetime import datetime

from rooftree.routing import promise_watch
from rooftree.tasks.live_updates import publish_update


def watch_promises(*, at: datetime) -> int:
    """Take every promise to its stage, and clear the alarms of those that ended."""
    changed = promise_watch.cover_absent_officers(at=at)
    changed += promise_watch.watch_promises(at=at)
    changed += promise_watch.clear_alarms(at=at)
    if changed:
        publish_update("offer")  # the Team page reads itself again
    return changed
