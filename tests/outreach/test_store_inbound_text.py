"""Inbound texts: every meaning, from every kind of number."""

import pytest

from rooftree.compliance.consent import reply_classifier
from rooftree.compliance.models import Revocation
from rooftree.flow import borrower_replies, call_outcomes
from rooftree.leads.models import ContactAttempt, Lead, Phone, Signal
from rooftree.nurture.models import Enrollment
from rooftree.outreach.inbound.store_inbound_text import find_lead_by_number
from rooftree.outreach.messages import plan_messages, send
from rooftree.outreach.models import Message
from rooftree.outreach.wording.message_templates import MessageContent
from tests import make
from tests.flow import journey

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("carriers")]
BEN = "+18135550142"
SAID = {
    "none": "Can we talk at 5?",
    "revoke": "STOP",
    "wrong_person": "You have the wrong number",
    "hold": "I have to cancel Tuesday, can you do Wednesday",
    "help": "HELP",
    "optin": "START",
}


@pytest.fixture
def lead(dana) -> Lead:
    arrived = journey.deliver(journey.create_website(), journey.form_post())
    if arrived.officer_id is None:
        make.ownership(arrived, dana)
    return Lead.objects.get(pk=arrived.pk)


def says(words: str, *, minutes: float = 10, sender: str = BEN, nth: int = 1, **changes):
    return borrower_replies.receive_text(
        sender=sender,
        body=words,
        carrier_id=f"SM{nth}",
        carrier="twilio",
        at=journey.later(minutes),
        **changes,
    )


def write_again(lead: Lead, minutes: float, cause: str = "typed:next") -> Message:
    """Queue an automatic text later and return its outcome."""
    made = send.queue_message(
        lead=lead,
        medium="text",
        purpose="marketing",
        cause=cause,
        words=MessageContent(body="Lindenfield Mortgage NMLS 1204417 here. Reply STOP to end."),
        to=BEN,
        at=journey.later(minutes),
    )
    journey.run(journey.later(minutes))
    return Message.objects.get(pk=made.pk)


@pytest.mark.parametrize(
    ("meaning", "kinds", "next_state"),
    [
        ("none", [], "sent"),
        ("revoke", ["stop"], "blocked"),
        ("wrong_person", ["wrong_person"], "blocked"),
        ("hold", ["review"], "review"),
        ("help", [], "sent"),
        ("optin", [], "sent"),
    ],
)
def test_each_reply_meaning_has_its_effect_on_next_text(lead, meaning, kinds, next_state):
    assert reply_classifier.classify_reply(SAID[meaning]).meaning == meaning

    reply = says(SAID[meaning])
    journey.run(journey.later(11))

    assert (reply.meaning, reply.is_new) == (meaning, True)
    kept = Message.objects.get(direction="in")
    assert (kept.body, kept.state, kept.lead, kept.read_at) == (
        SAID[meaning],
        "received",
        lead,
        None,
    )
    assert [revocation.kind for revocation in Revocation.objects.all()] == kinds
    assert ContactAttempt.objects.filter(direction="in", lead=lead).count() == 1
    is_sent = meaning not in ("revoke", "wrong_person")  # a STOP is not interest
    assert Signal.objects.filter(kind="replied", lead=lead).exists() is is_sent
    assert lead.officer.user.notices.filter(kind="reply").count() == 1
    assert write_again(lead, 25 * 60).state == next_state  # after the house's daily caps


def test_repeated_inbound_callback_changes_nothing(lead):
    says("STOP")
    before = (Message.objects.count(), Revocation.objects.count(), ContactAttempt.objects.count())

    again = says("STOP")

    assert not again.is_new
    assert before == (
        Message.objects.count(),
        Revocation.objects.count(),
        ContactAttempt.objects.count(),
    )


@pytest.mark.parametrize(("words", "cause"), [("STOP", "stop:"), ("HELP", "help:")])
def test_stop_and_help_get_one_confirmation_during_sequence(lead, carriers, words, cause):
    call_outcomes.record_outcome(
        lead_id=lead.pk, result="no_answer", by=lead.officer.user, at=journey.later(2)
    )
    says(words)

    journey.run(journey.later(11))

    answer = Message.objects.get(idempotency_key__startswith=cause)
    assert answer.state == "sent"
    assert carriers.texts[-1].body == answer.body
    assert Enrollment.objects.get().end_reason == "replied"


def test_second_stop_is_not_confirmed_again(lead, carriers):
    says("STOP")
    journey.run(journey.later(11))
    before = len(carriers.texts)

    says("stop", minutes=12, nth=2)
    journey.run(journey.later(13))

    assert len(carriers.texts) == before


def test_stop_confirmed_by_carrier_is_not_confirmed_by_us(lead, carriers):
    before = len(carriers.texts)

    says("STOP", is_answered=True)
    journey.run(journey.later(11))

    assert len(carriers.texts) == before


