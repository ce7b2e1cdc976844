"""Partner portal and staff pages about partners in a real Chromium, on a phone and at a desk."""

from datetime import date

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from rooftree.capture.partners import partner_accounts
from rooftree.flow import partner_introductions
from rooftree.flow.partner_introductions import IntroducedClient
from rooftree.leads.models import Introduction, Partner, Source
from rooftree.org.models import User
from tests import make
from tests.web.browser.conftest import PHONE, check_page, open_as


def sign_in(chromium, front, email):
    context = chromium.new_context(viewport=PHONE, color_scheme="light", base_url=front)
    page = context.new_page()
    page.goto("/sign-in/")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(make.PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/portal/")
    return page


@pytest.fixture
def ana(people, noon) -> Partner:
    partner = make.partner("Ana Ruiz")
    User.objects.filter(pk=partner.user_id).update(email="ana@sunbelt.example")
    Source.objects.filter(slug="site").update(allowed_origins=["https://www.lindenfield.example"])
    return partner


def test_partner_pages_fit_and_are_accessible(chromium, front, people, ana, noon):
    page = sign_in(chromium, front, "ana@sunbelt.example")
    expect(page.get_by_text("No referrals yet")).to_be_visible()
    check_page(page, "portal-empty")
    page.get_by_role("link", name="Refer a borrower").click()
    page.get_by_label("First name").fill("Ida")
    page.get_by_role("button", name="Send referral").click()
    expect(page.get_by_text("Enter last name")).to_be_visible()
    check_page(page, "introduce-wrong")
    page.get_by_label("Last name").fill("Berg")
    page.locator("#phone").fill("(813) 555-0177")
    page.get_by_role("button", name="Send referral").click()
    expect(page.get_by_text("We received Ida Berg")).to_be_visible()
    for first in ("Leo", "Mara"):
        partner_introductions.submit_introduction(
            partner=ana,
            reference=make.uuid7(),
            at=noon,
            client=IntroducedClient(
                first_name=first, last_name="Holt", email=f"{first}@home.example"
            ),
        )
    page.reload()
    check_page(page, "portal")
    page.goto(reverse("security"))
    check_page(page, "portal-sign-in")
    page.goto(reverse("lead_form", args=["site"]) + f"?partner={ana.slug}")
    check_page(page, "partner-form")

    make.touch(make.lead(at=noon), at=noon, delivery=Introduction.objects.earliest("at").delivery)
    clerk = make.user("operations", name="Pat Lowe", email="pat@lindenfield.example")
    gift = {
        "direction": "given", "what": "Lunch for the team", "why": "We explained VA loans",
        "fair_value_cents": 84_20, "on_date": date(2026, 11, 20), "basis": "gift",
    "has_happened": True,
    }  # fmt: skip
    slip = partner_accounts.record_thing_of_value(partner_id=ana.pk, typed=gift, by=clerk, at=noon)
    partner_accounts.correct_thing_of_value(
        thing_id=slip.pk, why="It was for another office", by=clerk, at=noon
    )
    partner_accounts.record_thing_of_value(
        partner_id=ana.pk, typed=gift | {"direction": "received", "what": "Desk in their office"},
        by=clerk, at=noon,
    )  # fmt: skip
    staff = open_as(chromium, front, "Operations")
    staff.goto(reverse("partners"))
    check_page(staff, "partners")
    staff.goto(reverse("partner", args=[ana.pk]))
    staff.get_by_role("button", name="Add entry").click()
    expect(staff.get_by_text("Enter purpose")).to_be_visible()
    check_page(staff, "partner")
    staff.get_by_role("link", name="Sharing").first.click()
    staff.get_by_role("button", name="Save permission").click()
    expect(staff.get_by_text("Enter how the borrower gave permission")).to_be_visible()
    check_page(staff, "permission")
