"""Approve, continue, pause, stop and finish a release. Every change is compare-and-set."""

from datetime import datetime, timedelta

from django.db.transaction import atomic

from rooftree.org.models import User
from rooftree.outreach.messages import cancel_messages
from rooftree.outreach.releases import release_drafts
from rooftree.outreach.releases.models import NEXT_STATES, Release

DISCARDED = "Discarded before it was sent."  # the stop reason of a draft that was never sent
OPEN_STATES = [state for state, follow in NEXT_STATES.items() if follow]
SEALED_STATES = [state for state in OPEN_STATES if state != "draft"]  # sealed, and not ended
WORKER_HOLD_LIMIT = timedelta(minutes=10)  # no worker holds a stopped release's message longer


class CannotChangeRelease(Exception):
    """The release is in the wrong state for this. The text can be shown to staff."""


def approve_release(release: Release, *, by: User, at: datetime) -> None:
    """Approve a release as the second person and start its canary. Safe to repeat.

    Raises `CannotChangeRelease`.
    """
    if release.made_by_id == by.pk:
        raise CannotChangeRelease("Someone other than its author has to approve this campaign.")
    with atomic():
        waiting = Release.objects.filter(pk=release.pk, state="waiting")
        if not waiting.update(state="canary", approved_by=by, approved_at=at):
            if Release.objects.filter(pk=release.pk, approved_by=by).exists():
                return
            raise CannotChangeRelease("This campaign is no longer waiting for approval.")
        release_drafts.write_release_event("approved", release, by, at)
        release.state = "canary"
        text = f"{by.name} approved {release.title}. The first messages are going out."
        release_drafts.notify_users(release, [release.made_by], text, at)


def continue_release(release: Release, *, by: User | None, at: datetime) -> None:
    """Send a release to everyone else after its canary was checked. Safe to repeat.

    Raises `CannotChangeRelease`.
    """
    with atomic():
        paused = Release.objects.filter(pk=release.pk, state="looking")
        if not paused.update(state="going", resumed_by=by, resumed_at=at):
            if Release.objects.filter(pk=release.pk, state="going", resumed_by=by).exists():
                return
            raise CannotChangeRelease("This campaign is no longer waiting for a check.")
        release_drafts.write_release_event("went_on", release, by, at)


def stop_release(release: Release, *, by: User, because: str, at: datetime) -> int:
    """Stop a release and cancel its queued messages; return how many were canceled.

    Takes effect at once: a message a worker holds right now is refused at its recheck before
    the carrier. Safe to repeat. Raises `CannotChangeRelease`.
    """
    reason = " ".join(because.replace("\x00", "").split())[:300] or "Stopped by hand."
    if Release.objects.filter(pk=release.pk, state="draft").exists():
        discard_draft(release, by=by, at=at)
        return 0
    with atomic():
        unfinished = Release.objects.filter(pk=release.pk, state__in=SEALED_STATES)
        if not unfinished.update(state="stopped", stopped_by=by, stop_reason=reason, ended_at=at):
            if Release.objects.filter(pk=release.pk, state="stopped").exists():
                return 0
            raise CannotChangeRelease("This campaign is done: all its messages were sent.")
        release_drafts.write_release_event("stopped", release, by, at, because=reason)
    release.stopped_by, release.stop_reason = by, reason
    return _cancel_messages(release, at)


def discard_draft(release: Release, *, by: User, at: datetime) -> None:
    """Discard a draft: it was never sent, and its people stay on record. Safe to repeat.

    Raises `CannotChangeRelease`.
    """
    with atomic():
        locked = Release.objects.select_for_update().get(pk=release.pk)
        if locked.state == "stopped" and locked.stop_reason == DISCARDED:
            return
        if locked.state != "draft":
            raise CannotChangeRelease("This campaign is no longer a draft. Stop it instead.")
        Release.objects.filter(pk=release.pk).update(
            state="stopped", size=locked.members.count(), stopped_by=by,
            stop_reason=DISCARDED, ended_at=at,
        )  # fmt: skip
        release_drafts.write_release_event("stopped", release, by, at, because=DISCARDED)


def cancel_late_messages(*, at: datetime) -> int:
    """Cancel messages that workers held at a stop and requeued since; return how many."""
    stopped = Release.objects.filter(state="stopped", stopped_by__isnull=False)
    late = stopped.filter(ended_at__gt=at - WORKER_HOLD_LIMIT).select_related("stopped_by")
    return sum(_cancel_messages(release, at) for release in late)


def pause_for_review(release: Release, *, at: datetime) -> None:
    """Pause a release after its canary until staff have checked the results."""
    with atomic():
        running = Release.objects.filter(pk=release.pk, state="canary")
        if running.update(state="looking", checked_at=at):
            release_drafts.write_release_event("looking", release, None, at)
            release.state = "looking"
            text = (
                f"The first {release.canary_size} messages of {release.title} went out. "
                "Check the results, then continue."
            )
            release_drafts.notify_users(release, {release.approved_by, release.made_by}, text, at)


def finish_release(release: Release, *, at: datetime) -> None:
    """Mark a release done: nobody in it is left to write to."""
    with atomic():
        running = Release.objects.filter(pk=release.pk, state__in=["canary", "going"])
        if running.update(state="done", ended_at=at):
            release_drafts.write_release_event("done", release, None, at)


def _cancel_messages(release: Release, at: datetime) -> int:
    assert release.stopped_by is not None
    because = f"{release.stopped_by.name} stopped the campaign: {release.stop_reason}"
    return cancel_messages.cancel_release_messages(release.pk, because=because, at=at)
