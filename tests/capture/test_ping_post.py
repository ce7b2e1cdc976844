"""Pings and posts with stored bids, licenses, caps and people on file."""

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
from django.db import connection

from rooftree.capture.bidding import placed_bids
from rooftree.capture.bidding.bid_rules import BidRules, Ping, Price, decide_bid, parse_bid_rules
from rooftree.capture.intake.receive_delivery import endpoint_of
from rooftree.capture.models import PlacedBid
from rooftree.capture.parsing.envelope import IncomingDelivery
from rooftree.capture.source_setup.acceptance_limits import LimitFacts
from rooftree.flow import lead_arrival
from rooftree.leads.models import Delivery, Lead, RejectionCount, Touch
from tests import make
from tests.flow import journey
from tests.make import NOON

PHONE, EMAIL = "+18135550142", "lena@example.com"
PING = {
    "ping_id": "p-1", "vertical": "mortgage", "loan_purpose": "refinance", "state": "FL",
    "zip": "33602", "loan_amount": 310000, "credit_rating": "excellent", "sub_id": "pub-1",
    "phone_sha256": hashlib.sha256(PHONE.encode()).hexdigest(),
    "email_sha256": hashlib.sha256(EMAIL.encode()).hexdigest(),
}  # fmt: skip
POST = {**PING, "first_name": "Lena", "last_name": "Brooks", "phone": "813-555-0142",
        "email": "Lena@Example.com", "price": 46.0}  # fmt: skip
BIDS = {"prices": [{"cents": 4600}]}


@pytest.fixture
def seller(db):
    journey.set_up_company()
    make.officer(licensed=("FL",))
    return make.source("ping_post", token="tok", secret="s3cret", setup={"bids": BIDS})


def send(seller, step, body, *, at=NOON, key="s3cret"):
    incoming = IncomingDelivery(
        path=f"/in/pingpost/{seller.token}/{step}",
        headers={"Content-Type": "application/json", "X-Api-Key": key},
        body=json.dumps(body).encode(),
        remote_addr="203.0.113.10",
        received_at=at,
        endpoint=endpoint_of(seller),
    )
    answer = lead_arrival.accept_delivery(source=seller, incoming=incoming, at=at).answer
    return json.loads(answer.to_bytes())


def bids(seller, **changes):
    seller.setup = {"bids": {**BIDS, **changes}}
    seller.save()


def test_bid_stores_no_person_and_its_post_becomes_lead_at_bid_price(seller):
    said = send(seller, "ping", {**PING, "phone": PHONE, "first_name": "Lena"})

    assert said == {"outcome": "success", "ping_id": "p-1", "bid": 46.0, "expires_in": 60}
    row = PlacedBid.objects.get()
    assert (row.cents, row.state, row.expires_at) == (4600, "FL", NOON + timedelta(seconds=60))
    kept = json.dumps(row.ping_fields) + row.ping_id
    assert "Lena" not in kept and PHONE not in kept
    assert not Delivery.objects.exists()

    sold = send(seller, "post", POST, at=NOON + timedelta(seconds=60))
    assert (sold["outcome"], sold["price"]) == ("success", 46.0)
    journey.run(NOON + timedelta(seconds=61))
    touch = Touch.objects.get()
    assert str(touch.delivery_id) == sold["lead_id"]
    assert touch.inquiry["cost"]["amount_cents"] == 4600
    assert touch.inquiry["cost"]["basis"] == "bid"
    assert touch.lead.person.last_name == "Brooks"


def test_repeated_post_becomes_one_lead(seller):
    send(seller, "ping", PING)

    first, second = send(seller, "post", POST), send(seller, "post", POST)
    journey.run()

    assert first == second
    assert Lead.objects.count() == 1


def test_repeated_post_after_bid_expiry_is_answered_as_bought(seller):
    send(seller, "ping", PING)

    first = send(seller, "post", POST, at=NOON + timedelta(seconds=60))
    assert send(seller, "post", POST, at=NOON + timedelta(seconds=61)) == first
    assert sorted(delivery.outcome for delivery in Delivery.objects.all()) == [
        "accepted",
        "duplicate_delivery",
    ]


