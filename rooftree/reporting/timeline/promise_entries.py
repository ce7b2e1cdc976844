"""Timeline entries of promises to the borrower: made, late, escalated, kept."""

from collections.abc import Iterator

from rooftree.leads.models import Lead
from rooftree.reporting.timeline.timeline_entry import EntryGroup, EntryMark, TimelineEntry
from rooftree.routing import promise_sentences
from rooftree.routing.models import Promise

_NAMES = {"first_attempt": "first call", "reply": "reply", "callback": "callback"}
_KEPT_TITLES = {
    "first_attempt": "First call made",
    "reply": "Borrower answered",
    "callback": "Callback made",
}


def build_entries(lead: Lead) -> Iterator[TimelineEntry]:
    """Yield one entry for each stage of each promise; only the last if it was kept on time."""
    rows = Promise.objects.filter(lead=lead).select_related(
        "lead__person", "lead__branch", "officer__user", "backup__user"
    )
    for promise in rows:
        if promise.is_kept_on_time or promise.canceled_at and not promise.breached_at:
            yield from _ending_entries(promise)
            continue
        yield _made_entry(promise)
        yield from _alarm_entries(promise)
        yield from _ending_entries(promise)


def _made_entry(promise: Promise) -> TimelineEntry:
    """Build the entry of the start, with the reason for a later end if there is one."""
    is_explained = promise.sentence and not promise.escalated_at
    return _entry(
        promise, "made",
        at=promise.made_at,
        title=f"{promise.name} due",
        detail=f"by {promise_sentences.format_due_time(promise)}",
        body=promise.sentence if is_explained else "",
    )  # fmt: skip


def _alarm_entries(promise: Promise) -> Iterator[TimelineEntry]:
    """Yield the reminder to the officer, the missed time, and who was told of it."""
    due, name = promise_sentences.format_due_time(promise), _NAMES[promise.kind]
    officer = promise.officer.user.name if promise.officer else ""
    if officer and promise.warned_at and promise.warned_at < promise.due_at:
        yield _entry(
            promise, "warned",
            at=promise.warned_at,
            title=officer,
            detail=f"was reminded: {name} due by {due}",
        )  # fmt: skip
    if promise.breached_at:
        yield _entry(
            promise, "missed",
            at=promise.breached_at,
            title=promise.alarm_name,
            detail=f"it was due by {due}",
            mark=EntryMark.LATE,
        )  # fmt: skip
    if promise.escalated_at:
        yield _entry(
            promise, "escalated",
            at=promise.escalated_at,
            title=f"Escalated the late {name}",
            body=promise.sentence,
            mark=EntryMark.LATE,
        )  # fmt: skip


def _ending_entries(promise: Promise) -> Iterator[TimelineEntry]:
    due = promise_sentences.format_due_time(promise)
    if promise.kept_at:
        on_time = promise.is_kept_on_time
        yield _entry(
            promise, "kept",
            at=promise.kept_at,
            title=_KEPT_TITLES[promise.kind],
            detail=f"{'on time' if on_time else 'late'}, due by {due}",
            mark=EntryMark.OK if on_time else EntryMark.LATE,
        )  # fmt: skip
    elif promise.canceled_at and promise.breached_at:
        yield _entry(
            promise, "canceled",
            at=promise.canceled_at,
            title=f"{promise.name} is no longer due",
            detail=promise.end_reason,
        )  # fmt: skip


def _entry(promise: Promise, stage: str, **values: object) -> TimelineEntry:
    return TimelineEntry(
        key=f"promise:{promise.pk}:{stage}",
        group=EntryGroup.DECISIONS,
        icon="clock",
        **values,  # type: ignore[arg-type]
    )
