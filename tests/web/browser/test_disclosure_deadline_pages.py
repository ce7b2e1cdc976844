"""Disclosure deadlines in a real Chromium, on a phone and at a desk."""

from django.urls import reverse
from playwright.sync_api import expect

from rooftree.compliance.credit import credit_clocks
from rooftree.compliance.models import CreditClock
from rooftree.flow import borrower_replies, credit_notice_triggers
from rooftree.leads.models import Lead
from tests import make
from tests.web.browser.conftest import check_page, open_as


def add_application_items(lead, *, at) -> None:
    """Store five application items from the form and the sixth from a text."""
    inquiry = {
        "borrower": {"first_name": "Ben", "last_name": "Ortiz"},
        "income": {"annual_cents": 96_000_00},
        "property": {"line1": "12 Palm Street", "estimated_value_cents": 458_000_00},
        "loan": {"amount_cents": 412_000_00},
    }
    make.touch(lead, at=at - make.DAY, inquiry=inquiry)
    borrower_replies.receive_text(
        sender="+18135550142", body="my social is 078-05-1120", carrier_id="SM1",
        carrier="twilio", at=at,
    )  # fmt: skip


def test_disclosure_deadline_pages_fit_and_are_accessible(
    chromium, front, people, noon
):  # fmt: skip
    page = open_as(chromium, front, "Compliance")
    page.goto(reverse("clocks"))
    check_page(page, "clocks-empty")

    add_application_items(people.ben, at=noon)
    credit_notice_triggers.record_denial(
        people.mei.pk, "attempt:1", "Dana Whitfield told them no", at=noon
    )
    late = credit_clocks.NewClock(
        lead=make.lead(), kind="counteroffer", began_on=noon.date() - 95 * make.DAY,
        sentence="A counteroffer was made.", idempotency_key="test:1",
    )  # fmt: skip
    credit_clocks.start_clock(late, at=noon)
    page.goto(reverse("clocks"))
    expect(page.get_by_text("overdue").first).to_be_visible()
    check_page(page, "clocks")

    clock = CreditClock.objects.get(kind="adverse_action")
    page.goto(reverse("credit_clock", args=[clock.pk]))
    check_page(page, "clock")
    page.get_by_label("Document in the LOS").fill("eFolder 118")
    page.get_by_label("Sent", exact=True).select_option("electronic")
    page.get_by_label("Specific reasons given").fill("Debts are high against income")
    page.get_by_role("button", name="Close deadline").click()
    expect(page.get_by_text("requires an E-SIGN consent")).to_be_visible()
    check_page(page, "clock-refused")
    page.get_by_label("Sent", exact=True).select_option("mail")
    page.get_by_role("button", name="Close deadline").click()
    expect(page.get_by_role("heading", name="Outcome")).to_be_visible()
    check_page(page, "clock-closed")

    page.goto(reverse("lead", args=[people.ben.pk]))
    expect(page.get_by_text("Application received")).to_be_visible()
    check_page(page, "lead-application")
    bureau = Lead.objects.get(pk=people.ben.pk).source
    make.terms(bureau, source_class="cra_trigger", is_firm_offer=True, reviewed_at=noon)
    page.goto(reverse("application", args=[people.ben.pk]))
    check_page(page, "application-basis")
    page.goto(reverse("source_terms", args=[bureau.pk]))
    check_page(page, "terms-class")