def test_repeated_ping_gets_same_bid_after_price_change(seller):
    first = send(seller, "ping", PING)
    bids(seller, prices=[{"cents": 100}])

    assert send(seller, "ping", PING, at=NOON + timedelta(seconds=59)) == first
    assert PlacedBid.objects.count() == 1
    late = NOON + timedelta(seconds=61)
    assert send(seller, "ping", PING, at=late)["bid"] == 1.0
    assert PlacedBid.objects.get().expires_at == late + timedelta(seconds=60)


@pytest.mark.parametrize(
    ("change", "after", "said", "reason"),
    [
        ({"ping_id": "p-9"}, 0, "no such ping", "ping_unknown"),
        ({}, 61, "bid expired", "ping_expired"),
        ({"state": "TX"}, 0, "post does not match ping", "ping_mismatch"),
        ({"loan_amount": 90000}, 0, "post does not match ping", "ping_mismatch"),
        ({"price": 60}, 0, "post does not match ping", "ping_mismatch"),
        ({"phone": "8135550199"}, 0, "post does not match ping", "ping_mismatch"),
        ({"email": "other@example.com"}, 0, "post does not match ping", "ping_mismatch"),
    ],
)
def test_post_that_differs_from_ping_is_recorded_and_not_bought(
    seller, change, after, said, reason
):
    send(seller, "ping", PING)

    answer = send(seller, "post", POST | change, at=NOON + timedelta(seconds=after))

    assert (answer["outcome"], answer["reason"]) == ("failure", said)
    journey.run(NOON + timedelta(minutes=5))
    assert not Lead.objects.exists()
    assert Delivery.objects.get().reason == reason


def test_corrected_post_is_bought_while_bid_is_valid(seller):
    send(seller, "ping", PING)
    send(seller, "post", {**POST, "state": "TX"})

    assert send(seller, "post", POST)["outcome"] == "success"
    journey.run()
    assert Lead.objects.count() == 1


def test_post_matches_ping_in_any_number_format(seller):
    send(seller, "ping", PING)

    again = {**POST, "loan_amount": "310000.00", "state": "fl", "price": "46"}
    assert send(seller, "post", again)["outcome"] == "success"


def test_value_missing_in_post_is_taken_from_ping(seller):
    send(seller, "ping", PING)
    person = ("ping_id", "first_name", "last_name", "phone", "email")
    send(seller, "post", {name: POST[name] for name in person})
    journey.run()

    inquiry = Touch.objects.get().inquiry
    assert inquiry["property"]["state"] == "FL"
    assert inquiry["loan"]["amount_cents"] == 31_000_000


def test_ping_of_another_seller_is_not_found(seller):
    other = make.source("ping_post", token="two", secret="s3cret", setup={"bids": BIDS})
    send(other, "ping", PING)

    assert send(seller, "post", POST)["reason"] == "no such ping"


@pytest.mark.parametrize(
    ("ours", "theirs", "bid"),
    [(True, True, 46.0), (False, True, 0), (True, False, 0)],
)
def test_bid_needs_company_and_officer_licensed_in_state(seller, ours, theirs, bid):
    if ours:
        make.company_license("GA")
    if theirs:
        make.officer(licensed=("GA",))

    assert send(seller, "ping", {**PING, "state": "GA"})["bid"] == bid


def test_license_that_ended_today_allows_no_bid(seller):
    make.officer(licensed=("GA",))
    make.company_license("GA", until_date=date(2026, 11, 23))

    said = send(seller, "ping", {**PING, "state": "GA"}, at=NOON.replace(month=11, day=23))
    assert said["reason"] == "not licensed in this state"


def test_full_daily_cap_stops_bids_until_next_day(seller):
    bids(seller, per_day=1)
    send(seller, "ping", PING)
    meanwhile = send(seller, "ping", {**PING, "ping_id": "p-2"})
    assert (meanwhile["bid"], meanwhile["reason"]) == (0, "daily cap reached")  # one bid is open

    send(seller, "post", POST)
    later = NOON + timedelta(hours=2)
    assert send(seller, "ping", {**PING, "ping_id": "p-3"}, at=later)["bid"] == 0
    tomorrow = NOON + timedelta(days=1)
    assert send(seller, "ping", {**PING, "ping_id": "p-4"}, at=tomorrow)["bid"] == 46.0


def test_bought_lead_counts_once_beside_its_open_bid(seller):
    bids(seller, per_day=2)
    send(seller, "ping", PING)
    send(seller, "post", POST)

    assert send(seller, "ping", {**PING, "ping_id": "p-2"})["bid"] == 46.0
    assert send(seller, "ping", {**PING, "ping_id": "p-3"})["reason"] == "daily cap reached"


