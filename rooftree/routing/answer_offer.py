"""An officer's answer to an offer: take it, or say no."""

from datetime import datetime
from uuid import UUID

from django.db import IntegrityError
from django.db.models import QuerySet
from django.db.transaction import atomic

from rooftree.core.uuid7 import uuid7_at
from rooftree.leads.models import Lead
from rooftree.ledger.write_events import write_event
from rooftree.routing.models import Offer, Ownership

LIVE_OFFER = {"taken_at": None, "passed_at": None, "lapsed_at": None}


class CannotTake(Exception):
    """The lead is no longer this officer's to take. The text is fit to show."""


def take_offer(*, offer_id: UUID | str, officer_id: UUID | str, at: datetime) -> Ownership:
    """The officer takes the lead that was offered, and owns it from now on.

    Pressing twice is harmless and keeps the first time. After the time to take
    it, the lead can still be taken until it was passed on. Raises `CannotTake`.
    """
    mine = Offer.objects.filter(pk=offer_id, officer_id=UUID(str(officer_id)))
    with atomic():
        _lock_lead(offer_id)
        # Compare and set: of a take and a lapse in the same instant, one changes the row.
        if not _mark_taken(mine, at):
            return _find_earlier_take(mine)
        offer = mine.select_related("lead").get()
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
    """The officer says no; returns the lead, which is to be passed on at once.

    Saying no twice is harmless. Raises `CannotTake` when the lead was taken or
    has gone to another officer.
    """
    mine = Offer.objects.filter(pk=offer_id, officer_id=UUID(str(officer_id)))
    with atomic():
        _lock_lead(offer_id)
        changed = mine.filter(**LIVE_OFFER).update(passed_at=at, ended_because="declined")
        offer = mine.select_related("lead").first()
        if offer is None or (not changed and offer.passed_at is None):
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
    # The lead first, as every verb does: two of them then wait and never deadlock.
    leads = Lead.objects.select_for_update(of=("self",), no_key=True)
    leads.filter(offers=UUID(str(offer_id))).values_list("pk", flat=True).first()


def _mark_taken(mine: QuerySet[Offer], at: datetime) -> bool:
    try:
        with atomic():
            return bool(mine.filter(**LIVE_OFFER).update(taken_at=at))
    except IntegrityError as refused:
        raise CannotTake(refusal_sentence(refused)) from refused


def refusal_sentence(refused: IntegrityError) -> str:
    """The database's own sentence about a refused attachment. Other errors are raised again."""
    text = str(refused).splitlines()[0]
    if not text.startswith("Not allowed"):
        raise refused
    return text


def _find_earlier_take(mine: QuerySet[Offer]) -> Ownership:
    offer = mine.filter(taken_at__isnull=False).first()
    ownership = Ownership.objects.filter(offer=offer).first() if offer else None
    if ownership is None:
        raise CannotTake("This lead has gone to another loan officer.")
    return ownership
