"""Credit notices that the LOS starts and ends, and marketing after a file has stopped."""

from datetime import date

import pytest

from rooftree.compliance.models import CreditClock
from rooftree.flow import (
    call_outcomes,
    credit_notice_triggers,
    loan_milestones,
)
from rooftree.leads.models import Lead, Loan, Task
from rooftree.los import loan_updates
from rooftree.los.loan_milestones import ObservedStep
from rooftree.los.loan_snapshot import LoanSnapshot
from rooftree.outreach.models import Message
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


def test_suspended_file_does_not_hide_an_unmapped_status():
    lead = deliver_inquiry()
    suspended = milestone_fields("suspended", date(2026, 11, 24))
    apply_los_snapshot(create_loan(lead), unmapped_statuses=("Zeta Desk",), **suspended)

    message = send_automatic_text(lead, at=make.NOON + make.HOUR)

    assert message.state == "blocked"
    assert message.verdict.facts["credit_stop"] == "suspended+unmapped"


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


def test_application_older_than_installation_opens_no_clock():
    lead = deliver_inquiry()
    loan = create_loan(lead)
    Loan.objects.filter(pk=loan.pk).update(application_date=date(2026, 10, 20))

    apply_los_snapshot(loan, **milestone_fields("processing", date(2026, 11, 24)))

    assert not running_clocks(lead)
