"""Triggers of credit notices, from any channel, and the end of marketing they cause."""

from datetime import date

import pytest

from rooftree.compliance.models import CreditClock
from rooftree.flow import (
    borrower_replies,
    call_outcomes,
    credit_notice_triggers,
    message_reviews,
)
from rooftree.flow.application_pieces import collect_pieces
from rooftree.leads.models import Lead, Task
from rooftree.outreach.messages import plan_messages
from rooftree.outreach.models import Message
from rooftree.outreach.wording import typed_messages
from rooftree.reporting.timeline import lead_history
from tests import make
from tests.flow import journey
from tests.flow.credit_files import (
    deliver_inquiry,
    receive_text,
    running_clocks,
    send_automatic_text,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("dana")]


@pytest.fixture
def dana():
    journey.set_up_company()
    return make.officer("Dana Whitfield", licensed=("CA", "FL"), text_number="")


def test_five_pieces_are_an_inquiry():
    lead = deliver_inquiry()

    assert set(collect_pieces(lead)) == {
        "name", "income", "property_address", "value_estimate", "loan_amount"
    }  # fmt: skip
    assert not CreditClock.objects.exists()


def test_sixth_piece_by_text_opens_both_clocks_and_ssn_is_not_stored():
    lead = deliver_inquiry()

    receive_text("my social is 078-05-1120")

    clock = running_clocks(lead)["estimate"]
    assert (clock.began_on, clock.due_on) == (date(2026, 11, 23), date(2026, 11, 27))
    assert running_clocks(lead)["decision"].due_on == date(2026, 12, 23)
    assert "social security number from a text from the borrower" in clock.sentence
    ssn = next(piece for piece in clock.evidence if piece["item"] == "ssn")
    message = Message.objects.get(direction="in")
    assert ssn["origin"] == f"message:{message.pk}"
    assert "078-05-1120" not in message.body
    assert Task.objects.get(lead=lead, kind="clock:estimate").due_at == clock.due_at


def test_application_pieces_accumulate_across_form_text_and_notes():
    lead = deliver_inquiry(annual_income="", property_address="", loan_amount="")
    by = make.user("manager")

    receive_text("I make about $96,000 a year and want to borrow 412k")
    credit_notice_triggers.add_note(
        lead_id=lead.pk, by=by.pk, text="Buys 12 Palm Street", at=make.NOON + make.HOUR
    )
    assert not running_clocks(lead)
    credit_notice_triggers.add_note(
        lead_id=lead.pk, by=by.pk, text="SSN 078-05-1120 by phone", at=make.NOON + 2 * make.HOUR
    )

    pieces = collect_pieces(lead)
    assert {item: piece.where for item, piece in pieces.items()} == {
        "name": "Our website",
        "income": "a text from the borrower",
        "ssn": f"a note by {by.name}",
        "property_address": f"a note by {by.name}",
        "value_estimate": "Our website",
        "loan_amount": "a text from the borrower",
    }
    assert {*running_clocks(lead)} == {"estimate", "decision"}
    assert "078" not in lead.remarks.latest("at").text


def test_chat_transcript_counts_for_application():
    lead = deliver_inquiry(annual_income="", loan_amount="")
    talk = [
        {"speaker": "consumer", "text": "Quiero un préstamo de $412,000, gano 8,000 al mes"},
        {"speaker": "agent", "text": "Your social?"},
        {"speaker": "consumer", "text": "[redacted ssn]"},
    ]
    make.touch(lead, inquiry={"interaction": {"kind": "chat", "transcript": talk}})

    credit_notice_triggers.check_application(lead.pk, at=make.NOON)

    assert {*running_clocks(lead)} == {"estimate", "decision"}


@pytest.mark.parametrize(
    ("subject", "words"),
    [("Re: your loan", "My SSN is 078-05-1120"), ("My SSN is 078-05-1120", "As you asked.")],
)
def test_email_with_ssn_counts_and_ssn_is_not_stored(settings, subject, words):
    settings.REPLY_DOMAIN = "reply.lindenfield.example"
    lead = deliver_inquiry()
    our_email = Message.objects.get(lead=lead, medium="email", direction="out")
    raw_email = (
        f"From: ben.ortiz@home.example\r\nTo: {plan_messages.reply_address(our_email)}\r\n"
        f"Subject: {subject}\r\nMessage-ID: <1@home.example>\r\n\r\n{words}\r\n"
    )

    assert borrower_replies.receive_email(raw=raw_email.encode(), at=make.NOON + make.HOUR)

    message = Message.objects.get(direction="in")
    assert "078-05-1120" not in f"{message.subject} {message.body}"
    assert "an email from the borrower" in running_clocks(lead)["estimate"].sentence


def test_repeated_ssn_keeps_one_clock_and_its_date():
    lead = deliver_inquiry()
    for days in (0, 3):
        receive_text("my social is 078-05-1120", at=make.NOON + make.HOUR + days * make.DAY)

    assert CreditClock.objects.filter(lead=lead, kind="estimate").count() == 1
    assert running_clocks(lead)["estimate"].began_on == date(2026, 11, 23)


