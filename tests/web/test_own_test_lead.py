"""A test lead from one's own phone: its stages, and its removal from every figure."""

from datetime import timedelta

import pytest
from django.db.models import Sum
from django.urls import reverse

from rooftree.leads.models import Lead, Loan
from rooftree.ledger.models import Event
from rooftree.org.models import SetupStep
from rooftree.reporting.models import RollupDelta
from rooftree.reporting.rollups import rollup_deltas
from rooftree.routing import lead_ownership
from tests import make

PHONE = "+18135550177"
AT = make.NOON + make.HOUR


@pytest.fixture
def ana(db, monkeypatch):
    monkeypatch.setattr("rooftree.flow.clock.now", lambda: AT)
    return make.user("administrator", name="Ana Ruiz", phone=PHONE)


@pytest.fixture
def browser(ana, signed_in):
    return signed_in(ana)


@pytest.fixture
def own_lead(ana):
    """A lead from Ana's own phone, counted like any other, and taken by an officer."""
    officer = make.officer("Dana Whitfield")
    lead = make.lead(person=make.person(phone=PHONE, at=AT), at=AT)
    make.touch(lead, at=AT)
    rollup_deltas.count_lead(lead)
    lead_ownership.give_lead(lead_id=lead.pk, officer_id=officer.pk, by=None, at=AT)
    return Lead.objects.get(pk=lead.pk)


def counted_leads():
    return RollupDelta.objects.filter(measure="leads").aggregate(sum=Sum("amount"))["sum"]


def test_watch_waits_and_then_shows_the_stages_of_ones_own_lead(browser, own_lead):
    page = reverse("setup_test_lead")
    started = browser.post(page)
    assert started.status_code == 303
    later = {"since": (AT + timedelta(minutes=1)).isoformat()}
    assert "Waiting for your lead" in browser.get(page, later).text

    shown = browser.get(started.url).text

    assert "stages passed" in shown
    assert "By Dana Whitfield" in shown
    assert shown.count("(passed)") == 3  # stored, matched, taken
    assert "Waiting" not in shown


def test_removed_test_lead_is_in_no_figure_and_its_result_is_kept(browser, own_lead):
    assert counted_leads() == 1

    browser.post(reverse("test_lead_removal", args=[own_lead.pk]))

    own_lead.refresh_from_db()
    assert (own_lead.is_test, own_lead.state) == (True, "retired")
    assert own_lead.response_due_at is None
    assert counted_leads() == 0
    step = SetupStep.objects.get(key="send-a-test-lead")
    assert "stages passed, sent by Ana Ruiz" in step.finding
    assert not step.has_passed
    assert Event.objects.filter(kind="flow.test_lead.removed", lead_id=own_lead.pk).exists()


@pytest.mark.parametrize("obstacle", ["another borrower", "an old lead", "a loan in the LOS"])
def test_only_ones_own_new_lead_without_a_loan_is_removed(browser, own_lead, obstacle):
    lead = own_lead
    if obstacle == "another borrower":
        lead = make.lead(at=AT)
    elif obstacle == "an old lead":
        Lead.objects.filter(pk=lead.pk).update(created_at=AT - timedelta(days=2))
    else:
        Loan.objects.create(
            lead=lead, los="encompass", instance="BE1", los_loan_id="1", created_at=AT
        )

    answer = browser.post(reverse("test_lead_removal", args=[lead.pk]), HTTP_HX_REQUEST="true")

    lead.refresh_from_db()
    assert answer.status_code == 409
    assert not lead.is_test
