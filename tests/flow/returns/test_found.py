"""Leads that their vendors take back are found from what happened, each once."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from rooftree.flow import call_outcomes, vendor_returns
from rooftree.leads.models import Phone, Source
from rooftree.ledger.models import Event
from rooftree.money import return_claims
from rooftree.money.models import Claim, Contract
from rooftree.money.vendor_contracts import InvalidContract
from rooftree.outreach.inbound import carrier_callbacks
from tests import make
from tests.flow import journey
from tests.flow.returns.claiming import NEVADA, agree, from_nevada, look

pytestmark = pytest.mark.django_db


def test_what_is_out_of_area_is_drafted_once_with_its_sentence_and_price(zillow, contract):
    lead = from_nevada(zillow)

    for _ in range(3):
        look()
        Contract.objects.update(look_at=make.NOON)

    claim = Claim.objects.get()
    assert (claim.reason, claim.state, claim.asked_cents) == ("out_of_area", "drafted", 65_50)
    assert claim.sentence == "The property is in NV, where we hold no license."
    assert claim.touch.lead_id == lead.pk
    assert claim.send_by == claim.touch.at + 14 * make.DAY
    assert Event.objects.filter(kind="money.claim.drafted", lead_id=lead.pk).count() == 1


def test_a_good_lead_a_test_lead_and_a_free_lead_are_not_claimed(zillow, contract):
    journey.deliver(zillow, journey.zillow_contact())
    from_nevada(journey.zillow(name="Trial", slug="trial", is_test=True, token="t2"))
    from_nevada(zillow, price=0)

    look()

    assert not Claim.objects.exists()


def test_nothing_is_returned_of_a_source_in_audit_until_it_is_launched(zillow, contract):
    Source.objects.update(launched_at=None)
    lead = from_nevada(zillow)

    look()
    vendor_returns.check_leads([lead.pk], at=make.NOON + make.DAY)
    assert not Claim.objects.exists()

    Source.objects.update(launched_at=make.NOON + make.DAY)
    look(days=2)
    assert Claim.objects.get().reason == "out_of_area"


def test_a_number_the_carrier_knows_to_be_nobodys_is_claimed(zillow, contract):
    journey.deliver(zillow, journey.zillow_contact())
    carrier_callbacks.record_dead_number("+18135550142", at=make.NOON + make.HOUR)

    look()

    claim = Claim.objects.get()
    assert claim.reason == "invalid_phone"
    assert claim.evidence == [["Carrier on (813) 555-0142", "Nov 23, 2026, 13:00 EST"]]


def test_mail_that_came_back_is_claimed(zillow, contract):
    journey.deliver(zillow, journey.zillow_contact())
    carrier_callbacks.record_bounce(
        message_id="", address="Ben.Ortiz@home.example", at=make.NOON + make.HOUR
    )

    look()

    assert Claim.objects.get().reason == "invalid_email"


def test_one_tap_of_the_officer_makes_the_claim_at_once(zillow, contract):
    dana = make.officer("Dana Whitfield")
    lead = journey.deliver(zillow, journey.zillow_contact())

    call_outcomes.record_outcome(
        lead_id=lead.pk, result="wrong_number", by=dana.user, at=make.NOON + make.HOUR
    )

    claim = Claim.objects.get()
    assert claim.reason == "wrong_number"
    assert "reached another person at (813) 555-0142" in claim.sentence
    assert ["Wrong number, says Dana Whitfield", "Nov 23, 2026, 13:00 EST"] in claim.evidence


def test_the_second_of_two_paid_deliveries_of_one_person_is_the_duplicate(zillow, contract):
    journey.deliver(zillow, journey.zillow_contact(id="LC-A"))
    journey.deliver(zillow, journey.zillow_contact(id="LC-B"), at=make.NOON + make.HOUR)

    look()

    claim = Claim.objects.get()
    assert (claim.reason, claim.touch.vendor_lead_id) == ("duplicate", "LC-B")
    assert "as lead LC-A" in claim.sentence


def test_a_duplicate_of_one_that_is_asked_back_itself_is_none(zillow, contract):
    from_nevada(zillow, id="LC-A")
    look()
    journey.deliver(zillow, journey.zillow_contact(id="LC-B"), at=make.NOON + make.HOUR)

    look(1)

    assert [claim.touch.vendor_lead_id for claim in Claim.objects.all()] == ["LC-A"]


def test_a_refinance_after_a_purchase_is_no_duplicate(zillow, contract):
    journey.deliver(zillow, journey.zillow_contact())
    refinance = {"loanPurpose": "Refinance"}
    journey.deliver(zillow, journey.zillow_contact(details=refinance), at=make.NOON + make.HOUR)

    look()

    assert not Claim.objects.exists()


def test_only_reasons_the_contract_accepts_are_claimed(zillow, pat):
    agree(zillow, pat, reasons={"wrong_number": ""})
    from_nevada(zillow)

    look()

    assert not Claim.objects.exists()


def test_a_lead_goes_by_the_contract_of_its_day(zillow, pat):
    agree(zillow, pat)
    agree(zillow, pat, from_date=make.NOON.date() + timedelta(days=1), reasons={"wrong_number": ""})
    from_nevada(zillow, id="LC-A")
    other = {"emailAddress": "ida@home.example", "phoneNumber": "8135550177", "firstName": "Ida"}
    journey.deliver(
        zillow, journey.zillow_contact(id="LC-B", details=NEVADA, sender=other),
        at=make.NOON + 2 * make.DAY,
    )  # fmt: skip

    look(3)

    assert [claim.touch.vendor_lead_id for claim in Claim.objects.all()] == ["LC-A"]


def test_a_slip_in_a_contract_is_mended_and_the_drafts_follow(zillow, contract, pat):
    from_nevada(zillow)
    look()

    agree(zillow, pat, reasons={"wrong_number": ""}, at=make.NOON + make.DAY)
    look()
    assert Claim.objects.get().closed_as == "withdrawn"
    agree(zillow, pat, window_days=30, at=make.NOON + make.DAY)
    look()

    claim = Claim.objects.get()
    assert claim.state == "drafted"
    assert claim.send_by == claim.touch.at + 30 * make.DAY


@pytest.mark.parametrize(("days", "is_claimed"), [(13.99, True), (14, False)])
def test_what_is_found_when_the_time_is_over_is_not_claimed(zillow, contract, days, is_claimed):
    journey.deliver(zillow, journey.zillow_contact())
    carrier_callbacks.record_dead_number("+18135550142", at=make.NOON + 13 * make.DAY)

    look(days)

    assert Claim.objects.exists() is is_claimed


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"window_days": 0}, "window_days"),
        ({"warn_days": 14}, "warn_days"),
        ({"duplicate_days": 0}, "duplicate_days"),
        ({"reasons": {"ugly": ""}}, "reasons"),
        ({"statuses": {"denied": ""}}, "statuses"),
    ],
)
def test_a_contract_that_makes_no_sense_is_refused(zillow, pat, change, field):
    with pytest.raises(InvalidContract) as problem:
        agree(zillow, pat, **change)

    assert problem.value.field == field
    assert not Contract.objects.exists()


def test_the_database_itself_refuses_a_second_claim_for_one_paid_delivery(zillow, contract):
    from_nevada(zillow)
    look()
    claim = Claim.objects.get()

    claim.pk = make.uuid7()
    claim._state.adding = True
    with pytest.raises(IntegrityError), transaction.atomic():
        claim.save(force_insert=True)


def test_what_a_person_dropped_is_not_drafted_again(zillow, contract, pat):
    from_nevada(zillow)
    look()
    return_claims.close_claim(
        Claim.objects.get().pk, note="A friend of the house", by=pat, at=make.NOON
    )

    Contract.objects.update(look_at=make.NOON)
    look()

    assert Claim.objects.get().closed_as == "dropped"


def test_a_number_the_carrier_gave_up_and_then_reached_is_no_ground(zillow, contract):
    journey.deliver(zillow, journey.zillow_contact())
    carrier_callbacks.record_dead_number("+18135550142", at=make.NOON + make.HOUR)
    look()
    Phone.objects.update(dead_at=None)
    Contract.objects.update(look_at=make.NOON)

    look()

    assert Claim.objects.get().closed_as == "withdrawn"
