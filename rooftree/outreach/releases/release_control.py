"""What people do with a release: let it go, let it go on, stop it. Each is compare-and-set."""

from datetime import datetime, timedelta

from django.db.transaction import atomic

from rooftree.org.models import User
from rooftree.outreach.messages import cancel_messages
from rooftree.outreach.releases import release_drafts
from rooftree.outreach.releases.models import NEXT_STATES, Release

OPEN_STATES = [state for state, follow in NEXT_STATES.items() if follow]
WORKER_HOLD_LIMIT = timedelta(
    minutes=10
)  # longer than any worker has a message of a stopped release


class CannotChangeRelease(Exception):
    """The release is not where this could be done. The text is fit to show."""


def approve_release(release: Release, *, by: User, at: datetime) -> None:
    """A second person lets its first few go. Twice is once. Raises `CannotAct`."""
    if release.made_by_id == by.pk:
        raise CannotChangeRelease("Somebody else than who made it must approve it.")
    with atomic():
        waits = Release.objects.filter(pk=release.pk, state="waiting")
        if not waits.update(state="canary", approved_by=by, approved_at=at):
            if Release.objects.filter(pk=release.pk, approved_by=by).exists():
                return
            raise CannotChangeRelease("It does not wait for approval any more.")
        release_drafts.write_release_event("approved", release, by, at)
        _notify_maker(release, f"{by.name} approved {release.title}; its first few go.", at)


def continue_release(release: Release, *, by: User | None, at: datetime) -> None:
    """After a look at its first few it goes to the others. Twice is once. Raises `CannotAct`."""
    with atomic():
        looked_at = Release.objects.filter(pk=release.pk, state="looking")
        if not looked_at.update(state="going", went_on_by=by, went_on_at=at):
            if Release.objects.filter(pk=release.pk, state="going", went_on_by=by).exists():
                return
            raise CannotChangeRelease("It does not wait for a look any more.")
        release_drafts.write_release_event("went_on", release, by, at)


def stop_release(release: Release, *, by: User, because: str, at: datetime) -> int:
    """Nothing more of it leaves, and what is in line is taken back; how many messages.

    It waits for nobody: whatever a worker has in hand at this moment is refused when the
    worker looks for the last time before the carrier. Twice is once. Raises `CannotAct`.
    """
    said = " ".join(because.replace("\x00", "").split())[:300] or "Stopped by hand."
    with atomic():
        mine = Release.objects.filter(pk=release.pk, state__in=OPEN_STATES)
        if not mine.update(state="stopped", stopped_by=by, because=said, ended_at=at):
            if Release.objects.filter(pk=release.pk, state="stopped").exists():
                return 0
            raise CannotChangeRelease("It is done: everything of it has left.")
        release_drafts.write_release_event("stopped", release, by, at, because=said)
    release.stopped_by, release.because = by, said
    return _cancel_messages(release, at)


def cancel_late_messages(*, at: datetime) -> int:
    """What a worker had in hand at a stop, and put back in line since; how many messages."""
    stopped = Release.objects.filter(state="stopped", stopped_by__isnull=False)
    late = stopped.filter(ended_at__gt=at - WORKER_HOLD_LIMIT).select_related("stopped_by")
    return sum(_cancel_messages(one, at) for one in late)


def pause_for_review(release: Release, *, at: datetime) -> None:
    """Its first few are out: it waits until somebody has looked at what became of them."""
    with atomic():
        begun = Release.objects.filter(pk=release.pk, state="canary")
        if begun.update(state="looking", looked_at=at):
            release_drafts.write_release_event("looking", release, None, at)
            release.state = "looking"
            text = f"The first {release.canary_size} of {release.title} are out: look, then let it"
            release_drafts.notify_users(
                release, {release.approved_by, release.made_by}, f"{text} go on.", at
            )


def finish_release(release: Release, *, at: datetime) -> None:
    """Everybody in it was written to, or is not to be."""
    with atomic():
        running = Release.objects.filter(pk=release.pk, state__in=["canary", "going"])
        if running.update(state="done", ended_at=at):
            release_drafts.write_release_event("done", release, None, at)


def _cancel_messages(release: Release, at: datetime) -> int:
    assert release.stopped_by is not None
    because = f"{release.stopped_by.name} stopped the release: {release.because}"
    return cancel_messages.cancel_release_messages(release.pk, because=because, at=at)


def _notify_maker(release: Release, text: str, at: datetime) -> None:
    release.state = "canary"
    release_drafts.notify_users(release, [release.made_by], text, at)
