"""History is lived through the product's own verbs, so everything that must hold does hold."""

import os
import subprocess
import sys
from datetime import timedelta

import pytest

from rooftree.compliance.models import CreditClock, Revocation
from rooftree.leads.models import ContactAttempt, Delivery, Lead, Loan
from rooftree.money.models import Entry
from rooftree.nurture.models import Sequence
from rooftree.org.models import Company, StaffNotice
from rooftree.outreach.models import Message, Template
from rooftree.outreach.wording import version_approval
from rooftree.reporting.deep_checks import DEEP_CHECKS
from rooftree.reporting.invariants import INVARIANTS
from rooftree.routing.models import Offer
from rooftree.tasks.drain_queue import queued_task_names
from rooftree_demo import demo_company, history_costs_and_rates, load_history, simulator_addresses
from rooftree_demo.history_plan import HistoryPlan
from rooftree_demo.load_history import Journal
from rooftree_demo.stories import Fate, Story, plan_stories
from tests.demo.conftest import NOW

TELL = f"""
from datetime import datetime
from rooftree_demo.stories import plan_stories
stories = plan_stories(now=datetime.fromisoformat("{NOW}"))
print(*(f"{{one.number}}:{{one.fate}}" for one in stories))
"""


def _told(fate: Fate, count: int = 1) -> list[Story]:
    """The first stories that end so."""
    return [story for story in plan_stories(now=NOW) if story.fate is fate][:count]


def test_a_history_of_twenty_leads_is_clean_and_leaves_nothing_to_do(control):
    for story in (story for fate in Fate for story in _told(fate, 2)):
        assert load_history.load_lead(story, until=NOW, control=control)

    findings = [prove(NOW) for prove in (*INVARIANTS, *DEEP_CHECKS)]

    assert Lead.objects.count() == 20
    assert [(finding.name, finding.offenders) for finding in findings if not finding.holds] == []
    overdue = Message.objects.filter(state__in=["waiting", "held", "claimed"], due_at__lte=NOW)
    assert not overdue.exists()
    assert not Delivery.objects.filter(state="received").exists()
    assert set(queued_task_names()) <= {"process_deliveries"}  # a nudge, which finds nothing to do


def test_loans_that_are_to_fund_fund_with_their_dates_and_their_revenue(control):
    """One of four may find nobody at work within the law's hours: whose turn it is, is chance."""
    stories = _told(Fate.FUNDED, 4)
    for story in stories:
        load_history.load_lead(story, until=NOW, control=control)

    loans = Loan.objects.select_related("lead")
    assert len(loans) >= 3
    for loan in loans:
        assert (loan.milestone, loan.lead.state) == ("funded", "funded")
        assert loan.lead.created_at.date() < loan.application_date < loan.funded_date < NOW.date()
        revenue = Entry.objects.get(kind="revenue", lead=loan.lead)
        assert revenue.amount_cents == loan.revenue_cents > 0
        assert loan.lead.first_attempt_at < loan.lead.created_at + timedelta(days=4)


def test_those_who_do_not_want_or_were_never_there_are_left_alone(control):
    """Somebody whom the law does not let us call is never dialled, so is not found out either."""
    chosen = [*_told(Fate.NOT_INTERESTED, 2), *_told(Fate.WRONG_NUMBER, 3)]
    for story in chosen:
        load_history.load_lead(story, until=NOW, control=control)

    wrong = ContactAttempt.objects.filter(result="wrong_number").count()
    assert 1 <= wrong <= 3
    assert Revocation.objects.filter(kind="wrong_person").count() == wrong
    assert 1 <= Lead.objects.filter(retired_reason="not interested").count() <= 2


def test_a_lead_nobody_reached_ends_with_a_reason(control):
    old = [story for story in _told(Fate.UNREACHED, 40) if story.at < NOW - timedelta(days=200)][:3]
    for story in old:
        assert load_history.load_lead(story, until=NOW, control=control)

    for lead in Lead.objects.all():
        assert (lead.state, lead.retired_reason.startswith("n")) == ("retired", True)
        assert lead.created_at + timedelta(days=90) <= lead.retired_at <= NOW


def test_a_story_told_before_is_not_told_again(control):
    story = _told(Fate.UNREACHED)[0]
    load_history.load_lead(story, until=NOW, control=control)
    before = Lead.objects.count(), Message.objects.count()

    assert load_history.load_lead(story, until=NOW, control=control) is False
    assert (Lead.objects.count(), Message.objects.count()) == before


