"""One borrower has one conversation, whoever of ours writes in it."""

from uuid import uuid4

import pytest

from rooftree.org.models import LoanOfficer
from rooftree.outreach.messages import sender_identity
from rooftree.outreach.models import Message
from tests import make

pytestmark = pytest.mark.django_db
COMPANY, DANAS, BEN = "+18135550100", "+18135550188", "+18135550142"


@pytest.fixture(autouse=True)
def numbers(settings):
    settings.TWILIO_NUMBERS = [COMPANY]
    settings.REPLY_DOMAIN = ""


def texted(number: str, *, state: str = "delivered", at=make.NOON) -> Message:
    lead = make.lead()
    return Message.objects.create(
        lead=lead, person=lead.person, medium="text", purpose="marketing", cause=f"x:{uuid4()}",
        to_address=BEN, from_address=number, body="Hi", state=state, created_at=at,
    )  # fmt: skip


def seen_by_ben(*, officer: LoanOfficer | None) -> str:
    text = Message(medium="text", to_address=BEN, officer=officer)
    return sender_identity.from_addresses([text])[0]


def test_a_first_text_comes_from_the_officers_own_number():
    officer = make.officer("Dana Whitfield", text_number=DANAS)

    assert seen_by_ben(officer=officer) == DANAS
    assert seen_by_ben(officer=None) == COMPANY


def test_who_was_greeted_by_the_company_goes_on_reading_it_in_the_same_thread():
    texted(COMPANY)
    officer = make.officer("Dana Whitfield", text_number=DANAS)

    assert seen_by_ben(officer=officer) == COMPANY


def test_the_last_number_that_reached_them_counts_and_a_blocked_text_reached_nobody():
    make.officer("Dana Whitfield", text_number=DANAS)
    texted(DANAS)
    texted(COMPANY, state="blocked", at=make.NOON + make.HOUR)

    assert seen_by_ben(officer=None) == DANAS


def test_a_number_that_is_no_longer_ours_is_not_used_again():
    officer = make.officer("Dana Whitfield", text_number=DANAS)
    texted(DANAS)
    LoanOfficer.objects.filter(pk=officer.pk).update(terminated_at=make.NOON)

    assert seen_by_ben(officer=None) == COMPANY


def test_an_answer_by_email_comes_to_us_where_we_read_mail_and_to_the_officer_elsewhere(settings):
    message = texted(COMPANY)
    message.officer = make.officer("Dana Whitfield")

    assert sender_identity.reply_address(message) == message.officer.user.email
    settings.REPLY_DOMAIN = "reply.lindenfield.example"
    address = sender_identity.reply_address(message)
    assert address.endswith("@reply.lindenfield.example")
    assert address == address.lower()
    assert sender_identity.find_replied_message(address) == message.pk
    assert sender_identity.find_replied_message(address.upper()) == message.pk


@pytest.mark.parametrize("forged", ["", "reply@x", "reply+@x", "reply+-@x", "hello@x.example"])
def test_an_address_we_never_gave_out_answers_nothing(forged):
    assert sender_identity.find_replied_message(forged) is None


def test_the_mark_of_one_message_does_not_open_another(settings):
    settings.REPLY_DOMAIN = "reply.lindenfield.example"
    one, other = texted(COMPANY), texted(COMPANY)
    address = sender_identity.reply_address(one).replace(one.pk.hex, other.pk.hex)

    assert sender_identity.find_replied_message(address) is None


def test_mail_goes_out_under_the_officers_name_from_our_one_address(settings):
    settings.DEFAULT_FROM_EMAIL = "Lindenfield <hello@lindenfield.example>"
    officer = make.officer("Dana Whitfield")

    assert sender_identity.mailbox_for(officer) == "Dana Whitfield <hello@lindenfield.example>"
    assert sender_identity.mailbox_for(None) == "Lindenfield <hello@lindenfield.example>"
