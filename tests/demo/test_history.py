"""History is loaded through the product's own functions, so all invariants hold."""

import os
import subprocess
import sys
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from rooftree.compliance.models import CreditClock, Revocation
from rooftree.leads.models import ContactAttempt, Delivery, Lead, Loan
from rooftree.money.models import Entry
from rooftree.nurture.models import Sequence
from rooftree.org.models import Company, StaffNotice
from rooftree.outreach.models import Message, Template
from rooftree.outreach.wording import version_approval
from rooftree.reporting.deep_checks import DEEP_CHECKS
from rooftree.reporting.invariants import INVARIANTS
from rooftree.retention.removal_check import check_removals
from rooftree.routing.models import Offer
from rooftree.tasks.drain_queue import queued_task_names
from rooftree_demo import demo_company, history_costs_and_rates, load_history, simulator_addresses
from rooftree_demo.history_plan import HistoryPlan
from rooftree_demo.load_history import Journal
from rooftree_demo.stories import Fate, Story, plan_stories
from tests.demo.conftest import NOW

PRINT_STORIES = f"""
from datetime import datetime
from rooftree_demo.stories import plan_stories
stories = plan_stories(now=datetime.fromisoformat("{NOW}"))
print(*(f"{{story.number}}:{{story.fate}}" for story in stories))
"""


def _first_stories(fate: Fate, count: int = 1) -> list[Story]:
    """Return the first stories with this outcome."""
    return [story for story in plan_stories(now=NOW) if story.fate is fate][:count]


def test_loaded_history_meets_all_invariants_and_leaves_nothing_due(control):
    for story in (story for fate in Fate for story in _first_stories(fate, 2)):
        assert load_history.load_lead(story, until=NOW, control=control)

    findings = [prove(NOW) for prove in (*INVARIANTS, check_removals, *DEEP_CHECKS)]

    assert Lead.objects.count() == 20
    assert [(finding.name, finding.offenders) for finding in findings if not finding.holds] == []
    overdue = Message.objects.filter(state__in=["waiting", "held", "claimed"], due_at__lte=NOW)
    assert not overdue.exists()
    assert not Delivery.objects.filter(state="received").exists()
    assert set(queued_task_names()) <= {"process_deliveries"}  # a wake-up with nothing to do


def test_funded_stories_end_with_dates_and_revenue(control):
    """By chance, one of four can meet no officer at work within legal calling hours."""
    stories = _first_stories(Fate.FUNDED, 4)
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


def test_uninterested_and_wrong_number_borrowers_are_left_alone(control):
    """A borrower whom the law does not let us call is never dialed, so stays undiscovered."""
    chosen = [*_first_stories(Fate.NOT_INTERESTED, 2), *_first_stories(Fate.WRONG_NUMBER, 3)]
    for story in chosen:
        load_history.load_lead(story, until=NOW, control=control)

    wrong = ContactAttempt.objects.filter(result="wrong_number").count()
    assert 1 <= wrong <= 3
    assert Revocation.objects.filter(kind="wrong_person").count() == wrong
    assert 1 <= Lead.objects.filter(retired_reason="not interested").count() <= 2


def test_unreached_lead_is_archived_with_reason(control):
    unreached = _first_stories(Fate.UNREACHED, 40)
    old = [story for story in unreached if story.at < NOW - timedelta(days=200)][:3]
    for story in old:
        assert load_history.load_lead(story, until=NOW, control=control)

    for lead in Lead.objects.all():
        assert (lead.state, lead.retired_reason.startswith("n")) == ("retired", True)
        assert lead.created_at + timedelta(days=90) <= lead.retired_at <= NOW


def test_usual_stories_roll_nothing_back(control):
    """The loader plays a story with a rollback twice, and plans its statements again."""
    stories = [*_first_stories(Fate.UNREACHED, 3), *_first_stories(Fate.TALKED, 2)]

    with CaptureQueriesContext(connection) as queries:
        for story in stories:
            load_history.load_lead(story, until=NOW, control=control)

    assert [query["sql"] for query in queries if query["sql"].startswith("ROLLBACK")] == []


def test_loaded_story_is_not_loaded_again(control):
    story = _first_stories(Fate.UNREACHED)[0]
    load_history.load_lead(story, until=NOW, control=control)
    before = Lead.objects.count(), Message.objects.count()

    assert load_history.load_lead(story, until=NOW, control=control) is False
    assert (Lead.objects.count(), Message.objects.count()) == before