def test_six_piece_form_is_masked_and_reported_to_compliance():
    omar = make.user("compliance")

    lead = deliver_inquiry(ssn="078-05-1120")

    assert {*running_clocks(lead)} == {"estimate", "decision"}
    assert b"078-05-1120" not in bytes(lead.touches.get().delivery.body)
    notice = omar.notices.get(kind="credit")
    assert "asks for all six pieces" in notice.text


def test_test_lead_is_never_an_application():
    source = journey.create_website(is_test=True)
    post = journey.form_post(
        ssn="078-05-1120", annual_income="96000", property_address="12 Palm Street",
        loan_amount="412000",
    )  # fmt: skip
    journey.deliver(source, post)
    assert not CreditClock.objects.exists()


def test_declined_outcome_opens_clock_and_ends_marketing():
    lead = deliver_inquiry()
    by = make.user("manager")
    call_outcomes.record_outcome(
        lead_id=lead.pk, result="no_answer", by=by, at=make.NOON + make.HOUR
    )
    assert lead.enrolments.filter(ended_at=None).exists()

    call_outcomes.record_outcome(
        lead_id=lead.pk, result="told_no", by=by, at=make.NOON + 2 * make.HOUR
    )

    clock = running_clocks(lead)["adverse_action"]
    assert clock.due_on == date(2026, 12, 23)
    assert clock.sentence.startswith(f"{by.name} told the borrower no")
    assert not lead.enrolments.filter(ended_at=None).exists()
    lead.refresh_from_db()
    assert (lead.state, lead.retired_reason) == ("retired", "told they do not qualify")


def test_denial_text_waits_for_review_and_opens_clock_when_sent():
    lead = deliver_inquiry()
    by, omar = make.user("manager"), make.user("compliance")
    receive_text("can you do it?", at=make.NOON + make.MINUTE)
    with pytest.raises(typed_messages.CannotSend, match="Reads as a denial"):
        credit_notice_triggers.send_staff_message(
            lead_id=lead.pk, medium="text", body="Sorry, you don't qualify.", by=by,
            at=make.NOON + 2 * make.MINUTE,
        )  # fmt: skip
    assert not running_clocks(lead)

    message = Message.objects.get(state="review")
    message_reviews.decide_message(
        message_id=message.pk, is_release=True, reason="It is true", by=omar,
        at=make.NOON + 5 * make.MINUTE,
    )  # fmt: skip

    assert running_clocks(lead)["adverse_action"].evidence[0]["origin"] == f"message:{message.pk}"


def test_automatic_denial_is_held_and_opens_clock_if_released():
    lead = deliver_inquiry()
    message = send_automatic_text(
        lead, at=make.NOON + make.HOUR, body="Sorry, we cannot help you right now."
    )
    assert (message.state, message.verdict.reason) == (
        "review", "treat_as_application_send_adverse_action"
    )  # fmt: skip
    assert not running_clocks(lead)

    message_reviews.decide_message(
        message_id=message.pk, is_release=True, reason="The creditor knows",
        by=make.user("compliance"), at=make.NOON + 2 * make.HOUR,
    )  # fmt: skip

    assert running_clocks(lead)["adverse_action"].sentence.startswith(
        "An automatic message told the borrower no"
    )


@pytest.mark.parametrize("how", ["note", "set_aside"])
def test_passing_over_for_credit_creates_fair_lending_review(how):
    lead = deliver_inquiry()
    Lead.objects.filter(pk=lead.pk).update(response_due_at=None)
    by = make.user("manager")
    if how == "note":
        words = "Credit score is 540, don't bother calling"
        credit_notice_triggers.add_note(
            lead_id=lead.pk, by=by.pk, text=words, at=make.NOON + make.HOUR
        )
    else:
        credit_notice_triggers.snooze_lead(
            lead_id=lead.pk, until=make.NOON + 30 * make.DAY, because="FICO too low", by=by.pk,
            at=make.NOON + make.HOUR,
        )  # fmt: skip

    task = Task.objects.get(lead=lead, kind="fair_lending_review")
    assert (task.role, task.done_at) == ("compliance", None)
    assert not running_clocks(lead)


def test_note_about_denial_opens_adverse_action_clock():
    lead = deliver_inquiry()
    note = credit_notice_triggers.add_note(
        lead_id=lead.pk, by=make.user("manager").pk, at=make.NOON + make.HOUR,
        text="Told him he doesn't qualify with us",
    )  # fmt: skip

    clock = running_clocks(lead)["adverse_action"]
    assert clock.evidence[0]["origin"] == f"remark:{note.pk}"
    titles = [entry.title for entry in lead_history.build_timeline(lead)]
    assert "Adverse action notice" in titles


def test_harmless_credit_note_creates_no_review():
    lead = deliver_inquiry()
    credit_notice_triggers.add_note(
        lead_id=lead.pk, by=make.user("manager").pk, text="Credit score 720, calls tomorrow",
        at=make.NOON + make.HOUR,
    )  # fmt: skip
    assert not Task.objects.filter(kind="fair_lending_review").exists()


def test_withdrawal_in_text_creates_compliance_task():
    lead = deliver_inquiry()
    receive_text("please cancel my application")
    assert Task.objects.get(lead=lead, kind="withdrawal").role == "compliance"


# The LOS.
