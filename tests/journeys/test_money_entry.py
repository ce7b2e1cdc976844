"""Marketing enters spend, an invoice and a price; an officer records a funding without an LOS."""

import pytest
from playwright.sync_api import expect

from rooftree.flow import money_in
from rooftree.money.spend_entries import SpendPeriod
from tests import make
from tests.web.browser.conftest import check_page, open_as


@pytest.fixture
def booked(people, noon):
    """A vendor with two priced leads, and Google Ads with spend of two months ago."""
    kit = make.user("marketing", name="Kit Moss", email="kit@lindenfield.example")
    vendor = make.source("generic", name="Any vendor", slug="any-vendor")
    for _ in range(2):
        make.touch(make.lead(source=vendor, at=noon), at=noon)
    google = make.source("google_lead_form", name="Google Ads", slug="google-ads")
    day = (noon - 65 * make.DAY).date()
    money_in.book_ad_spend(
        SpendPeriod(source=google, first=day, last=day, amount_cents=1_284_50), by=kit, at=noon
    )
    return people


def test_marketing_books_money_and_officer_records_a_funding(chromium, front, booked, tmp_path):
    page = open_as(chromium, front, "Marketing")
    page.goto("/money/")
    check_page(page, "money ledger with a missing source")
    missing = page.get_by_role("region", name="No spend entered")
    missing.get_by_role("link", name="Add ad spend for Google Ads").tap()
    page.get_by_label("Campaign").fill("Refi")
    page.get_by_label("Amount").fill("1,000.10")
    check_page(page, "money ad spend form")
    page.get_by_role("button", name="Book ad spend").tap()
    expect(page.get_by_role("region", name="Totals")).to_contain_text("$1,000.10")
    check_page(page, "money ledger")

    page.get_by_role("region", name="Google Ads").or_(
        page.get_by_role("region", name="Entries")
    ).get_by_role("link", name="Ad spend").first.tap()
    page.get_by_label("Correct amount").fill("0")
    page.get_by_label("Reason").fill("Entered for the wrong month")
    page.get_by_role("button", name="Book correction").tap()
    expect(page.get_by_role("region", name="Corrections")).to_contain_text("wrong month")
    check_page(page, "money entry corrected")

    spend = tmp_path / "spend.csv"
    spend.write_text("date,source,amount\n2026-01-05,Google Ads,12.50\nsoon,Google Ads,1\n")
    page.goto("/money/files/")
    page.get_by_label("CSV file").set_input_files(spend)
    page.get_by_role("button", name="Check file").tap()
    expect(page.get_by_role("region", name="Refused lines")).to_contain_text("Line 3")
    check_page(page, "money file check")
    page.get_by_role("button", name="Book file").tap()
    expect(page.get_by_text("1 entry and 0 corrections booked").first).to_be_visible()

    page.goto("/money/invoices/")
    page.get_by_label("Source").select_option(label="Any vendor")
    page.get_by_label("Invoice number").fill("Z-1")
    page.get_by_label("Amount").fill("512")
    page.get_by_role("button", name="Record invoice").tap()
    expect(page.get_by_role("region", name="Billed months")).to_contain_text("$512.00 more than")
    check_page(page, "money invoices")

    page.goto("/money/prices/")
    page.get_by_label("Source").select_option(label="Any vendor")
    page.get_by_label("From").fill("2026-01-01")
    page.get_by_label("Price per lead").fill("50")
    page.get_by_label("Reason").fill("Contract")
    page.get_by_role("button", name="Preview price").tap()
    expect(page.get_by_role("region", name="Preview")).to_contain_text(
        "This changes 2 leads by $100.00."
    )
    check_page(page, "money prices")
    page.get_by_role("button", name="Record price").tap()
    expect(page.get_by_role("region", name="Recorded prices")).to_contain_text("$50.00")

    officer = open_as(chromium, front, "Loan officer")
    officer.goto(f"/leads/{booked.ben.pk}/")
    officer.get_by_role("link", name="Record funding").tap()
    officer.get_by_label("Loan amount").fill("412,000")
    officer.get_by_label("Revenue").fill("9,270.55")
    check_page(officer, "funding form")
    officer.get_by_role("button", name="Record funding").tap()
    officer.get_by_role("link", name="Funding and revenue").tap()
    expect(officer.get_by_role("region", name="Funded")).to_contain_text("$9,270.55")
    check_page(officer, "funding recorded")
