"""Who has a lead: given by hand, claimed from the queue, given up."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError
from django.db.transaction import atomic

from rooftree.core.uuid7 import uuid7_at
from rooftree.leads.models import Lead
from rooftree.ledger.write_events import write_event
from rooftree.org import staff_notices
from rooftree.org.models import LoanOfficer, User
from rooftree.routing import response_deadline
from rooftree.routing.answer_offer import CannotTake, refusal_sentence, take_offer
from rooftree.routing.assign_leads import LIVE_OFFER
from rooftree.routing.models import Offer, Ownership
from rooftree.routing.routing_rules import TAKE_SECONDS


class CannotOwn(Exception):
    """The lead cannot be this officer's. The text is fit to show."""


def give_lead(
    *, lead_id: UUID | str, officer_id: UUID | str, by: User | None, at: datetime
) -> Ownership:
    """Hand a lead to an officer, whoever has it or is offered it now.

    Giving it to its owner changes nothing. The new owner hears of it; the
    borrower is owed an attempt within two minutes when none was made yet.
    Raises `CannotOwn` when the law does not let the officer have it.
    """
    with atomic():
        lead = _lock_lead(lead_id)
        held = Ownership.objects.filter(lead=lead, until_at=None).first()
        if held and str(held.officer_id) == str(officer_id):
            return held
        _end_ownership(lead, because="reassigned", by=by, at=at)
        ownership = _begin_ownership(lead, officer_id, by=by, at=at)
        _notify_owner(ownership, by=by, at=at)
    return ownership


def import_ownership(
    *, lead_id: UUID | str, officer_id: UUID | str, by: User | None, at: datetime
) -> Ownership:
    """An officer keeps a lead that was theirs in another system; only one that nobody has.

    Nothing is promised to the borrower, and nobody is told. Raises `CannotOwn` when the
    law does not let the officer have it.
    """
    with atomic():
        return _create_ownership(_lock_lead(lead_id), officer_id, by=by, at=at)


def claim_lead(*, lead_id: UUID | str, officer_id: UUID | str, at: datetime) -> Ownership:
    """An officer takes a lead that nobody has from the queue.

    Claiming twice is harmless. Raises `CannotOwn` when somebody has it, when it
    is being offered to somebody else, or when the law stands against it.
    """
    with atomic():
        lead = _lock_lead(lead_id)
        held = Ownership.objects.filter(lead=lead, until_at=None).first()
        if held and str(held.officer_id) == str(officer_id):
            return held
        if held:
            raise CannotOwn("This lead has gone to another loan officer.")
        offer = Offer.objects.filter(lead=lead, **LIVE_OFFER).first()
        if offer and str(offer.officer_id) != str(officer_id):
            raise CannotOwn("This lead is being offered to another loan officer at this moment.")
        if offer:
            return _take_offer(offer, at)
        return _begin_ownership(lead, officer_id, by=None, at=at)


def release_lead(*, lead_id: UUID | str, by: User | None, at: datetime, because: str) -> bool:
    """Take a lead from its owner and offers; nobody has it then. False when nobody had it.

    Args:
        because: a short code, kept with the ownership that ends.
    """
    with atomic():
        return _end_ownership(_lock_lead(lead_id), because=because, by=by, at=at)


def _lock_lead(lead_id: UUID | str) -> Lead:
    return Lead.objects.select_for_update(of=("self",), no_key=True).get(pk=lead_id)


def _end_ownership(lead: Lead, *, because: str, by: User | None, at: datetime) -> bool:
    """End the live ownership and the live offer; the database takes the officer off the lead."""
    offers = Offer.objects.filter(lead=lead, **LIVE_OFFER).update(
        lapsed_at=at, ended_because=because
    )
    held = Ownership.objects.filter(lead=lead, until_at=None).first()
    if held:
        until_at = max(at, held.from_at)
        Ownership.objects.filter(pk=held.pk).update(until_at=until_at, ended_because=because)
        write_event(
            "routing.ownership.ended",
            at=at,
            actor=_actor(by),
            lead_id=lead.pk,
            person_id=lead.person_id,
            officer_id=held.officer_id,
            row_id=held.pk,
            because=because,
        )
    return bool(held or offers)


def _begin_ownership(
    lead: Lead, officer_id: UUID | str, *, by: User | None, at: datetime
) -> Ownership:
    ownership = _create_ownership(lead, officer_id, by=by, at=at)
    response_deadline.set_deadline(lead, by=at + timedelta(seconds=TAKE_SECONDS), at=at)
    return ownership


def _create_ownership(
    lead: Lead, officer_id: UUID | str, *, by: User | None, at: datetime
) -> Ownership:
    try:
        with atomic():
            ownership = Ownership.objects.create(
                id=uuid7_at(at), lead=lead, officer_id=officer_id, given_by=by, from_at=at
            )
    except IntegrityError as refused:
        raise CannotOwn(refusal_sentence(refused)) from refused
    write_event(
        "routing.lead.given" if by else "routing.lead.claimed",
        at=at,
        actor=_actor(by),
        lead_id=lead.pk,
        person_id=lead.person_id,
        officer_id=officer_id,
        ownership_id=ownership.pk,
    )
    return ownership


def _take_offer(offer: Offer, at: datetime) -> Ownership:
    try:
        return take_offer(offer_id=offer.pk, officer_id=offer.officer_id, at=at)
    except CannotTake as refused:
        raise CannotOwn(str(refused)) from refused


def _notify_owner(ownership: Ownership, *, by: User | None, at: datetime) -> None:
    owner = LoanOfficer.objects.get(pk=ownership.officer_id)
    if by and owner.user_id == by.pk:
        return
    staff_notices.notify_user(
        user_id=owner.user_id,
        kind="given",
        idempotency_key=f"given:{ownership.pk}",
        text=f"{by.name if by else 'The system'} gave you a lead.",
        link=f"/leads/{ownership.lead_id}/",
        at=at,
    )


def _actor(by: User | None) -> str:
    return f"user:{by.pk}" if by else "system:routing"
