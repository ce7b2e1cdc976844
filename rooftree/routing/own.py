"""Who has a lead: given by hand, claimed from the queue, given up."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError
from django.db.transaction import atomic

from rooftree.core.uuid7 import uuid7_at
from rooftree.leads.models import Lead
from rooftree.ledger.write import write
from rooftree.org import notices
from rooftree.org.models import LoanOfficer, User
from rooftree.routing import promise
from rooftree.routing.acknowledge import CannotTake, said, take
from rooftree.routing.assign import LIVE
from rooftree.routing.models import Offer, Ownership
from rooftree.routing.rules import TAKE_SECONDS


class CannotOwn(Exception):
    """The lead cannot be this officer's. The text is fit to show."""


def give(
    *, lead_id: UUID | str, officer_id: UUID | str, by: User | None, at: datetime
) -> Ownership:
    """Hand a lead to an officer, whoever has it or is offered it now.

    Giving it to its owner changes nothing. The new owner hears of it; the
    borrower is owed an attempt within two minutes when none was made yet.
    Raises `CannotOwn` when the law does not let the officer have it.
    """
    with atomic():
        lead = _lock(lead_id)
        held = Ownership.objects.filter(lead=lead, until_at=None).first()
        if held and str(held.officer_id) == str(officer_id):
            return held
        _end(lead, because="reassigned", by=by, at=at)
        ownership = _begin(lead, officer_id, by=by, at=at)
        _tell_owner(ownership, by=by, at=at)
    return ownership


def settle(
    *, lead_id: UUID | str, officer_id: UUID | str, by: User | None, at: datetime
) -> Ownership:
    """An officer keeps a lead that was theirs in another system; only one that nobody has.

    Nothing is promised to the borrower, and nobody is told. Raises `CannotOwn` when the
    law does not let the officer have it.
    """
    with atomic():
        return _hold(_lock(lead_id), officer_id, by=by, at=at)


def claim(*, lead_id: UUID | str, officer_id: UUID | str, at: datetime) -> Ownership:
    """An officer takes a lead that nobody has from the queue.

    Claiming twice is harmless. Raises `CannotOwn` when somebody has it, when it
    is being offered to somebody else, or when the law stands against it.
    """
    with atomic():
        lead = _lock(lead_id)
        held = Ownership.objects.filter(lead=lead, until_at=None).first()
        if held and str(held.officer_id) == str(officer_id):
            return held
        if held:
            raise CannotOwn("This lead has gone to another loan officer.")
        offer = Offer.objects.filter(lead=lead, **LIVE).first()
        if offer and str(offer.officer_id) != str(officer_id):
            raise CannotOwn("This lead is being offered to another loan officer at this moment.")
        if offer:
            return _take_own(offer, at)
        return _begin(lead, officer_id, by=None, at=at)


def release(*, lead_id: UUID | str, by: User | None, at: datetime, because: str) -> bool:
    """Take a lead from its owner and offers; nobody has it then. False when nobody had it.

    Args:
        because: a short code, kept with the ownership that ends.
    """
    with atomic():
        return _end(_lock(lead_id), because=because, by=by, at=at)


def _lock(lead_id: UUID | str) -> Lead:
    return Lead.objects.select_for_update(of=("self",), no_key=True).get(pk=lead_id)


def _end(lead: Lead, *, because: str, by: User | None, at: datetime) -> bool:
    """End the live ownership and the live offer; the database takes the officer off the lead."""
    offers = Offer.objects.filter(lead=lead, **LIVE).update(lapsed_at=at, ended_because=because)
    held = Ownership.objects.filter(lead=lead, until_at=None).first()
    if held:
        until_at = max(at, held.from_at)
        Ownership.objects.filter(pk=held.pk).update(until_at=until_at, ended_because=because)
        write(
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


def _begin(lead: Lead, officer_id: UUID | str, *, by: User | None, at: datetime) -> Ownership:
    ownership = _hold(lead, officer_id, by=by, at=at)
    promise.owe(lead, by=at + timedelta(seconds=TAKE_SECONDS), at=at)
    return ownership


def _hold(lead: Lead, officer_id: UUID | str, *, by: User | None, at: datetime) -> Ownership:
    try:
        with atomic():
            ownership = Ownership.objects.create(
                id=uuid7_at(at), lead=lead, officer_id=officer_id, given_by=by, from_at=at
            )
    except IntegrityError as refused:
        raise CannotOwn(said(refused)) from refused
    write(
        "routing.lead.given" if by else "routing.lead.claimed",
        at=at,
        actor=_actor(by),
        lead_id=lead.pk,
        person_id=lead.person_id,
        officer_id=officer_id,
        ownership_id=ownership.pk,
    )
    return ownership


def _take_own(offer: Offer, at: datetime) -> Ownership:
    try:
        return take(offer_id=offer.pk, officer_id=offer.officer_id, at=at)
    except CannotTake as refused:
        raise CannotOwn(str(refused)) from refused


def _tell_owner(ownership: Ownership, *, by: User | None, at: datetime) -> None:
    owner = LoanOfficer.objects.get(pk=ownership.officer_id)
    if by and owner.user_id == by.pk:
        return
    notices.tell(
        user_id=owner.user_id,
        kind="given",
        cause=f"given:{ownership.pk}",
        text=f"{by.name if by else 'The system'} gave you a lead.",
        link=f"/leads/{ownership.lead_id}/",
        at=at,
    )


def _actor(by: User | None) -> str:
    return f"user:{by.pk}" if by else "system:routing"
