"""A contact by hand is judged for what it is, and a button says what pressing it does."""

from datetime import date, timedelta

import pytest

from rooftree.compliance.evidence import verdict_checker
from rooftree.compliance.models import Verdict
from rooftree.flow import borrower_replies, call_outcomes
from rooftree.leads.models import ContactAttempt, Lead, Loan
from rooftree.outreach.calls import dial_borrower
from rooftree.outreach.calls.dial_borrower import DialedCall
from rooftree.outreach.messages import contact_permissions
from rooftree.outreach.models import Message
from rooftree.outreach.wording.typed_messages import CannotSend, send_typed_message
from rooftree.reporting import deep_checks
from tests import make
from tests.flow import journey

pytestmark = pytest.mark.django_db
ASKED = make.NOON - 10 * make.DAY
CA_NUMBER, FL_NUMBER = "+14155550142", "+18135550142"
CA_NIGHT = make.NOON + 13 * make.HOUR  # 10 PM in Los Angeles


@pytest.fixture
def lead(dana, carriers) -> Lead:
    """A borrower in California, where no state caps contacts, who asked ten days ago."""
    return lead_in(dana, "CA", CA_NUMBER)


def lead_in(dana, state: str, number: str) -> Lead:
    lead = make.lead(
        at=ASKED, officer=dana, source=journey.create_website(), property_state=state,
        person=make.person(phone=number, email="ben@home.example", at=ASKED),
    )  # fmt: skip
    make.touch(lead, at=ASKED)
    return lead


def attempt(lead: Lead, medium: str, at, *, is_automated: bool = False) -> None:
    number = lead.person.phones.get().e164
    ContactAttempt.objects.create(
        lead=lead, person=lead.person, medium=medium, address=number, at=at,
        is_automated=is_automated, idempotency_key=f"test:{make.number()}",
    )  # fmt: skip


def write(lead: Lead, dana, *, at=make.NOON, body: str = "Can we talk at 5?", medium="text"):
    """Send a typed message; return it in its final state, also if the gate refuses it."""
    try:
        return send_typed_message(lead_id=lead.pk, medium=medium, body=body, by=dana.user, at=at)
    except CannotSend:
        return Message.objects.filter(by=dana.user).latest("created_at")


def hear(lead: Lead, at, words: str = "What is the rate today?") -> None:
    borrower_replies.receive_text(
        sender=lead.person.phones.get().e164, body=words, carrier_id=f"SM{make.number()}",
        carrier="twilio", at=at,
    )  # fmt: skip


def call(lead: Lead, dana, at=make.NOON):
    return dial_borrower.begin_call(lead_id=lead.pk, by=dana.user, at=at)


def lend(lead: Lead, **changes) -> Loan:
    values = {"los": "encompass", "instance": "main", "los_loan_id": f"L{make.number()}"}
    return Loan.objects.create(lead=lead, created_at=ASKED, **{**values, **changes})


# After automatic messages, the officer can answer somebody who wrote.


def test_officer_answers_a_borrower_who_wrote_hours_ago(lead, dana):
    attempt(lead, "text", make.NOON - 5 * make.HOUR, is_automated=True)
    attempt(lead, "text", make.NOON - 4 * make.HOUR)
    assert write(lead, dana).state == "held"  # nobody waits for it

    hear(lead, make.NOON)

    answered = write(lead, dana, at=make.NOON + 2 * make.HOUR, body="It depends. Can I call you?")
    again = write(lead, dana, at=make.NOON + 3 * make.HOUR, body="And your price range?")
    assert (answered.state, again.state) == ("sent", "sent")
    assert answered.verdict.facts["awaited_contact"] == "reply"


def test_an_answer_within_minutes_is_a_reply_and_later_marketing_to_the_law(lead, dana):
    hear(lead, make.NOON)

    assert write(lead, dana, at=make.NOON + 14 * make.MINUTE).purpose == "reply"
    late = write(lead, dana, at=make.NOON + 16 * make.MINUTE, body="One more thing")
    assert (late.state, late.purpose) == ("sent", "marketing")


def test_conversation_a_day_old_is_over_once_it_is_answered(lead, dana):
    hear(lead, make.NOON)
    assert write(lead, dana, at=make.NOON + 2 * make.HOUR).state == "sent"

    follow_up = write(lead, dana, at=make.NOON + 25 * make.HOUR, body="Still looking?")

    assert (follow_up.state, follow_up.verdict.reason) == ("held", "house_cap_1_text_24h")


def test_unanswered_borrower_can_be_answered_for_a_week(lead, dana):
    hear(lead, make.NOON - 6 * make.DAY)
    attempt(lead, "text", make.NOON - make.HOUR, is_automated=True)

    assert write(lead, dana).state == "sent"


