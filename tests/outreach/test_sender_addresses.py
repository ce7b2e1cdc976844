"""Sender identity: a borrower has one conversation, whichever officer writes."""

from uuid import uuid4

import pytest

from rooftree.org.models import LoanOfficer
from rooftree.outreach.messages import plan_messages
from rooftree.outreach.models import Message
from tests import make

pytestmark = pytest.mark.django_db
COMPANY, DANAS, BEN = "+18135550100", "+18135550188", "+18135550142"


@pytest.fixture(autouse=True)
def numbers(settings):
    settings.TWILIO_NUMBERS = [COMPANY]
    settings.REPLY_DOMAIN = ""


def send_text(number: str, *, state: str = "delivered", at=make.NOON) -> Message:
    lead = make.lead()
    return Message.objects.create(
        lead=lead, person=lead.person, medium="text", purpose="marketing",
        idempotency_key=f"x:{uuid4()}",
        to_address=BEN, from_address=number, body="Hi", state=state, created_at=at,
    )  # fmt: skip


def seen_by_ben(*, officer: LoanOfficer | None) -> str:
    text = Message(medium="text", to_address=BEN, officer=officer)
    return plan_messages.from_addresses([text])[0]


def test_first_text_is_from_officers_own_number():
    officer = make.officer("Dana Whitfield", text_number=DANAS)

    assert seen_by_ben(officer=officer) == DANAS
    assert seen_by_ben(officer=None) == COMPANY


def test_borrower_greeted_by_company_number_stays_in_that_thread():
    send_text(COMPANY)
    officer = make.officer("Dana Whitfield", text_number=DANAS)

    assert seen_by_ben(officer=officer) == COMPANY


def test_last_number_that_reached_borrower_is_used_again():
    make.officer("Dana Whitfield", text_number=DANAS)
    send_text(DANAS)
    send_text(COMPANY, state="blocked", at=make.NOON + make.HOUR)

    assert seen_by_ben(officer=None) == DANAS


def test_number_no_longer_ours_is_not_used():
    officer = make.officer("Dana Whitfield", text_number=DANAS)
    send_text(DANAS)
    LoanOfficer.objects.filter(pk=officer.pk).update(terminated_at=make.NOON)

    assert seen_by_ben(officer=None) == COMPANY


def test_email_reply_goes_to_our_mailbox_or_else_to_officer(settings):
    message = send_text(COMPANY)
    message.officer = make.officer("Dana Whitfield")

    assert plan_messages.reply_address(message) == message.officer.user.email
    settings.REPLY_DOMAIN = "reply.lindenfield.example"
    address = plan_messages.reply_address(message)
    assert address.endswith("@reply.lindenfield.example")
    assert address == address.lower()
    assert plan_messages.find_replied_message(address) == message.pk
    assert plan_messages.find_replied_message(address.upper()) == message.pk


@pytest.mark.parametrize("forged", ["", "reply@x", "reply+@x", "reply+-@x", "hello@x.example"])
def test_unissued_reply_address_matches_no_message(forged):
    assert plan_messages.find_replied_message(forged) is None


def test_reply_token_opens_only_its_own_message(settings):
    settings.REPLY_DOMAIN = "reply.lindenfield.example"
    first, second = send_text(COMPANY), send_text(COMPANY)
    address = plan_messages.reply_address(first).replace(first.pk.hex, second.pk.hex)

    assert plan_messages.find_replied_message(address) is None


def test_email_is_from_our_address_under_officers_name(settings):
    settings.DEFAULT_FROM_EMAIL = "Lindenfield <hello@lindenfield.example>"
    officer = make.officer("Dana Whitfield")

    emails = [Message(medium="email", officer=sender) for sender in (officer, None)]

    assert plan_messages.from_addresses(emails) == [
        "Dana Whitfield <hello@lindenfield.example>",
        "Lindenfield <hello@lindenfield.example>",
    ]
