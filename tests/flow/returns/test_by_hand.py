"""Returns requested by staff, and phone numbers that calls showed to be dead."""

from datetime import timedelta

import pytest

from rooftree.flow import call_events, call_outcomes, vendor_returns
from rooftree.leads.models import ContactAttempt, Lead, Phone, Source, Touch
from rooftree.money import return_claims
from rooftree.money.models import Claim, Contract
from rooftree.money.return_claims import ClaimNotAllowed
from rooftree.outreach.models import Ring
from tests import make
from tests.flow import journey
from tests.flow.returns.claiming import record_contract

pytestmark = pytest.mark.django_db
LATER = make.NOON + make.HOUR
WHY = "Says they never asked for a loan."


@pytest.fixture
def paid_touch(zillow, pat) -> Touch:
    record_contract(zillow, pat, reasons={"invalid_phone": "", "wrong_number": ""})
    journey.deliver(zillow, journey.zillow_contact())
    return Touch.objects.get()


def draft_return(touch, by, reason="wrong_number", sentence=WHY, at=LATER) -> Claim:
    return vendor_returns.draft_return_by_hand(
        touch_id=touch.pk, reason=reason, sentence=sentence, by=by, at=at
    )


def test_manual_return_keeps_words_and_name_of_requester(paid_touch, pat):
    claim = draft_return(paid_touch, pat)

    assert (claim.reason, claim.sentence, claim.state) == ("wrong_number", WHY, "drafted")
    assert (claim.claimed_cents, claim.requested_by) == (65_50, pat)
    assert claim.evidence == [["Requested by", "Pat Lowe"]]
    assert claim.send_by == paid_touch.at + 14 * make.DAY
    assert claim.steps.get().by == pat


def test_later_checks_do_not_withdraw_manual_return(paid_touch, pat):
    claim = draft_return(paid_touch, pat)

    Contract.objects.update(next_check_at=LATER)
    vendor_returns.check_due_contracts(at=LATER)
    vendor_returns.check_leads([paid_touch.lead_id], at=LATER)

    claim.refresh_from_db()
    assert (claim.state, claim.sentence) == ("drafted", WHY)


def test_closed_automatic_return_cannot_be_requested_manually(paid_touch, pat):
    call_outcomes.record_outcome(
        lead_id=paid_touch.lead_id, result="wrong_number", by=pat, at=LATER
    )
    claim = Claim.objects.get()
    return_claims.close_claim(claim.pk, note="I write it myself.", by=pat, at=LATER)

    with pytest.raises(ClaimNotAllowed, match="already has a return"):  # a person closed it
        draft_return(paid_touch, pat)


def test_automatically_withdrawn_return_can_be_requested_manually(paid_touch, pat):
    call_outcomes.record_outcome(
        lead_id=paid_touch.lead_id, result="wrong_number", by=pat, at=LATER
    )
    return_claims.withdraw_claim(Claim.objects.get(), because="no longer so", at=LATER)

    claim = draft_return(paid_touch, pat, at=LATER + make.HOUR)

    assert (claim.state, claim.closed_as, claim.requested_by) == ("drafted", "", pat)
    assert ["Wrong number, reported by Pat Lowe", "Nov 23, 2026, 1:00 PM EST"] in claim.evidence


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"reason": "out_of_area"}, "doesn't allow returns for this reason"),
        ({"sentence": "  "}, "The vendor will read it"),
        ({"at": make.NOON + timedelta(days=14)}, "The 14-day return period is over"),
    ],
)
def test_return_outside_contract_is_refused(paid_touch, pat, changes, reason):
    with pytest.raises(ClaimNotAllowed, match=reason):
        draft_return(paid_touch, pat, **changes)

    assert not Claim.objects.exists()


def test_return_can_be_requested_until_last_second(paid_touch, pat):
    assert draft_return(paid_touch, pat, at=paid_touch.at + 14 * make.DAY - make.SECOND)


def test_second_manual_return_is_refused(paid_touch, pat):
    draft_return(paid_touch, pat)

    with pytest.raises(ClaimNotAllowed, match="already has a return"):
        draft_return(paid_touch, pat)
    assert Claim.objects.count() == 1


