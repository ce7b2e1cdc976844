"""Rates: stored as observed, and each waiting borrower is alerted once."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Barrier

import pytest
from django.db import connections
from hypothesis import given
from hypothesis import strategies as st

from rooftree.ledger.models import Event
from rooftree.rates import loan_payments, rate_watch, record_rates
from rooftree.rates.models import RateObservation, RateWatch
from tests import make


def observe_rate(rate="6.000", *, at=make.NOON, **changes):
    return record_rates.record_rate(
        **{
            "product": "30yr_fixed",
            "rate_pct": Decimal(rate),
            "apr_pct": Decimal(rate) + Decimal("0.120"),
            "points": Decimal(0),
            "sheet": "House sheet",
            "by": None,
            "at": at,
            **changes,
        }
    )


def set_watch(target="6.000", *, lead=None, at=make.NOON - make.DAY, product="30yr_fixed"):
    return rate_watch.set_watch(
        lead=lead or make.lead(),
        product=product,
        target_pct=Decimal(target),
        by=None,
        at=at,
    )


@pytest.mark.django_db
def test_observation_stores_rate_apr_and_recorder():
    clerk = make.user("marketing")

    observation = observe_rate("6.190", by=clerk)

    assert record_rates.latest_rate("30yr_fixed") == observation
    assert (observation.apr_pct, observation.recorded_by) == (Decimal("6.310"), clerk)
    assert Event.objects.get().data["rate_pct"] == "6.190"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "changes",
    [
        {"product": "balloon"},
        {"rate_pct": Decimal("61.9")},  # a slipped decimal point
        {"rate_pct": Decimal("0.06")},  # a fraction instead of a percentage
        {"apr_pct": Decimal(0)},
        {"apr_pct": Decimal("4.9")},
    ],
)
def test_implausible_rate_is_refused(changes):
    with pytest.raises(record_rates.InvalidRate):
        observe_rate(**changes)

    assert not RateObservation.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("rate", "is_reached"), [("6.001", False), ("6.000", True), ("5.875", True)]
)
def test_watch_is_reached_at_its_target_or_below(rate, is_reached):
    watch = set_watch("6.000")

    reached = rate_watch.mark_reached_watches(observe_rate(rate), at=make.NOON)

    assert reached == ([watch] if is_reached else [])
    watch.refresh_from_db()
    assert (watch.reached_at is not None) == is_reached


@pytest.mark.django_db
def test_watch_is_reached_only_once():
    watch = set_watch("6.000")

    first = rate_watch.mark_reached_watches(observe_rate("5.990"), at=make.NOON)
    second = rate_watch.mark_reached_watches(observe_rate("5.500"), at=make.NIGHT)

    assert (first, second) == ([watch], [])
    watch.refresh_from_db()
    assert (watch.reached_at, watch.reached_by.rate_pct) == (make.NOON, Decimal("5.990"))
    assert Event.objects.filter(kind="rates.watch.reached").count() == 1


@pytest.mark.django_db
def test_other_product_ended_watch_and_older_sheet_reach_no_watch():
    set_watch(product="15yr_fixed")
    ended = set_watch()
    rate_watch.end_watch(ended, because="funded elsewhere", by=None, at=make.NOON)
    set_watch(at=make.NOON + make.HOUR)  # set after the sheet was seen

    assert rate_watch.mark_reached_watches(observe_rate("5.000"), at=make.NIGHT) == []


@pytest.mark.django_db
def test_new_target_replaces_the_watch_and_same_target_keeps_it():
    lead = make.lead()
    old = set_watch("6.000", lead=lead)
    assert set_watch("6.000", lead=lead) == old

    new = set_watch("5.750", lead=lead)

    old.refresh_from_db()
    assert old.ended_at is not None
    assert list(RateWatch.objects.filter(ended_at=None)) == [new]


@pytest.mark.django_db
def test_ending_a_watch_twice_keeps_the_first_end():
    watch = set_watch()

    assert rate_watch.end_watch(watch, because="asked", by=None, at=make.NOON)
    assert not rate_watch.end_watch(watch, because="asked", by=None, at=make.NIGHT)

    watch.refresh_from_db()
    assert watch.ended_at == make.NOON


@pytest.mark.django_db(transaction=True)
def test_concurrent_workers_reach_each_watch_once():
    watches = [set_watch() for _ in range(6)]
    observation = observe_rate("5.990")
    start = Barrier(4)

    def mark_reached(_):
        start.wait()
        try:
            return [
                watch.pk for watch in rate_watch.mark_reached_watches(observation, at=make.NOON)
            ]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        reached_ids = [key for keys in pool.map(mark_reached, range(4)) for key in keys]

    assert sorted(reached_ids) == sorted(watch.pk for watch in watches)


@pytest.mark.parametrize(
    ("amount_cents", "rate", "months", "expected"),
    [
        (200_000_00, "6", 360, 1_199_10),  # the textbook mortgage
        (300_000_00, "6.5", 360, 1_896_20),
        (250_000_00, "5.25", 180, 2_009_69),
        (120_000_00, "0", 120, 1_000_00),
        (100_000_00, "12", 1, 101_000_00),  # one payment: the amount and a month of interest
    ],
)
def test_monthly_payment_matches_the_annuity_formula(amount_cents, rate, months, expected):
    assert loan_payments.monthly_payment_cents(amount_cents, Decimal(rate), months) == expected


@given(
    st.integers(10_000_00, 5_000_000_00),
    st.decimals(min_value="0.125", max_value="15", places=3),
    st.integers(12, 480),
)
def test_rounded_monthly_payments_pay_off_the_loan(amount_cents, rate, months):
    payment = loan_payments.monthly_payment_cents(amount_cents, rate, months)

    balance = Decimal(amount_cents)
    for _ in range(months):
        balance = balance * (1 + rate / 1200) - payment

    # At most half a cent of rounding a month, grown at the rate, can be left.
    growth = (1 + rate / 1200) ** months
    assert abs(balance) <= (growth - 1) / (rate / 1200) / 2 + 1


def test_savings_are_the_difference_between_payments():
    assert (
        loan_payments.monthly_savings_cents(
            amount_cents=200_000_00, from_pct=Decimal(7), to_pct=Decimal(6), term_months=360
        )
        == 1_330_60 - 1_199_10
    )
