"""Lead returns in a real Chromium, on a phone and at a desk."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from rooftree.flow import vendor_returns
from rooftree.money import return_claims
from rooftree.money.models import Claim, Contract
from tests import make
from tests.flow.returns.claiming import record_contract
from tests.web.browser.conftest import check_page, open_as


def create_paid_arrival(source, *, at, state="FL", price=65_50, phone="+18135550177"):
    """Create a paid lead arrival as intake stores it."""
    lead = make.lead(source=source, at=at)
    inquiry = {
        "phones": [{"e164": phone, "valid": True}],
        "emails": [{"address": "ida.berg@home.example"}],
        "property": {"state": state},
    }
    touch = make.touch(lead, at=at, inquiry=inquiry, vendor_lead_id=f"LC-{make.number()}")
    vendor_returns.Entry.objects.create(
        kind="cost", amount_cents=price, on_date=at.date(), source=source, lead=lead,
        basis="per_lead", idempotency_key=f"touch:{touch.pk}", booked_at=at,
    )  # fmt: skip
    return touch


@pytest.fixture
def clerk(people, noon):
    return make.user("operations", name="Pat Lowe", email="pat@lindenfield.example")


def test_return_pages_fit_and_are_accessible(chromium, front, clerk, people, noon):
    zillow = people.zillow
    page = open_as(chromium, front, "Operations")
    page.goto(reverse("returns"))
    check_page(page, "returns-empty")
    page.goto(reverse("contract", args=[zillow.pk]))
    page.get_by_label("Duplicate of an earlier lead").first.check()
    page.get_by_label("Duplicate window, days").fill("0")
    page.get_by_role("button", name="Save contract").click()
    expect(page.get_by_text("Enter who is warned")).to_be_visible()
    check_page(page, "contract-wrong")

    contract = record_contract(
        zillow, clerk, statuses={"funded": "FUNDED"}, send_to="returns@zillow.example", at=noon
    )
    record_contract(make.source("lendingtree", name="LendingTree", slug="lt"), clerk, at=noon)
    for nth, state in enumerate(["NV", "NY", "AZ", "NV"]):
        create_paid_arrival(zillow, at=noon - (nth + 1) * make.DAY, state=state, price=65_50 + nth)
    vendor_returns.check_due_contracts(at=noon)
    assert Claim.objects.count() == 4
    assert Contract.objects.filter(pk=contract.pk, next_check_at__gt=noon).exists()
    page.goto(reverse("contract", args=[zillow.pk]))
    check_page(page, "contract")
    page.goto(reverse("returns"))
    check_page(page, "returns")
    page.get_by_role("button", name="Send 4 returns to Zillow").click()
    page.get_by_role("button", name="Download file of 4 returns").click()
    expect(page.get_by_text("Say why, in a few words")).to_be_visible()
    check_page(page, "returns-send-wrong")
    page.get_by_label("Reason for the export").first.fill("Returns of this week")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Download file of 4 returns").click()
    assert saved.value.suggested_filename == "zillow-returns-1.csv"
    page.goto(reverse("return_send", args=[zillow.pk]))
    check_page(page, "returns-sent")

    unclaimed = create_paid_arrival(zillow, at=noon - make.DAY)
    page.goto(reverse("delivery", args=[unclaimed.delivery_id]))
    check_page(page, "return-delivery")
    page.get_by_role("link", name="Return lead…").click()
    page.get_by_role("button", name="Add return").click()
    expect(page.get_by_text("Enter explanation.")).to_be_visible()
    check_page(page, "return-by-hand")
    unpaid = make.touch(make.lead(source=zillow))
    page.goto(reverse("return_by_hand", args=[unpaid.pk]))
    expect(page.get_by_text("Nothing was paid for this lead.")).to_be_visible()
    check_page(page, "return-by-hand-none")

    claim = Claim.objects.latest("send_by")
    page.goto(reverse("return", args=[claim.pk]))
    check_page(page, "return-sent")
    page.get_by_label("Amount, $").fill("70")
    page.get_by_role("button", name="Record credit").click()
    expect(page.get_by_text("Only $65.50 is left to credit")).to_be_visible()
    check_page(page, "return-wrong")
    page.get_by_label("Amount, $").fill("20.25")
    page.get_by_role("button", name="Record credit").click()
    expect(page.get_by_text("Credit recorded")).to_be_visible()
    return_claims.record_refusal(
        claim.pk, note="They say that NV was ordered in May.", by=clerk, at=noon
    )
    page.reload()
    check_page(page, "return-refused")
    page.goto(reverse("returns") + "?state=answered")
    check_page(page, "returns-answered")
    page.goto(reverse("status_files", args=[zillow.pk]))
    check_page(page, "statuses")
