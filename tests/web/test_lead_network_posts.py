"""Lead networks post over HTTP in their own formats, on good days and bad."""

import hashlib
import json
import random

import pytest

from rooftree.capture.models import PlacedBid
from rooftree.core.us_states import STATES
from rooftree.flow import clock
from rooftree.leads.models import Delivery, Lead, RejectionCount, Touch
from rooftree_simulators.posters import networks
from rooftree_simulators.posters.lead_delivery import BadDay, post_delivery
from rooftree_simulators.posters.ping_post import LeadSeller
from rooftree_simulators.posters.simulated_borrowers import random_borrower
from tests import make
from tests.flow import journey

KEY = "a-key-of-the-vendor"
MAKERS = {
    "bankrate": (networks.bankrate_delivery,),
    "freerateupdate": (networks.freerateupdate_delivery, networks.freerateupdate_xml_delivery),
    "leadpoint": (networks.leadpoint_delivery,),
    "aggregator_post": (networks.numeric_delivery, networks.short_names_delivery),
    "leadconduit": (networks.leadconduit_delivery, networks.leadconduit_json_delivery),
}
POSTS = [(key, maker) for key, makers in MAKERS.items() for maker in makers]


@pytest.fixture
def at_work(live_server):
    journey.set_up_company(states=tuple(STATES))
    make.officer(licensed=STATES)
    with clock.freeze(make.NOON):
        yield live_server.url.replace("localhost", "127.0.0.1")


def vendor(key, **changes):
    token = f"{key}-token"
    digest = hashlib.sha256(token.encode()).hexdigest()
    return make.source(key, token=token, token_hash=digest, secret=KEY, **changes)


def post_lead(base, key, maker, seed=1, bad_day=None):
    rng = random.Random(seed)
    borrower = random_borrower(rng)
    post = maker(borrower, rng, at=make.NOON)
    post.headers["X-Api-Key"] = KEY
    attempts = post_delivery(post, f"{base}/in/{key}/{key}-token", bad_day=bad_day)
    return borrower, [attempt.answer for attempt in attempts]


@pytest.mark.parametrize(("key", "maker"), POSTS, ids=lambda one: getattr(one, "__name__", one))
def test_network_lead_is_accepted_answered_in_its_format_and_processed(at_work, key, maker):
    vendor(key)
    posts = [post_lead(at_work, key, maker, seed) for seed in range(4)]
    journey.run()

    expected_status = {"leadconduit": 201}.get(key, 200)
    assert [answer.status for _, answers in posts for answer in answers] == [expected_status] * 4
    for borrower, _ in posts:
        touch = Touch.objects.get(inquiry__emails__0__address=borrower.email)
        inquiry = touch.inquiry
        assert inquiry["source"] == key
        assert inquiry["phones"][0]["e164"] == f"+1{borrower.phone}"
        assert inquiry["loan"]["amount_cents"] == borrower.loan * 100
        assert inquiry["loan"]["purpose"].startswith(
            "purchase" if borrower.purpose == "purchase" else "ref"
        )
        assert (inquiry.get("property") or inquiry["mailing_address"])["state"] == borrower.state


@pytest.mark.parametrize("bad_day", [BadDay.SLOW, BadDay.DUPLICATE])
@pytest.mark.parametrize("key", MAKERS)
def test_slow_or_doubled_post_is_one_lead(at_work, key, bad_day):
    vendor(key)
    post_lead(at_work, key, MAKERS[key][0], bad_day=bad_day)
    journey.run()

    assert Lead.objects.count() == 1


@pytest.mark.parametrize("bad_day", [BadDay.WRONG_TOKEN, BadDay.WRONG_KEY])
@pytest.mark.parametrize("key", MAKERS)
def test_unauthenticated_post_is_refused_and_counted(at_work, key, bad_day):
    vendor(key)
    _, answers = post_lead(at_work, key, MAKERS[key][0], bad_day=bad_day)

    assert [answer.status for answer in answers] == [401]
    assert not Delivery.objects.exists()
    assert RejectionCount.objects.get().adapter == key


@pytest.mark.parametrize("key", ["bankrate", "leadconduit"])
def test_unreadable_post_is_stored_and_quarantined(at_work, key):
    vendor(key)
    maker = {
        "bankrate": networks.bankrate_delivery,
        "leadconduit": networks.leadconduit_json_delivery,
    }[key]
    _, answers = post_lead(at_work, key, maker, bad_day=BadDay.MALFORMED)

    assert answers[0].status == 400
    assert Delivery.objects.get().state == "quarantined"


def test_leadconduit_is_told_of_a_duplicate_in_its_own_format(at_work):
    vendor("leadconduit")
    _, answers = post_lead(
        at_work, "leadconduit", networks.leadconduit_delivery, bad_day=BadDay.DUPLICATE
    )
    first, second = (json.loads(answer.body) for answer in answers)

    assert (first["outcome"], second["outcome"]) == ("success", "failure")
    assert second["reason"] == "duplicate"
    assert second["lead"]["id"] == first["lead"]["id"]
    assert [answer.status for answer in answers] == [201, 201]


def test_sold_lead_has_the_bid_price(at_work):
    vendor("ping_post", setup={"bids": {"prices": [{"cents": 4600}]}})
    seller = LeadSeller(to=f"{at_work}/in/pingpost/ping_post-token", secret=KEY)
    rng = random.Random(2)
    borrower = random_borrower(rng)

    came = seller.run_auction(borrower, rng, at=make.NOON)
    journey.run()

    assert came.bid == 46.0
    assert came.posted is not None
    assert json.loads(came.posted.body)["outcome"] == "success"
    touch = Touch.objects.get()
    assert touch.inquiry["cost"] == {
        "amount_cents": 4600, "basis": "bid", "currency": "USD", "provisional": False,
    }  # fmt: skip
    assert touch.inquiry["phones"][0]["e164"] == f"+1{borrower.phone}"


@pytest.mark.parametrize(
    ("secret", "floor", "changes", "pings"),
    [
        ("wrong", 1.0, {}, 0),
        (KEY, 50.0, {}, 1),  # another buyer outbid us
        (KEY, 1.0, {"credit_rating": "abysmal"}, 1),
        (KEY, 1.0, {"price": 90.0}, 1),
    ],
)
def test_failing_auction_buys_nothing(at_work, secret, floor, changes, pings):
    vendor("ping_post", setup={"bids": {"prices": [{"cents": 4600}]}})
    seller = LeadSeller(to=f"{at_work}/in/pingpost/ping_post-token", secret=secret, floor=floor)
    rng = random.Random(2)

    seller.run_auction(random_borrower(rng), rng, at=make.NOON, changes=changes)
    journey.run()

    assert PlacedBid.objects.count() == pings
    assert not Lead.objects.exists()


def test_borrower_on_file_is_not_bought_again(at_work):
    vendor("ping_post", setup={"bids": {"prices": [{"cents": 4600}], "duplicate_days": 30}})
    seller = LeadSeller(to=f"{at_work}/in/pingpost/ping_post-token", secret=KEY)
    borrower = random_borrower(random.Random(2))
    seller.run_auction(borrower, random.Random(2), at=make.NOON)
    journey.run()

    second_auction = seller.run_auction(borrower, random.Random(9), at=make.NOON)

    assert second_auction.posted is None
    assert json.loads(second_auction.pinged.body)["reason"] == "duplicate"
