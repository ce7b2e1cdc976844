"""Bid prices and limits on pings, set and reviewed by staff."""

import pytest
from django.urls import reverse

from rooftree.capture.bidding.bid_rules import Price, parse_bid_rules
from rooftree.capture.models import PlacedBid
from rooftree.capture.source_setup.acceptance_limits import Span
from rooftree.leads.models import Source
from rooftree.ledger.models import Event
from tests import make


@pytest.fixture
def seller(db):
    return make.source("ping_post", name="Auction House", slug="auction", token="t", secret="s")


@pytest.fixture
def clerk(signed_in, db):
    make.company()
    return signed_in(make.user("operations"))


def page(seller):
    return reverse("source_bids", args=[seller.pk])


TYPED = {
    "prices": "30\nFL purchase 52.50",
    "per_day": "40",
    "duplicate_days": "30",
    "seconds": "60",
}


def test_bid_prices_and_limits_are_saved_and_logged(clerk, seller):
    answer = clerk.post(page(seller), TYPED)

    assert answer.status_code == 303
    seller.refresh_from_db()
    rules = parse_bid_rules(seller.setup["bids"])
    assert rules.prices == (
        Price(cents=3000),
        Price(cents=5250, purpose="purchase", state="FL"),
    )
    assert (rules.limits.leads, rules.limits.duplicate_days) == ({Span.DAY: 40}, 30)
    assert Event.objects.filter(kind="capture.source.bids_changed").count() == 1
    page_text = clerk.get(page(seller)).content.decode()
    assert "FL purchase 52.50" in page_text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"prices": "FL boat 30"}, "boat is not a state"),
        ({"prices": "FL purchase"}, "end the line with a price"),
        ({"prices": "30\n40"}, "Every lead has two prices"),
        ({"prices": "3000"}, "A price can&#x27;t be more"),
        ({"seconds": "0"}, "Enter a whole number from 1"),
    ],
)
def test_invalid_bid_settings_show_an_error_and_change_nothing(clerk, seller, change, message):
    answer = clerk.post(page(seller), TYPED | change)

    assert answer.status_code == 422
    assert message in answer.content.decode()
    seller.refresh_from_db()
    assert "bids" not in seller.setup


def test_page_says_why_no_bid_was_placed(clerk, seller):
    for nth, (cents, why) in enumerate([(4600, ""), (0, "not_licensed"), (0, "not_licensed")]):
        PlacedBid.objects.create(
            source=seller, ping_id=f"p-{nth}", state="FL", purpose="purchase", cents=cents,
            reason=why,
            seconds=60, requested_at=make.NOON, expires_at=make.NOON,
        )  # fmt: skip

    page_text = clerk.get(page(seller)).content.decode()
    assert "$46.00" in page_text
    assert "not licensed in this state" in page_text


def test_sample_ping_previews_the_bid_and_stores_nothing(clerk, seller):
    make.officer(licensed=("FL",))
    make.company_license("FL")
    clerk.post(page(seller), TYPED)

    body = '{"ping_id": "t", "state": "FL", "loan_purpose": "purchase"}'
    answer = clerk.post(reverse("source_reading", args=[seller.pk]), {"body": body})
    page_text = answer.content.decode()

    assert "&quot;bid&quot;:52.5" in page_text
    assert not PlacedBid.objects.exists()


def test_roles_without_source_setup_cannot_see_bids(signed_in, seller):
    make.company()
    officer = signed_in(make.user("officer"))

    assert officer.get(page(seller)).status_code == 403
    assert officer.post(page(seller), TYPED).status_code == 403


@pytest.mark.parametrize("adapter", ["bankrate", "leadconduit", "aggregator_post", "ping_post"])
def test_known_vendor_gets_a_secret_a_proof_page_and_an_editable_field_map(clerk, adapter):
    form = {"adapter": adapter, "name": "A vendor", "zone": "America/New_York", "per_minute": "600"}
    page_text = clerk.post(reverse("setup_sources"), form).content.decode()

    source = Source.objects.get(name="A vendor")
    assert source.secret and source.secret in page_text
    assert "X-Api-Key" in page_text
    proof = clerk.get(reverse("source_posts", args=[source.pk])).content.decode()
    assert "Verified by" in proof
    assert "Status on success" not in proof  # the answers follow the vendor's contract
    lines = clerk.get(reverse("source_map", args=[source.pk])).content.decode()
    assert "loan_purpose" in lines or "mortgage.loan.purpose" in lines
    saved_answer = clerk.post(reverse("source_posts", args=[source.pk]), {"proof": "address"})
    assert saved_answer.status_code == 303
    source.refresh_from_db()
    assert source.setup == {"proof": "address"}
