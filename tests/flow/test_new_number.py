"""A borrower asks again with a new number: from then on that is the one we write to and call."""

import pytest

from rooftree.flow import borrower_replies
from rooftree.org.models import User
from rooftree.outreach.messages import contact_permissions, plan_messages
from rooftree.outreach.models import Message
from rooftree.outreach.wording import typed_messages
from tests import make
from tests.flow import journey

pytestmark = pytest.mark.django_db
OLD, NEW = "+18135550142", "+18135550188"


@pytest.fixture
def ben():
    journey.ready()
    make.officer("Dana Whitfield", licensed=("FL",))
    return journey.deliver(journey.website(), journey.form_post())


def dana():
    return User.objects.get(name="Dana Whitfield")


def again(lead, phone: str, *, minutes: float):
    return journey.deliver(lead.source, journey.form_post(phone=phone), at=journey.later(minutes))


def test_the_next_text_goes_to_the_number_they_gave_last(ben):
    assert [text.to_address for text in journey.texts(ben)] == [OLD]

    assert again(ben, "(813) 555-0188", minutes=24 * 60) == ben

    sent = typed_messages.send_typed_message(
        lead_id=ben.pk, by=dana(), medium="text", body="Good to hear from you.",
        at=journey.later(24 * 60 + 5),
    )  # fmt: skip
    assert sent.to_address == NEW
    assert plan_messages.address_for(ben, "text") == NEW


def test_a_reply_from_the_old_number_is_still_theirs(ben):
    again(ben, "(813) 555-0188", minutes=24 * 60)

    reply = borrower_replies.receive_text(
        sender=OLD, body="It is me", carrier_id="SM1", carrier="console", at=journey.later(1500)
    )

    assert reply.message.lead == ben


def test_a_stop_on_the_old_number_ends_the_new_one_too(ben):
    again(ben, "(813) 555-0188", minutes=24 * 60)
    borrower_replies.receive_text(
        sender=OLD, body="STOP", carrier_id="SM1", carrier="console", at=journey.later(1500)
    )

    assert not contact_permissions.permissions_of_lead(ben, at=journey.later(1501))[
        "text"
    ].is_allowed
    waiting = Message.objects.filter(state__in=["waiting", "held"], medium="text")
    assert set(waiting.values_list("purpose", flat=True)) == {"confirmation"}


def test_wrong_number_from_the_new_one_brings_the_old_one_back(ben):
    again(ben, "(813) 555-0188", minutes=24 * 60)

    borrower_replies.receive_text(
        sender=NEW, body="wrong number", carrier_id="SM1", carrier="console", at=journey.later(1500)
    )

    assert plan_messages.address_for(ben, "text") == OLD
