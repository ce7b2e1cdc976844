"""Handing a lead to the LOS, and what stops when it is handed over."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.tasks import task

from rooftree.flow import moment
from rooftree.leads import to_do
from rooftree.leads.models import Lead
from rooftree.los import need_words, outbox
from rooftree.los.models import Handoff
from rooftree.los.outbox import CannotHandOff
from rooftree.nurture import enrol
from rooftree.org.models import User
from rooftree.tasks.announce import announce

__all__ = ["CannotHandOff", "ask", "send_handoffs"]
GAP = "handoff"  # the kind of the task that asks for what is missing
ASK_WITHIN = timedelta(days=1)
BATCH = 20


def ask(*, lead_id: UUID, by: User, at: datetime) -> Handoff:
    """Hand a lead to the LOS; its open task to find what was missing is done with that.

    Raises `CannotHandOff` saying what is missing, which is then the officer's task.
    """
    try:
        with transaction.atomic():
            made = outbox.ask(lead_id=lead_id, by=by, at=at)
            enrol.stop(lead_id=lead_id, because="handed off", at=at)
            to_do.finish_kind(lead_id=lead_id, kind=GAP, by=by.pk, at=at)
            send_handoffs.enqueue()
            announce("lead", lead=str(lead_id))
    except CannotHandOff as problem:
        said = " ".join(need_words.sentence(one) for one in problem.missing)
        if said:
            _ask_for(lead_id, said, by, at)
        raise CannotHandOff(said or str(problem), problem.missing) from problem
    return made


def _ask_for(lead_id: UUID, said: str, by: User, at: datetime) -> None:
    officer = Lead.objects.values_list("officer__user_id", flat=True).get(pk=lead_id)
    wanted = to_do.Wanted(
        kind=GAP,
        title=f"Before the hand-off: {said}",
        due_at=at + ASK_WITHIN,
        user_id=officer or by.pk,
    )
    to_do.ask_for(wanted, lead_id=lead_id, at=at)


@task(queue_name="soon")
def send_handoffs() -> None:
    """Send every hand-off that is due, or find out what became of it."""
    outbox.send_due(at=moment.now(), limit=BATCH)
