"""History is lived through the product's own verbs, so everything that must hold does hold."""

from collections import Counter

import pytest

from rooftree.leads.models import ContactAttempt, Delivery, Lead, Loan
from rooftree.org.models import Company
from rooftree.outreach.models import Message
from rooftree.reporting.invariants import EVERY
from rooftree.reporting.rederive import DEEP
from rooftree.tasks.drain import queued
from rooftree_demo import company, history, ledger_of_months
from rooftree_demo.stories import APPLIES, Fate, all_of
from tests.demo.conftest import NOW


def _chosen(count: int):
    """Some stories of every fate, oldest first: a funded loan, a STOP, silence..."""
    told, stories = [], all_of(now=NOW)
    by_fate = {fate: [one for one in stories if one.fate is fate] for fate in Fate}
    while len(told) < count:
        told += [left.pop(0) for left in by_fate.values() if left]
    return sorted(told[:count], key=lambda one: one.at)


@pytest.fixture
def twenty(control):
    """Twenty leads, told to the end."""
    chosen = _chosen(20)
    for story in chosen:
        assert history.one(story, until=NOW, control=control)
    return chosen


def test_a_history_of_twenty_leads_is_clean(twenty):
    findings = [prove(NOW) for prove in (*EVERY, *DEEP)]

    assert [(one.name, one.offenders) for one in findings if not one.holds] == []


def test_a_history_ends_as_it_was_told(twenty):
    fates = Counter(one.fate for one in twenty)

    assert Lead.objects.filter(state="funded").count() == fates[Fate.FUNDED] > 0
    assert Loan.objects.count() == sum(fates[one] for one in APPLIES)
    assert (
        Lead.objects.filter(retired_reason="not interested").count() == fates[Fate.NOT_INTERESTED]
    )
    assert ContactAttempt.objects.filter(result="wrong_number").count() == fates[Fate.WRONG_NUMBER]
    for loan in Loan.objects.filter(milestone="funded"):
        assert loan.revenue_cents and loan.funded_date < NOW.date()


def test_nothing_of_the_past_is_left_to_be_done_for_real(twenty):
    overdue = Message.objects.filter(state__in=["waiting", "held", "claimed"], due_at__lte=NOW)

    assert not overdue.exists()
    assert not Delivery.objects.filter(state="received").exists()
    assert queued() == []


def test_a_story_told_before_is_not_told_again(control):
    story = _chosen(1)[0]
    history.one(story, until=NOW, control=control)
    before = Lead.objects.count(), Message.objects.count()

    assert history.one(story, until=NOW, control=control) is False
    assert (Lead.objects.count(), Message.objects.count()) == before


def test_the_same_seed_tells_the_same_stories():
    assert all_of(now=NOW) == all_of(now=NOW)
    assert len({one.number for one in all_of(now=NOW)}) == 500
    assert all(one.at < NOW for one in all_of(now=NOW))


def test_advertising_is_booked_once_a_month(control):
    start = all_of(now=NOW)[0].at
    ledger_of_months.advertising(start, NOW)
    ledger_of_months.advertising(start, NOW)

    from rooftree.money.models import Entry

    assert Entry.objects.filter(basis="invoice").count() == 10


def test_the_company_is_made_once(control):
    company.ensure(at=NOW)

    assert Company.objects.count() == 1


@pytest.mark.django_db
def test_a_database_of_somebody_real_is_left_alone():
    Company.objects.create(
        legal_name="A Real Lender, Inc.", brand="Real", nmls_id="1", postal_address="-", phone="-"
    )

    with pytest.raises(company.AnothersDatabase, match="A Real Lender"):
        company.ensure(at=NOW)
