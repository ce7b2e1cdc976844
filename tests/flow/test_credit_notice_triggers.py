"""What makes a credit notice due, wherever it was said, and what ends marketing with it."""

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
    journey.ready()
    return make.officer("Dana Whitfield", licensed=("CA", "FL"), text_number="")


def asked(**changes) -> Lead:
    """Ben, whose form held five pieces, or fewer."""
    five = {
        "annual_income": "96000",
        "property_address": "12 Palm Street",
        "loan_amount": "412000",
    }
    return journey.deliver(journey.website(), journey.form_post(**five | changes))


def test_five_pieces_are_an_inquiry():
    lead = asked()

    assert set(collect_pieces(lead)) == {
        "name", "income", "property_address", "value_estimate", "loan_amount"
    }  # fmt: skip
    assert not CreditClock.objects.exists()


def text_in(words: str, at=make.NOON + make.HOUR) -> None:
    borrower_replies.receive_text(
        sender="+18135550142", body=words, carrier_id=f"SM{make.number()}", carrier="twilio", at=at
    )


def running(lead: Lead) -> dict[str, CreditClock]:
    return {
        credit_clock.kind: credit_clock
        for credit_clock in CreditClock.objects.filter(lead=lead, closed_at=None)
    }


def test_the_sixth_piece_by_text_opens_both_clocks_and_is_not_kept():
    lead = asked()

    text_in("my social is 078-05-1120")

    clock = running(lead)["estimate"]
    assert (clock.began_on, clock.due_on) == (date(2026, 11, 23), date(2026, 11, 27))
    assert running(lead)["decision"].due_on == date(2026, 12, 23)
    assert "social security number from their text" in clock.sentence
    ssn = next(one for one in clock.evidence if one["item"] == "ssn")
    kept = Message.objects.get(direction="in")
    assert ssn["origin"] == f"message:{kept.pk}"
    assert "078-05-1120" not in kept.body
    assert Task.objects.get(lead=lead, kind="clock:estimate").due_at == clock.due_at


def test_pieces_accumulate_over_a_form_a_text_a_note_and_a_call():
    lead = asked(annual_income="", property_address="", loan_amount="")
    by = make.user("manager")

    text_in("I make about $96,000 a year and want to borrow 412k")
    credit_notice_triggers.add_note(
        lead_id=lead.pk, by=by.pk, text="Buys 12 Palm Street", at=make.NOON + make.HOUR
    )
    assert not running(lead)
    credit_notice_triggers.add_note(
        lead_id=lead.pk, by=by.pk, text="SSN 078-05-1120 by phone", at=make.NOON + 2 * make.HOUR
    )

    held = collect_pieces(lead)
    assert {item: one.where for item, one in held.items()} == {
        "name": "Our website",
        "income": "their text",
        "ssn": f"a note by {by.name}",
        "property_address": f"a note by {by.name}",
        "value_estimate": "Our website",
        "loan_amount": "their text",
    }
    assert {*running(lead)} == {"estimate", "decision"}
    assert "078" not in lead.remarks.latest("at").text


def test_what_is_said_in_a_chat_counts_whoever_tells_of_it():
    lead = asked(annual_income="", loan_amount="")
    talk = [
        {"speaker": "consumer", "text": "Quiero un préstamo de $412,000, gano 8,000 al mes"},
        {"speaker": "agent", "text": "Your social?"},
        {"speaker": "consumer", "text": "[redacted ssn]"},
    ]
    make.touch(lead, inquiry={"interaction": {"kind": "chat", "transcript": talk}})

    credit_notice_triggers.check_application(lead.pk, at=make.NOON)

    assert {*running(lead)} == {"estimate", "decision"}


