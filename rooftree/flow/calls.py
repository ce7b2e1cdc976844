"""What follows when an officer calls a borrower, or answers the call about an offer."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from rooftree.flow.messages import send_messages
from rooftree.flow.offers import ANSWER_IN
from rooftree.leads import snooze
from rooftree.leads.models import ContactAttempt, Lead
from rooftree.nurture import enrol
from rooftree.org import notices
from rooftree.org.models import User
from rooftree.outreach import call_in, dial, ring, take_back
from rooftree.outreach.dial import CannotCall, Dialled
from rooftree.reporting import count
from rooftree.routing import promise
from rooftree.scoring.rescore import rescore
from rooftree.tasks.announce import announce

__all__ = [
    "CannotCall", "after_borrower", "answered", "came_in", "came_in_ended", "pressed", "start",
    "status",
]  # fmt: skip
OVER = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})


def start(*, lead_id: UUID, by: User, at: datetime) -> Dialled:
    """A member of staff calls the borrower now; answers with what to dial.

    Its outcome is `attempts.record`. Raises `CannotCall` with the gate's
    sentence, whose verdict is kept.
    """
    with transaction.atomic():
        begun = dial.begin(lead_id=lead_id, by=by, at=at)
        if isinstance(begun, Dialled) and begun.is_new:
            count.attempted(begun.attempt.lead)
            announce("lead", lead=str(lead_id))
    if not isinstance(begun, Dialled):
        raise CannotCall(begun.sentence)
    return begun


def answered(*, ring_id: UUID, at: datetime) -> str:
    """The officer picked up; what they hear."""
    return ring.answered(ring_id=ring_id, at=at)


def pressed(*, ring_id: UUID, digits: str, at: datetime) -> str:
    """The officer pressed a key; what they hear. Taking the lead moves its sums with it."""
    with transaction.atomic():
        done = ring.pressed(ring_id=ring_id, digits=digits, at=at)
        if done.taken:
            taken = done.taken
            notices.settled(officer_id=taken.officer_id, cause=f"offer:{taken.offer_id}", at=at)
            lead = Lead.objects.get(pk=taken.lead_id)
            count.lead_moved(lead)
            count.attempted(lead)
            announce("offer", lead=str(lead.pk))
    return done.markup


def after_borrower(*, ring_id: UUID, dial_status: str, at: datetime) -> None:
    """The connected call is over."""
    with transaction.atomic():
        lead_id = ring.after_borrower(ring_id=ring_id, dial_status=dial_status, at=at)
        if lead_id:
            lead = Lead.objects.get(pk=lead_id)
            count.attempted(lead)
            rescore(lead_id=lead.pk, because="called", at=at)
            announce("lead", lead=str(lead.pk))
            announce("offer", lead=str(lead.pk))  # its opening words leave the officer's page


def came_in(*, sender: str, call_id: str, at: datetime) -> str:
    """A borrower calls one of our numbers; what the caller hears. Their sequence ends."""
    with transaction.atomic():
        call = call_in.begin(sender=sender, call_id=call_id, at=at)
        if call.attempt and call.is_news:
            lead_id = call.attempt.lead_id
            enrol.stop(lead_id=lead_id, because="called", at=at)
            snooze.wake(lead_id=lead_id, because="called", at=at)
            take_back.cancel_waiting(lead_id=lead_id, because="called", at=at)
            rescore(lead_id=lead_id, because="called", at=at)
            announce("lead", lead=str(lead_id))
    return call.markup


def came_in_ended(*, call_id: str, dial_status: str, at: datetime) -> str:
    """That call is over. A missed one becomes a promise, and its officer hears of it."""
    with transaction.atomic():
        call = call_in.end(call_id=call_id, dial_status=dial_status, at=at)
        if call.attempt and call.is_news:
            if call.attempt.result == "missed":
                _missed(call.attempt, at)
            count.attempted(Lead.objects.get(pk=call.attempt.lead_id))
            announce("lead", lead=str(call.attempt.lead_id))
    return call.markup


def _missed(attempt: ContactAttempt, at: datetime) -> None:
    lead = attempt.lead
    due = promise.due(lead, by=at + ANSWER_IN, at=at)
    Lead.objects.filter(pk=lead.pk).update(promise_at=due)
    if call_in.answer_missed(attempt, at=at):
        send_messages.enqueue()
    if lead.officer:
        notices.tell(
            user_id=lead.officer.user_id,
            kind="called",
            cause=attempt.cause,
            text=f"{lead.person.first_name or 'A borrower'} called, and nobody could answer.",
            link=f"/leads/{lead.pk}/",
            at=at,
        )


def status(*, ring_id: UUID, said: str, at: datetime) -> None:
    """The call to the officer is over, whatever came of it."""
    if said in OVER:
        ring.ended(ring_id=ring_id, at=at)
