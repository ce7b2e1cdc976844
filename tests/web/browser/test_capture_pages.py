"""Source setup, field maps and imports in a real Chromium, on a phone and at a desk."""

import json

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from rooftree.capture.intake.receive_delivery import endpoint_of
from rooftree.capture.models import MapEdition, PlacedBid, Spreadsheet
from rooftree.capture.parsing.envelope import IncomingDelivery
from rooftree.flow import lead_arrival
from rooftree.leads.models import Delivery, Lead, Source
from tests import make
from tests.flow import journey
from tests.web.browser.conftest import DESK, check_page, open_as

SENT = {
    "lead": {
        "ref": "V-9",
        "who": {"full": "Okafor, Adaeze", "cell": "(212) 555-0142"},
        "want": "P",
        "tier": "gold",
    }
}
FILE = (
    "First name,Last name,Mobile,Email,State,Purpose,Shoe size\r\n"
    "Nina,Kowalczyk,4145550117,nina@example.com,FL,Refi,38\r\n"
    "Omar,Haddad,4145550118,omar@example.com,TX,Purchase,44\r\n"
    "Nobody,Reachable,,,FL,Refi,40\r\n"
)


def post_lead(source: Source) -> Delivery:
    incoming = IncomingDelivery(
        path=f"/in/generic/{source.token}",
        headers={"Content-Type": "application/json"},
        body=json.dumps(SENT).encode(),
        received_at=make.NOON,
        endpoint=endpoint_of(source),
    )
    received = lead_arrival.accept_delivery(source=source, incoming=incoming, at=make.NOON)
    return received.stored_delivery


def send_ping(source: Source, state: str) -> None:
    source.refresh_from_db()
    at = timezone.now()
    ping = {"ping_id": f"p-{state}", "state": state, "loan_purpose": "purchase"}
    incoming = IncomingDelivery(
        path=f"/in/pingpost/{source.token}/ping",
        headers={"X-Api-Key": source.secret},
        body=json.dumps(ping).encode(),
        received_at=at,
        endpoint=endpoint_of(source),
    )
    lead_arrival.accept_delivery(source=source, incoming=incoming, at=at)


@pytest.fixture
def clerk(people):
    return make.user("operations", name="Pat Lowe", email="pat@lindenfield.example")


@pytest.fixture
def post_source(clerk):
    return make.source("generic", name="Northern Leads", slug="northern", token="t-1")


def test_field_map_is_fixed_beside_the_delivery_and_replayed(chromium, front, post_source):
    delivery = post_lead(post_source)
    assert delivery.state == "quarantined"
    page = open_as(chromium, front, "Operations", DESK)
    page.goto(reverse("source_map", args=[post_source.pk]))
    lines = (("name", "lead.who.full"), ("mobile", "lead.who.cell"), ("loan_purpose", "lead.want"))

    for nth, (field, path) in enumerate(lines):
        if not page.locator(f"#path-{nth}").count():
            page.get_by_role("button", name="Save draft").click()
            page.wait_for_load_state()
        page.locator(f"#field-{nth}").select_option(field)
        page.locator(f"#path-{nth}").fill(path)
    expect(page.locator("#tried")).to_contain_text("Creates a lead")
    expect(page.locator("#tried")).to_contain_text("unknown enum:loan.purpose=P")
    page.locator(".map__line").nth(2).locator("summary").click()
    page.locator("#words-2").fill("P = purchase; R = refinance")
    expect(page.locator("#tried")).not_to_contain_text("unknown enum")
    page.get_by_label("What changed and why").fill("Their first lead")
    page.get_by_role("button", name="Publish v1").click()
    expect(page.get_by_text("Field map v1 of Northern Leads is live")).to_be_visible()

    edition = MapEdition.objects.get(source=post_source)
    assert [(line["field"], line["path"]) for line in edition.lines] == list(lines)
    page.goto(reverse("delivery", args=[delivery.pk]))
    page.get_by_role("button", name="Replay").click()
    expect(page.get_by_text("can be used now")).to_be_visible()
    delivery.refresh_from_db()
    assert delivery.state == "received"


