"""Recovery after a restore: nothing is sent until a person resumes, and nothing is sent twice.

The backup does not know what was sent between its creation and the loss. When the pause ends,
messages queued then or since are therefore canceled. Only messages that could not have been
sent stay: those held until after the restore.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet

from rooftree.db.statements import query_row
from rooftree.flow import lead_arrival
from rooftree.ledger.write_events import write_event
from rooftree.los.models import Handoff
from rooftree.nurture import due_steps
from rooftree.org import sending_pause
from rooftree.org.models import SendingPause, StaffNotice, User
from rooftree.outreach.messages import send_pacing
from rooftree.outreach.models import Message, Ring
from rooftree.tasks.backend import naive_utc

CANCEL_REASON = "Canceled after a restore: it may already have been sent."
OLD_TASKS_SQL = """
select count(*) from oban_jobs
 where state in ('available', 'executing', 'retryable', 'scheduled') and inserted_at <= %s
"""


class CannotResume(Exception):
    """Sending isn't paused or can't resume yet. The text is fit to show to staff."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PausedWork:
    """Counts of the work that waits while sending is paused, by its future."""

    unfinished_tasks: int  # from before the restore
    messages_to_cancel: int
    held_messages: int  # can't have been sent, so they stay
    calls_to_skip: int  # to officers
    handoffs_to_verify: int  # looked up in the LOS before anything is sent again


def count_paused_work(pause: SendingPause) -> PausedWork:
    """Count the work that resuming would cancel, skip, verify and keep."""
    return PausedWork(
        unfinished_tasks=_count_old_tasks(pause),
        messages_to_cancel=_select_uncertain_messages(pause).count(),
        held_messages=Message.objects.filter(state="held").count()
        - _select_uncertain_messages(pause).filter(state="held").count(),
        calls_to_skip=Ring.objects.filter(state="due").count(),
        handoffs_to_verify=Handoff.objects.filter(state="pending").count(),
    )


def resume_sending(*, by: User, at: datetime) -> PausedWork:
    """End the pause after canceling messages that may have been sent before the loss.

    Work from before the restore is finished while sending is still paused, so that its
    messages are canceled too. Raises `CannotResume`.
    """
    pause = sending_pause.current_pause()
    if pause is None:
        raise CannotResume("Sending is not paused.")
    if tasks := _count_old_tasks(pause) if pause.backup_at else 0:
        raise CannotResume(
            f"{tasks} jobs from before the restore aren't finished. Try again in a minute. "
            "If the number doesn't change, check Failed jobs and run rooftree doctor."
        )
    while lead_arrival.process_next_batch(at=at):
        pass
    while due_steps.queue_due_steps(at=at):
        pass
    with transaction.atomic():
        work = count_paused_work(pause)
        if pause.backup_at:
            _cancel_uncertain_work(pause, at)
        sending_pause.end_pause(by=by, at=at)
        send_pacing.spread_due_messages(at=at)
    return work


def _cancel_uncertain_work(pause: SendingPause, at: datetime) -> None:
    messages = _select_uncertain_messages(pause).select_for_update()
    canceled = list(messages.values_list("pk", "lead_id"))
    Message.objects.filter(pk__in=[pk for pk, _ in canceled]).update(
        state="cancelled", problem=CANCEL_REASON, due_at=None
    )
    for pk, lead_id in canceled:
        write_event(
            "outreach.messages.cancelled", at=at, lead_id=lead_id, message=pk, because="restore"
        )
    Ring.objects.filter(state="due").update(state="skipped", ended_at=at, problem=CANCEL_REASON)
    # An uncertain hand-off is looked up by our lead id and sent only if the LOS lacks it.
    Handoff.objects.filter(state="pending").update(
        state="uncertain", due_at=at, problem=CANCEL_REASON
    )
    StaffNotice.objects.filter(mailed_at=None, at__lte=at).update(mailed_at=at)


def _select_uncertain_messages(pause: SendingPause) -> QuerySet[Message]:
    """Select messages that may have been sent before the loss, or were queued again since."""
    is_unsent = Q(state="held", created_at__lt=pause.from_at, due_at__gt=pause.from_at)
    rows = Message.objects.filter(direction="out", state__in=["waiting", "held", "review"])
    return rows.exclude(is_unsent)


def _count_old_tasks(pause: SendingPause) -> int:
    return int(query_row(OLD_TASKS_SQL, [naive_utc(pause.from_at)])[0])
