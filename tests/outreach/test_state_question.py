"""A lead without a property state can be called by hand to ask for it, and not written to."""

import pytest

from rooftree.outreach.messages import contact_permissions
from rooftree.routing import lead_ownership
from tests import make


@pytest.fixture
def stateless(cast):
    """A lead of Dana's with a Florida number and no property state."""
    person = make.person(first_name="Jordan", phone="+18135550177")
    lead = make.lead(source=cast.zillow, person=person, property_state="")
    make.touch(lead, source=cast.zillow)
    lead_ownership.give_lead(lead_id=lead.pk, officer_id=cast.dana.pk, by=None, at=make.NOON)
    return lead


def permission_of(lead, medium, at=make.NOON):
    return contact_permissions.permissions_of_lead(lead.pk, at=at)[medium]


def license_ruling(permission):
    return next(ruling for ruling in permission.rulings if ruling.rule == "LIC-01")


def test_call_by_hand_can_ask_for_the_state(stateless):
    ruling = license_ruling(permission_of(stateless, "call"))

    assert (ruling.decision.value, ruling.reason) == ("allow", "asks_property_state")


def test_text_waits_for_the_state(stateless):
    ruling = license_ruling(permission_of(stateless, "text"))

    assert (ruling.decision.value, ruling.reason) == ("require", "property_state_needed")


def test_call_keeps_to_the_hours_where_the_number_is(stateless):
    permission = permission_of(stateless, "call", at=make.NIGHT)

    assert not permission.is_allowed
    assert any(ruling.reason == "after_window" for ruling in permission.rulings)


def test_number_without_a_place_is_not_called(cast):
    person = make.person(first_name="Jordan", phone="+18885550100")
    lead = make.lead(source=cast.zillow, person=person, property_state="")

    permission = permission_of(lead, "call")

    assert not permission.is_allowed
    assert any(ruling.reason == "location_evidence_missing" for ruling in permission.rulings)