def test_stop_applies_when_confirmation_cannot_be_written(lead):
    make.edition("stop_confirmed", body="{{ nobody.knows }}")

    says("STOP")

    assert Revocation.objects.get().kind == "stop"
    assert Message.objects.filter(direction="in").count() == 1
    assert write_again(lead, 30).state == "blocked"


def test_stop_applies_despite_later_bug(lead, monkeypatch):
    monkeypatch.setattr(borrower_replies, "rescore_lead", lambda **_: 1 / 0)

    says("STOP")

    assert Revocation.objects.get().kind == "stop"
    assert Message.objects.filter(direction="in").count() == 1


def test_stop_from_unknown_number_applies_to_later_person(dana):
    reply = says("STOP", sender="+18135550199")

    assert reply.message is None
    row = Revocation.objects.get()
    assert (row.address, row.person_id) == ("+18135550199", None)
    lead = journey.deliver(
        journey.create_website(), journey.form_post(phone="(813) 555-0199"), at=journey.later(20)
    )
    assert Message.objects.get(lead=lead, medium="text").verdict.reason == "revoked"


def test_text_from_unknown_number_changes_nothing(dana):
    assert says("Hello?", sender="+18135550199").message is None
    assert not Message.objects.exists()


def test_reply_belongs_to_lead_last_texted(lead):
    """Two people in one household share the number."""
    ana = journey.deliver(
        journey.create_zillow(),
        journey.zillow_contact(
            sender={"firstName": "Guadalupe", "lastName": "Reyes", "emailAddress": "g@home.example"}
        ),
        at=journey.later(5),
    )
    assert ana.person != lead.person
    assert Message.objects.filter(lead=ana, medium="text", state="blocked").exists()

    assert find_lead_by_number(BEN) == lead  # Ana never got a text
    says("STOP")

    assert {revocation.address for revocation in Revocation.objects.all()} == {BEN}
    assert write_again(lead, 30).state == "blocked"
    assert write_again(ana, 31, "typed:ana").state == "blocked"  # by number, not by name


def test_wrong_number_reply_unlinks_number(lead):
    says(SAID["wrong_person"])

    assert Phone.objects.get(e164=BEN).unlinked_at == journey.later(10)
    assert find_lead_by_number(BEN) is None
    assert plan_messages.address_for(lead, "text") == ""


def test_start_restores_borrower_with_written_consent(lead):
    says("STOP")
    says("START", minutes=20, nth=2)

    assert Revocation.objects.get().ended_at == journey.later(20)
    assert write_again(lead, 30).state == "sent"


def test_start_restores_no_one_without_earlier_written_consent(dana):
    lead = journey.deliver(journey.create_zillow(), journey.zillow_contact())

    says("STOP")
    says("START", minutes=20, nth=2)

    assert write_again(lead, 30).state == "blocked"


def test_start_does_not_end_other_revocations(lead):
    Revocation.objects.create(
        person=lead.person,
        address=BEN,
        kind="do_not_contact",
        media=["call", "text"],
        origin="page:test",
        at=make.NOON,
        recorded_at=make.NOON,
        idempotency_key="test:dnc",
    )

    says("START", minutes=20)

    assert Revocation.objects.get().ended_at is None
    assert write_again(lead, 30).state == "blocked"


def test_stop_by_text_does_not_affect_email(lead):
    says("STOP")

    made = send.queue_message(
        lead=lead,
        medium="email",
        purpose="marketing",
        cause="typed:mail",
        words=MessageContent(body="Lindenfield Mortgage NMLS 1204417", subject="Your request"),
        to="ben.ortiz@home.example",
        at=journey.later(20),
    )
    journey.run(journey.later(20))

    made.refresh_from_db()
    assert made.state == "sent"


def test_unsubscribe_ends_marketing_but_not_loan_updates(lead):
    first = Message.objects.get(medium="email")
    words = MessageContent(body="Lindenfield Mortgage NMLS 1204417", subject="Your loan")
    for purpose in ("marketing", "informational"):
        send.queue_message(
            lead=lead,
            medium="email",
            purpose=purpose,
            cause=f"typed:{purpose}",
            words=words,
            to=first.to_address,
            at=journey.later(20),
        )

    for minutes in (5, 6):
        borrower_replies.unsubscribe_person(message=first, at=journey.later(minutes))
    journey.run(journey.later(20))

    assert Revocation.objects.get().kind == "unsubscribe"
    assert Message.objects.get(idempotency_key="typed:marketing").state == "cancelled"
    assert Message.objects.get(idempotency_key="typed:informational").state == "sent"
    assert write_again(lead, 30).state == "sent"  # it does not refer to texts


def test_unstorable_character_does_not_lose_a_stop(lead):
    says("STOP\x00")

    assert Revocation.objects.get().kind == "stop"
