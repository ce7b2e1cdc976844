"""An offer that an officer declines on the page: undone within seconds, or passed on."""

import pytest

from rooftree.flow import lead_offers
from rooftree.flow.undo_window import SETTLE_AFTER
from rooftree.ledger.models import Event
from rooftree.routing import answer_offer, assign_leads, lead_ownership
from rooftree.routing.models import Offer
from tests import make

pytestmark = pytest.mark.django_db
DECLINED_AT = make.NOON + 20 * make.SECOND
IN_TIME, SETTLED = DECLINED_AT + 9 * make.SECOND, DECLINED_AT + SETTLE_AFTER


@pytest.fixture
def kofi(cast):
    return make.officer("Kofi Mensah", licensed=("FL",), branch=cast.tampa)


@pytest.fixture
def offer(cast):
    """Dana declined Ben, on the page."""
    answer = assign_leads.assign_to_best_officer(lead_id=cast.ben.pk, at=make.NOON)
    lead_offers.decline_offer(
        offer_id=answer.offer_id, officer_id=cast.dana.pk, at=DECLINED_AT, can_undo=True
    )
    return Offer.objects.get(pk=answer.offer_id)


def undo(cast, offer, at=IN_TIME):
    lead_offers.undo_decline(offer_id=offer.pk, officer_id=cast.dana.pk, at=at)


def test_undone_offer_stands_with_the_time_that_was_left(cast, offer):
    undo(cast, offer)
    undo(cast, offer)

    again = Offer.objects.get(pk=offer.pk)
    assert (again.declined_at, again.end_reason) == (None, "")
    assert again.due_at == offer.due_at + 9 * make.SECOND
    assert Event.objects.filter(kind="routing.offer.decline_undone").count() == 1
    assert lead_offers.pass_on_declined_offers(at=SETTLED) == 0


def test_lead_waits_for_the_undo_and_then_goes_to_the_next_officer(cast, offer, kofi):
    lead_offers.offer_waiting_leads(at=make.NOON + 29 * make.SECOND)
    assert Offer.objects.filter(lead=cast.ben).count() == 1

    assert lead_offers.pass_on_declined_offers(at=SETTLED) == 1

    assert Offer.objects.get(lead=cast.ben, declined_at=None).officer == kofi
    with pytest.raises(answer_offer.CannotTake, match="The lead went to Kofi Mensah."):
        undo(cast, offer, at=SETTLED)


def test_offer_cannot_be_undone_once_a_manager_gave_the_lead_away(cast, offer, kofi):
    lead_ownership.give_lead(
        lead_id=cast.ben.pk, officer_id=kofi.pk, by=cast.ruth, at=DECLINED_AT + make.SECOND
    )

    with pytest.raises(answer_offer.CannotTake, match="The lead went to Kofi Mensah."):
        undo(cast, offer)


def test_offer_cannot_be_undone_once_nobody_else_took_it(cast, offer):
    lead_offers.pass_on_declined_offers(at=SETTLED)

    with pytest.raises(answer_offer.CannotTake, match="The lead was passed on."):
        undo(cast, offer, at=SETTLED)
