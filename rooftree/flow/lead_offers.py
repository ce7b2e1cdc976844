"""Offers of leads: ring the officer, and handle taking, declining and lapsed offers."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from rooftree.db.prepared_queries import PreparedQuery
from rooftree.flow.message_dispatch import ring_officers
from rooftree.flow.undo_window import SETTLE_AFTER
from rooftree.leads.models import Lead
from rooftree.org import officer_availability, staff_notices
from rooftree.org.models import User
from rooftree.outreach.calls import officer_calls
from rooftree.reporting.rollups import rollup_deltas
from rooftree.routing import (
    answer_offer,
    expired_licenses,
    lapsed_offers,
    lead_ownership,
    missed_offers,
    waiting_leads,
)
from rooftree.routing.assign_leads import Assignment, Unassigned, assign_to_best_officers
from rooftree.routing.models import Offer, Ownership
from rooftree.tasks.live_updates import publish_update, publish_updates

NAMED_OFFERS = PreparedQuery(
    lambda keys: (
        Offer.objects.select_related("officer", "lead__person")
        .only("officer__user_id", "lead__person__first_name", "lead__person__last_name")
        .filter(pk__in=keys)
    ),
    keys=list[UUID],
)
RESPONSE_TIME = timedelta(minutes=5)  # house: call back a borrower who inquires again within this


def assign_officers(lead_ids: Sequence[UUID], *, at: datetime) -> None:
    """Choose an officer for each lead and queue the calls to them, due at once.

    Safe to repeat: a lead that is on offer stays there.
    """
    remaining = list(lead_ids)
    while remaining:
        with transaction.atomic():
            assignments = assign_to_best_officers(remaining, at=at)
            _notify_offered_officers(assignments, at)
        assigned = {assignment.lead_id for assignment in assignments}
        remaining = [lead_id for lead_id in remaining if lead_id not in assigned]


def take_offer(*, offer_id: UUID, officer_id: UUID, at: datetime) -> Ownership:
    """Take an offered lead for an officer. Raises `answer_offer.CannotTake` if it is gone."""
    with transaction.atomic():
        ownership = answer_offer.take_offer(offer_id=offer_id, officer_id=officer_id, at=at)
        staff_notices.dismiss_for_officer(officer_id=officer_id, cause=f"offer:{offer_id}", at=at)
        rollup_deltas.recount_lead(ownership.lead)
        publish_update("offer", lead=str(ownership.lead_id))
    return ownership


def decline_offer(
    *, offer_id: UUID, officer_id: UUID, at: datetime, can_undo: bool = False
) -> None:
    """Decline an offer for an officer and ring the next officer on the chain.

    Args:
        can_undo: ring the next officer after the undo window, unless `undo_decline` comes first.
    """
    with transaction.atomic():
        lead_id = answer_offer.decline_offer(
            offer_id=offer_id, officer_id=officer_id, at=at, can_undo=can_undo
        )
        staff_notices.dismiss_for_officer(officer_id=officer_id, cause=f"offer:{offer_id}", at=at)
        if not can_undo:
            _notify_and_ring([lapsed_offers.pass_on_lead(lead_id=lead_id, at=at)], at)


def undo_decline(*, offer_id: UUID, officer_id: UUID, at: datetime) -> None:
    """Offer a lead again to the officer who declined it. Raises `answer_offer.CannotTake`."""
    with transaction.atomic():
        offer = answer_offer.undo_decline(offer_id=offer_id, officer_id=officer_id, at=at)
        publish_update("offer", lead=str(offer.lead_id))


def pass_on_declined_offers(*, at: datetime) -> int:
    """Pass on the leads that were declined on the page and can't be undone; return how many."""
    with transaction.atomic():
        lead_ids = answer_offer.settle_declined_offers(declined_by=at - SETTLE_AFTER, limit=100)
        for lead_id in lead_ids:
            _notify_and_ring([lapsed_offers.pass_on_lead(lead_id=lead_id, at=at)], at)
            publish_update("offer", lead=str(lead_id))
    return len(lead_ids)