def test_state_cap_stops_even_a_reply_after_the_fifteen_minutes(dana, carriers):
    lead = lead_in(dana, "FL", FL_NUMBER)
    for hours in (5, 4, 3):
        attempt(lead, "text", make.NOON - hours * make.HOUR, is_automated=True)
    hear(lead, make.NOON - make.HOUR)

    refused = write(lead, dana)

    assert (refused.state, refused.verdict.reason) == ("held", "cap_3_in_24h")


# Automatic messages don't use up the officer's own.


def test_automatic_rate_alert_leaves_the_officers_own_text(lead, dana):
    attempt(lead, "text", make.NOON - make.HOUR, is_automated=True)

    assert write(lead, dana).state == "sent"
    second = write(lead, dana, at=make.NOON + make.HOUR, body="Another one")
    assert (second.state, second.verdict.reason) == ("held", "house_cap_1_text_24h")


# A double dial.


def test_second_call_in_a_row_is_allowed_and_a_third_waits(lead, dana):
    assert isinstance(call(lead, dana), DialedCall)
    call_outcomes.record_outcome(lead_id=lead.pk, result="no_answer", by=dana.user, at=make.NOON)

    assert isinstance(call(lead, dana, make.NOON + 2 * make.MINUTE), DialedCall)
    third = call(lead, dana, make.NOON + 4 * make.MINUTE)

    assert (third.decision, third.reason) == ("defer", "house_cap_1_call_2h")
    assert third.next_allowed_at == make.NOON + 2 * make.HOUR


def test_second_call_half_an_hour_later_is_another_attempt(lead, dana):
    call(lead, dana)

    assert call(lead, dana, make.NOON + 30 * make.MINUTE).reason == "house_cap_1_call_2h"


def test_double_dials_count_once_a_day(lead, dana):
    for hours in (9, 6):
        attempt(lead, "call", make.NOON - hours * make.HOUR)
        attempt(lead, "call", make.NOON - hours * make.HOUR + 3 * make.MINUTE)

    assert isinstance(call(lead, dana), DialedCall)
    assert isinstance(call(lead, dana, make.NOON + 3 * make.MINUTE), DialedCall)
    assert call(lead, dana, make.NOON + 3 * make.HOUR).reason == "house_cap_3_call_24h"


def test_state_law_counts_both_calls_of_a_double_dial(dana, carriers):
    lead = lead_in(dana, "FL", FL_NUMBER)
    attempt(lead, "call", make.NOON - 3 * make.HOUR)
    attempt(lead, "call", make.NOON - 3 * make.HOUR + make.MINUTE)

    assert isinstance(call(lead, dana), DialedCall)
    assert call(lead, dana, make.NOON + 3 * make.MINUTE).reason == "cap_3_in_24h"


# Callbacks.


def test_callback_the_borrower_agreed_to_is_made_whatever_the_house_counts(lead, dana):
    for minutes in (50, 40, 30):
        attempt(lead, "call", make.NOON - minutes * make.MINUTE)
    call_outcomes.record_outcome(
        lead_id=lead.pk, result="call_back", by=dana.user, at=make.NOON - 20 * make.MINUTE,
        call_back_at=make.NOON + make.HOUR,
    )  # fmt: skip

    assert call(lead, dana).decision == "defer"
    assert isinstance(call(lead, dana, make.NOON + make.HOUR), DialedCall)


def test_borrower_who_called_is_called_back_once(lead, dana):
    attempt(lead, "call", make.NOON - 30 * make.MINUTE)
    ContactAttempt.objects.create(
        lead=lead, person=lead.person, medium="call", direction="in", result="missed",
        at=make.NOON - make.MINUTE, idempotency_key="in:1",
    )  # fmt: skip

    assert isinstance(call(lead, dana), DialedCall)
    facts = Verdict.objects.latest("at").facts
    assert (facts["awaited_contact"], facts["invited_at"][:16]) == ("callback", "2026-11-23T16:59")
    assert isinstance(call(lead, dana, make.NOON + 3 * make.MINUTE), DialedCall)  # double dial
    assert call(lead, dana, make.NOON + 20 * make.MINUTE).decision == "defer"


# A loan in process.


@pytest.mark.parametrize(
    "loan",
    [
        {"application_date": date(2026, 11, 1), "rank": 50},
        {"rank": 130, "funded_date": date(2026, 11, 2), "current_milestone": "funded"},
    ],
)
def test_officer_reaches_the_borrower_of_a_loan_in_process(lead, dana, loan):
    lend(lead, **loan)
    attempt(lead, "call", make.NOON - make.HOUR)
    attempt(lead, "text", make.NOON - make.HOUR)

    sent = write(lead, dana, body="Please send me the signed page.")

    assert (sent.state, sent.purpose) == ("sent", "transactional")
    assert isinstance(call(lead, dana), DialedCall)
    assert Verdict.objects.filter(medium="call").latest("at").purpose == "transactional"


