"""Detection of returnable leads: each is drafted once, from what happened to it."""

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
from tests.flow.returns.claiming import (
    NEVADA,
    check_contracts,
    deliver_nevada_lead,
    record_contract,
)

pytestmark = pytest.mark.django_db


def test_out_of_area_lead_is_drafted_once_with_sentence_and_price(zillow, contract):
    lead = deliver_nevada_lead(zillow)

    for _ in range(3):
        check_contracts()
        Contract.objects.update(next_check_at=make.NOON)

    claim = Claim.objects.get()
    assert (claim.reason, claim.state, claim.claimed_cents) == ("out_of_area", "drafted", 65_50)
    assert claim.sentence == "The property is in NV, where we have no license."
    assert claim.touch.lead_id == lead.pk
    assert claim.send_by == claim.touch.at + 14 * make.DAY
    assert Event.objects.filter(kind="money.claim.drafted", lead_id=lead.pk).count() == 1


def test_good_test_and_free_leads_are_not_claimed(zillow, contract):
    journey.deliver(zillow, journey.zillow_contact())
    deliver_nevada_lead(journey.create_zillow(name="Trial", slug="trial", is_test=True, token="t2"))
    deliver_nevada_lead(zillow, price=0)

    check_contracts()

    assert not Claim.objects.exists()


def test_source_in_audit_has_no_returns_until_launched(zillow, contract):
    Source.objects.update(launched_at=None)
    lead = deliver_nevada_lead(zillow)

    check_contracts()
    vendor_returns.check_leads([lead.pk], at=make.NOON + make.DAY)
    assert not Claim.objects.exists()

    Source.objects.update(launched_at=make.NOON + make.DAY)
    check_contracts(days=2)
    assert Claim.objects.get().reason == "out_of_area"


def test_number_dead_at_carrier_is_claimed(zillow, contract):
    journey.deliver(zillow, journey.zillow_contact())
    carrier_callbacks.record_dead_number("+18135550142", at=make.NOON + make.HOUR)

    check_contracts()

    claim = Claim.objects.get()
    assert claim.reason == "invalid_phone"
    assert claim.evidence == [["Carrier report for (813) 555-0142", "Nov 23, 2026, 1:00 PM EST"]]


def test_bounced_email_is_claimed(zillow, contract):
    journey.deliver(zillow, journey.zillow_contact())
    carrier_callbacks.record_bounce(
        message_id="", address="Ben.Ortiz@home.example", at=make.NOON + make.HOUR
    )

    check_contracts()

    assert Claim.objects.get().reason == "invalid_email"


def test_wrong_number_outcome_drafts_claim_at_once(zillow, contract):
    dana = make.officer("Dana Whitfield")
    lead = journey.deliver(zillow, journey.zillow_contact())

    call_outcomes.record_outcome(
        lead_id=lead.pk, result="wrong_number", by=dana.user, at=make.NOON + make.HOUR
    )

    claim = Claim.objects.get()
    assert claim.reason == "wrong_number"
    assert "reached another person at (813) 555-0142" in claim.sentence
    assert [
        "Wrong number, reported by Dana Whitfield",
        "Nov 23, 2026, 1:00 PM EST",
    ] in claim.evidence


def test_second_paid_delivery_of_person_is_claimed_as_duplicate(zillow, contract):
    journey.deliver(zillow, journey.zillow_contact(id="LC-A"))
    journey.deliver(zillow, journey.zillow_contact(id="LC-B"), at=make.NOON + make.HOUR)

    check_contracts()

    claim = Claim.objects.get()
    assert (claim.reason, claim.touch.vendor_lead_id) == ("duplicate", "LC-B")
    assert "as lead LC-A" in claim.sentence


def test_duplicate_of_returned_lead_is_not_claimed(zillow, contract):
    deliver_nevada_lead(zillow, id="LC-A")
    check_contracts()
    journey.deliver(zillow, journey.zillow_contact(id="LC-B"), at=make.NOON + make.HOUR)

    check_contracts(1)

    assert [claim.touch.vendor_lead_id for claim in Claim.objects.all()] == ["LC-A"]