@pytest.mark.parametrize(
    ("subject", "words"),
    [("Re: your loan", "My SSN is 078-05-1120"), ("My SSN is 078-05-1120", "As you asked.")],
)
def test_a_letter_counts_and_its_number_is_not_kept(settings, subject, words):
    settings.REPLY_DOMAIN = "reply.lindenfield.example"
    lead = asked()
    ours = Message.objects.get(lead=lead, medium="email", direction="out")
    letter = (
        f"From: ben.ortiz@home.example\r\nTo: {sender_identity.reply_address(ours)}\r\n"
        f"Subject: {subject}\r\nMessage-ID: <1@home.example>\r\n\r\n{words}\r\n"
    )

    assert borrower_replies.receive_email(raw=letter.encode(), at=make.NOON + make.HOUR)

    kept = Message.objects.get(direction="in")
    assert "078-05-1120" not in f"{kept.subject} {kept.body}"
    assert "their e-mail" in running(lead)["estimate"].sentence


def test_said_twice_a_clock_is_one_and_keeps_its_day():
    lead = asked()
    for days in (0, 3):
        text_in("my social is 078-05-1120", at=make.NOON + make.HOUR + days * make.DAY)

    assert CreditClock.objects.filter(lead=lead, kind="estimate").count() == 1
    assert running(lead)["estimate"].began_on == date(2026, 11, 23)


def test_a_form_that_asks_for_all_six_is_taken_in_masked_and_compliance_is_told():
    omar = make.user("compliance")

    lead = asked(ssn="078-05-1120")

    assert {*running(lead)} == {"estimate", "decision"}
    assert b"078-05-1120" not in bytes(lead.touches.get().delivery.body)
    told = omar.notices.get(kind="credit")
    assert "asks for all six pieces" in told.text


def test_a_test_lead_is_never_an_application():
    source = journey.website(is_test=True)
    post = journey.form_post(
        ssn="078-05-1120", annual_income="96000", property_address="12 Palm Street",
        loan_amount="412000",
    )  # fmt: skip
    journey.deliver(source, post)
    assert not CreditClock.objects.exists()


def test_an_officer_who_told_them_no_opens_the_notice_and_ends_marketing():
    lead = asked()
    by = make.user("manager")
    call_outcomes.record_outcome(
        lead_id=lead.pk, result="no_answer", by=by, at=make.NOON + make.HOUR
    )
    assert lead.enrolments.filter(ended_at=None).exists()

    call_outcomes.record_outcome(
        lead_id=lead.pk, result="told_no", by=by, at=make.NOON + 2 * make.HOUR
    )

    clock = running(lead)["adverse_action"]
    assert clock.due_on == date(2026, 12, 23)
    assert clock.sentence.startswith(f"{by.name} told them no")
    assert not lead.enrolments.filter(ended_at=None).exists()
    lead.refresh_from_db()
    assert (lead.state, lead.retired_reason) == ("retired", "told they do not qualify")


def test_a_text_that_says_no_waits_for_a_person_and_opens_the_notice_when_it_goes():
    lead = asked()
    by, omar = make.user("manager"), make.user("compliance")
    text_in("can you do it?", at=make.NOON + make.MINUTE)
    with pytest.raises(typed_messages.CannotSend, match="Reads as a denial"):
        credit_notice_triggers.send_staff_message(
            lead_id=lead.pk, medium="text", body="Sorry, you don't qualify.", by=by,
            at=make.NOON + 2 * make.MINUTE,
        )  # fmt: skip
    assert not running(lead)

    waits = Message.objects.get(state="review")
    message_reviews.decide_message(
        message_id=waits.pk, releases=True, reason="It is true", by=omar,
        at=make.NOON + 5 * make.MINUTE,
    )  # fmt: skip

    assert running(lead)["adverse_action"].evidence[0]["origin"] == f"message:{waits.pk}"


def test_an_automatic_message_that_says_no_is_held_and_opens_the_notice_if_it_goes():
    lead = asked()
    sent = planned(lead, at=make.NOON + make.HOUR, body="Sorry, we cannot help you right now.")
    assert (sent.state, sent.verdict.reason) == (
        "review", "treat_as_application_send_adverse_action"
    )  # fmt: skip
    assert not running(lead)

    message_reviews.decide_message(
        message_id=sent.pk, releases=True, reason="The creditor knows", by=make.user("compliance"),
        at=make.NOON + 2 * make.HOUR,
    )  # fmt: skip

    assert running(lead)["adverse_action"].sentence.startswith("An automatic message told them no")


