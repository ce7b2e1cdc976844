"""Ringing the officer: who hears what, who gets the lead, and who is connected."""

import pytest

from rooftree.compliance.consent import store_revocation
from rooftree.compliance.models import Verdict
from rooftree.flow import call_events, call_outcomes, clock, lead_offers
from rooftree.flow.message_dispatch import ring_due_officers
from rooftree.leads.models import ContactAttempt, Lead
from rooftree.ledger.models import Event
from rooftree.org.models import LoanOfficer
from rooftree.outreach.calls import officer_calls
from rooftree.outreach.models import Ring, Template
from rooftree.routing.models import Offer, Ownership
from tests import make
from tests.flow import journey

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("carriers")]


@pytest.fixture
def rung(dana) -> Ring:
    """A Florida purchase is on offer to Dana, and her phone rings."""
    journey.deliver(journey.website(), journey.form_post())
    return Ring.objects.select_related("offer__lead").get()


def press(rung: Ring, digits: str, minutes: float = 0.2) -> str:
    return call_events.on_officer_pressed(ring_id=rung.pk, digits=digits, at=journey.later(minutes))


def test_the_officer_is_rung_once_about_an_offer(rung, dana, carriers):
    journey.run(journey.later(0.1))

    placed = list(carriers.twilio.account.calls.values())
    assert [call.to for call in placed] == [dana.phone]
    assert (rung.state, rung.carrier_id) == ("placed", placed[0].sid)


def test_an_offer_that_has_gone_keeps_no_officer_of_another_waiting(dana, carriers):
    lead_offers.assign_officers(
        [make.lead().pk for _ in range(officer_calls.BATCH_SIZE + 2)], at=make.NOON
    )
    gone = Ring.objects.order_by("due_at", "pk")[0]
    lead_offers.decline_offer(offer_id=gone.offer_id, officer_id=dana.pk, at=make.NOON)

    with clock.freeze(make.NOON):
        ring_due_officers()

    assert len(carriers.twilio.account.calls) == officer_calls.BATCH_SIZE + 1
    assert Ring.objects.get(pk=gone.pk).state == "skipped"


def test_the_officer_hears_who_it_is_and_what_to_press(rung):
    said = call_events.on_officer_answered(ring_id=rung.pk, at=journey.later(0.1))

    assert "purchase lead" in said
    assert "in Florida: Ben." in said
    assert "Press 1" in said
    assert f"/in/twilio/ring/{rung.pk}/key/" in said
    for private in ("Ortiz", "0142", "home.example"):
        assert private not in said
    assert Ring.objects.get().state == "answered"


def test_one_takes_the_lead_and_connects_the_borrower(rung, dana):
    markup = press(rung, "1")

    assert Ownership.objects.get().officer == dana
    assert "<Number>+18135550142</Number>" in markup
    attempt = ContactAttempt.objects.get(medium="call")
    assert (attempt.cause, attempt.by) == (f"ring:{rung.pk}", dana.user)
    assert Verdict.objects.get(cause=f"ring:{rung.pk}").decision == "allow"
    lead = Lead.objects.get()
    assert lead.officer == dana
    assert lead.first_attempt_at == journey.later(0.2)


def test_the_ledger_names_the_words_that_were_before_whoever_was_put_through(rung):
    press(rung, "1")

    said = Event.objects.get(kind="outreach.call.placed")
    words = Template.objects.get(key="call_opening", language="en")
    assert said.data["opening"] == str(words.pk)
    assert said.data["attempt"] == str(ContactAttempt.objects.get(medium="call").pk)
    assert said.person_id == rung.offer.lead.person_id  # so it is in the file about them


def test_a_repeated_callback_of_the_key_takes_and_calls_once(rung):
    first, second = press(rung, "1"), press(rung, "1", 0.3)

    assert second == first
    assert Ownership.objects.count() == 1
    assert ContactAttempt.objects.filter(medium="call").count() == 1


@pytest.mark.parametrize("digits", ["2", "9", "#", "", "11"])
def test_any_other_key_and_a_voicemail_box_take_nothing(rung, digits):
    assert "Not taken" in press(rung, digits)

    assert not Ownership.objects.exists()
    assert Offer.objects.get().taken_at is None


def test_after_it_lapsed_the_officer_hears_that_it_is_gone(rung):
    Offer.objects.update(lapsed_at=journey.later(2), ended_because="silence")

    assert "taken by another loan officer" in call_events.on_officer_answered(
        ring_id=rung.pk, at=journey.later(3)
    )
    assert "another loan officer" in press(rung, "1", 3)
    assert not Ownership.objects.exists()


def test_of_two_officers_who_press_one_gets_the_lead(rung, dana):
    sam = make.officer("Sam Rivera", licensed=("FL",))
    lead_offers.reassign_lead(
        lead_id=rung.offer.lead_id,
        officer_id=sam.pk,
        by=make.user("manager"),
        at=journey.later(0.1),
    )

    markup = press(rung, "1")

    assert "<Dial" not in markup
    assert Lead.objects.get().officer == sam
    assert Ownership.objects.get().officer == sam


def test_a_call_that_is_not_lawful_now_is_not_connected_and_the_lead_is_theirs(rung, dana):
    store_revocation.store_revocation(
        person_id=None,
        address="+18135550142",
        kind="do_not_contact",
        media=["call"],
        origin="page:test",
        idempotency_key="test:dnc",
        at=make.NOON,
    )

    markup = press(rung, "1")

    assert "The lead is yours. The call can’t be connected now." in markup
    assert "<Dial" not in markup
    assert Ownership.objects.get().officer == dana
    assert not ContactAttempt.objects.filter(medium="call").exists()