@pytest.mark.parametrize("hashing", ["1", "2"])
def test_every_process_tells_the_same_stories(hashing):
    """Two processes load a history together; each must know which leads are the other's."""
    told = subprocess.run(
        [sys.executable, "-c", TELL], env={**os.environ, "PYTHONHASHSEED": hashing},
        capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert told.stdout.split() == [
        f"{story.number}:{story.fate}" for story in plan_stories(now=NOW)
    ]


def test_a_history_has_its_leads_once_and_none_of_tomorrow():
    assert len({story.number for story in plan_stories(now=NOW)}) == 30_000
    assert all(story.at < NOW for story in plan_stories(now=NOW))


def test_a_part_is_loaded_with_its_spending_and_once(control, tmp_path, monkeypatch):
    """A second start finds what the first one journalled, and books no week twice."""
    addresses = control.addresses
    monkeypatch.setenv(simulator_addresses.PORTS_VARIABLE, addresses.as_text())
    plan = HistoryPlan(began=NOW, count=12)
    assert load_history.load_part("layer0", journal=Journal(tmp_path, plan)) == len(
        plan.by_part["layer0"]
    )
    spent = Entry.objects.filter(basis="invoice")
    before = spent.count()

    assert load_history.load_part("layer0", journal=Journal(tmp_path, plan)) == 0
    for name, stories in plan.spans("layer0"):
        history_costs_and_rates.book_advertising(stories[0], plan, part="layer0", name=name)

    assert spent.count() == before > 0
    assert not Journal(tmp_path, plan).is_missing("layer0")


def test_the_company_is_made_once(control):
    demo_company.ensure_company(at=NOW)

    assert Company.objects.count() == 1


def test_every_wording_and_step_was_approved_on_every_day_of_the_past_and_is_for_long(control):
    for table in (Template, Sequence):
        places = table.objects.values_list(*table.PLACE_COLUMNS).distinct()
        for days in (599, 400, 251, 250, 236, 100, 0, -89):
            at = NOW - timedelta(days=days)
            used = table.objects.filter(version_approval.in_use_filter(at), approved_until__gt=at)
            assert used.count() == places.count(), (table, days)
    assert not StaffNotice.objects.filter(kind="edition", read_at=None).exists()


def test_the_company_of_a_demo_that_is_opened_later_has_its_approvals_renewed(control):
    demo_company.ensure_company(at=NOW + timedelta(days=200))

    assert {template.state for template in Template.objects.filter(until_at=None)} == {"live"}
    assert not Template.objects.filter(
        until_at=None, approved_until__lt=NOW + timedelta(days=290)
    ).exists()


@pytest.mark.django_db
def test_a_database_of_somebody_real_is_left_alone():
    Company.objects.create(
        legal_name="A Real Lender, Inc.", brand="Real", nmls_id="1", postal_address="-", phone="-"
    )

    with pytest.raises(demo_company.ForeignDatabase, match="A Real Lender"):
        demo_company.ensure_company(at=NOW)


def test_whoever_took_a_lead_at_night_calls_in_the_morning_and_every_inquiry_is_followed(control):
    at_night = [
        story for story in plan_stories(now=NOW) if story.at.hour in (6, 7, 8, 9) and story.at < NOW
    ]

    for story in at_night[-25:]:
        load_history.load_lead(story, until=NOW, control=control)

    asked = Lead.objects.filter(created_at__lt=NOW - timedelta(days=2), officer__isnull=False)
    assert asked.count() > 10
    uncalled = asked.filter(state="new", first_attempt_at=None)
    assert [(one.created_at, one.promise_at) for one in uncalled] == []
    overdue = Offer.objects.filter(
        taken_at=None, passed_at=None, lapsed_at=None, due_at__lt=NOW - timedelta(minutes=5)
    )
    assert not overdue.exists()


def test_the_notices_of_the_demos_loans_run_by_the_los_and_end_with_proof(control):
    for fate in (Fate.FUNDED, Fate.DENIED):
        for story in _told(fate, 3):
            load_history.load_lead(story, until=NOW, control=control)

    estimates = CreditClock.objects.filter(kind="estimate")
    assert estimates.count() == Loan.objects.exclude(application_date=None).count() > 0
    assert {estimate.closed_as for estimate in estimates} <= {"sent", ""}
    denied = CreditClock.objects.filter(kind="decision", lead__loans__ended_as="denied")
    for one in denied.filter(opened_at__lt=NOW - timedelta(days=60)):
        assert one.proof["reference"].endswith("Adverse action notice")