def test_webhook_source_pages_fit_and_are_accessible(chromium, front, post_source):
    page = open_as(chromium, front, "Operations")
    page.goto(reverse("source_map", args=[post_source.pk]))
    check_page(page, "map-empty")
    post_lead(post_source)
    page.goto(reverse("source_map", args=[post_source.pk]))
    check_page(page, "map-full")
    page.get_by_role("button", name="Publish v1").click()
    expect(page.get_by_text("Fix this before you publish")).to_be_visible()
    check_page(page, "map-error")
    page.goto(reverse("source_posts", args=[post_source.pk]))
    check_page(page, "posts")
    page.goto(reverse("setup_source", args=[post_source.pk]))
    check_page(page, "source")


def test_source_detail_pages_fit_and_are_accessible(chromium, front, clerk):
    line = make.source("phone_twilio", name="Mailers", slug="mailers")
    page = open_as(chromium, front, "Operations")
    page.goto(reverse("source_settings", args=[line.pk]))
    check_page(page, "details")
    page.get_by_label("Ring this number").fill("12")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("is not a phone number")).to_be_visible()
    check_page(page, "details-error")
    page.goto(reverse("setup_source", args=[line.pk]))
    check_page(page, "source-of-calls")


def test_spreadsheet_is_imported_step_by_step(chromium, front, clerk):
    page = open_as(chromium, front, "Operations")
    page.goto(reverse("imports"))
    check_page(page, "imports-empty")
    make.source("csv_import", name="Old CRM", slug="old-crm")
    page.goto(reverse("imports"))
    page.get_by_label("File", exact=True).set_input_files(
        {"name": "people.csv", "mimeType": "text/csv", "buffer": b"PK\x03\x04"}
    )
    page.get_by_role("button", name="Upload file").click()
    expect(page.get_by_text("This Excel workbook is damaged")).to_be_visible()
    check_page(page, "imports-error")
    page.get_by_label("File", exact=True).set_input_files(
        {"name": "people.csv", "mimeType": "text/csv", "buffer": FILE.encode()}
    )
    page.get_by_role("button", name="Upload file").click()
    expect(page.get_by_label("Field for Mobile")).to_have_value("mobile")
    check_page(page, "import-columns")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#progress")).to_be_visible()
    check_page(page, "import-progress")

    journey.run()
    expect(page.get_by_role("heading", name="Preview")).to_be_visible()
    expect(page.get_by_text("Enter a valid ten-digit phone number")).to_be_visible()
    check_page(page, "import-checked")
    before = Lead.objects.count()
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.locator("#progress")).to_be_visible()
    journey.run()

    expect(page.get_by_role("heading", name="Result")).to_be_visible()
    check_page(page, "import-done")
    assert Lead.objects.count() == before + 2
    assert Spreadsheet.objects.get().counts == {"new": 2, "refused": 1}
    page.get_by_role("button", name="Undo import").click()
    expect(page.get_by_text("Undo in progress")).to_be_visible()
    check_page(page, "import-undoing")
    journey.run()
    expect(page.get_by_text("2 leads closed")).to_be_visible()
    assert Lead.objects.filter(retired_reason="import undone").count() == 2


def test_bidding_source_pages_fit_and_are_accessible(chromium, front, clerk):
    seller = make.source("ping_post", name="Auction House", slug="auction", token="t", secret="s")
    page = open_as(chromium, front, "Operations")
    page.goto(reverse("setup_source", args=[seller.pk]))
    check_page(page, "seller")
    page.goto(reverse("source_bids", args=[seller.pk]))
    check_page(page, "bids-empty")

    page.get_by_label("Prices, $").fill("30\nFL boat 52")
    page.get_by_role("button", name="Save bids").click()
    expect(page.get_by_text("boat is not a state")).to_be_visible()
    check_page(page, "bids-wrong")
    page.get_by_label("Prices, $").fill("30\nrefinance 40\nFL purchase 52.50")
    page.get_by_label("Leads per day").fill("40")
    page.get_by_role("button", name="Save bids").click()
    expect(page.get_by_text("Bids for Auction House saved")).to_be_visible()

    page.goto(reverse("source_instructions", args=[seller.pk]))
    page.get_by_role("button", name="Test post").click()
    expect(page.get_by_text("This is the bid you would make now")).to_be_visible()
    check_page(page, "seller-proof")
    assert not PlacedBid.objects.exists()
    for state in ("FL", "NY"):
        send_ping(seller, state)
    page.goto(reverse("source_bids", args=[seller.pk]))
    check_page(page, "bids-full")
    expect(page.get_by_text("$52.50")).to_be_visible()
