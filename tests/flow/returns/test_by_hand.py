"""Returns that a person asks for, and numbers that calls showed to be nobody's."""

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
from tests.flow.returns.claiming import agree

pytestmark = pytest.mark.django_db
LATER = make.NOON + make.HOUR
WHY = "Says they never asked for a loan."


@pytest.fixture
def arrived(zillow, pat) -> Touch:
    agree(zillow, pat, reasons={"invalid_phone": "", "wrong_number": ""})
    journey.deliver(zillow, journey.zillow_contact())
    return Touch.objects.get()


def ask(touch, by, reason="wrong_number", sentence=WHY, at=LATER) -> Claim:
    return vendor_returns.draft_return_by_hand(
        touch_id=touch.pk, reason=reason, sentence=sentence, by=by, at=at
    )


def test_a_person_asks_for_a_return_in_their_own_words_and_name(arrived, pat):
    claim = ask(arrived, pat)

    assert (claim.reason, claim.sentence, claim.state) == ("wrong_number", WHY, "drafted")
    assert (claim.asked_cents, claim.asked_by) == (65_50, pat)
    assert claim.evidence == [["Asked by hand by", "Pat Lowe"]]
    assert claim.send_by == arrived.at + 14 * make.DAY
    assert claim.steps.get().by == pat


def test_looking_again_at_what_happened_does_not_withdraw_it(arrived, pat):
    claim = ask(arrived, pat)

    Contract.objects.update(look_at=LATER)
    vendor_returns.check_due_contracts(at=LATER)
    vendor_returns.check_leads([arrived.lead_id], at=LATER)

    claim.refresh_from_db()
    assert (claim.state, claim.sentence) == ("drafted", WHY)


def test_what_we_know_ourselves_stands_beside_the_persons_word(arrived, pat):
    call_outcomes.record_outcome(lead_id=arrived.lead_id, result="wrong_number", by=pat, at=LATER)
    found = Claim.objects.get()
    return_claims.close_claim(found.pk, note="I write it myself.", by=pat, at=LATER)

    with pytest.raises(ClaimNotAllowed, match="there already"):  # a person decided on it
        ask(arrived, pat)


def test_one_that_was_withdrawn_by_itself_can_be_asked_for_by_hand(arrived, pat):
    call_outcomes.record_outcome(lead_id=arrived.lead_id, result="wrong_number", by=pat, at=LATER)
    return_claims.withdraw_claim(Claim.objects.get(), because="no longer so", at=LATER)

    claim = ask(arrived, pat, at=LATER + make.HOUR)

    assert (claim.state, claim.closed_as, claim.asked_by) == ("drafted", "", pat)
    assert ["Wrong number, says Pat Lowe", "Nov 23, 2026, 13:00 EST"] in claim.evidence


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ({"reason": "out_of_area"}, "does not take leads back for this"),
        ({"sentence": "  "}, "the vendor reads it"),
        ({"at": make.NOON + timedelta(days=14)}, "for 14 days, not longer"),
    ],
)
def test_what_the_contract_does_not_take_is_not_asked_for(arrived, pat, typed, why):
    with pytest.raises(ClaimNotAllowed, match=why):
        ask(arrived, pat, **typed)

    assert not Claim.objects.exists()


def test_until_the_last_moment_it_can_be_asked_for(arrived, pat):
    assert ask(arrived, pat, at=arrived.at + 14 * make.DAY - make.SECOND)


def test_twice_is_told_not_doubled(arrived, pat):
    ask(arrived, pat)

    with pytest.raises(ClaimNotAllowed, match="there already"):
        ask(arrived, pat)
    assert Claim.objects.count() == 1


def test_without_a_contract_a_price_or_a_launch_there_is_nothing_to_ask(zillow, pat):
    journey.deliver(zillow, journey.zillow_contact(price=0))
    free = Touch.objects.get()
    with pytest.raises(ClaimNotAllowed, match="Nothing was paid"):
        ask(free, pat)

    journey.deliver(zillow, journey.zillow_contact(sender={"phoneNumber": "8135550143"}))
    paid = Touch.objects.exclude(pk=free.pk).get()
    with pytest.raises(ClaimNotAllowed, match="No contract with Zillow"):
        ask(paid, pat)

    agree(zillow, pat, reasons={"wrong_number": ""})
    Source.objects.update(launched_at=None)
    with pytest.raises(ClaimNotAllowed, match="in audit"):
        ask(paid, pat)


def called(lead_id, *, status: str, by) -> None:
    """A call the ring connected, whose end the carrier told."""
    ring = Ring.objects.filter(offer__lead=lead_id).first()
    ContactAttempt.objects.create(
        lead_id=lead_id, person_id=Lead.objects.get(pk=lead_id).person_id, medium="call",
        address="+18135550142", by=by, at=LATER, cause=f"ring:{ring.pk}",
    )  # fmt: skip
    call_events.on_borrower_call_ended(ring_id=ring.pk, dial_status=status, at=LATER)


@pytest.fixture
def rung(zillow, pat) -> Lead:
    agree(zillow, pat, reasons={"invalid_phone": "", "wrong_number": ""})
    make.officer("Dana Whitfield", licensed=("FL",))
    return journey.deliver(zillow, journey.zillow_contact())


def test_a_call_the_carrier_failed_at_and_an_officer_who_heard_why_make_a_number_nobodys(rung, pat):
    called(rung.pk, status="failed", by=pat)
    assert not Claim.objects.exists()

    call_outcomes.record_outcome(
        lead_id=rung.pk, result="bad_number", by=pat, at=LATER + make.MINUTE
    )

    claim = Claim.objects.get()
    assert claim.reason == "invalid_phone"
    assert Phone.objects.get().dead_at == LATER + make.MINUTE
    assert ContactAttempt.objects.get(medium="call").result == "bad_number"


@pytest.mark.parametrize("status", ["no-answer", "busy", "completed"])
def test_an_officers_word_alone_makes_no_number_nobodys(rung, pat, status):
    called(rung.pk, status=status, by=pat)

    call_outcomes.record_outcome(
        lead_id=rung.pk, result="bad_number", by=pat, at=LATER + make.MINUTE
    )

    assert Phone.objects.get().dead_at is None
    assert not Claim.objects.exists()


def test_a_failed_call_alone_makes_none_either(rung, pat):
    called(rung.pk, status="failed", by=pat)

    call_outcomes.record_outcome(
        lead_id=rung.pk, result="no_answer", by=pat, at=LATER + make.MINUTE
    )

    assert Phone.objects.get().dead_at is None
    assert not Claim.objects.exists()


@pytest.mark.usefixtures("committed")
def test_the_carriers_own_failed_call_is_the_evidence(world):
    pat = make.user("operations", name="Pat Lowe")
    zillow = journey.zillow()
    agree(zillow, pat, reasons={"invalid_phone": ""})
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
