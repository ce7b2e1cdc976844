"""Lists as an officer and a manager use them: filter, save the view, act on several leads."""

from django.urls import reverse
from playwright.sync_api import expect

from rooftree.leads.models import LeadTag
from rooftree.routing import lead_ownership
from rooftree.routing.models import SavedView
from tests import make
from tests.web.browser.conftest import check_page, open_as


def test_officer_filters_saves_the_view_and_tags_two_leads(chromium, front, people, noon):
    for first, purpose in (("Elena", "refinance"), ("Marco", "refinance"), ("Nina", "purchase")):
        person = make.person(first_name=first, last_name="Vega", at=noon)
        lead = make.lead(source=people.zillow, person=person, purpose=purpose, at=noon)
        make.touch(lead, at=noon)
        lead_ownership.give_lead(lead_id=lead.pk, officer_id=people.dana.pk, by=None, at=noon)
    page = open_as(chromium, front, "Loan officer")
    page.goto(reverse("queue"))
    page.get_by_role("button", name="Filter").tap()
    check_page(page, "filters of the queue")
    page.locator("#filter-form [name=purpose]").select_option("refinance")
    page.get_by_role("button", name="Apply filters").tap()
    expect(page.get_by_text("Nina Vega")).to_have_count(0)
    page.get_by_role("button", name="Save view").tap()
    page.get_by_label("Name", exact=True).fill("Refinances")
    check_page(page, "saving a view")
    page.locator("#save-view").get_by_role("button", name="Save view").tap()
    expect(page.get_by_role("link", name="Refinances")).to_be_visible()
    assert SavedView.objects.get().name == "Refinances"

    page.get_by_label("Select all").check()
    check_page(page, "selected leads")
    page.locator("#bulk").get_by_role("button", name="Snooze").tap()
    page.get_by_label("Reason").fill("Waiting for the appraisal, then the title report")
    page.get_by_role("button", name="Preview").tap()
    expect(page.locator("main")).to_contain_text("A first call is due. Call first")
    check_page(page, "snooze refused while a first call is due")
    page.get_by_role("link", name="Cancel").tap()
    expect(page.get_by_text("Nina Vega")).to_have_count(0)  # still the saved view

    page.get_by_label("Select all").check()
    page.locator("#bulk").get_by_role("button", name="Tag").tap()
    page.locator("main [name=tag]").fill("cash out")
    page.get_by_role("button", name="Preview").tap()
    page.get_by_role("button", name="2 leads").tap()
    expect(page.get_by_role("heading", level=1)).to_contain_text("2 leads")
    check_page(page, "result of an action on two leads")
    assert sorted(LeadTag.objects.values_list("lead__person__first_name", flat=True)) == [
        "Elena",
        "Marco",
    ]
    page.get_by_role("button", name="Undo").tap()
    expect(page.locator("main")).to_contain_text("undone")
    assert not LeadTag.objects.exists()