@pytest.mark.parametrize("how", ["note", "set_aside"])
def test_passing_somebody_over_for_their_credit_asks_fair_lending_to_look(how):
    lead = asked()
    Lead.objects.filter(pk=lead.pk).update(promise_at=None)
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
    assert not running(lead)


def test_a_note_that_they_were_told_no_opens_the_notice():
    lead = asked()
    kept = credit_notice_triggers.add_note(
        lead_id=lead.pk, by=make.user("manager").pk, at=make.NOON + make.HOUR,
        text="Told him he doesn't qualify with us",
    )  # fmt: skip

    clock = running(lead)["adverse_action"]
    assert clock.evidence[0]["origin"] == f"remark:{kept.pk}"
    titles = [one.title for one in lead_history.build_timeline(lead)]
    assert "Adverse action notice" in titles


def test_a_note_about_credit_that_passes_nobody_over_asks_nobody():
    lead = asked()
    credit_notice_triggers.add_note(
        lead_id=lead.pk, by=make.user("manager").pk, text="Credit score 720, calls tomorrow",
        at=make.NOON + make.HOUR,
    )  # fmt: skip
    assert not Task.objects.filter(kind="fair_lending_review").exists()


def test_a_borrower_who_withdraws_in_words_is_read_by_compliance():
    lead = asked()
    text_in("please cancel my application")
    assert Task.objects.get(lead=lead, kind="withdrawal").role == "compliance"


# The LOS.


def loan_of(lead: Lead) -> Loan:
    return Loan.objects.create(
        lead=lead, los="encompass", instance="TE1", los_loan_id="L-1", created_at=make.NOON
    )


def reads(loan: Loan, at=make.NOON + make.DAY, **changes) -> None:
    """The LOS says something new about the loan."""
    usual = {
        "loan_id": "L-1", "loan_number": "26-1", "lead_id": "", "observed_steps": (),
        "current_milestone": "", "ended_as": "",
    }  # fmt: skip
    reading = LoanSnapshot(**usual | changes)
    loan_milestones.follow_loan_news(
        loan_updates.apply_snapshot(reading, loan_id=loan.pk, at=at), at=at
    )


def seen(code: str, on: date) -> dict:
    return {
        "observed_steps": (ObservedStep(code=code, on=on, source_status=code),),
        "current_milestone": code,
    }


APPLIED = {**seen("application", date(2026, 11, 24)), "application_date": date(2026, 11, 24)}


def test_an_application_in_the_los_runs_until_its_tracking_shows_the_estimate():
    lead = asked()
    loan = loan_of(lead)
    reads(loan, **APPLIED)
    assert running(lead)["estimate"].due_on == date(2026, 11, 30)

    reads(loan, **APPLIED, notices={"loan_estimate": date(2026, 11, 25)})

    clock = CreditClock.objects.get(lead=lead, kind="estimate")
    assert (clock.closed_as, clock.proof["on_date"]) == ("sent", "2026-11-25")
    assert clock.proof["where"] == "Encompass, loan 26-1"
    assert {*running(lead)} == {"decision"}
    assert not Task.objects.filter(kind="clock:estimate", cancelled_at=None).exists()


@pytest.mark.parametrize(
    ("code", "outcome", "left"),
    [
        ("conditional_approval", "approved", {"estimate"}),
        ("withdrawn", "withdrawn", set()),
        ("counter_offer", "counteroffer", {"estimate", "counteroffer"}),
    ],
)
def test_what_the_creditor_decides_ends_the_decision_clock(code, outcome, left):
    lead = asked()
    loan = loan_of(lead)
    reads(loan, **APPLIED)

    ended = {"ended_as": code} if code == "withdrawn" else {}
    day = date(2026, 12, 1)
    later = {**seen(code, day), **ended, "application_date": date(2026, 11, 24)}
    reads(loan, at=make.NOON + 9 * make.DAY, **later)

    assert CreditClock.objects.get(lead=lead, kind="decision").closed_as == outcome
    assert {*running(lead)} == left
    if "counteroffer" in left:
        assert running(lead)["counteroffer"].due_on == date(2027, 3, 1)


