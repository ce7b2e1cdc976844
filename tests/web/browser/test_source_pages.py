"""Acceptance rules, baseline and posting instructions of a source, in a real Chromium."""

import json
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from rooftree.capture.intake.receive_delivery import endpoint_of
from rooftree.capture.models import Baseline
from rooftree.capture.parsing.envelope import IncomingDelivery
from rooftree.flow import lead_arrival
from rooftree.leads.models import Delivery, Source
from tests import make
from tests.web.browser.conftest import check_page, open_as

LEAD = {"first_name": "Lena", "last_name": "Brooks", "price": "41.25",
        "mortgage.loan.purpose": "purchase"}  # fmt: skip


@pytest.fixture
def clerk(people):
    return make.user("operations", name="Pat Lowe", email="pat@lindenfield.example")


@pytest.fixture
def network(clerk):
    return make.source(
        "leadconduit",
        name="LeadConduit",
        slug="lc",
        token="t-1",
        secret="a-long-secret",
        cost_cents=4000,
    )


def deliver_lead(source: Source, nth: int, state: str) -> None:
    source.refresh_from_db()
    at = timezone.now() - nth * timedelta(hours=7)
    lead = {**LEAD, "reference": f"lc-{nth}", "phone_1": f"81355501{nth:02d}",
            "mortgage.property.state": state}  # fmt: skip
    incoming = IncomingDelivery(
        path="/in/leadconduit/t-1",
        headers={"Content-Type": "application/json"},
        body=json.dumps(lead).encode(),
        received_at=at,
        endpoint=endpoint_of(source),
        is_verified=True,
    )
    lead_arrival.accept_delivery(source=source, incoming=incoming, at=at)


def test_acceptance_rules_are_previewed_and_applied(chromium, front, network):
    page = open_as(chromium, front, "Operations")
    page.goto(reverse("source_acceptance", args=[network.pk]))
    check_page(page, "acceptance-empty")
    for nth in range(1, 13):
        deliver_lead(network, nth, "GA" if nth % 3 == 0 else "FL")
    page.get_by_label("Only states where you’re licensed").check()
    page.get_by_label("Leads per day").fill("2")
    page.get_by_role("button", name="Preview on the last 30 days").click()
    expect(page.get_by_text("would have been refused")).to_be_visible()
    check_page(page, "acceptance-tried")
    assert "acceptance" not in Source.objects.get(pk=network.pk).setup

    page.get_by_label("Leads per day").fill("0")
    page.get_by_role("button", name="Apply limits").click()
    expect(page.get_by_text("Nothing was saved")).to_be_visible()
    check_page(page, "acceptance-wrong")
    page.get_by_label("Leads per day").fill("40")
    page.get_by_role("button", name="Apply limits").click()
    expect(page.get_by_text("Limits of LeadConduit applied")).to_be_visible()
    deliver_lead(network, 15, "GA")
    page.goto(f"{reverse('source', args=[network.pk])}?state=refused")
    expect(page.get_by_text("We are not licensed in GA.")).to_be_visible()
    check_page(page, "refused")
    page.locator(".rows a").first.click()
    expect(page.get_by_text("Refused by this source’s acceptance rules")).to_be_visible()
    check_page(page, "refused-one")
    page.get_by_role("button", name="Accept anyway").click()
    expect(page.get_by_text("can be used now")).to_be_visible()
    assert not Delivery.objects.filter(outcome="not_accepted").exists()


def test_source_goes_through_its_audit(chromium, front, network):
    Source.objects.filter(pk=network.pk).update(launched_at=None)
    page = open_as(chromium, front, "Operations")
    page.goto(reverse("source_baseline", args=[network.pk]))
    check_page(page, "baseline-empty")
    page.get_by_label("Leads per week").fill("40")
    page.get_by_label("Reachable leads, %").fill("101")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Nothing was saved")).to_be_visible()
    check_page(page, "baseline-wrong")
    page.get_by_label("Reachable leads, %").fill("80")
    page.get_by_label("Price per lead, $").fill("46")
    page.get_by_label("Exclusivity").select_option("shared")
    page.get_by_label("Notify when silent").select_option(label="Pat Lowe")
    page.get_by_role("button", name="Save").click()
    page.get_by_label("Reason").fill("Their desk is a shared mailbox")
    page.get_by_label("Waive").select_option("contact")
    check_page(page, "baseline-open")
    page.get_by_role("button", name="Waive in my name").click()
    page.get_by_label("Reason").fill("Agreed by phone, the paper follows")
    page.get_by_role("button", name="Waive in my name").click()
    expect(page.get_by_role("button", name="Launch source")).to_be_visible()
    check_page(page, "baseline-done")
    page.get_by_role("button", name="Launch source").click()
    expect(page.get_by_text("LeadConduit launched")).to_be_visible()
    at = timezone.now()
    Baseline.objects.update(silent_at=at, last_at=at - timedelta(hours=9), drifted_at=at)
    page.goto(reverse("source_baseline", args=[network.pk]))
    check_page(page, "baseline-silent")
    page.goto(reverse("source", args=[network.pk]))
    check_page(page, "silent")
    page.goto(reverse("sources"))
    check_page(page, "sources")


def test_pasted_post_is_parsed_beside_the_instructions(chromium, front, network):
    page = open_as(chromium, front, "Operations")
    page.goto(reverse("source_instructions", args=[network.pk]))
    check_page(page, "instructions")
    page.get_by_label("Post body").fill('{"first_name": "Ana", "shoe": 9}')
    page.get_by_role("button", name="Test post").click()
    expect(page.get_by_text("This post would not create a lead.")).to_be_visible()
    check_page(page, "instructions-tried")
    page.emulate_media(media="print")
    expect(page.get_by_label("Post body")).to_be_hidden()
    expect(page.get_by_role("heading", name="Responses")).to_be_visible()
    check_page(page, "instructions-paper")
    page.emulate_media(media="screen")
    page.goto(reverse("setup_source", args=[network.pk]))
    check_page(page, "source-setup")
