"""After a restore: nothing leaves until a person says so, and nothing is ever sent twice.

The backup does not know what left between its making and the loss. So whatever was in
line then, and whatever was put in line since, is taken back when the pause ends. Only what
could not have gone stays: messages held until after the restore.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from rooftree.flow import lead_arrival
from rooftree.ledger.write_events import write_event
from rooftree.los.models import Handoff
from rooftree.nurture import sequence_enrollment
from rooftree.org import sending_pause
from rooftree.org.models import SendingPause, StaffNotice, User
from rooftree.outreach.messages import send_pacing
from rooftree.outreach.models import Message, Ring
from rooftree.tasks.backend import naive_utc

CANCEL_REASON = "Taken back after a restore: it may have gone out before."
OLD_TASKS_SQL = """
select count(*) from oban_jobs
 where state in ('available', 'executing', 'retryable', 'scheduled') and inserted_at <= %s
"""


class CannotResume(Exception):
    """Not yet, or nothing is paused. The text is fit to show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PausedWork:
    """What waits while sending is paused, and what will become of it."""

    unfinished_tasks: int  # work from before the restore that is not done yet
    messages_to_cancel: int  # to be taken back
    held_messages: int  # could not have gone: stay
    calls_to_skip: int  # to officers: skipped
    handoffs_to_verify: int  # looked up in the LOS before anything is sent again


def count_paused_work(held: SendingPause) -> PausedWork:
    """What a release would do now."""
    return PausedWork(
        unfinished_tasks=_count_old_tasks(held),
        messages_to_cancel=_uncertain_messages(held).count(),
        held_messages=Message.objects.filter(state="held").count()
        - _uncertain_messages(held).filter(state="held").count(),
        calls_to_skip=Ring.objects.filter(state="due").count(),
        handoffs_to_verify=Handoff.objects.filter(state="pending").count(),
    )


def resume_sending(*, by: User, at: datetime) -> PausedWork:
    """End the pause; what may have left before the loss is taken back first.

    Work from before the restore is finished while sending still stands, so that its
    messages are taken back too. Raises `CannotRelease`.
    """
    held = sending_pause.current_pause()
    if held is None:
        raise CannotResume("Sending is not paused.")
    if tasks := _count_old_tasks(held) if held.backup_at else 0:
        raise CannotResume(
            f"{tasks} pieces of work from before the restore are not done yet. Try again in a "
            "minute; if the number stays, look at the work that gave up, and at rooftree doctor."
        )
    while lead_arrival.process_next_batch(at=at):
        pass
    while sequence_enrollment.queue_due_steps(at=at):
        pass
    with transaction.atomic():
        found = count_paused_work(held)
        if held.backup_at:
            _cancel_uncertain_work(held, at)
        sending_pause.end_pause(by=by, at=at)
        send_pacing.spread_due_messages(at=at)
    return found


def _cancel_uncertain_work(held: SendingPause, at: datetime) -> None:
    taken = list(_uncertain_messages(held).select_for_update().values_list("pk", "lead_id"))
    Message.objects.filter(pk__in=[pk for pk, _ in taken]).update(
        state="cancelled", problem=CANCEL_REASON, due_at=None
    )
    for pk, lead_id in taken:
        write_event(
            "outreach.messages.cancelled", at=at, lead_id=lead_id, message=pk, because="restore"
        )
    Ring.objects.filter(state="due").update(state="skipped", ended_at=at, problem=CANCEL_REASON)
    # A hand-off that is uncertain is looked up by our lead id, and sent only if it is not there.
    Handoff.objects.filter(state="pending").update(
        state="uncertain", due_at=at, problem=CANCEL_REASON
    )
    StaffNotice.objects.filter(mailed_at=None, at__lte=at).update(mailed_at=at)


def _uncertain_messages(held: SendingPause) -> QuerySet[Message]:
    """What the lost days may have sent, or put in line again since."""
    could_not_have_gone = Q(state="held", created_at__lt=held.from_at, due_at__gt=held.from_at)
    rows = Message.objects.filter(direction="out", state__in=["waiting", "held", "review"])
    return rows.exclude(could_not_have_gone)


def _count_old_tasks(held: SendingPause) -> int:
    with connection.cursor() as cursor:
        cursor.execute(OLD_TASKS_SQL, [naive_utc(held.from_at)])
        return int(cursor.fetchone()[0])
