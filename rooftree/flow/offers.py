"""Offering a lead, ringing the officer, and what follows from taking it, passing or silence."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from rooftree.flow.messages import ring_officers
from rooftree.leads.models import Lead
from rooftree.org import notices
from rooftree.org.compiled import Reads
from rooftree.org.models import LoanOfficer, User
from rooftree.outreach import ring
from rooftree.reporting import count
from rooftree.routing import acknowledge, lapse, licence_sweep, own, waiting
from rooftree.routing.assign import Assigned, Nobody, to_best_officers
from rooftree.routing.models import Ownership
from rooftree.tasks.announce import announce, announce_all

OFFICERS = Reads(
    lambda keys: LoanOfficer.objects.only("user_id").filter(pk__in=keys), keys=list[UUID]
)
ANSWER_IN = timedelta(minutes=5)  # house: a borrower who asks again is called within


def assign(lead_ids: Sequence[UUID], *, at: datetime) -> None:
    """Choose an officer for each of some leads; the calls to them are in line, due at once.

    Repeat-safe: a lead on offer stays there.
    """
    left = list(lead_ids)
    while left:
        with transaction.atomic():
            chosen = to_best_officers(left, at=at)
            _tell(chosen, at)
        done = {one.lead_id for one in chosen}
        left = [one for one in left if one not in done]


def take(*, offer_id: UUID, officer_id: UUID, at: datetime) -> Ownership:
    """The officer takes the lead. Raises `acknowledge.CannotTake` when it has gone."""
    with transaction.atomic():
        owned = acknowledge.take(offer_id=offer_id, officer_id=officer_id, at=at)
        notices.settled(officer_id=officer_id, cause=f"offer:{offer_id}", at=at)
        count.lead_moved(owned.lead)
        announce("offer", lead=str(owned.lead_id))
    return owned


def decline(*, offer_id: UUID, officer_id: UUID, at: datetime) -> None:
    """The officer passes; the next on the chain is rung."""
    with transaction.atomic():
        lead_id = acknowledge.decline(offer_id=offer_id, officer_id=officer_id, at=at)
        notices.settled(officer_id=officer_id, cause=f"offer:{offer_id}", at=at)
        _ring([lapse.pass_on(lead_id=lead_id, at=at)], at)


def pass_on_lapsed(*, at: datetime) -> int:
    """Give every offer whose time ran out to the next on its chain; how many."""
    with transaction.atomic():
        lapsed = lapse.overdue(at=at, limit=100)
        for one in lapsed:
            _ring([lapse.pass_on(lead_id=one.lead_id, at=at)], at)
            notices.settled(officer_id=one.officer_id, cause=f"offer:{one.offer_id}", at=at)
            announce("offer", lead=str(one.lead_id))
    return len(lapsed)


def offer_waiting(*, at: datetime) -> int:
    """Offer the leads that waited for somebody to open or become eligible; how many."""
    lead_ids = waiting.due(at=at, limit=50)
    for lead_id in lead_ids:
        with transaction.atomic():
            count.settle(lead_id)  # it may have lost its branch with its officer
            _ring([lapse.pass_on(lead_id=lead_id, at=at)], at)
    return len(lead_ids)


def end_unlicensed(*, at: datetime) -> int:
    """End what a license that ran out had allowed; the leads are offered again. How many."""
    lead_ids = licence_sweep.expired(at=at)
    for lead_id in lead_ids:
        count.settle(lead_id)
    return len(lead_ids)


def give(*, lead_id: UUID, officer_id: UUID, by: User, at: datetime) -> None:
    """A manager gives the lead to an officer. Raises `own.CannotGive`."""
    with transaction.atomic():
        own.give(lead_id=lead_id, officer_id=officer_id, by=by, at=at)
        count.lead_moved(Lead.objects.get(pk=lead_id))
        announce("offer", lead=str(lead_id))


def _ring(chosen: Iterable[Assigned | Nobody], at: datetime) -> None:
    """Each officer with a new offer is told and rung."""
    if _tell(chosen, at):
        ring_officers.enqueue()


def _tell(chosen: Iterable[Assigned | Nobody], at: datetime) -> bool:
    """Put the call to each officer with a new offer in line, and tell pages; whether there is one.

    On their own page they have a notice.
    """
    offered = {
        one.offer_id: one
        for one in chosen
        if isinstance(one, Assigned) and one.offer_id and one.is_new
    }
    if not offered:
        return False
    ring.plan([(key, one.officer_id) for key, one in offered.items()], at=at)
    users = {
        one.pk: one.user_id for one in OFFICERS.all(keys=[o.officer_id for o in offered.values()])
    }
    notices.tell_all(
        [
            notices.made(
                user_id=users[one.officer_id],
                kind="offer",
                cause=f"offer:{key}",
                text="A lead is offered to you. It goes to the next officer if you let it wait.",
                link="/queue/",
                at=at,
            )
            for key, one in offered.items()
        ]
    )
    announce_all([("offer", None, {"lead": str(one.lead_id)}) for one in offered.values()])
    return True