def test_nobody_is_called_under_a_number_that_is_not_ours(rung, dana, settings):
    settings.TWILIO_NUMBERS = ["8135550199"]  # no number that a carrier shows

    markup = press(rung, "1")

    assert "The lead is yours. The call can’t be connected now." in markup
    assert "calls must show a company number" in markup
    assert "<Dial" not in markup
    assert Ownership.objects.get().officer == dana
    assert not ContactAttempt.objects.filter(medium="call").exists()


def test_a_lead_without_a_number_is_taken_and_says_so(rung):
    rung.offer.lead.person.phones.update(unlinked_at=make.NOON)

    assert "No phone number on file yet" in press(rung, "1")
    assert Ownership.objects.count() == 1


@pytest.mark.parametrize(
    ("status", "result", "talked"),
    [("completed", "spoken", True), ("no-answer", "no_answer", False)],
)
def test_the_end_of_the_connected_call_is_noted_once(rung, status, result, talked):
    press(rung, "1")

    for minutes in (3, 4):
        call_events.on_borrower_call_ended(
            ring_id=rung.pk, dial_status=status, at=journey.later(minutes)
        )

    assert ContactAttempt.objects.get(medium="call").result == result
    assert Lead.objects.get().first_talk_at == (journey.later(3) if talked else None)


def test_the_officers_own_word_on_a_connected_call_is_no_second_attempt(rung, dana):
    press(rung, "1")
    call_events.on_borrower_call_ended(
        ring_id=rung.pk, dial_status="completed", at=journey.later(3)
    )

    for _ in range(2):
        call_outcomes.record_outcome(
            lead_id=rung.offer.lead_id, result="voicemail", by=dana.user, at=journey.later(4)
        )

    assert ContactAttempt.objects.get(medium="call").result == "voicemail"


@pytest.mark.parametrize(
    ("action", "state", "later_state"),
    [
        ("status:429", "due", "placed"),
        ("status:400", "failed", "failed"),
        ("drop_after_commit", "failed", "failed"),  # unknown fate: not rung twice
    ],
)
def test_a_carrier_that_does_not_ring(dana, carriers, action, state, later_state):
    carriers.twilio.faults.add_fault(
        {"match": {"op": "create Calls"}, "action": action, "count": 1, "body": '{"code": 21211}'}
    )
    journey.deliver(journey.website(), journey.form_post())
    assert Ring.objects.get().state == state

    journey.run(journey.later(0.2))

    assert Ring.objects.get().state == later_state
    assert len(carriers.twilio.account.calls) <= 1


def test_a_ring_whose_offer_is_gone_is_not_placed(dana, carriers):
    with_fault = {"match": {"op": "create Calls"}, "action": "status:429", "count": 1}
    carriers.twilio.faults.add_fault(with_fault)
    journey.deliver(journey.website(), journey.form_post())
    lead_offers.take_offer(
        offer_id=Offer.objects.get().pk, officer_id=dana.pk, at=journey.later(0.05)
    )

    journey.run(journey.later(0.2))

    assert Ring.objects.get().state == "skipped"
    assert carriers.twilio.account.calls == {}


def test_a_ring_claimed_before_a_crash_is_not_placed_again(rung, carriers):
    Ring.objects.update(state="claimed", carrier_id="")

    journey.run(journey.later(0.9))
    assert Ring.objects.get().state == "claimed"
    officer_calls.fail_stale_rings(at=journey.later(1.1))

    assert Ring.objects.get().state == "failed"
    assert len(carriers.twilio.account.calls) == 1


def test_news_out_of_order_does_not_bring_an_ended_ring_back(rung):
    call_events.on_officer_call_status(
        ring_id=rung.pk, carrier_status="completed", at=journey.later(0.5)
    )
    call_events.on_officer_answered(ring_id=rung.pk, at=journey.later(0.6))

    ended = Ring.objects.get()
    assert (ended.state, ended.ended_at) == ("ended", journey.later(0.5))


def test_the_officer_is_told_by_text_as_well_once_and_with_no_more_than_the_whisper(
    rung, dana, carriers
):
    LoanOfficer.objects.filter(pk=dana.pk).update(is_texted=True)
    rung.officer.refresh_from_db()

    assert officer_calls.text_officers([rung], at=journey.later(0.1))
    assert not officer_calls.text_officers([rung], at=journey.later(0.2))

    (text,) = [text for text in carriers.texts if text.to == dana.phone]
    assert "Ben" in text.body
    assert "Ortiz" not in text.body
    assert "/queue/" in text.body


def test_an_officer_who_wants_no_texts_gets_none(rung, carriers):
    assert not officer_calls.text_officers([rung], at=journey.later(0.1))
    assert rung.officer.phone not in [text.to for text in carriers.texts]


def test_a_text_the_carrier_refuses_changes_nothing_about_the_call(rung, dana, carriers):
    LoanOfficer.objects.filter(pk=dana.pk).update(is_texted=True)
    rung.officer.refresh_from_db()
    carriers.answer(400, 21211)

    assert not officer_calls.text_officers([rung], at=journey.later(0.1))

    rung.refresh_from_db()
    assert rung.state == "placed"
    assert rung.problem.startswith("By text:")
