"""Vendor credentials, consent certificates and the vendor's reports, in a real Chromium."""

import json

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from rooftree.capture.intake.receive_delivery import endpoint_of
from rooftree.capture.models import Certificate, CertificateAccount, Retrieval, Sweep
from rooftree.capture.parsing.envelope import IncomingDelivery
from rooftree.flow import lead_arrival
from rooftree.leads.models import Delivery
from tests import make
from tests.web.browser.conftest import DESK, check_page, open_as

NOTICE = {
    "object": "page",
    "entry": [
        {"changes": [{"field": "leadgen", "value": {
            "leadgen_id": "1203344556677001", "form_id": "991122334455667",
            "created_time": 1795446268, "page_id": "153125381133"}}]}
    ],
}  # fmt: skip
EXPIRED = {"error": {"message": "Error validating access token", "code": 190}}


@pytest.fixture
def staff(people):
    make.user("operations", name="Pat Lowe", email="pat@lindenfield.example")
    make.user("administrator", name="Ada Boss", email="ada@lindenfield.example")


@pytest.fixture
def facebook(staff):
    return make.source("meta_lead_ads", name="Facebook", slug="facebook", token="t-9")


def test_credentials_page_names_what_is_missing(chromium, front, facebook):
    page = open_as(chromium, front, "Administrator")
    page.goto(reverse("source_credentials", args=[facebook.pk]))
    expect(page.get_by_text("Missing: App secret")).to_be_visible()
    check_page(page, "credentials")
    page.goto(reverse("setup_source", args=[facebook.pk]))
    check_page(page, "source-missing")


def test_typed_credentials_are_saved(chromium, front, facebook):
    page = open_as(chromium, front, "Administrator", DESK)
    page.goto(reverse("source_credentials", args=[facebook.pk]))
    page.get_by_label("App secret").fill("app-secret")
    page.get_by_label("Verify token").fill("words")
    page.get_by_label("Access token").fill("EAA")
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_text("All on file.")).to_be_visible()


def test_certificate_page_works_without_a_key_and_with_unproven_certificates(
    chromium, front, staff
):
    page = open_as(chromium, front, "Administrator")
    page.goto(reverse("setup_certificates"))
    check_page(page, "certificates-none")

    CertificateAccount.objects.create(provider="trustedform", key="k", changed_at=make.NOON)
    now = make.datetime.now(make.UTC)
    for nth, (state, problem) in enumerate(
        [
            ("retained", ""),
            ("retained_mismatch", ""),
            ("failed", "It expired before it was claimed (410)."),
        ]
    ):
        Certificate.objects.create(
            touch=make.touch(), url=f"https://cert.trustedform.com/{nth}", state=state,
            problem=problem, requested_at=now, claim_by=now, settled_at=now,
            phone_match=state == "retained", email_match=False,
        )  # fmt: skip
    page.reload()
    expect(page.get_by_text("expired before it was claimed")).to_be_visible()
    check_page(page, "certificates-lost")


def test_vendor_reports_are_shown_beside_deliveries(chromium, front, facebook):
    incoming = IncomingDelivery(
        path="/in/meta_lead_ads/t-9", headers={"Content-Type": "application/json"},
        body=json.dumps(NOTICE).encode(), received_at=make.NOON,
        endpoint=endpoint_of(facebook), is_verified=True,
    )  # fmt: skip
    delivery = lead_arrival.accept_delivery(
        source=facebook, incoming=incoming, at=make.NOON
    ).stored_delivery
    Retrieval.objects.update(
        status=400, body=json.dumps(EXPIRED).encode(), answered_at=make.NOON,
        problem="Meta does not accept the access token (190): Error validating access token",
    )  # fmt: skip
    Delivery.objects.update(state="quarantined", reason="upstream_auth")
    Sweep.objects.create(
        source=facebook, since=make.NOON, began_at=make.NOON, missed=2, listed=40,
        ended_at=make.NOON,
    )  # fmt: skip
    page = open_as(chromium, front, "Operations")
    page.goto(reverse("delivery", args=[delivery.pk]))
    expect(page.get_by_text("refused your credentials").first).to_be_visible()
    check_page(page, "told")
    page.goto(reverse("source", args=[facebook.pk]))
    expect(page.get_by_text("You have every lead on the vendor’s own list since")).to_be_visible()
    check_page(page, "listed")