@pytest.mark.parametrize("hashing", ["1", "2"])
def test_every_process_plans_the_same_stories(hashing):
    """Two processes load a history together, so both must plan the same leads."""
    process = subprocess.run(
        [sys.executable, "-c", PRINT_STORIES], env={**os.environ, "PYTHONHASHSEED": hashing},
        capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert process.stdout.split() == [
        f"{story.number}:{story.fate}" for story in plan_stories(now=NOW)
    ]


def test_history_has_each_lead_once_and_none_in_the_future():
    assert len({story.number for story in plan_stories(now=NOW)}) == 30_000
    assert all(story.at < NOW for story in plan_stories(now=NOW))


def test_part_is_loaded_once_with_its_costs(control, tmp_path, monkeypatch):
    """A second start reads the journal of the first and books no span twice."""
    addresses = control.addresses
    monkeypatch.setenv(simulator_addresses.PORTS_VARIABLE, addresses.as_text())
    plan = HistoryPlan(began=NOW, count=12)
    assert load_history.load_part("layer0", journal=Journal(tmp_path, plan)) == len(
        plan.by_part["layer0"]
    )
    costs = Entry.objects.filter(basis="ad_spend")
    before = costs.count()

    assert load_history.load_part("layer0", journal=Journal(tmp_path, plan)) == 0
    for name, stories in plan.spans("layer0"):
        history_costs_and_rates.book_advertising(stories[0], plan, part="layer0", name=name)

    assert costs.count() == before > 0
    assert not Journal(tmp_path, plan).is_missing("layer0")


def test_company_is_created_once(control):
    demo_company.ensure_company(at=NOW)

    assert Company.objects.count() == 1


def test_templates_and_sequences_are_approved_on_every_day_of_history(control):
    for table in (Template, Sequence):
        places = table.objects.values_list(*table.PLACE_COLUMNS).distinct()
        for days in (599, 400, 251, 250, 236, 100, 0, -89):
            at = NOW - timedelta(days=days)
            used = table.objects.filter(version_approval.in_use_filter(at), approved_until__gt=at)
            assert used.count() == places.count(), (table, days)
    assert not StaffNotice.objects.filter(kind="edition", read_at=None).exists()


def test_later_start_renews_approvals(control):
    demo_company.ensure_company(at=NOW + timedelta(days=200))

    assert {template.state for template in Template.objects.filter(until_at=None)} == {"live"}
    assert not Template.objects.filter(
        until_at=None, approved_until__lt=NOW + timedelta(days=290)
    ).exists()


@pytest.mark.django_db
def test_demo_refuses_database_of_real_company():
    Company.objects.create(
        legal_name="A Real Lender, Inc.", brand="Real", nmls_id="1", postal_address="-", phone="-"
    )

    with pytest.raises(demo_company.ForeignDatabase, match="A Real Lender"):
        demo_company.ensure_company(at=NOW)


def test_leads_taken_at_night_are_called_in_the_morning(control):
    at_night = [
        story for story in plan_stories(now=NOW) if story.at.hour in (6, 7, 8, 9) and story.at < NOW
    ]

    for story in at_night[-25:]:
        load_history.load_lead(story, until=NOW, control=control)

    owned = Lead.objects.filter(created_at__lt=NOW - timedelta(days=2), officer__isnull=False)
    assert owned.count() > 10
    uncalled = owned.filter(state="new", first_attempt_at=None)
    assert [(lead.created_at, lead.response_due_at) for lead in uncalled] == []
    overdue = Offer.objects.filter(
        accepted_at=None, declined_at=None, expired_at=None, due_at__lt=NOW - timedelta(minutes=5)
    )
    assert not overdue.exists()


def test_disclosure_deadlines_of_demo_loans_close_with_proof(control):
    for fate in (Fate.FUNDED, Fate.DENIED):
        for story in _first_stories(fate, 3):
            load_history.load_lead(story, until=NOW, control=control)

    estimates = CreditClock.objects.filter(kind="estimate")
    assert estimates.count() == Loan.objects.exclude(application_date=None).count() > 0
    assert {estimate.outcome for estimate in estimates} <= {"sent", ""}
    denied = CreditClock.objects.filter(kind="decision", lead__loans__final_outcome="denied")
    for deadline in denied.filter(opened_at__lt=NOW - timedelta(days=60)):
        assert deadline.proof["reference"].endswith("Adverse action notice")