def test_a_denial_keeps_the_clock_of_the_application_until_its_notice_is_proven():
    lead = asked()
    loan = loan_of(lead)
    reads(loan, **APPLIED)
    denied = {**seen("denied", date(2026, 11, 30)), "ended_as": "denied"}

    reads(loan, at=make.NOON + 9 * make.DAY, **denied)
    assert {*running(lead)} == {"decision"}
    assert CreditClock.objects.get(kind="estimate").closed_as == "denied"

    reads(
        loan, at=make.NOON + 10 * make.DAY, **denied, notices={"adverse_action": date(2026, 12, 2)}
    )
    assert not running(lead)


def test_a_denial_without_an_application_of_ours_has_thirty_days():
    lead = asked()
    loan = loan_of(lead)

    reads(loan, **seen("denied", date(2026, 11, 24)), ended_as="denied")

    assert running(lead)["adverse_action"].due_on == date(2026, 12, 24)


# What ends marketing.


@pytest.mark.parametrize("code", ["denied", "incomplete", "suspended", "withdrawn"])
def test_a_stopped_file_ends_its_sequence_and_no_text_of_one_goes(code):
    lead = asked()
    by = make.user("manager")
    call_outcomes.record_outcome(
        lead_id=lead.pk, result="no_answer", by=by, at=make.NOON + make.HOUR
    )
    loan = loan_of(lead)
    ended = {} if code == "suspended" else {"ended_as": code}

    reads(loan, at=make.NOON + 2 * make.HOUR, **seen(code, date(2026, 11, 23)), **ended)

    assert not lead.enrolments.filter(ended_at=None).exists()
    sent = planned(lead, at=make.NOON + 3 * make.HOUR)
    assert (sent.state, sent.verdict.reason) == ("blocked", f"file_{code}")


def test_a_file_that_goes_on_may_be_written_to_again():
    lead = asked()
    loan = loan_of(lead)
    reads(loan, **seen("suspended", date(2026, 11, 24)))
    cleared = seen("clear_to_close", date(2026, 11, 25))
    reads(loan, at=make.NOON + 2 * make.DAY, **cleared)

    sent = planned(lead, at=make.NOON + 2 * make.DAY + make.HOUR)
    assert sent.verdict.reason != "file_suspended"
    assert sent.state == "sent"


def test_who_was_told_no_gets_no_marketing_but_may_be_answered():
    lead = asked()
    credit_notice_triggers.record_denial(
        lead.pk, "attempt:1", "Dana told them no", at=make.NOON + make.HOUR
    )

    assert planned(lead, at=make.NOON + 2 * make.HOUR).verdict.reason == "file_told_no"
    text_in("why?", at=make.NOON + 3 * make.HOUR)
    answer = credit_notice_triggers.send_staff_message(
        lead_id=lead.pk, medium="text", body="I will call you today.", by=make.user("manager"),
        at=make.NOON + 3 * make.HOUR + make.MINUTE,
    )  # fmt: skip
    assert answer.state == "sent"


def test_who_asks_anew_after_it_has_begun_anew():
    lead = asked()
    credit_notice_triggers.record_denial(
        lead.pk, "attempt:1", "Dana told them no", at=make.NOON + make.HOUR
    )
    Lead.objects.filter(pk=lead.pk).update(state="retired")

    again = journey.deliver(
        journey.website(name="Second", slug="second"),
        journey.form_post(submitted_at="2026-12-03T16:59:30Z", rendered_at="2026-12-03T16:58:00Z"),
        at=make.NOON + 10 * make.DAY,
    )

    assert again.pk != lead.pk
    reasons = {
        message.verdict.reason for message in Message.objects.filter(lead=again, direction="out")
    }
    assert "file_told_no" not in reasons


def planned(lead: Lead, *, at, body="Hello.") -> Message:
    """An automatic text of ours, put in line and taken from it."""
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


def test_an_application_that_was_old_before_we_watched_opens_no_clock():
    lead = asked()
    loan = loan_of(lead)
    Loan.objects.filter(pk=loan.pk).update(application_date=date(2026, 10, 20))

    reads(loan, **seen("processing", date(2026, 11, 24)))

    assert not running(lead)
