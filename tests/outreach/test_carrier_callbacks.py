"""Callbacks of the carrier, in any order and any number of times."""

import itertools

import pytest

from rooftree.leads.models import ContactAttempt, Lead, Phone
from rooftree.outreach.inbound import carrier_callbacks
from rooftree.outreach.models import Message
from tests import make
from tests.flow import journey

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("carriers")]


@pytest.fixture
def text(dana) -> Message:
    journey.deliver(journey.create_website(), journey.form_post())
    return Message.objects.get(medium="text")


def post_status(message: Message, carrier_status: str, *, minutes: float = 1, **form: str) -> bool:
    return carrier_callbacks.record_text_status(
        {"MessageSid": message.carrier_id or "SM-new", "MessageStatus": carrier_status, **form},
        reference=str(message.pk),
        at=journey.later(minutes),
    )


def reload(message: Message) -> Message:
    return Message.objects.get(pk=message.pk)


@pytest.mark.parametrize("order", list(itertools.permutations(["queued", "sent", "delivered"])))
def test_delivered_text_ends_delivered_in_any_callback_order(text, order):
    for minutes, carrier_status in enumerate(order, start=1):
        post_status(text, carrier_status, minutes=minutes)
        post_status(text, carrier_status, minutes=minutes)

    assert reload(text).state == "delivered"
    assert reload(text).delivered_at == journey.later(order.index("delivered") + 1)
    assert reload(text).sent_at == make.NOON


def test_repeated_callback_changes_nothing(text):
    assert post_status(text, "delivered")
    assert not post_status(text, "delivered", minutes=2)


def test_failure_shows_carrier_code_and_later_delivery_corrects_it(text):
    assert post_status(text, "undelivered", ErrorCode="30003")
    assert reload(text).state == "failed"
    assert "30003" in reload(text).problem

    assert post_status(text, "delivered", minutes=2)
    assert (reload(text).state, reload(text).problem) == ("delivered", "")
    assert not post_status(text, "failed", minutes=3)  # delivered is final


def test_unknown_status_or_foreign_text_changes_nothing(text):
    assert not post_status(text, "levitating")
    assert not carrier_callbacks.record_text_status({}, reference=str(text.pk), at=make.NOON)
    assert not carrier_callbacks.record_message_status(
        carrier_id="SM-strange", status="delivered", at=make.NOON
    )
    assert reload(text).state == "sent"


@pytest.mark.parametrize("state", ["claimed", "uncertain", "waiting"])
def test_callback_settles_uncertain_text(text, state):
    """After a crash, a broken connection, or a carrier that answered busy but sent the text."""
    Message.objects.filter(pk=text.pk).update(
        state=state, carrier="", carrier_id="", sent_at=None, due_at=make.NOON
    )
    ContactAttempt.objects.filter(idempotency_key=f"message:{text.pk}").delete()
    Lead.objects.update(first_message_at=None)

    assert post_status(reload(text), "sent", MessageSid="SM-found")
    journey.run(journey.later(30))

    settled = reload(text)
    assert (settled.state, settled.carrier, settled.carrier_id) == ("sent", "twilio", "SM-found")
    assert settled.sent_at == settled.claimed_at
    assert settled.lead.first_message_at == settled.sent_at
    assert ContactAttempt.objects.filter(idempotency_key=f"message:{text.pk}").count() == 1


def test_canceled_text_stays_canceled(text):
    Message.objects.filter(pk=text.pk).update(state="cancelled")

    assert not post_status(text, "failed")
    assert reload(text).state == "cancelled"


def test_bounce_stops_email_to_that_address(text):
    letter = Message.objects.get(medium="email")

    for _ in range(2):
        carrier_callbacks.record_bounce(
            message_id=str(letter.pk), address="BEN.ORTIZ@home.example", at=journey.later(1)
        )

    assert (reload(letter).state, reload(letter).problem) == ("failed", "The email bounced.")
    assert letter.person.emails.get().bounced_at == journey.later(1)


def test_callbacks_need_carrier_secret(settings):
    settings.TWILIO_AUTH_TOKEN = ""

    assert not carrier_callbacks.is_from_carrier(
        {"X-Twilio-Signature": ""}, "https://x.example/", []
    )


def test_number_out_of_service_stays_marked_until_a_text_is_delivered(text):
    post_status(text, "undelivered", ErrorCode="30003")  # the phone can be switched off
    assert Phone.objects.get(e164=text.to_address).dead_at is None
    Message.objects.filter(pk=text.pk).update(state="sent")

    post_status(text, "undelivered", ErrorCode="30005")
    assert Phone.objects.get(e164=text.to_address).dead_at == journey.later(1)

    post_status(text, "delivered", minutes=2)
    assert Phone.objects.get(e164=text.to_address).dead_at is None