def test_manual_return_requires_contract_price_and_launch(zillow, pat):
    journey.deliver(zillow, journey.zillow_contact(price=0))
    free_touch = Touch.objects.get()
    with pytest.raises(ClaimNotAllowed, match="Nothing was paid"):
        draft_return(free_touch, pat)

    journey.deliver(zillow, journey.zillow_contact(sender={"phoneNumber": "8135550143"}))
    paid_touch = Touch.objects.exclude(pk=free_touch.pk).get()
    with pytest.raises(ClaimNotAllowed, match="No contract with Zillow"):
        draft_return(paid_touch, pat)

    record_contract(zillow, pat, reasons={"wrong_number": ""})
    Source.objects.update(launched_at=None)
    with pytest.raises(ClaimNotAllowed, match="in audit"):
        draft_return(paid_touch, pat)


def end_call(lead_id, *, status: str, by) -> None:
    """Record a connected call and the end that the carrier reported."""
    ring = Ring.objects.filter(offer__lead=lead_id).first()
    ContactAttempt.objects.create(
        lead_id=lead_id, person_id=Lead.objects.get(pk=lead_id).person_id, medium="call",
        address="+18135550142", by=by, at=LATER, idempotency_key=f"ring:{ring.pk}",
    )  # fmt: skip
    call_events.on_borrower_call_ended(ring_id=ring.pk, dial_status=status, at=LATER)


@pytest.fixture
def called_lead(zillow, pat) -> Lead:
    record_contract(zillow, pat, reasons={"invalid_phone": "", "wrong_number": ""})
    make.officer("Dana Whitfield", licensed=("FL",))
    return journey.deliver(zillow, journey.zillow_contact())


def test_failed_call_and_officer_report_mark_number_dead(called_lead, pat):
    end_call(called_lead.pk, status="failed", by=pat)
    assert not Claim.objects.exists()

    call_outcomes.record_outcome(
        lead_id=called_lead.pk, result="bad_number", by=pat, at=LATER + make.MINUTE
    )

    claim = Claim.objects.get()
    assert claim.reason == "invalid_phone"
    assert Phone.objects.get().dead_at == LATER + make.MINUTE
    assert ContactAttempt.objects.get(medium="call").result == "bad_number"


@pytest.mark.parametrize("status", ["no-answer", "busy", "completed"])
def test_officer_report_alone_does_not_mark_number_dead(called_lead, pat, status):
    end_call(called_lead.pk, status=status, by=pat)

    call_outcomes.record_outcome(
        lead_id=called_lead.pk, result="bad_number", by=pat, at=LATER + make.MINUTE
    )

    assert Phone.objects.get().dead_at is None
    assert not Claim.objects.exists()


def test_failed_call_alone_does_not_mark_number_dead(called_lead, pat):
    end_call(called_lead.pk, status="failed", by=pat)

    call_outcomes.record_outcome(
        lead_id=called_lead.pk, result="no_answer", by=pat, at=LATER + make.MINUTE
    )

    assert Phone.objects.get().dead_at is None
    assert not Claim.objects.exists()


@pytest.mark.usefixtures("committed")
def test_failed_call_at_carrier_is_claim_evidence(world):
    pat = make.user("operations", name="Pat Lowe")
    zillow = journey.create_zillow()
    record_contract(zillow, pat, reasons={"invalid_phone": ""})
    dana = make.officer("Dana Whitfield", licensed=("FL",), text_number="")
    world.officer_behaves(dana.phone, voice="answer", answer_after_s=2, digits=["1"])
    world.officer_behaves("+18135550142", voice="failed")
    journey.deliver(zillow, journey.zillow_contact())
    world.pass_time("PT2M")
    call = ContactAttempt.objects.get(medium="call")
    assert (call.address, call.result, call.failed_at) == (
        "+18135550142", "no_answer", make.NOON,
    )  # fmt: skip

    call_outcomes.record_outcome(lead_id=call.lead_id, result="bad_number", by=dana.user, at=LATER)

    assert "the carrier" in Claim.objects.get().sentence.lower()
