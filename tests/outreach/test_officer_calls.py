"""Calls to officers about an offer: the whisper, the keys, the lead's owner and the connection."""

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
    """Offer a Florida purchase lead to Dana and ring her phone."""
    journey.deliver(journey.create_website(), journey.form_post())
    return Ring.objects.select_related("offer__lead").get()


def press(rung: Ring, digits: str, minutes: float = 0.2) -> str:
    return call_events.on_officer_pressed(ring_id=rung.pk, digits=digits, at=journey.later(minutes))


def test_officer_is_called_once_per_offer(rung, dana, carriers):
    journey.run(journey.later(0.1))

    placed = list(carriers.twilio.account.calls.values())
    assert [call.to for call in placed] == [dana.phone]
    assert (rung.state, rung.carrier_id) == ("placed", placed[0].sid)


def test_expired_offer_does_not_delay_other_officers(dana, carriers):
    lead_offers.assign_officers(
        [make.lead().pk for _ in range(officer_calls.BATCH_SIZE + 2)], at=make.NOON
    )
    expired_ring = Ring.objects.order_by("due_at", "pk")[0]
    lead_offers.decline_offer(offer_id=expired_ring.offer_id, officer_id=dana.pk, at=make.NOON)

    with clock.freeze(make.NOON):
        ring_due_officers()

    assert len(carriers.twilio.account.calls) == officer_calls.BATCH_SIZE + 1
    assert Ring.objects.get(pk=expired_ring.pk).state == "skipped"


def test_officer_hears_lead_and_key_to_press(rung):
    spoken = call_events.on_officer_answered(ring_id=rung.pk, at=journey.later(0.1))

    assert "purchase lead" in spoken
    assert "in Florida: Ben." in spoken
    assert "Press 1" in spoken
    assert f"/in/twilio/ring/{rung.pk}/key/" in spoken
    for private in ("Ortiz", "0142", "home.example"):
        assert private not in spoken
    assert Ring.objects.get().state == "answered"


def test_pressing_1_accepts_lead_and_connects_borrower(rung, dana):
    markup = press(rung, "1")

    assert Ownership.objects.get().officer == dana
    assert "<Number>+18135550142</Number>" in markup
    attempt = ContactAttempt.objects.get(medium="call")
    assert (attempt.idempotency_key, attempt.by) == (f"ring:{rung.pk}", dana.user)
    assert Verdict.objects.get(idempotency_key=f"ring:{rung.pk}").decision == "allow"
    lead = Lead.objects.get()
    assert lead.officer == dana
    assert lead.first_attempt_at == journey.later(0.2)


def test_ledger_names_script_version_of_connected_call(rung):
    press(rung, "1")

    event = Event.objects.get(kind="outreach.call.placed")
    words = Template.objects.get(key="call_opening", language="en")
    assert event.data["opening"] == str(words.pk)
    assert event.data["attempt"] == str(ContactAttempt.objects.get(medium="call").pk)
    assert event.person_id == rung.offer.lead.person_id  # so it is in the borrower's record


def test_repeated_key_callback_accepts_and_calls_once(rung):
    first, second = press(rung, "1"), press(rung, "1", 0.3)

    assert second == first
    assert Ownership.objects.count() == 1
    assert ContactAttempt.objects.filter(medium="call").count() == 1


@pytest.mark.parametrize("digits", ["2", "9", "#", "", "11"])
def test_other_key_or_voicemail_accepts_nothing(rung, digits):
    assert "Not taken" in press(rung, digits)

    assert not Ownership.objects.exists()
    assert Offer.objects.get().accepted_at is None


def test_officer_hears_that_offer_has_expired(rung):
    Offer.objects.update(expired_at=journey.later(2), end_reason="silence")

    assert "taken by another loan officer" in call_events.on_officer_answered(
        ring_id=rung.pk, at=journey.later(3)
    )
    assert "another loan officer" in press(rung, "1", 3)
    assert not Ownership.objects.exists()


def test_first_of_two_officers_to_press_gets_the_lead(rung, dana):
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


def test_unlawful_call_is_not_connected_and_officer_keeps_lead(rung, dana):
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


