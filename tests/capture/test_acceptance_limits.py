"""What a source may bring: what is refused and why, what the vendor hears, and the way back."""

import json
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

import pytest
from django.db import connection

from rooftree.capture.intake.receive_delivery import endpoint_of
from rooftree.capture.intake.source_limits_check import can_be_limited
from rooftree.capture.parsing.envelope import IncomingDelivery
from rooftree.capture.source_setup import limits_preview
from rooftree.capture.source_setup.acceptance_limits import (
    AcceptanceLimits,
    Span,
    limits_to_json,
    parse_limits,
)
from rooftree.flow import lead_arrival
from rooftree.leads.models import Delivery, Lead, Touch
from rooftree.ledger.models import Event
from rooftree.money.models import Entry
from rooftree.reporting import invariants
from tests import make
from tests.flow import journey
from tests.make import DAY, HOUR, MINUTE, NOON

LEAD = {
    "reference": "lc-1", "first_name": "Lena", "last_name": "Brooks", "phone_1": "8135550142",
    "email": "lena@example.com", "price": "40", "mortgage.property.state": "FL",
}  # fmt: skip


@pytest.fixture
def network(db):
    journey.ready()
    make.officer(licensed=("FL",))
    return make.source("leadconduit", token="tok", secret="s3cret")


def limit(source, **limits):
    source.setup = {**source.setup, "acceptance": limits}
    source.save()


def send(source, *, at=NOON, nth=1, **changes):
    """One lead; `nth` makes it another person's."""
    other = {
        "reference": f"lc-{nth}",
        "phone_1": f"81355501{nth:02d}",
        "email": f"p{nth}@example.com",
        "last_name": f"Brook{'abcdefghijklmnop'[nth]}x",
    }
    lead = {name: said for name, said in {**LEAD, **other, **changes}.items() if said is not None}
    return post(source, urlencode(lead).encode(), "application/x-www-form-urlencoded", at)


def post(source, body, kind, at=NOON, path=None):
    incoming = IncomingDelivery(
        path=path or f"/in/{source.adapter}/{source.token}",
        headers={"Content-Type": kind, "X-Api-Key": source.secret},
        body=body,
        received_at=at,
        endpoint=endpoint_of(source),
    )
    answer = lead_arrival.accept_delivery(source=source, incoming=incoming, at=at).answer
    said = answer.to_bytes().decode()
    return json.loads(said) if "json" in (answer.content_type or "") else said


def refusals():
    return {
        delivery.reason: delivery for delivery in Delivery.objects.filter(outcome="not_accepted")
    }


@pytest.mark.parametrize(
    ("limits", "changes", "why", "said", "sentence"),
    [
        (
            {"licensed_only": True}, {"mortgage.property.state": "GA"}, "not_licensed",
            "not licensed in this state", "We are not licensed in GA.",
        ),
        (
            {"required": ["loan_purpose"]}, {}, "lacks:loan_purpose",
            "missing: the loan purpose", "Missing the loan purpose.",
        ),
        (
            {"required": ["consent_to_texts"]}, {}, "lacks:consent_to_texts",
            "missing: consent to texts", "Missing consent to texts.",
        ),
        (
            {"cents_per_day": 3999}, {}, "daily_budget", "daily budget reached",
            "$0.00 was spent that day; $40.00 more exceeds the budget of $39.99.",
        ),
    ],
)  # fmt: skip
def test_what_is_outside_the_limits_is_kept_with_its_reason_which_the_vendor_hears(
    network, limits, changes, why, said, sentence
):
    limit(network, **limits)

    answer = send(network, **changes)

    assert (answer["outcome"], answer["reason"]) == ("failure", said)
    kept = Delivery.objects.get()
    assert (kept.state, kept.outcome, kept.reason) == ("closed", "not_accepted", why)
    assert kept.problem == sentence
    assert b"Brook" in bytes(kept.body)
    journey.run(NOON + MINUTE)
    assert not Lead.objects.exists() and not Entry.objects.exists()
    assert invariants.check_deliveries_accounted_for(NOON).holds


@pytest.mark.parametrize(
    "limits",
    [
        {"licensed_only": True},
        {"required": ["phone", "email", "last_name", "property_state"]},
        {"duplicate_days": 30},
        {"per_hour": 1, "per_day": 1, "per_month": 1},
        {"cents_per_hour": 4000, "cents_per_day": 4000, "cents_per_month": 4000},
    ],
)
def test_what_is_within_them_is_taken(network, limits):
    limit(network, **limits)

    assert send(network)["outcome"] == "success"
    journey.run(NOON + MINUTE)
    assert Lead.objects.count() == 1


def test_a_lead_that_says_no_state_is_not_called_unlicensed(network):
    limit(network, licensed_only=True)

    assert send(network, **{"mortgage.property.state": None})["outcome"] == "success"


