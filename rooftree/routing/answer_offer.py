"""A loan officer's answer to an offer: take or decline it."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError
from django.db.models import QuerySet
from django.db.transaction import atomic

from rooftree.core.uuid7 import uuid7_at
from rooftree.leads.models import Lead
from rooftree.ledger.write_events import write_event
from rooftree.routing.models import Offer, Ownership

DECLINED = "declined"
CAN_UNDO = "declined_just_now"  # within the undo window; the lead waits and is passed on after it
LIVE_OFFER = {"accepted_at": None, "declined_at": None, "expired_at": None}


class CannotTake(Exception):
    """This officer can no longer take the lead. The text is fit to show."""


def take_offer(*, offer_id: UUID | str, officer_id: UUID | str, at: datetime) -> Ownership:
    """Take an offered lead for the officer, who owns it from now on.

    Safe to repeat: the first take counts. An overdue offer can still be taken
    until the lead was passed on. Raises `CannotTake`.
    """
    offers = Offer.objects.filter(pk=offer_id, officer_id=UUID(str(officer_id)))
    with atomic():
        _lock_lead(offer_id)
        # Compare and set: if a take and a lapse race, only one changes the row.
        if not _mark_taken(offers, at):
            return _find_earlier_take(offers)
        offer = offers.select_related("lead").get()
        ownership = Ownership.objects.create(
            id=uuid7_at(at), lead=offer.lead, officer_id=offer.officer_id, offer=offer, from_at=at
        )
        _write_answer(
            "routing.offer.taken",
            offer,
            at,
            ownership_id=ownership.pk,
            seconds=round((at - offer.offered_at).total_seconds()),
        )
    return ownership


def decline_offer(
    *, offer_id: UUID | str, officer_id: UUID | str, at: datetime, can_undo: bool = False
) -> UUID:
    """Decline an offer for the officer; return the id of the lead, to be passed on.

    Safe to repeat. Raises `CannotTake` when the lead was taken or has gone to
    another officer.

    Args:
        can_undo: the lead is passed on after the undo window, by `settle_declined_offers`.
    """
    offers = Offer.objects.filter(pk=offer_id, officer_id=UUID(str(officer_id)))
    with atomic():
        _lock_lead(offer_id)
        end_reason = CAN_UNDO if can_undo else DECLINED
        changed = offers.filter(**LIVE_OFFER).update(declined_at=at, end_reason=end_reason)
        offer = offers.select_related("lead").first()
        if offer is None or (not changed and offer.declined_at is None):
            raise CannotTake("This lead is no longer offered to you.")
        if changed:
            _write_answer("routing.offer.declined", offer, at)
    return offer.lead_id


def undo_decline(*, offer_id: UUID, officer_id: UUID, at: datetime) -> Offer:
    """Offer a lead again to the officer who declined it a moment ago, with the time that was left.

    Safe to repeat. Raises `CannotTake` once the lead was passed on, and names who has it.
    """
    offers = Offer.objects.filter(pk=offer_id, officer_id=officer_id)
    with atomic():
        _lock_lead(offer_id)
        offer = offers.select_related("lead__officer__user").first()
        if offer is None:
            raise CannotTake("This lead is no longer offered to you.")
        others = Offer.objects.filter(lead=offer.lead_id, **LIVE_OFFER).exclude(pk=offer.pk)
        other = others.select_related("officer__user").first()
        if holder := offer.lead.officer or (other.officer if other else None):
            raise CannotTake(f"It’s too late to undo this. The lead went to {holder.user.name}.")
        if offer.declined_at is None and offer.expired_at is None:
            return offer
        if offer.declined_at is None or offer.end_reason != CAN_UNDO:
            raise CannotTake("It’s too late to undo this. The lead was passed on.")
        due_at = offer.due_at + max(at - offer.declined_at, timedelta(0))
        offers.update(declined_at=None, end_reason="", due_at=due_at)
        _write_answer("routing.offer.decline_undone", offer, at)
    return offer


def settle_declined_offers(*, declined_by: datetime, limit: int) -> list[UUID]:
    """End the undo of offers declined by a moment; return the leads, for `pass_on_lead`."""
    with atomic():
        due = (
            Offer.objects.filter(end_reason=CAN_UNDO, declined_at__lte=declined_by)
            .select_for_update(of=("self", "lead"), no_key=True, skip_locked=True)
            .select_related("lead")
            .order_by("declined_at", "id")[:limit]
        )
        lead_ids = {offer.pk: offer.lead_id for offer in due}
        Offer.objects.filter(pk__in=lead_ids).update(end_reason=DECLINED)
    return list(lead_ids.values())


def _write_answer(kind: str, offer: Offer, at: datetime, **more: object) -> None:
    write_event(
        kind,
        at=at,
        actor="system:routing",
        lead_id=offer.lead_id,
        person_id=offer.lead.person_id,
        offer_id=offer.pk,
        officer_id=offer.officer_id,
        **more,
    )


def _lock_lead(offer_id: UUID | str) -> None:
    # Lock the lead before its offer, as every writer does: writers then wait and never deadlock.
    leads = Lead.objects.select_for_update(of=("self",), no_key=True)
    leads.filter(offers=UUID(str(offer_id))).values_list("pk", flat=True).first()


def _mark_taken(offers: QuerySet[Offer], at: datetime) -> bool:
    try:
        with atomic():
            return bool(offers.filter(**LIVE_OFFER).update(accepted_at=at))
    except IntegrityError as error:
        raise CannotTake(refusal_sentence(error)) from error


def refusal_sentence(error: IntegrityError) -> str:
    """Return the database's sentence about a refused assignment; raise any other error again."""
    text = str(error).splitlines()[0]
    if not text.startswith("Not allowed"):
        raise error
    return text


def _find_earlier_take(offers: QuerySet[Offer]) -> Ownership:
    offer = offers.filter(accepted_at__isnull=False).first()
    ownership = Ownership.objects.filter(offer=offer).first() if offer else None
    if ownership is None:
        raise CannotTake("This lead has gone to another loan officer.")
    return ownership
