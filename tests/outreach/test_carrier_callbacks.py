"""News from the carrier, in any order and as often as it likes."""

import itertools

import pytest

from rooftree.leads.models import ContactAttempt, Lead, Phone, Signal
from rooftree.outreach.inbound import carrier_callbacks
from rooftree.outreach.models import Message
from tests import make
from tests.flow import journey

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("carriers")]


@pytest.fixture
def text(dana) -> Message:
    journey.deliver(journey.website(), journey.form_post())
    return Message.objects.get(medium="text")


def told(one: Message, said: str, *, minutes: float = 1, **form: str) -> bool:
    return carrier_callbacks.record_text_status(
        {"MessageSid": one.carrier_id or "SM-new", "MessageStatus": said, **form},
        reference=str(one.pk),
        at=journey.later(minutes),
    )


def now(one: Message) -> Message:
    return Message.objects.get(pk=one.pk)


@pytest.mark.parametrize("order", list(itertools.permutations(["queued", "sent", "delivered"])))
def test_whatever_the_order_a_delivered_text_ends_delivered(text, order):
    for minutes, said in enumerate(order, start=1):
        told(text, said, minutes=minutes)
        told(text, said, minutes=minutes)

    assert now(text).state == "delivered"
    assert now(text).delivered_at == journey.later(order.index("delivered") + 1)
    assert now(text).sent_at == make.NOON


def test_a_doubled_callback_is_no_news(text):
    assert told(text, "delivered")
    assert not told(text, "delivered", minutes=2)


def test_a_failure_says_the_carriers_code_and_a_later_delivery_corrects_it(text):
    assert told(text, "undelivered", ErrorCode="30003")
    assert now(text).state == "failed"
    assert "30003" in now(text).problem

    assert told(text, "delivered", minutes=2)
    assert (now(text).state, now(text).problem) == ("delivered", "")
    assert not told(text, "failed", minutes=3)  # it arrived; nothing takes that back


def test_words_we_do_not_know_and_other_peoples_texts_are_no_news(text):
    assert not told(text, "levitating")
    assert not carrier_callbacks.record_text_status({}, reference=str(text.pk), at=make.NOON)
    assert not carrier_callbacks.record_message_status(
        carrier_id="SM-strange", status="delivered", at=make.NOON
    )
    assert now(text).state == "sent"


@pytest.mark.parametrize("state", ["claimed", "uncertain", "waiting"])
def test_a_callback_settles_a_text_whose_fate_we_did_not_know(text, state):
    """A crash, a broken line, or a carrier that said it was busy and sent it all the same."""
    Message.objects.filter(pk=text.pk).update(
        state=state, carrier="", carrier_id="", sent_at=None, due_at=make.NOON
    )
    ContactAttempt.objects.filter(cause=f"message:{text.pk}").delete()
    Lead.objects.update(first_message_at=None)

    assert told(now(text), "sent", MessageSid="SM-found")
    journey.run(journey.later(30))

    settled = now(text)
    assert (settled.state, settled.carrier, settled.carrier_id) == ("sent", "twilio", "SM-found")
    assert settled.sent_at == settled.claimed_at
    assert settled.lead.first_message_at == settled.sent_at
    assert ContactAttempt.objects.filter(cause=f"message:{text.pk}").count() == 1


def test_a_cancelled_text_stays_cancelled(text):
    Message.objects.filter(pk=text.pk).update(state="cancelled")

    assert not told(text, "failed")
    assert now(text).state == "cancelled"


def test_a_bounce_ends_writing_to_that_address(text):
    letter = Message.objects.get(medium="email")

    for _ in range(2):
        carrier_callbacks.record_bounce(
            message_id=str(letter.pk), address="BEN.ORTIZ@home.example", at=journey.later(1)
        )

    assert (now(letter).state, now(letter).problem) == ("failed", "The e-mail bounced.")
    assert letter.person.emails.get().bounced_at == journey.later(1)


def test_a_letter_is_opened_once_however_often_it_is_read(text):
    letter = Message.objects.get(medium="email")

    assert carrier_callbacks.record_signal(message=letter, kind="opened", at=journey.later(1))
    assert not carrier_callbacks.record_signal(message=letter, kind="opened", at=journey.later(2))
    assert now(letter).opened_at == journey.later(1)
    assert Signal.objects.filter(kind="opened").count() == 1


def test_without_a_carriers_secret_nobody_is_believed(settings):
    settings.TWILIO_AUTH_TOKEN = ""

    assert not carrier_callbacks.is_from_carrier(
        {"X-Twilio-Signature": ""}, "https://x.example/", []
    )


def test_a_number_the_carrier_calls_nobodys_is_known_as_such_until_a_text_arrives(text):
    told(text, "undelivered", ErrorCode="30003")  # switched off, perhaps
    assert Phone.objects.get(e164=text.to_address).dead_at is None
    Message.objects.filter(pk=text.pk).update(state="sent")

    told(text, "undelivered", ErrorCode="30005")
    assert Phone.objects.get(e164=text.to_address).dead_at == journey.later(1)

    told(text, "delivered", minutes=2)
    assert Phone.objects.get(e164=text.to_address).dead_at is None
