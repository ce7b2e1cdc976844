"""Triggers of credit notices, from any channel, and the end of marketing they cause."""

from datetime import date

import pytest

from rooftree.compliance.models import CreditClock
from rooftree.flow import (
    borrower_replies,
    call_outcomes,
    credit_notice_triggers,
    loan_milestones,
    message_reviews,
)
from rooftree.flow.application_pieces import collect_pieces
from rooftree.leads.models import Lead, Loan, Task
from rooftree.los import loan_updates
from rooftree.los.loan_milestones import ObservedStep
from rooftree.los.loan_snapshot import LoanSnapshot
from rooftree.outreach.messages import send, sender_identity
from rooftree.outreach.models import Message
from rooftree.outreach.wording import typed_messages
from rooftree.outreach.wording.message_templates import MessageContent
from rooftree.reporting.timeline import lead_history
from tests import make
from tests.flow import journey

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("dana")]


@pytest.fixture
def dana():
    journey.set_up_company()
    return make.officer("Dana Whitfield", licensed=("CA", "FL"), text_number="")


def deliver_inquiry(**changes) -> Lead:
    """Deliver Ben, whose form holds five pieces of an application, or fewer."""
    five = {
        "annual_income": "96000",
        "property_address": "12 Palm Street",
        "loan_amount": "412000",
    }
    return journey.deliver(journey.create_website(), journey.form_post(**five | changes))


def test_five_pieces_are_an_inquiry():
    lead = deliver_inquiry()

    assert set(collect_pieces(lead)) == {
        "name", "income", "property_address", "value_estimate", "loan_amount"
    }  # fmt: skip
    assert not CreditClock.objects.exists()


def receive_text(words: str, at=make.NOON + make.HOUR) -> None:
    borrower_replies.receive_text(
        sender="+18135550142", body=words, carrier_id=f"SM{make.number()}", carrier="twilio", at=at
    )


def running_clocks(lead: Lead) -> dict[str, CreditClock]:
    return {
        credit_clock.kind: credit_clock
        for credit_clock in CreditClock.objects.filter(lead=lead, closed_at=None)
    }


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
        f"From: ben.ortiz@home.example\r\nTo: {sender_identity.reply_address(our_email)}\r\n"
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


def create_loan(lead: Lead) -> Loan:
    return Loan.objects.create(
        lead=lead, los="encompass", instance="TE1", los_loan_id="L-1", created_at=make.NOON
    )


def apply_los_snapshot(loan: Loan, at=make.NOON + make.DAY, **changes) -> None:
    """Apply a snapshot with news about the loan from the LOS."""
    defaults = {
        "loan_id": "L-1", "loan_number": "26-1", "lead_id": "", "observed_steps": (),
        "current_milestone": "", "final_outcome": "",
    }  # fmt: skip
    reading = LoanSnapshot(**defaults | changes)
    loan_milestones.follow_loan_news(
        loan_updates.apply_snapshot(reading, loan_id=loan.pk, at=at), at=at
    )


def milestone_fields(code: str, on: date) -> dict:
    return {
        "observed_steps": (ObservedStep(code=code, on=on, source_status=code),),
        "current_milestone": code,
    }


APPLIED = {
    **milestone_fields("application", date(2026, 11, 24)),
    "application_date": date(2026, 11, 24),
}


def test_los_application_clock_runs_until_estimate_is_tracked():
    lead = deliver_inquiry()
    loan = create_loan(lead)
    apply_los_snapshot(loan, **APPLIED)
    assert running_clocks(lead)["estimate"].due_on == date(2026, 11, 30)

    apply_los_snapshot(loan, **APPLIED, notices={"loan_estimate": date(2026, 11, 25)})

    clock = CreditClock.objects.get(lead=lead, kind="estimate")
    assert (clock.outcome, clock.proof["on_date"]) == ("sent", "2026-11-25")
    assert clock.proof["where"] == "Encompass, loan 26-1"
    assert {*running_clocks(lead)} == {"decision"}
    assert not Task.objects.filter(kind="clock:estimate", canceled_at=None).exists()


@pytest.mark.parametrize(
    ("code", "outcome", "still_running"),
    [
        ("conditional_approval", "approved", {"estimate"}),
        ("withdrawn", "withdrawn", set()),
        ("counter_offer", "counteroffer", {"estimate", "counteroffer"}),
    ],
)
def test_creditor_decision_ends_decision_clock(code, outcome, still_running):
    lead = deliver_inquiry()
    loan = create_loan(lead)
    apply_los_snapshot(loan, **APPLIED)

    ended = {"final_outcome": code} if code == "withdrawn" else {}
    day = date(2026, 12, 1)
    later = {**milestone_fields(code, day), **ended, "application_date": date(2026, 11, 24)}
    apply_los_snapshot(loan, at=make.NOON + 9 * make.DAY, **later)

    assert CreditClock.objects.get(lead=lead, kind="decision").outcome == outcome
    assert {*running_clocks(lead)} == still_running
    if "counteroffer" in still_running:
        assert running_clocks(lead)["counteroffer"].due_on == date(2027, 3, 1)


