"""What follows when an officer answers the call about an offer and presses 1."""

from datetime import datetime
from uuid import UUID

from rooftree.flow import scores
from rooftree.leads.models import Lead
from rooftree.outreach import ring
from rooftree.reporting import count
from rooftree.tasks.announce import announce

OVER = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})


def answered(*, ring_id: UUID, at: datetime) -> str:
    """The officer picked up; what they hear."""
    return ring.answered(ring_id=ring_id, at=at)


def pressed(*, ring_id: UUID, digits: str, at: datetime) -> str:
    """The officer pressed a key; what they hear. Taking the lead moves its sums with it."""
    done = ring.pressed(ring_id=ring_id, digits=digits, at=at)
    if done.taken:
        lead = Lead.objects.get(pk=done.taken.lead_id)
        count.lead_moved(lead)
        count.attempted(lead)
        announce("offer", lead=str(lead.pk))
    return done.markup


def after_borrower(*, ring_id: UUID, dial_status: str, at: datetime) -> None:
    """The connected call is over."""
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
