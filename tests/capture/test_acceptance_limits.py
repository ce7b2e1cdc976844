"""Acceptance rules of a source: rejections and reasons, vendor answers, acceptance by hand."""

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
    journey.set_up_company()
    make.officer(licensed=("FL",))
    return make.source("leadconduit", token="tok", secret="s3cret")


def limit(source, **limits):
    source.setup = {**source.setup, "acceptance": limits}
    source.save()


def send(source, *, at=NOON, nth=1, **changes):
    """Post one lead; each `nth` is a different person."""
    other = {
        "reference": f"lc-{nth}",
        "phone_1": f"81355501{nth:02d}",
        "email": f"p{nth}@example.com",
        "last_name": f"Brook{'abcdefghijklmnop'[nth]}x",
    }
    lead = {
        name: value for name, value in {**LEAD, **other, **changes}.items() if value is not None
    }
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
    answer_body = answer.to_bytes().decode()
    return json.loads(answer_body) if "json" in (answer.content_type or "") else answer_body


def refusals():
    return {
        delivery.reason: delivery for delivery in Delivery.objects.filter(outcome="not_accepted")
    }


@pytest.mark.parametrize(
    ("limits", "changes", "why", "answer_reason", "sentence"),
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
def test_lead_outside_limits_is_stored_and_rejected_with_its_reason(
    network, limits, changes, why, answer_reason, sentence
):
    limit(network, **limits)

    answer = send(network, **changes)

    assert (answer["outcome"], answer["reason"]) == ("failure", answer_reason)
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
def test_lead_within_limits_is_accepted(network, limits):
    limit(network, **limits)

    assert send(network)["outcome"] == "success"
    journey.run(NOON + MINUTE)
    assert Lead.objects.count() == 1


def test_lead_without_state_is_not_rejected_as_unlicensed(network):
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
def test_cap_lasts_until_companys_next_hour_day_or_month(network, span, why, still, again):
    limit(network, **{f"per_{span}": 1})
    send(network, nth=1)

    assert send(network, nth=2, at=NOON + still)["outcome"] == "failure"
    assert list(refusals()) == [why]
    assert send(network, nth=3, at=NOON + again)["outcome"] == "success"


def test_budget_counts_source_cost_when_lead_names_no_price(network):
    network.cost_cents = 3000
    limit(network, cents_per_day=5000)

    assert send(network, nth=1, price=None)["outcome"] == "success"
    assert send(network, nth=2, price=None)["reason"] == "daily budget reached"
    assert send(network, nth=3, price="20")["outcome"] == "success"


def test_duplicate_person_within_window_is_rejected_from_any_source(network):
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


def test_accepted_lead_gets_same_answer_on_every_repeat(network):
    first = send(network)
    journey.run(NOON + MINUTE)
    limit(network, duplicate_days=30, per_day=1)

    # LeadConduit has its own word for a repeat, which is not the word for our limit.
    again = send(network, at=NOON + HOUR)
    assert again["lead"] == first["lead"]
    assert not refusals()
    journey.run(NOON + 2 * HOUR)
    assert Touch.objects.count() == 1


def test_rejected_lead_is_accepted_later_when_there_is_room(network):
    limit(network, per_day=1)
    send(network, nth=1)
    send(network, nth=2)

    assert send(network, nth=2, at=NOON + DAY)["outcome"] == "success"


def test_test_leads_ignore_limits_and_do_not_count(network):
    limit(network, per_day=1)
    network.is_test = True
    network.save()
    send(network, nth=1)
    network.is_test = False
    network.save()

    assert send(network, nth=2)["outcome"] == "success"
    assert send(network, nth=3)["outcome"] == "failure"


def test_vendor_without_rejection_answer_gets_usual_answer(network):
    zillow = journey.create_zillow()
    limit(zillow, required=["certificate"])
    taken = post(network, urlencode(LEAD).encode(), "application/x-www-form-urlencoded")
    body = json.dumps(journey.zillow_contact()).encode()

    answered = post(zillow, body, "application/json")

    assert taken["outcome"] == "success"
    assert refusals()["lacks:certificate"].source == zillow
    assert "certificate" not in str(answered)


def test_numeric_posts_get_rejection_in_own_words_and_numbers(network):
    adapter = make.source("aggregator_post", token="agg", secret="s3cret")
    limit(adapter, licensed_only=True, required=["certificate"])
    form = "application/x-www-form-urlencoded"
    long = {"first_name": "Al", "last_name": "Ng",
            "phone": "7705550152", "email": "al@example.com", "property_state": "GA"}  # fmt: skip
    short = {"fname": "Al", "lname": "Ng", "ph": "7705550151", "em": "al2@example.com"}

    xml = post(adapter, urlencode(long).encode(), form)
    number = post(adapter, urlencode(short).encode(), form)

    assert "<Response>REJECTED</Response><Reason>not licensed in this state</Reason>" in xml
    assert number == "11"


def test_own_website_form_is_never_limited(network):
    site = journey.create_website()
    limit(site, required=["certificate"], per_day=1)

    for nth in range(2):
        journey.arrive(site, journey.form_post(phone=f"813555010{nth}"))

    assert list(Delivery.objects.values_list("outcome", flat=True)) == ["accepted", "accepted"]


@pytest.mark.parametrize("adapter", ["phone_twilio", "chat_generic", "meta_lead_ads", "csv_import"])
def test_calls_chats_ads_and_files_are_never_limited(db, adapter):
    assert not can_be_limited(make.source(adapter))


def test_rejected_lead_accepted_by_hand_becomes_one_lead(network):
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
    assert send(network, at=NOON + 2 * HOUR)["lead"]["id"] == str(refused.pk)  # it was posted again
    journey.run(NOON + 3 * HOUR)
    assert Touch.objects.get().lead == lead
    assert Event.objects.filter(kind="capture.delivery.replayed").count() == 1
    assert invariants.check_deliveries_accounted_for(NOON + 3 * HOUR).holds


def test_lead_accepted_on_repeat_cannot_be_accepted_by_hand_again(network):
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


def test_conservation_check_fails_when_rejected_lead_is_worked(network):
    touch = make.touch()
    Delivery.objects.filter(pk=touch.delivery_id).update(
        state="closed", outcome="not_accepted", reason="daily_cap"
    )

    assert not invariants.check_deliveries_accounted_for(NOON).holds


def test_dry_run_counts_rejections_of_last_thirty_days_without_changes(network):
    for nth in range(1, 7):
        state = {"mortgage.property.state": "GA"} if nth in (2, 3) else {}
        send(network, nth=nth, at=NOON + nth * MINUTE, **state)
    send(network, nth=7, at=NOON - 31 * DAY)
    journey.run(NOON + HOUR)
    before = list(Delivery.objects.order_by("pk").values())
    limits = AcceptanceLimits(licensed_only=True, leads={Span.DAY: 3})

    run = limits_preview.preview_limits(network, limits, at=NOON + HOUR)

    assert run.inquiry_count == 6
    assert [(group.reason_code, group.count) for group in run.refused_groups] == [
        ("not_licensed", 2), ("daily_cap", 1),
    ]  # fmt: skip
    assert run.cents == 3 * 4000
    assert list(Delivery.objects.order_by("pk").values()) == before


def test_dry_run_rejects_same_leads_as_real_limits(network):
    limits = {"licensed_only": True, "duplicate_days": 10, "per_hour": 2, "cents_per_day": 16000}
    twin = make.source("leadconduit", token="tok2", secret="s3cret")
    limit(twin, **limits)

    def play(source):
        for nth in range(1, 13):
            at = NOON + nth * 25 * MINUTE
            person_nth = 3 if nth in (6, 9) else nth
            state = {"mortgage.property.state": "GA"} if nth % 5 == 0 else {}
            send(source, nth=person_nth, at=at, reference=f"{source.token}-{nth}", **state)
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
    assert sum(group.count for group in run.refused_groups) == len(real)
    assert {group.reason_code for group in run.refused_groups} == {why for _, why in real}


def test_unreadable_limits_reject_nothing():
    for kept in (None, [], "x", {"per_day": -1}, {"required": "phone"}, {"licensed_only": "no"}):
        assert parse_limits(kept) == AcceptanceLimits()


def test_limits_are_restored_unchanged_from_json():
    limits = AcceptanceLimits(
        licensed_only=True, required=("phone",), duplicate_days=30,
        leads={Span.HOUR: 4}, cents={Span.MONTH: 0},
    )  # fmt: skip

    assert parse_limits(limits_to_json(limits)) == limits


def test_concurrent_posts_never_share_the_last_place_under_cap(committed):
    journey.set_up_company()
    network = make.source("leadconduit", token="tok", secret="s3cret")
    limit(network, per_day=3)

    def post_in_thread(nth):
        try:
            return send(network, nth=nth)["outcome"]
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(post_in_thread, range(1, 9)))

    assert sorted(answers) == ["failure"] * 5 + ["success"] * 3


def test_concurrent_repeat_is_accepted_once_and_never_counted_over_cap(committed):
    journey.set_up_company()
    network = make.source("leadconduit", token="tok", secret="s3cret")
    limit(network, per_day=1)

    def post_in_thread(_):
        try:
            return send(network)
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(post_in_thread, range(6)))

    assert len({answer["lead"]["id"] for answer in answers}) == 1
    assert not refusals()
