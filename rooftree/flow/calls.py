"""What follows when an officer calls a borrower, or answers the call about an offer."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from rooftree.flow import scores
from rooftree.leads.models import Lead
from rooftree.org.models import User
from rooftree.outreach import dial, ring
from rooftree.outreach.dial import CannotCall, Dialled
from rooftree.reporting import count
from rooftree.tasks.announce import announce

__all__ = ["CannotCall", "after_borrower", "answered", "pressed", "start", "status"]
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
            lead = Lead.objects.get(pk=done.taken.lead_id)
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
            scores.rescore(lead_id=lead.pk, because="called", at=at)
            announce("lead", lead=str(lead.pk))


def status(*, ring_id: UUID, said: str, at: datetime) -> None:
    """The call to the officer is over, whatever came of it."""
    if said in OVER:
        ring.ended(ring_id=ring_id, at=at)
