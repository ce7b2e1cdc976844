"""Journeys of a loan officer on a phone: a lead without a state, a call, a walk-in."""

import re
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from django.test import Client
from django.urls import reverse
from playwright.sync_api import expect

from rooftree.leads.models import Lead
from rooftree.routing import assign_leads, lead_ownership
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


def test_officer_makes_moves_and_cancels_an_appointment(chromium, front, people, noon):
    page = open_as(chromium, front, "Loan officer")
    page.goto(reverse("calendar"))
    page.get_by_role("button", name="Create address").tap()
    address = page.get_by_label("Calendar address").input_value()
    check_page(page, "calendar feed with its address")
    page.goto(reverse("lead", args=[people.ben.pk]))

    page.get_by_role("link", name="Appointment", exact=True).tap()
    dialog = page.get_by_role("dialog", name="Appointment with Ben Ortiz")
    dialog.get_by_label("Date and time").fill(f"{noon + make.DAY:%Y-%m-%d}T10:30")
    dialog.get_by_label("Note").fill("Bring the pay stubs")
    check_page(page, "appointment being made")
    dialog.get_by_role("button", name="Save appointment").tap()
    expect(page.locator("#lead-next")).to_contain_text("Bring the pay stubs")
    check_page(page, "lead with an appointment")

    page.get_by_role("link", name="Change the appointment").tap()
    dialog.get_by_label("Date and time").fill(f"{noon + make.DAY:%Y-%m-%d}T11:15")
    dialog.get_by_role("button", name="Save appointment").tap()
    expect(page.locator("#lead-next")).to_contain_text("11:15")
    feed = Client().get(re.sub(r"^https?://[^/]+", "", address)).content.decode()
    moved = datetime.combine((noon + make.DAY).date(), time(11, 15), ZoneInfo("America/New_York"))
    assert "Ben O." in feed and f"DTSTART:{moved.astimezone(UTC):%Y%m%dT%H%M%SZ}" in feed
    page.goto("/tasks/")
    expect(page.get_by_role("main")).to_contain_text("Ben Ortiz")

    page.goto(reverse("lead", args=[people.ben.pk]))
    page.get_by_role("link", name="Change the appointment").tap()
    dialog.get_by_role("button", name="Cancel appointment").tap()
    expect(page.locator("#lead-next")).not_to_contain_text("Bring the pay stubs")


def test_officer_sees_one_offer_at_a_time_on_a_phone(chromium, front, people, noon):
    for first_name in ("Rosa", "Luis"):
        person = make.person(first_name=first_name, at=noon)
        lead = make.lead(person=person, source=people.zillow, at=noon)
        offer = assign_leads.assign_to_best_officer(lead_id=lead.pk, at=noon)
        assert offer.officer_id == people.dana.pk
    page = open_as(chromium, front, "Loan officer")

    expect(page.get_by_text("2 leads offered to you")).to_be_visible()
    expect(page.locator(".offer:visible")).to_have_count(1)
    check_page(page, "queue with two offers")

    page.locator(".offer:visible").get_by_role("button", name="Accept lead").tap()
    page.wait_for_url("**/leads/**")
    expect(page.locator(".offer:visible")).to_have_count(1)