@pytest.mark.parametrize(
    ("span", "why", "still", "again"),
    [
        ("hour", "hourly_cap", 59 * MINUTE, HOUR),
        ("day", "daily_cap", 11 * HOUR, 12 * HOUR),
        ("month", "monthly_cap", 7 * DAY, 8 * DAY),
    ],
)
def test_a_cap_holds_until_the_companys_next_hour_day_or_month(network, span, why, still, again):
    limit(network, **{f"per_{span}": 1})
    send(network, nth=1)

    assert send(network, nth=2, at=NOON + still)["outcome"] == "failure"
    assert list(refusals()) == [why]
    assert send(network, nth=3, at=NOON + again)["outcome"] == "success"


def test_a_budget_counts_what_the_source_costs_where_a_lead_names_no_price(network):
    network.cost_cents = 3000
    limit(network, cents_per_day=5000)

    assert send(network, nth=1, price=None)["outcome"] == "success"
    assert send(network, nth=2, price=None)["reason"] == "daily budget reached"
    assert send(network, nth=3, price="20")["outcome"] == "success"


def test_the_same_human_within_the_window_is_refused_whatever_way_they_came(network):
    other = make.source("leadpoint", token="lp", secret="s3cret")
    body = {"FNAME": "Lena", "LNAME": "Brooks", "PRI_PHON": "8135550142"}
    post(other, urlencode(body).encode(), "application/x-www-form-urlencoded")
    journey.run(NOON + MINUTE)
    limit(network, duplicate_days=30)
    again = {name: LEAD[name] for name in ("phone_1", "last_name")}

    assert send(network, nth=2, at=NOON + 29 * DAY, **again)["reason"] == "duplicate"
    husband = again | {"first_name": "Robert"}
    assert send(network, nth=3, at=NOON + 29 * DAY, **husband)["outcome"] == "success"
    assert send(network, nth=4, at=NOON + 31 * DAY, **again)["outcome"] == "success"


def test_a_lead_that_was_taken_hears_so_however_often_it_is_sent(network):
    first = send(network)
    journey.run(NOON + MINUTE)
    limit(network, duplicate_days=30, per_day=1)

    # LeadConduit has a word of its own for a repetition; it is not our limit's.
    again = send(network, at=NOON + HOUR)
    assert again["lead"] == first["lead"]
    assert not refusals()
    journey.run(NOON + 2 * HOUR)
    assert Touch.objects.count() == 1


def test_a_refused_lead_may_come_again_when_there_is_room(network):
    limit(network, per_day=1)
    send(network, nth=1)
    send(network, nth=2)

    assert send(network, nth=2, at=NOON + DAY)["outcome"] == "success"


def test_test_leads_are_taken_whatever_the_limits_and_fill_none(network):
    limit(network, per_day=1)
    network.is_test = True
    network.save()
    send(network, nth=1)
    network.is_test = False
    network.save()

    assert send(network, nth=2)["outcome"] == "success"
    assert send(network, nth=3)["outcome"] == "failure"


def test_a_vendor_without_a_word_for_it_is_answered_as_for_any_lead(network):
    zillow = journey.zillow()
    limit(zillow, required=["certificate"])
    taken = post(network, urlencode(LEAD).encode(), "application/x-www-form-urlencoded")
    body = json.dumps(journey.zillow_contact()).encode()

    answered = post(zillow, body, "application/json")

    assert taken["outcome"] == "success"
    assert refusals()["lacks:certificate"].source == zillow
    assert "certificate" not in str(answered)


def test_numeric_posts_are_told_by_their_own_words_and_numbers(network):
    adapter = make.source("aggregator_post", token="agg", secret="s3cret")
    limit(adapter, licensed_only=True, required=["certificate"])
    form = "application/x-www-form-urlencoded"
    long = {"first_name": "Al", "last_name": "Ng",
            "phone": "7705550152", "email": "al@example.com", "property_state": "GA"}  # fmt: skip
    short = {"fname": "Al", "lname": "Ng", "ph": "7705550151", "em": "al2@example.com"}

    said = post(adapter, urlencode(long).encode(), form)
    number = post(adapter, urlencode(short).encode(), form)

    assert "<Response>REJECTED</Response><Reason>not licensed in this state</Reason>" in said
    assert number == "11"


def test_who_asks_on_our_own_form_is_never_refused(network):
    site = journey.website()
    limit(site, required=["certificate"], per_day=1)

    for nth in range(2):
        journey.arrive(site, journey.form_post(phone=f"813555010{nth}"))

    assert list(Delivery.objects.values_list("outcome", flat=True)) == ["accepted", "accepted"]


@pytest.mark.parametrize("adapter", ["phone_twilio", "chat_generic", "meta_lead_ads", "csv_import"])
def test_a_call_a_chat_an_ad_and_a_file_have_no_limits(db, adapter):
    assert not can_be_limited(make.source(adapter))