def test_offer_in_a_message_about_the_loan_makes_it_marketing(lead, dana):
    lend(lead, application_date=date(2026, 11, 1), rank=50)
    attempt(lead, "text", make.NOON - make.HOUR)

    sent = write(lead, dana, body="Tell your friends: rates as low as 5.75% APR 5.9% this week.")

    assert sent.state != "sent"


@pytest.mark.parametrize(
    "loan",
    [
        {"rank": 20, "current_milestone": "prequalified"},
        {"rank": 50, "application_date": date(2026, 11, 1), "final_outcome": "withdrawn"},
        {"rank": 130, "funded_date": date(2026, 9, 1)},
    ],
)
def test_no_service_before_the_application_and_after_the_loan(lead, dana, loan):
    lend(lead, **loan)

    facts_purpose = contact_permissions.decide_call(
        lead_id=lead.pk, cause="test:1", at=make.NOON
    ).purpose

    assert facts_purpose == "marketing"


def test_service_call_at_night_waits_for_morning_as_a_house_limit(lead, dana):
    lend(lead, application_date=date(2026, 11, 1), rank=50)

    verdict = call(lead, dana, CA_NIGHT)

    assert (verdict.decision, verdict.reason) == ("defer", "house_night")
    assert verdict.next_allowed_at == make.NOON + 23 * make.HOUR  # 8 AM in Los Angeles


def test_opt_out_from_texts_ends_texts_about_the_loan_too(lead, dana):
    lend(lead, application_date=date(2026, 11, 1), rank=50)
    hear(lead, make.NOON, "STOP")

    assert write(lead, dana, at=make.NOON + make.HOUR).state == "blocked"


# One judgment in both places.

HISTORIES = {
    "quiet": lambda lead: None,
    "texted by hand": lambda lead: attempt(lead, "text", make.NOON - make.HOUR),
    "alerted": lambda lead: attempt(lead, "text", make.NOON - make.HOUR, is_automated=True),
    "wrote just now": lambda lead: hear(lead, make.NOON - make.MINUTE),
    "wrote and was texted": lambda lead: (
        attempt(lead, "text", make.NOON - 3 * make.HOUR),
        hear(lead, make.NOON - 2 * make.HOUR),
    ),
    "called": lambda lead: attempt(lead, "call", make.NOON - 30 * make.MINUTE),
    "called just now": lambda lead: attempt(lead, "call", make.NOON - 2 * make.MINUTE),
    "in process": lambda lead: (
        attempt(lead, "text", make.NOON - make.HOUR),
        lend(lead, application_date=date(2026, 11, 1), rank=50),
    ),
    "opted out": lambda lead: hear(lead, make.NOON - make.HOUR, "STOP"),
}


@pytest.mark.parametrize("history", HISTORIES)
@pytest.mark.parametrize("at", [make.NOON, CA_NIGHT])
def test_buttons_say_what_happens(lead, dana, history, at):
    HISTORIES[history](lead)
    badges = contact_permissions.permissions_of_lead(lead.pk, at=at)

    sent = write(lead, dana, at=at, body="Are you free to talk?")
    dialed = call(lead, dana, at=at + make.SECOND)

    assert badges["text"].is_allowed == (sent.state == "sent")
    if sent.state != "sent":  # otherwise the text is one more contact before the call
        assert badges["text"].decision == sent.verdict.decision
        assert badges["text"].sentence == sent.verdict.sentence
    assert badges["call"].is_allowed == isinstance(dialed, DialedCall)
    for verdict in Verdict.objects.all():
        assert deep_checks.is_same_verdict(verdict)
        until = verdict.next_allowed_at
        assert not verdict_checker.find_problems(
            {
                "facts": verdict.facts, "facts_sha256": verdict.facts_sha256,
                "decision": verdict.decision, "reason": verdict.reason,
                "next_allowed_at": until and until.isoformat(),
            }
        )  # fmt: skip


def test_email_to_a_borrower_who_wrote_is_not_counted_as_marketing(lead, dana):
    attempt(lead, "email", make.NOON - make.HOUR)
    held = write(lead, dana, medium="email")
    assert held.state == "held"

    hear(lead, make.NOON)

    answer = write(lead, dana, medium="email", at=make.NOON + timedelta(minutes=30), body="Yes, 5.")
    assert answer.state == "sent"