def pass_on_lapsed_offers(*, at: datetime) -> int:
    """Pass every lapsed offer to the next officer on its chain; return how many lapsed."""
    with transaction.atomic():
        lapsed = lapsed_offers.end_overdue_offers(at=at, limit=100)
        missed_offers.pause_absent_officers([offer.officer_id for offer in lapsed], at=at)
        for offer in lapsed:
            _notify_and_ring([lapsed_offers.pass_on_lead(lead_id=offer.lead_id, at=at)], at)
            staff_notices.dismiss_for_officer(
                officer_id=offer.officer_id, cause=f"offer:{offer.offer_id}", at=at
            )
            publish_update("offer", lead=str(offer.lead_id))
    return len(lapsed)


def offer_waiting_leads(*, at: datetime) -> int:
    """Offer leads that waited for an officer to be open or eligible; return how many."""
    lead_ids = waiting_leads.find_leads_to_offer(at=at, limit=50)
    for lead_id in lead_ids:
        with transaction.atomic():
            # The lead can have lost its branch with its officer.
            rollup_deltas.append_missing_deltas(lead_id)
            _notify_and_ring([lapsed_offers.pass_on_lead(lead_id=lead_id, at=at)], at)
    return len(lead_ids)


def resume_officer(*, officer_id: UUID, by: User, at: datetime) -> None:
    """Let an officer take leads again, and offer waiting leads at once."""
    with transaction.atomic():
        officer_availability.resume_officer(officer_id=officer_id, by=by, at=at)
    offer_waiting_leads(at=at)


def end_due_pauses(*, at: datetime) -> int:
    """Resume the officers whose pause is over; return how many."""
    resumed = officer_availability.resume_due_officers(at=at)
    if resumed:
        offer_waiting_leads(at=at)
        publish_update("offer")
    return resumed


def end_unlicensed_assignments(*, at: datetime) -> int:
    """End assignments whose license expired; return how many leads will be offered again."""
    lead_ids = expired_licenses.end_unlawful_assignments(at=at)
    for lead_id in lead_ids:
        rollup_deltas.append_missing_deltas(lead_id)
    return len(lead_ids)


def reassign_lead(*, lead_id: UUID, officer_id: UUID, by: User, at: datetime) -> None:
    """Reassign a lead to an officer, by a manager. Raises `lead_ownership.CannotOwn`."""
    with transaction.atomic():
        lead_ownership.give_lead(lead_id=lead_id, officer_id=officer_id, by=by, at=at)
        rollup_deltas.recount_lead(Lead.objects.get(pk=lead_id))
        publish_update("offer", lead=str(lead_id))


def _notify_and_ring(assignments: Iterable[Assignment | Unassigned], at: datetime) -> None:
    """Notify and ring each officer with a new offer."""
    if _notify_offered_officers(assignments, at):
        ring_officers.enqueue()


def _notify_offered_officers(assignments: Iterable[Assignment | Unassigned], at: datetime) -> bool:
    """Queue a call and a notice to each officer with a new offer; return False if none is new."""
    offers = {
        assignment.offer_id: assignment
        for assignment in assignments
        if isinstance(assignment, Assignment) and assignment.offer_id and assignment.is_new
    }
    if not offers:
        return False
    officer_calls.queue_officer_calls(
        [(offer_id, offer.officer_id) for offer_id, offer in offers.items()], at=at
    )
    staff_notices.save_notices(
        [
            staff_notices.build_notice(
                user_id=offer.officer.user_id,
                kind="offer",
                cause=f"offer:{offer.pk}",
                text=f"{offer.lead.person.short_name}: new lead for you. "
                "If you don't take it, the next officer gets it.",
                link="/queue/",
                at=at,
            )
            for offer in NAMED_OFFERS.all(keys=[*offers])
        ]
    )
    publish_updates([("offer", None, {"lead": str(offer.lead_id)}) for offer in offers.values()])
    return True
