"""A branch manager's morning: a late call, another officer, time off, the hour of a pause."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from rooftree.flow import promises
from rooftree.leads.models import Lead
from rooftree.routing.models import TimeOff
from tests import make
from tests.web.browser.conftest import check_page, open_as


@pytest.fixture
def late_call(people, noon):
    """Dana has not called Ben, whose call was due; Leo can have him too."""
    make.officer("Leo Grant", licensed=("FL",), branch=people.tampa)
    for minutes in (6, 12):
        promises.watch_promises(at=noon + minutes * make.MINUTE)
    return people.ben


def test_manager_gives_a_late_lead_to_another_officer(chromium, front, people, late_call):
    page = open_as(chromium, front, "Branch manager")
    expect(page.get_by_role("heading", name="Tampa, right now")).to_be_visible()
    expect(page.get_by_role("region", name="Alarms")).to_contain_text("Late first call")
    check_page(page, "team with a late call")

    page.get_by_role("region", name="Alarms").get_by_role("link", name="Reassign Ben Ortiz").tap()
    expect(page.get_by_text("licensed in FL")).to_be_visible()
    check_page(page, "officers who can have the lead")
    page.get_by_role("button", name="Reassign to Leo Grant").tap()

    expect(page.get_by_role("region", name="Waiting leads")).to_contain_text("Leo Grant")
    assert Lead.objects.get(pk=late_call.pk).officer.user.name == "Leo Grant"


def test_manager_opens_an_officers_day_and_enters_time_off(
    chromium, front, people, late_call, noon
):
    page = open_as(chromium, front, "Branch manager")
    officers = page.get_by_role("region", name="Loan officers")
    officers.get_by_role("link", name="Dana Whitfield", exact=True).tap()
    expect(page.get_by_role("region", name="Owed to borrowers")).to_contain_text("Ben Ortiz")
    check_page(page, "an officer's day")

    page.get_by_label("First day off").fill(f"{noon + make.DAY:%Y-%m-%d}")
    page.get_by_label("Note").fill("Conference")
    page.get_by_role("button", name="Add time off").tap()
    expect(page.get_by_role("region", name="Time off")).to_contain_text("Conference")
    assert TimeOff.objects.get().officer == people.dana

    page.get_by_role("button", name="Stop new leads").tap()
    expect(page.get_by_role("region", name="Taking leads")).to_contain_text("Not taking leads")
    page.get_by_role("button", name="Take leads again").tap()
    expect(page.get_by_role("button", name="Stop new leads")).to_be_visible()

    page.get_by_role("link", name="Open the queue").tap()
    expect(page.get_by_role("link", name="Ben Ortiz").first).to_be_visible()
    check_page(page, "an officer's queue as a manager sees it")
    page.goto(reverse("lead", args=[late_call.pk]))
    check_page(page, "a lead as a manager sees it")