def test_denial_keeps_decision_clock_until_notice_is_proven():
    lead = deliver_inquiry()
    loan = create_loan(lead)
    apply_los_snapshot(loan, **APPLIED)
    denied = {**milestone_fields("denied", date(2026, 11, 30)), "final_outcome": "denied"}

    apply_los_snapshot(loan, at=make.NOON + 9 * make.DAY, **denied)
    assert {*running_clocks(lead)} == {"decision"}
    assert CreditClock.objects.get(kind="estimate").outcome == "denied"

    apply_los_snapshot(
        loan, at=make.NOON + 10 * make.DAY, **denied, notices={"adverse_action": date(2026, 12, 2)}
    )
    assert not running_clocks(lead)


def test_denial_without_application_gets_30_day_clock():
    lead = deliver_inquiry()
    loan = create_loan(lead)

    apply_los_snapshot(
        loan, **milestone_fields("denied", date(2026, 11, 24)), final_outcome="denied"
    )

    assert running_clocks(lead)["adverse_action"].due_on == date(2026, 12, 24)


# The end of marketing.


@pytest.mark.parametrize("code", ["denied", "incomplete", "suspended", "withdrawn"])
def test_stopped_file_ends_sequence_and_blocks_marketing(code):
    lead = deliver_inquiry()
    by = make.user("manager")
    call_outcomes.record_outcome(
        lead_id=lead.pk, result="no_answer", by=by, at=make.NOON + make.HOUR
    )
    loan = create_loan(lead)
    ended = {} if code == "suspended" else {"final_outcome": code}

    apply_los_snapshot(
        loan, at=make.NOON + 2 * make.HOUR, **milestone_fields(code, date(2026, 11, 23)), **ended
    )

    assert not lead.enrolments.filter(ended_at=None).exists()
    message = send_automatic_text(lead, at=make.NOON + 3 * make.HOUR)
    assert (message.state, message.verdict.reason) == ("blocked", f"file_{code}")


def test_resumed_file_can_be_messaged_again():
    lead = deliver_inquiry()
    loan = create_loan(lead)
    apply_los_snapshot(loan, **milestone_fields("suspended", date(2026, 11, 24)))
    cleared = milestone_fields("clear_to_close", date(2026, 11, 25))
    apply_los_snapshot(loan, at=make.NOON + 2 * make.DAY, **cleared)

    message = send_automatic_text(lead, at=make.NOON + 2 * make.DAY + make.HOUR)
    assert message.verdict.reason != "file_suspended"
    assert message.state == "sent"


def test_declined_borrower_gets_replies_but_no_marketing():
    lead = deliver_inquiry()
    credit_notice_triggers.record_denial(
        lead.pk, "attempt:1", "Dana told them no", at=make.NOON + make.HOUR
    )

    assert send_automatic_text(lead, at=make.NOON + 2 * make.HOUR).verdict.reason == "file_told_no"
    receive_text("why?", at=make.NOON + 3 * make.HOUR)
    answer = credit_notice_triggers.send_staff_message(
        lead_id=lead.pk, medium="text", body="I will call you today.", by=make.user("manager"),
        at=make.NOON + 3 * make.HOUR + make.MINUTE,
    )  # fmt: skip
    assert answer.state == "sent"


def test_new_inquiry_after_denial_starts_fresh():
    lead = deliver_inquiry()
    credit_notice_triggers.record_denial(
        lead.pk, "attempt:1", "Dana told them no", at=make.NOON + make.HOUR
    )
    Lead.objects.filter(pk=lead.pk).update(state="retired")

    again = journey.deliver(
        journey.create_website(name="Second", slug="second"),
        journey.form_post(submitted_at="2026-12-03T16:59:30Z", rendered_at="2026-12-03T16:58:00Z"),
        at=make.NOON + 10 * make.DAY,
    )

    assert again.pk != lead.pk
    reasons = {
        message.verdict.reason for message in Message.objects.filter(lead=again, direction="out")
    }
    assert "file_told_no" not in reasons


def send_automatic_text(lead: Lead, *, at, body="Hello.") -> Message:
    """Queue an automatic text and send it if the gate allows."""
    words = MessageContent(
        body=f"{body} Lindenfield Mortgage NMLS 1204417. Reply STOP to end.", subject="",
        officer=None, language="en",
    )  # fmt: skip
    message = send.queue_message(
        lead=Lead.objects.select_related("person").get(pk=lead.pk), medium="text",
        purpose="marketing", cause=f"test:{make.number()}", words=words, to="+18135550142", at=at,
    )  # fmt: skip
    send.deliver_messages([message.pk], at=at)
    message.refresh_from_db()
    return message


def test_application_older_than_installation_opens_no_clock():
    lead = deliver_inquiry()
    loan = create_loan(lead)
    Loan.objects.filter(pk=loan.pk).update(application_date=date(2026, 10, 20))

    apply_los_snapshot(loan, **milestone_fields("processing", date(2026, 11, 24)))

    assert not running_clocks(lead)
