"""A borrower's new number from a later inquiry is used from then on."""

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
    journey.set_up_company()
    make.officer("Dana Whitfield", licensed=("FL",))
    return journey.deliver(journey.create_website(), journey.form_post())


def dana():
    return User.objects.get(name="Dana Whitfield")


def inquire_again(lead, phone: str, *, minutes: float):
    return journey.deliver(lead.source, journey.form_post(phone=phone), at=journey.later(minutes))


def test_next_text_goes_to_latest_number(ben):
    assert [text.to_address for text in journey.sent_texts(ben)] == [OLD]

    assert inquire_again(ben, "(813) 555-0188", minutes=24 * 60) == ben

    reply = typed_messages.send_typed_message(
        lead_id=ben.pk, by=dana(), medium="text", body="Good to hear from you.",
        at=journey.later(24 * 60 + 5),
    )  # fmt: skip
    assert reply.to_address == NEW
    assert plan_messages.address_for(ben, "text") == NEW


def test_reply_from_old_number_still_belongs_to_borrower(ben):
    inquire_again(ben, "(813) 555-0188", minutes=24 * 60)

    reply = borrower_replies.receive_text(
        sender=OLD, body="It is me", carrier_id="SM1", carrier="console", at=journey.later(1500)
    )

    assert reply.message.lead == ben


def test_stop_from_old_number_also_stops_new_number(ben):
    inquire_again(ben, "(813) 555-0188", minutes=24 * 60)
    borrower_replies.receive_text(
        sender=OLD, body="STOP", carrier_id="SM1", carrier="console", at=journey.later(1500)
    )

    assert not contact_permissions.permissions_of_lead(ben, at=journey.later(1501))[
        "text"
    ].is_allowed
    queued = Message.objects.filter(state__in=["waiting", "held"], medium="text")
    assert set(queued.values_list("purpose", flat=True)) == {"confirmation"}


def test_wrong_number_reply_from_new_number_restores_old_one(ben):
    inquire_again(ben, "(813) 555-0188", minutes=24 * 60)

    borrower_replies.receive_text(
        sender=NEW, body="wrong number", carrier_id="SM1", carrier="console", at=journey.later(1500)
    )

    assert plan_messages.address_for(ben, "text") == OLD
