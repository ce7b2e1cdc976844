from dataclasses import replace

import pytest

from rooftree.flow import bootstrap, loan_milestones
from rooftree.leads.models import Loan, Milestone
from rooftree.los import loan_updates
from rooftree.los.loan_milestones import ObservedStep
from rooftree.los.loan_snapshot import LoanSnapshot
from rooftree.outreach.models import Message
from tests import make

pytestmark = pytest.mark.django_db

READING = LoanSnapshot(
    loan_id="L-1",
    loan_number="1",
    lead_id="",
    observed_steps=(),
    current_milestone="",
    final_outcome="",
)


@pytest.fixture
def loan():
    company = make.company()
    company.alarm_user = make.user("operations")
    company.save()
    bootstrap.create_defaults(are_approved=True, at=make.NOON - make.DAY)
    return Loan.objects.create(
        lead=make.lead(), los="encompass", instance="TE1", los_loan_id="L-1", created_at=make.NOON
    )


def test_unmapped_los_status_is_reported_once_and_has_no_effect(loan):
    strange = replace(READING, unmapped_statuses=("Shipped to Mars",))
    for _ in range(2):
        loan_milestones.follow_loan_news(
            loan_updates.apply_snapshot(strange, loan_id=loan.pk, at=make.NOON), at=make.NOON
        )

    notice = make.company().alarm_user.notices.get()
    assert "Shipped to Mars" in notice.text
    assert not Milestone.objects.exists()
    loan.refresh_from_db()
    assert (loan.milestone, loan.rank) == ("", 0)


def test_unchanged_loan_snapshot_has_no_effect(loan):
    assert loan_updates.apply_snapshot(READING, loan_id=loan.pk, at=make.NOON) is None


CLEARED = ObservedStep(code="clear_to_close", on=None, source_status="Clear to Close")


def read_steps(loan, *steps, **changes):
    reading = replace(READING, observed_steps=steps, **changes)
    loan_milestones.follow_loan_news(
        loan_updates.apply_snapshot(reading, loan_id=loan.pk, at=make.NOON), at=make.NOON
    )


def milestone_messages():
    return Message.objects.filter(idempotency_key__startswith="milestone:")


def test_clear_to_close_is_announced_once(loan):
    for _ in range(2):
        read_steps(loan, CLEARED)

    assert milestone_messages().filter(medium="email").count() == 1


def test_clear_to_close_of_a_loan_that_moved_on_is_not_announced(loan):
    read_steps(
        loan, CLEARED, ObservedStep(code="docs_out", on=None, source_status="Doc Preparation")
    )

    assert not milestone_messages().exists()


def test_funding_cancels_news_that_still_waits(loan):
    read_steps(loan, CLEARED)
    funded = ObservedStep(code="funded", on=make.NOON.date(), source_status="Funding")
    read_steps(loan, funded, funded_date=make.NOON.date())

    ends = set(milestone_messages().values_list("state", "problem"))
    assert ends == {("cancelled", "The loan funded.")}