def test_who_was_refused_can_be_accepted_by_hand_and_is_then_one_lead(network):
    limit(network, required=["loan_purpose"])
    send(network)
    refused = Delivery.objects.get()
    clerk = make.user("operations")

    lead_arrival.replay_delivery(delivery_id=refused.pk, by=clerk.pk, at=NOON + HOUR)
    journey.run(NOON + HOUR + MINUTE)

    lead = Lead.objects.get()
    assert Entry.objects.get().amount_cents == 4000
    refused.refresh_from_db()
    assert (refused.state, refused.outcome, refused.problem) == ("worked", "accepted", "")
    assert send(network, at=NOON + 2 * HOUR)["lead"]["id"] == str(refused.pk)  # it came again
    journey.run(NOON + 3 * HOUR)
    assert Touch.objects.get().lead == lead
    assert Event.objects.filter(kind="capture.delivery.replayed").count() == 1
    assert invariants.check_deliveries_accounted_for(NOON + 3 * HOUR).holds


def test_one_that_came_again_and_was_taken_is_not_accepted_a_second_time(network):
    limit(network, per_day=1)
    send(network, nth=1)
    send(network, nth=2)
    send(network, nth=2, at=NOON + DAY)
    journey.run(NOON + DAY + MINUTE)
    first = Delivery.objects.get(outcome="not_accepted")

    lead_arrival.replay_delivery(
        delivery_id=first.pk, by=make.user("operations").pk, at=NOON + 2 * DAY
    )
    journey.run(NOON + 2 * DAY + MINUTE)

    first.refresh_from_db()
    assert (first.state, first.reason) == ("duplicate", "superseded")
    assert Touch.objects.count() == 2
    assert invariants.check_deliveries_accounted_for(NOON + 2 * DAY).holds


def test_conservation_fails_when_what_was_refused_is_worked(network):
    touch = make.touch()
    Delivery.objects.filter(pk=touch.delivery_id).update(
        state="closed", outcome="not_accepted", reason="daily_cap"
    )

    assert not invariants.check_deliveries_accounted_for(NOON).holds


def test_a_dry_run_says_of_thirty_days_what_would_have_been_refused_and_changes_nothing(network):
    for nth in range(1, 7):
        state = {"mortgage.property.state": "GA"} if nth in (2, 3) else {}
        send(network, nth=nth, at=NOON + nth * MINUTE, **state)
    send(network, nth=7, at=NOON - 31 * DAY)
    journey.run(NOON + HOUR)
    before = list(Delivery.objects.order_by("pk").values())
    limits = AcceptanceLimits(licensed_only=True, leads={Span.DAY: 3})

    run = limits_preview.preview_limits(network, limits, at=NOON + HOUR)

    assert run.inquiry_count == 6
    assert [(one.reason_code, one.count) for one in run.refused_groups] == [
        ("not_licensed", 2), ("daily_cap", 1),
    ]  # fmt: skip
    assert run.cents == 3 * 4000
    assert list(Delivery.objects.order_by("pk").values()) == before


def test_a_dry_run_and_the_real_thing_refuse_the_same(network):
    limits = {"licensed_only": True, "duplicate_days": 10, "per_hour": 2, "cents_per_day": 16000}
    twin = make.source("leadconduit", token="tok2", secret="s3cret")
    limit(twin, **limits)

    def play(source):
        for nth in range(1, 13):
            at = NOON + nth * 25 * MINUTE
            who = 3 if nth in (6, 9) else nth
            state = {"mortgage.property.state": "GA"} if nth % 5 == 0 else {}
            send(source, nth=who, at=at, reference=f"{source.token}-{nth}", **state)
            journey.run(at + MINUTE)

    play(twin)
    real = list(
        Delivery.objects.filter(source=twin, outcome="not_accepted")
        .order_by("received_at").values_list("received_at", "reason")
    )  # fmt: skip
    Touch.objects.all().delete()
    play(network)
    run = limits_preview.preview_limits(network, parse_limits(limits), at=NOON + DAY)

    assert len(real) > 4
    assert sum(one.count for one in run.refused_groups) == len(real)
    assert {one.reason_code for one in run.refused_groups} == {why for _, why in real}


def test_limits_nobody_can_read_refuse_nothing():
    for kept in (None, [], "x", {"per_day": -1}, {"required": "phone"}, {"licensed_only": "no"}):
        assert parse_limits(kept) == AcceptanceLimits()


def test_limits_are_kept_as_they_are():
    limits = AcceptanceLimits(
        licensed_only=True, required=("phone",), duplicate_days=30,
        leads={Span.HOUR: 4}, cents={Span.MONTH: 0},
    )  # fmt: skip

    assert parse_limits(limits_to_json(limits)) == limits


def test_two_posts_at_once_never_take_the_last_place_together(committed):
    journey.ready()
    network = make.source("leadconduit", token="tok", secret="s3cret")
    limit(network, per_day=3)

    def alone(nth):
        try:
            return send(network, nth=nth)["outcome"]
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(alone, range(1, 9)))

    assert sorted(said) == ["failure"] * 5 + ["success"] * 3


def test_the_same_post_twice_at_once_is_taken_once_and_never_called_over_the_cap(committed):
    journey.ready()
    network = make.source("leadconduit", token="tok", secret="s3cret")
    limit(network, per_day=1)

    def alone(_):
        try:
            return send(network)
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        said = list(pool.map(alone, range(6)))

    assert len({one["lead"]["id"] for one in said}) == 1
    assert not refusals()
