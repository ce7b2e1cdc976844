"""A loan officer's answer to an offer: take or decline it."""

from datetime import datetime
from uuid import UUID

from django.db import IntegrityError
from django.db.models import QuerySet
from django.db.transaction import atomic

from rooftree.core.uuid7 import uuid7_at
from rooftree.leads.models import Lead
from rooftree.ledger.write_events import write_event
from rooftree.routing.models import Offer, Ownership

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
        write_event(
            "routing.offer.taken",
            at=at,
            actor="system:routing",
            lead_id=offer.lead_id,
            person_id=offer.lead.person_id,
            offer_id=offer.pk,
            officer_id=offer.officer_id,
            ownership_id=ownership.pk,
            seconds=round((at - offer.offered_at).total_seconds()),
        )
    return ownership


def decline_offer(*, offer_id: UUID | str, officer_id: UUID | str, at: datetime) -> UUID:
    """Decline an offer for the officer; return the id of the lead, to be passed on at once.

    Safe to repeat. Raises `CannotTake` when the lead was taken or has gone to
    another officer.
    """
    offers = Offer.objects.filter(pk=offer_id, officer_id=UUID(str(officer_id)))
    with atomic():
        _lock_lead(offer_id)
        changed = offers.filter(**LIVE_OFFER).update(declined_at=at, end_reason="declined")
        offer = offers.select_related("lead").first()
        if offer is None or (not changed and offer.declined_at is None):
            raise CannotTake("This lead is no longer offered to you.")
        if changed:
            write_event(
                "routing.offer.declined",
                at=at,
                actor="system:routing",
                lead_id=offer.lead_id,
                person_id=offer.lead.person_id,
                offer_id=offer.pk,
                officer_id=offer.officer_id,
            )
    return offer.lead_id


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
