from dataclasses import replace

import pytest

from rooftree.flow import milestones
from rooftree.leads.models import Loan, Milestone
from rooftree.los import inbox
from rooftree.los.reading import LoanReading
from tests import make

pytestmark = pytest.mark.django_db

READING = LoanReading(
    loan_id="L-1", loan_number="1", lead_id="", seen=(), stands_at="", ended_as=""
)


@pytest.fixture
def loan():
    company = make.company()
    company.alarm_user = make.user("operations")
    company.save()
    return Loan.objects.create(
        lead=make.lead(), los="encompass", instance="TE1", los_loan_id="L-1", created_at=make.NOON
    )


def test_a_status_nobody_has_mapped_is_told_once_and_moves_nothing(loan):
    strange = replace(READING, unmapped=("Shipped to Mars",))
    for _ in range(2):
        milestones.follow(inbox.apply(strange, loan_id=loan.pk, at=make.NOON), at=make.NOON)

    notice = make.company().alarm_user.notices.get()
    assert "Shipped to Mars" in notice.text
    assert not Milestone.objects.exists()
    loan.refresh_from_db()
    assert (loan.milestone, loan.rank) == ("", 0)


def test_a_reading_without_news_tells_nobody(loan):
    assert inbox.apply(READING, loan_id=loan.pk, at=make.NOON) is None