def test_refinance_after_purchase_is_not_duplicate(zillow, contract):
    journey.deliver(zillow, journey.zillow_contact())
    refinance = {"loanPurpose": "Refinance"}
    journey.deliver(zillow, journey.zillow_contact(details=refinance), at=make.NOON + make.HOUR)

    check_contracts()

    assert not Claim.objects.exists()


def test_only_reasons_in_contract_are_claimed(zillow, pat):
    record_contract(zillow, pat, reasons={"wrong_number": ""})
    deliver_nevada_lead(zillow)

    check_contracts()

    assert not Claim.objects.exists()


def test_lead_uses_contract_of_its_arrival_date(zillow, pat):
    record_contract(zillow, pat)
    record_contract(
        zillow, pat, from_date=make.NOON.date() + timedelta(days=1), reasons={"wrong_number": ""}
    )
    deliver_nevada_lead(zillow, id="LC-A")
    other = {"emailAddress": "ida@home.example", "phoneNumber": "8135550177", "firstName": "Ida"}
    journey.deliver(
        zillow, journey.zillow_contact(id="LC-B", details=NEVADA, sender=other),
        at=make.NOON + 2 * make.DAY,
    )  # fmt: skip

    check_contracts(3)

    assert [claim.touch.vendor_lead_id for claim in Claim.objects.all()] == ["LC-A"]


def test_corrected_contract_updates_drafts(zillow, contract, pat):
    deliver_nevada_lead(zillow)
    check_contracts()

    record_contract(zillow, pat, reasons={"wrong_number": ""}, at=make.NOON + make.DAY)
    check_contracts()
    assert Claim.objects.get().closed_as == "withdrawn"
    record_contract(zillow, pat, window_days=30, at=make.NOON + make.DAY)
    check_contracts()

    claim = Claim.objects.get()
    assert claim.state == "drafted"
    assert claim.send_by == claim.touch.at + 30 * make.DAY


@pytest.mark.parametrize(("days", "is_claimed"), [(13.99, True), (14, False)])
def test_ground_found_after_return_period_is_not_claimed(zillow, contract, days, is_claimed):
    journey.deliver(zillow, journey.zillow_contact())
    carrier_callbacks.record_dead_number("+18135550142", at=make.NOON + 13 * make.DAY)

    check_contracts(days)

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
def test_invalid_contract_is_refused(zillow, pat, change, field):
    with pytest.raises(InvalidContract) as problem:
        record_contract(zillow, pat, **change)

    assert problem.value.field == field
    assert not Contract.objects.exists()


def test_database_refuses_second_claim_for_same_delivery(zillow, contract):
    deliver_nevada_lead(zillow)
    check_contracts()
    claim = Claim.objects.get()

    claim.pk = make.uuid7()
    claim._state.adding = True
    with pytest.raises(IntegrityError), transaction.atomic():
        claim.save(force_insert=True)


def test_dropped_return_is_not_drafted_again(zillow, contract, pat):
    deliver_nevada_lead(zillow)
    check_contracts()
    return_claims.close_claim(
        Claim.objects.get().pk, note="A friend of the house", by=pat, at=make.NOON
    )

    Contract.objects.update(next_check_at=make.NOON)
    check_contracts()

    assert Claim.objects.get().closed_as == "dropped"


def test_number_reached_again_is_no_return_ground(zillow, contract):
    journey.deliver(zillow, journey.zillow_contact())
    carrier_callbacks.record_dead_number("+18135550142", at=make.NOON + make.HOUR)
    check_contracts()
    Phone.objects.update(dead_at=None)
    Contract.objects.update(next_check_at=make.NOON)

    check_contracts()

    assert Claim.objects.get().closed_as == "withdrawn"