def test_call_uses_only_our_own_caller_id(rung, dana, settings):
    settings.TWILIO_NUMBERS = ["8135550199"]  # not a number a carrier can show

    markup = press(rung, "1")

    assert "The lead is yours. The call can’t be connected now." in markup
    assert "calls must show a company number" in markup
    assert "<Dial" not in markup
    assert Ownership.objects.get().officer == dana
    assert not ContactAttempt.objects.filter(medium="call").exists()


def test_lead_without_number_is_accepted_with_notice(rung):
    rung.offer.lead.person.phones.update(unlinked_at=make.NOON)

    assert "No phone number on file yet" in press(rung, "1")
    assert Ownership.objects.count() == 1


@pytest.mark.parametrize(
    ("status", "result", "talked"),
    [("completed", "spoken", True), ("no-answer", "no_answer", False)],
)
def test_end_of_connected_call_is_recorded_once(rung, status, result, talked):
    press(rung, "1")

    for minutes in (3, 4):
        call_events.on_borrower_call_ended(
            ring_id=rung.pk, dial_status=status, at=journey.later(minutes)
        )

    assert ContactAttempt.objects.get(medium="call").result == result
    assert Lead.objects.get().first_conversation_at == (journey.later(3) if talked else None)


def test_officers_outcome_of_connected_call_is_no_second_attempt(rung, dana):
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
        ("drop_after_commit", "failed", "failed"),  # unknown outcome: not called twice
    ],
)
def test_carrier_failure_sets_state_of_officer_call(dana, carriers, action, state, later_state):
    carriers.twilio.faults.add_fault(
        {"match": {"op": "create Calls"}, "action": action, "count": 1, "body": '{"code": 21211}'}
    )
    journey.deliver(journey.create_website(), journey.form_post())
    assert Ring.objects.get().state == state

    journey.run(journey.later(0.2))

    assert Ring.objects.get().state == later_state
    assert len(carriers.twilio.account.calls) <= 1


def test_officer_call_of_expired_offer_is_not_placed(dana, carriers):
    with_fault = {"match": {"op": "create Calls"}, "action": "status:429", "count": 1}
    carriers.twilio.faults.add_fault(with_fault)
    journey.deliver(journey.create_website(), journey.form_post())
    lead_offers.take_offer(
        offer_id=Offer.objects.get().pk, officer_id=dana.pk, at=journey.later(0.05)
    )

    journey.run(journey.later(0.2))

    assert Ring.objects.get().state == "skipped"
    assert carriers.twilio.account.calls == {}


def test_officer_call_claimed_before_crash_is_not_placed_again(rung, carriers):
    Ring.objects.update(state="claimed", carrier_id="")

    journey.run(journey.later(0.9))
    assert Ring.objects.get().state == "claimed"
    officer_calls.fail_stale_rings(at=journey.later(1.1))

    assert Ring.objects.get().state == "failed"
    assert len(carriers.twilio.account.calls) == 1


def test_late_callback_does_not_reopen_ended_officer_call(rung):
    call_events.on_officer_call_status(
        ring_id=rung.pk, carrier_status="completed", at=journey.later(0.5)
    )
    call_events.on_officer_answered(ring_id=rung.pk, at=journey.later(0.6))

    ended = Ring.objects.get()
    assert (ended.state, ended.ended_at) == ("ended", journey.later(0.5))


def test_officer_gets_one_text_with_only_the_whispered_facts(rung, dana, carriers):
    LoanOfficer.objects.filter(pk=dana.pk).update(is_texted=True)
    rung.officer.refresh_from_db()

    assert officer_calls.text_officers([rung], at=journey.later(0.1))
    assert not officer_calls.text_officers([rung], at=journey.later(0.2))

    (text,) = [text for text in carriers.texts if text.to == dana.phone]
    assert "Ben" in text.body
    assert "Ortiz" not in text.body
    assert "/queue/" in text.body


def test_officer_who_declined_texts_gets_none(rung, carriers):
    assert not officer_calls.text_officers([rung], at=journey.later(0.1))
    assert rung.officer.phone not in [text.to for text in carriers.texts]


def test_rejected_officer_text_does_not_affect_call(rung, dana, carriers):
    LoanOfficer.objects.filter(pk=dana.pk).update(is_texted=True)
    rung.officer.refresh_from_db()
    carriers.answer(400, 21211)

    assert not officer_calls.text_officers([rung], at=journey.later(0.1))

    rung.refresh_from_db()
    assert rung.state == "placed"
    assert rung.problem.startswith("By text:")
