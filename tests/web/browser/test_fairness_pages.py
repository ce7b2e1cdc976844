"""Fair lending and pay pages in a real Chromium, on a phone and at a desk."""

from datetime import timedelta

from django.urls import reverse
from playwright.sync_api import expect

from rooftree.capture.partners import agreements, partner_accounts, things_of_value_findings
from rooftree.compliance.fair_lending import officer_pay_plans
from rooftree.reporting.fair_lending_monitor import minority_shares, monthly_comparison
from tests import make
from tests.web.browser.conftest import check_page, open_as


def arrived(noon, language, minutes, code, *, number=30):
    at = noon - timedelta(days=40)
    for _ in range(number):
        make.lead(
            at=at, person=make.person(language=language), property_zip=code,
            first_attempt_at=at + timedelta(minutes=minutes),
        )  # fmt: skip


def build_comparison(noon):
    minority_shares.load_file(
        b"zip,minority_share\n33602,8\n33605,64\n", name="acs-2024.csv",
        by=make.user("compliance", name="Lena Park"), at=noon - timedelta(days=60),
    )  # fmt: skip
    arrived(noon, "en", 10, "33602")
    arrived(noon, "es", 13, "33605")
    arrived(noon, "", 9, "33602", number=40)
    arrived(noon, "ko", 9, "33602", number=2)
    monthly_comparison.compare_due_months(at=noon)


def enter_agreement(noon, partner):
    by, today = make.user("operations", name="Pat Lowe"), noon.date()
    typed = {
        "with_whom": f"partner:{partner.pk}", "document": "Contract 7", "from_date": today,
        "until_date": today, "cents": 1_200_00,
    }  # fmt: skip
    shares = {
        "what": "Open house flyers", "basis": "co_marketing", "our_cost_pct": 50,
        "our_benefit_pct": 50, "fair_value_document": "Quote of the printer",
    }  # fmt: skip
    agreements.enter_agreement(typed=typed | shares, by=by, at=noon)
    agreements.enter_agreement(
        typed=typed | {"what": "Ten open houses a year", "basis": "msa_fixed_price"}, by=by, at=noon
    )
    gift = {
        "direction": "given", "what": "Two tickets", "why": "Client evening", "basis": "gift",
        "fair_value_cents": 84_20, "on_date": today, "has_happened": True,
    }  # fmt: skip
    partner_accounts.record_thing_of_value(partner_id=partner.pk, typed=gift, by=by, at=noon)
    things_of_value_findings.check_partners(at=noon)


def propose_plan(noon, officer):
    by, other = make.user("operations", name="Kim Roe"), make.user("compliance", name="Al Frey")
    typed = {
        "officer": officer.pk, "basis": "fixed_pct_of_loan_amount", "percent": "1.25",
        "cents": None, "least_cents": 1_500_00, "most_cents": 9_000_00, "bonus_pct": None,
        "is_paid_by_creditor": True, "is_paid_by_consumer": False, "from_date": noon.date(),
    }  # fmt: skip
    first = officer_pay_plans.propose_plan(typed=typed, by=by, at=noon)
    officer_pay_plans.approve_plan(plan_id=first.pk, by=other, at=noon)
    later = typed | {"from_date": noon.date() + timedelta(days=30), "percent": "1.1"}
    officer_pay_plans.propose_plan(typed=later, by=by, at=noon)


def test_fairness_and_pay_pages_fit_and_are_accessible(chromium, front, people, noon):
    page = open_as(chromium, front, "Compliance")
    for address in ("fair_lending", "things_of_value", "pay_plans"):
        page.goto(reverse(address))
        check_page(page, f"{address}-empty")

    build_comparison(noon)
    partner = make.partner("Ana Ruiz")
    enter_agreement(noon, partner)
    propose_plan(noon, people.dana)

    page.goto(reverse("fair_lending"))
    page.get_by_role("button", name="Load file").click()
    expect(page.get_by_text("Choose a file.")).to_be_visible()
    check_page(page, "fair_lending")
    page.goto(reverse("fair_lending_taken_out"))
    page.get_by_role("button", name="Export file").click()
    expect(page.get_by_text("Say why, in a few words")).to_be_visible()
    check_page(page, "fair_lending-out")
    page.goto(reverse("things_of_value"))
    check_page(page, "things_of_value")
    page.goto(reverse("partner", args=[partner.pk]))
    check_page(page, "partner-ruled")
    page.goto(reverse("pay_plans"))
    check_page(page, "pay_plans")
    page.goto(reverse("pay_plan"))
    page.get_by_label("Pay depends on").select_option("other")
    page.get_by_label("Description").fill("Interest rate")
    page.get_by_label("Loan officer").select_option(label="Dana Whitfield")
    page.get_by_role("button", name="Propose plan").click()
    expect(page.get_by_text("Pay can't depend on a loan's terms.")).to_be_visible()
    check_page(page, "pay_plan-refused")
    page.goto(reverse("agreement"))
    page.get_by_role("button", name="Add agreement").click()
    check_page(page, "agreement-wrong")
    page.goto(reverse("compliance"))
    check_page(page, "compliance-fairness")
