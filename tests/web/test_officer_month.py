"""An officer's month: each figure with its denominator, in the officer's time zone."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from rooftree.leads.models import Lead, Loan
from rooftree.web.queue import officer_month
from tests import make

pytestmark = pytest.mark.django_db
FIRST = date(2026, 11, 1)


@pytest.fixture
def dana():
    make.company()
    return make.officer()


def loan(officer, *, source=None, **changes):
    lead = make.lead(source=source or make.source(), officer=officer)
    usual = {"los": "encompass", "instance": "main", "los_loan_id": str(make.number())}
    return Loan.objects.create(lead=lead, officer=officer, created_at=make.NOON, **usual | changes)


def month(officer):
    with timezone.override(ZoneInfo("America/New_York")):
        return officer_month.load_officer_month(officer, make.NOON)


def test_empty_month_has_no_shares_and_no_median(dana):
    figures = month(dana)

    assert (figures.name, figures.funded, figures.funded_cents, figures.in_process) == (
        "November",
        0,
        0,
        0,
    )
    assert (
        figures.applications,
        figures.attempted_leads,
        figures.speed_seconds,
        figures.source_shares,
    ) == (0, 0, None, [])


def test_funded_loans_count_from_the_first_of_the_month_for_their_officer(dana):
    funded = {"application_date": FIRST, "amount_cents": 100_00}
    loan(dana, funded_date=FIRST, **funded)
    loan(dana, funded_date=FIRST - make.DAY, **funded)
    loan(make.officer(), funded_date=FIRST, **funded)
    loan(dana, application_date=FIRST)
    loan(dana, application_date=FIRST - make.DAY, final_outcome="withdrawn")

    figures = month(dana)

    assert (figures.funded, figures.funded_cents) == (1, 100_00)
    assert (figures.applications, figures.funded_applications, figures.in_process) == (3, 2, 1)


def test_sources_are_ranked_by_fundings_and_the_last_are_grouped(dana):
    for name, number in (("Web", 3), ("Zillow", 2), ("Bankrate", 2), ("Radio", 1)):
        source = make.source(name=name)
        for _ in range(number):
            loan(dana, source=source, funded_date=FIRST)

    fundings = [(part.name, part.funded) for part in month(dana).source_shares]

    assert fundings == [("Web", 3), ("Bankrate", 2), ("Other", 3)]


def test_median_covers_attempted_leads_of_this_month(dana):
    midnight = datetime(2026, 11, 1, tzinfo=ZoneInfo("America/New_York"))
    for created_at, seconds in (
        (midnight, 10),
        (make.NOON, 40),
        (midnight - timedelta(seconds=1), 500),
        (make.NOON, None),
    ):
        lead = make.lead(officer=dana)
        tried = None if seconds is None else created_at + timedelta(seconds=seconds)
        Lead.objects.filter(pk=lead.pk).update(created_at=created_at, first_attempt_at=tried)

    figures = month(dana)

    assert (figures.speed_seconds, figures.attempted_leads) == (25.0, 2)
