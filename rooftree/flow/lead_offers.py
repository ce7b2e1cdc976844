"""Offering a lead, ringing the officer, and what follows from taking it, passing or silence."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from rooftree.db.prepared_queries import PreparedQuery
from rooftree.flow.message_dispatch import ring_officers
from rooftree.leads.models import Lead
from rooftree.org import staff_notices
from rooftree.org.models import LoanOfficer, User
from rooftree.outreach.calls import officer_calls
from rooftree.reporting.rollups import rollup_deltas
from rooftree.routing import (
    answer_offer,
    expired_licenses,
    lapsed_offers,
    lead_ownership,
    waiting_leads,
)
from rooftree.routing.assign_leads import Assignment, Unassigned, assign_to_best_officers
from rooftree.routing.models import Ownership
from rooftree.tasks.live_updates import publish_update, publish_updates

OFFICERS_BY_ID = PreparedQuery(
    lambda keys: LoanOfficer.objects.only("user_id").filter(pk__in=keys), keys=list[UUID]
)
RESPONSE_TIME = timedelta(minutes=5)  # house: a borrower who asks again is called within


def assign_officers(lead_ids: Sequence[UUID], *, at: datetime) -> None:
    """Choose an officer for each of some leads; the calls to them are in line, due at once.

    Repeat-safe: a lead on offer stays there.
    """
    left = list(lead_ids)
    while left:
        with transaction.atomic():
            chosen = assign_to_best_officers(left, at=at)
            _notify_offered_officers(chosen, at)
        done = {assign_to_best_officer.lead_id for assign_to_best_officer in chosen}
        left = [one for one in left if one not in done]


def take_offer(*, offer_id: UUID, officer_id: UUID, at: datetime) -> Ownership:
    """The officer takes the lead. Raises `acknowledge.CannotTake` when it has gone."""
    with transaction.atomic():
        owned = answer_offer.take_offer(offer_id=offer_id, officer_id=officer_id, at=at)
        staff_notices.dismiss_for_officer(officer_id=officer_id, cause=f"offer:{offer_id}", at=at)
        rollup_deltas.recount_lead(owned.lead)
        publish_update("offer", lead=str(owned.lead_id))
    return owned


def decline_offer(*, offer_id: UUID, officer_id: UUID, at: datetime) -> None:
    """The officer passes; the next on the chain is rung."""
    with transaction.atomic():
        lead_id = answer_offer.decline_offer(offer_id=offer_id, officer_id=officer_id, at=at)
        staff_notices.dismiss_for_officer(officer_id=officer_id, cause=f"offer:{offer_id}", at=at)
        _notify_and_ring([lapsed_offers.pass_on_lead(lead_id=lead_id, at=at)], at)


def pass_on_lapsed_offers(*, at: datetime) -> int:
    """Give every offer whose time ran out to the next on its chain; how many."""
    with transaction.atomic():
        lapsed = lapsed_offers.end_overdue_offers(at=at, limit=100)
        for end_overdue_offer in lapsed:
            _notify_and_ring(
                [lapsed_offers.pass_on_lead(lead_id=end_overdue_offer.lead_id, at=at)], at
            )
            staff_notices.dismiss_for_officer(
                officer_id=end_overdue_offer.officer_id,
                cause=f"offer:{end_overdue_offer.offer_id}",
                at=at,
            )
            publish_update("offer", lead=str(end_overdue_offer.lead_id))
    return len(lapsed)


def offer_waiting_leads(*, at: datetime) -> int:
    """Offer the leads that waited for somebody to open or become eligible; how many."""
    lead_ids = waiting_leads.find_leads_to_offer(at=at, limit=50)
    for lead_id in lead_ids:
        with transaction.atomic():
            rollup_deltas.append_missing_deltas(
                lead_id
            )  # it may have lost its branch with its officer
            _notify_and_ring([lapsed_offers.pass_on_lead(lead_id=lead_id, at=at)], at)
    return len(lead_ids)


def end_unlicensed_assignments(*, at: datetime) -> int:
    """End what a license that ran out had allowed; the leads are offered again. How many."""
    lead_ids = expired_licenses.end_unlawful_assignments(at=at)
    for lead_id in lead_ids:
        rollup_deltas.append_missing_deltas(lead_id)
    return len(lead_ids)


def reassign_lead(*, lead_id: UUID, officer_id: UUID, by: User, at: datetime) -> None:
    """A manager gives the lead to an officer. Raises `own.CannotGive`."""
    with transaction.atomic():
        lead_ownership.give_lead(lead_id=lead_id, officer_id=officer_id, by=by, at=at)
        rollup_deltas.recount_lead(Lead.objects.get(pk=lead_id))
        publish_update("offer", lead=str(lead_id))


def _notify_and_ring(chosen: Iterable[Assignment | Unassigned], at: datetime) -> None:
    """Each officer with a new offer is told and rung."""
    if _notify_offered_officers(chosen, at):
        ring_officers.enqueue()


def _notify_offered_officers(chosen: Iterable[Assignment | Unassigned], at: datetime) -> bool:
    """Put the call to each officer with a new offer in line, and tell pages; whether there is one.

    On their own page they have a notice.
    """
    offered = {
        one.offer_id: one
        for one in chosen
        if isinstance(one, Assignment) and one.offer_id and one.is_new
    }
    if not offered:
        return False
    officer_calls.queue_officer_calls(
        [(key, one.officer_id) for key, one in offered.items()], at=at
    )
    users = {
        one.pk: one.user_id
        for one in OFFICERS_BY_ID.all(keys=[o.officer_id for o in offered.values()])
    }
    staff_notices.save_notices(
        [
            staff_notices.build_notice(
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
    publish_updates([("offer", None, {"lead": str(one.lead_id)}) for one in offered.values()])
    return True
