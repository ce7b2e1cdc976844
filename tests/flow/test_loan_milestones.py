from dataclasses import replace

import pytest

from rooftree.flow import loan_milestones
from rooftree.leads.models import Loan, Milestone
from rooftree.los import loan_updates
from rooftree.los.loan_snapshot import LoanSnapshot
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
