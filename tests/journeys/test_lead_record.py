"""Journeys of a loan officer on a phone: a lead without a state, a call, a walk-in."""

import re

from django.urls import reverse
from playwright.sync_api import expect

from rooftree.leads.models import Lead
from rooftree.routing import lead_ownership
from tests import make
from tests.web.browser.conftest import check_page, open_as


def test_officer_enters_the_state_and_edits_the_loan_scenario(chromium, front, people, noon):
    lead = make.lead(
        source=people.zillow, property_state="", purpose="purchase", value_cents=None, at=noon,
        person=make.person(first_name="Jordan", last_name="Pike", phone="+18135550177", at=noon),
    )  # fmt: skip
    make.touch(lead, source=people.zillow, at=noon)
    lead_ownership.give_lead(lead_id=lead.pk, officer_id=people.dana.pk, by=None, at=noon)
    page = open_as(chromium, front, "Loan officer")
    page.goto(reverse("lead", args=[lead.pk]))
    check_page(page, "lead without a state")

    page.get_by_role("button", name=re.compile("Florida.*area code 813")).tap()

    expect(page.get_by_role("heading", name="Where’s the property?")).to_have_count(0)
    assert Lead.objects.get(pk=lead.pk).property_state == "FL"

    page.get_by_role("link", name="Edit purchase price").tap()
    page.get_by_role("textbox", name="Purchase price").fill("a lot")
    page.get_by_role("button", name="Save", exact=True).tap()
    expect(page.locator("#cell-value")).to_contain_text("Enter an amount in dollars")
    page.get_by_role("textbox", name="Purchase price").fill("458,000")
    check_page(page, "a field of the loan scenario open")
    page.get_by_role("button", name="Save", exact=True).tap()

    expect(page.locator("#cell-value")).to_contain_text("$458,000")
    expect(page.locator("#cell-value")).to_contain_text("Dana Whitfield, per borrower")
    expect(page.locator("#lead-story")).to_contain_text("updated the loan scenario")
    check_page(page, "loan scenario after an edit")


def test_officer_types_in_a_walk_in(chromium, front, people, noon):
    page = open_as(chromium, front, "Loan officer")
    page.get_by_role("link", name="More").tap()
    page.get_by_role("link", name="New lead").tap()
    page.get_by_label("First name").fill("Elena")
    page.get_by_role("textbox", name="Phone").fill("(813) 555-0163")
    page.get_by_label("Property state").select_option("Florida")
    check_page(page, "new lead")

    page.get_by_role("button", name="Save").tap()

    expect(page.get_by_role("heading", name="Elena")).to_be_visible()
    lead = Lead.objects.get(person__first_name="Elena")
    assert lead.officer == people.dana