def test_ping_is_recognized_by_its_whole_id(seller):
    odd = {"ping_id": "shopping:7"}
    send(seller, "ping", {**PING, **odd})

    assert send(seller, "post", {**POST, **odd})["outcome"] == "success"


def test_unused_bid_frees_its_place_under_cap(seller):
    bids(seller, per_month=1)
    send(seller, "ping", PING)

    later = NOON + timedelta(seconds=61)
    assert send(seller, "ping", {**PING, "ping_id": "p-2"}, at=later)["bid"] == 46.0


@pytest.mark.parametrize("known_by", ["phone_sha256", "email_sha256"])
def test_recent_inquirer_is_not_bought_again(seller, known_by):
    send(seller, "ping", PING)
    send(seller, "post", POST)
    journey.run()
    bids(seller, duplicate_days=30)
    hidden = {name: PING[name] for name in PING if not name.endswith("sha256")}
    again = {**hidden, "ping_id": "p-2", known_by: PING[known_by]}

    assert send(seller, "ping", again, at=NOON + timedelta(days=29))["reason"] == "duplicate"
    again["ping_id"] = "p-3"
    assert send(seller, "ping", again, at=NOON + timedelta(days=31))["bid"] == 46.0


def test_source_without_price_does_not_bid(seller):
    bids(seller, prices=[])

    said = send(seller, "ping", PING)
    assert said == {
        "outcome": "failure", "ping_id": "p-1", "bid": 0, "reason": "no price is set",
    }  # fmt: skip
    assert send(seller, "post", POST)["reason"] == "we did not bid"


def test_wrong_key_gets_no_bid_and_is_counted(seller):
    assert send(seller, "ping", PING, key="other") == {"error": "unauthorized"}
    assert RejectionCount.objects.get().adapter == "ping_post"
    assert not PlacedBid.objects.exists()


def test_pings_are_deleted_after_thirty_days(seller):
    send(seller, "ping", PING)

    assert placed_bids.delete_old_bids(at=NOON + timedelta(days=30)) == 0
    assert placed_bids.delete_old_bids(at=NOON + timedelta(days=30, seconds=1)) == 1


@pytest.mark.parametrize(
    ("state", "purpose", "cents"),
    [
        ("FL", "purchase", 5000),
        ("FL", "refinance_cash_out", 4000),
        ("TX", "refinance", 3000),
        ("TX", "purchase", 1000),
        ("TX", "", 1000),
    ],
)
def test_most_specific_price_wins(state, purpose, cents):
    prices = (
        Price(cents=1000),
        Price(cents=3000, purpose="refinance"),
        Price(cents=4000, state="FL"),
        Price(cents=5000, state="FL", purpose="purchase"),
    )
    standing = LimitFacts(licensed=frozenset({"FL", "TX"}))

    assert (
        decide_bid(Ping(state=state, purpose=purpose), BidRules(prices=prices), standing).cents
        == cents
    )


@pytest.mark.parametrize("stored", [None, [], "x", {"prices": 3}, {"prices": [{"cents": -1}, 7]}])
def test_unreadable_bid_rules_bid_nothing(stored):
    assert parse_bid_rules(stored) == BidRules()


def test_concurrent_pings_never_share_the_last_place_under_cap(committed):
    journey.set_up_company()
    make.officer(licensed=("FL",))
    seller = make.source("ping_post", token="tok", secret="s3cret")
    bids(seller, per_day=3)

    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(lambda nth: _ping_in_thread(seller, f"p-{nth}"), range(8)))

    assert sorted(one["bid"] for one in said) == [0, 0, 0, 0, 0, 46.0, 46.0, 46.0]
    assert PlacedBid.objects.filter(cents__gt=0).count() == 3


def _ping_in_thread(seller, ping_id):
    try:
        return send(seller, "ping", {**PING, "ping_id": ping_id})
    finally:
        connection.close()


def test_ping_costs_few_queries_at_any_volume(seller, django_assert_max_num_queries):
    bids(seller, per_day=1000, per_month=9000, duplicate_days=30)
    for nth in range(20):
        send(seller, "ping", {**PING, "ping_id": f"before-{nth}"})

    with django_assert_max_num_queries(18):
        assert send(seller, "ping", PING)["bid"] == 46.0
