"""Changes of a lead's owner: assigned by hand, imported, claimed from the queue, released."""

from collections.abc import Collection
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
    """This officer cannot own the lead. The text is fit to show."""


def give_lead(
    *, lead_id: UUID | str, officer_id: UUID | str, by: User | None, at: datetime
) -> Ownership:
    """Assign a lead to an officer, ending any current ownership or offer.

    Assigning it to its owner changes nothing. The new owner is notified, and a
    first attempt is due within two minutes unless one was made or the lead is in nurture. Raises
    `CannotOwn` when the law does not let the officer have the lead.
    """
    with atomic():
        lead = _lock_lead(lead_id)
        current = Ownership.objects.filter(lead=lead, until_at=None).first()
        if current and str(current.officer_id) == str(officer_id):
            return current
        _end_ownership(lead, because="reassigned", by=by, at=at)
        ownership = _begin_ownership(lead, officer_id, by=by, at=at)
        _notify_owner(ownership, by=by, at=at)
    return ownership


def hand_over_leads(
    lead_ids: Collection[UUID], *, officer_id: UUID, because: str, by: User, at: datetime
) -> int:
    """Move leads to an officer in one go, with one notice; return how many were moved.

    Unlike `give_lead`, no first attempt is due. Raises `CannotOwn`.
    """
    with atomic():
        for lead_id in lead_ids:
            lead = _lock_lead(lead_id)
            _end_ownership(lead, because=because, by=by, at=at)
            _create_ownership(lead, officer_id, by=by, at=at)
        if lead_ids:
            owner = LoanOfficer.objects.get(pk=officer_id)
            count = len(lead_ids)
            staff_notices.notify_user(
                user_id=owner.user_id,
                kind="given",
                idempotency_key=f"handover:{officer_id}:{at.isoformat()}",
                text=f"{by.name} assigned you {count} lead{'' if count == 1 else 's'} of a "
                "loan officer who left.",
                link=f"/team/{officer_id}/leads/",
                at=at,
            )
    return len(lead_ids)


def import_ownership(
    *, lead_id: UUID | str, officer_id: UUID | str, by: User | None, at: datetime
) -> Ownership:
    """Give an unowned lead to the officer who owned it in another system.

    No response is due and no one is notified. Raises `CannotOwn` when the law does
    not let the officer have the lead.
    """
    with atomic():
        return _create_ownership(_lock_lead(lead_id), officer_id, by=by, at=at)


def claim_lead(*, lead_id: UUID | str, officer_id: UUID | str, at: datetime) -> Ownership:
    """Give an unowned lead in the queue to the officer who claims it.

    Safe to repeat. Raises `CannotOwn` when another officer owns the lead or has an
    offer of it, or when the law does not let the officer have it.
    """
    with atomic():
        lead = _lock_lead(lead_id)
        current = Ownership.objects.filter(lead=lead, until_at=None).first()
        if current and str(current.officer_id) == str(officer_id):
            return current
        if current:
            raise CannotOwn("This lead has gone to another loan officer.")
        offer = Offer.objects.filter(lead=lead, **LIVE_OFFER).first()
        if offer and str(offer.officer_id) != str(officer_id):
            raise CannotOwn("This lead is being offered to another loan officer right now.")
        if offer:
            try:
                return take_offer(offer_id=offer.pk, officer_id=offer.officer_id, at=at)
            except CannotTake as error:
                raise CannotOwn(str(error)) from error
        return _begin_ownership(lead, officer_id, by=None, at=at)


def release_lead(*, lead_id: UUID | str, by: User | None, at: datetime, because: str) -> bool:
    """End a lead's ownership and offer; return False if it had neither.

    Args:
        because: a short code, stored with the ownership that ends.
    """
    with atomic():
        return _end_ownership(_lock_lead(lead_id), because=because, by=by, at=at)


def _lock_lead(lead_id: UUID | str) -> Lead:
    return Lead.objects.select_for_update(of=("self",), no_key=True).get(pk=lead_id)


def _end_ownership(lead: Lead, *, because: str, by: User | None, at: datetime) -> bool:
    """End the live ownership and offer; the database clears the officer on the lead."""
    offers = Offer.objects.filter(lead=lead, **LIVE_OFFER).update(expired_at=at, end_reason=because)
    ownership = Ownership.objects.filter(lead=lead, until_at=None).first()
    if ownership:
        until_at = max(at, ownership.from_at)
        Ownership.objects.filter(pk=ownership.pk).update(until_at=until_at, end_reason=because)
        write_event(
            "routing.ownership.ended",
            at=at,
            actor=_actor(by),
            lead_id=lead.pk,
            person_id=lead.person_id,
            officer_id=ownership.officer_id,
            row_id=ownership.pk,
            because=because,
        )
    return bool(ownership or offers)


def _begin_ownership(
    lead: Lead, officer_id: UUID | str, *, by: User | None, at: datetime
) -> Ownership:
    ownership = _create_ownership(lead, officer_id, by=by, at=at)
    if lead.state in response_deadline.EARLY_STATES:
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
    except IntegrityError as error:
        raise CannotOwn(refusal_sentence(error)) from error
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


def _notify_owner(ownership: Ownership, *, by: User | None, at: datetime) -> None:
    owner = LoanOfficer.objects.get(pk=ownership.officer_id)
    if by and owner.user_id == by.pk:
        return
    staff_notices.notify_user(
        user_id=owner.user_id,
        kind="given",
        idempotency_key=f"given:{ownership.pk}",
        text=f"{by.name if by else 'Rooftree'} assigned you a lead: "
        f"{ownership.lead.person.short_name}",
        link=f"/leads/{ownership.lead_id}/",
        at=at,
    )


def _actor(by: User | None) -> str:
    return f"user:{by.pk}" if by else "system:routing"
