"""Rates: kept as seen, and every borrower who waits is told once."""

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


def seen(rate="6.000", *, at=make.NOON, **changes):
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


def waiting(target="6.000", *, lead=None, at=make.NOON - make.DAY, product="30yr_fixed"):
    return rate_watch.set_watch(
        lead=lead or make.lead(),
        product=product,
        target_pct=Decimal(target),
        by=None,
        at=at,
    )


@pytest.mark.django_db
def test_an_observation_keeps_the_rate_with_its_apr_and_who_recorded_it():
    clerk = make.user("marketing")

    observation = seen("6.190", by=clerk)

    assert record_rates.latest_rate("30yr_fixed") == observation
    assert (observation.apr_pct, observation.recorded_by) == (Decimal("6.310"), clerk)
    assert Event.objects.get().data["rate_pct"] == "6.190"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "changes",
    [
        {"product": "balloon"},
        {"rate_pct": Decimal("61.9")},  # a slipped decimal point
        {"rate_pct": Decimal("0.06")},  # a share instead of a percentage
        {"apr_pct": Decimal(0)},
        {"apr_pct": Decimal("4.9")},
    ],
)
def test_what_no_sheet_shows_is_refused(changes):
    with pytest.raises(record_rates.InvalidRate):
        seen(**changes)

    assert not RateObservation.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("rate", "is_reached"), [("6.001", False), ("6.000", True), ("5.875", True)]
)
def test_a_watch_is_reached_at_its_target_or_below(rate, is_reached):
    mine = waiting("6.000")

    reached = rate_watch.mark_reached_watches(seen(rate), at=make.NOON)

    assert reached == ([mine] if is_reached else [])
    mine.refresh_from_db()
    assert (mine.reached_at is not None) == is_reached


@pytest.mark.django_db
def test_a_watch_is_reached_once_however_often_the_rate_is_seen():
    mine = waiting("6.000")

    first = rate_watch.mark_reached_watches(seen("5.990"), at=make.NOON)
    second = rate_watch.mark_reached_watches(seen("5.500"), at=make.NIGHT)

    assert (first, second) == ([mine], [])
    mine.refresh_from_db()
    assert (mine.reached_at, mine.reached_by.rate_pct) == (make.NOON, Decimal("5.990"))
    assert Event.objects.filter(kind="rates.watch.reached").count() == 1


@pytest.mark.django_db
def test_another_product_an_ended_watch_and_an_older_sheet_reach_nothing():
    waiting(product="15yr_fixed")
    ended = waiting()
    rate_watch.end_watch(ended, because="funded elsewhere", by=None, at=make.NOON)
    waiting(at=make.NOON + make.HOUR)  # set after the sheet was seen

    assert rate_watch.mark_reached_watches(seen("5.000"), at=make.NIGHT) == []


@pytest.mark.django_db
def test_a_new_target_replaces_the_old_one_and_the_same_one_changes_nothing():
    lead = make.lead()
    old = waiting("6.000", lead=lead)
    assert waiting("6.000", lead=lead) == old

    new = waiting("5.750", lead=lead)

    old.refresh_from_db()
    assert old.ended_at is not None
    assert list(RateWatch.objects.filter(ended_at=None)) == [new]


@pytest.mark.django_db
def test_ending_twice_ends_once():
    mine = waiting()

    assert rate_watch.end_watch(mine, because="asked", by=None, at=make.NOON)
    assert not rate_watch.end_watch(mine, because="asked", by=None, at=make.NIGHT)

    mine.refresh_from_db()
    assert mine.ended_at == make.NOON


@pytest.mark.django_db(transaction=True)
def test_four_workers_reading_one_rate_tell_each_borrower_once():
    watches = [waiting() for _ in range(6)]
    observation = seen("5.990")
    start = Barrier(4)

    def work(_):
        start.wait()
        try:
            return [w.pk for w in rate_watch.mark_reached_watches(observation, at=make.NOON)]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        told = [key for keys in pool.map(work, range(4)) for key in keys]

    assert sorted(told) == sorted(w.pk for w in watches)


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
def test_the_monthly_payment_is_what_the_annuity_formula_gives(
    amount_cents, rate, months, expected
):
    assert loan_payments.monthly_payment_cents(amount_cents, Decimal(rate), months) == expected


@given(
    st.integers(10_000_00, 5_000_000_00),
    st.decimals(min_value="0.125", max_value="15", places=3),
    st.integers(12, 480),
)
def test_paying_the_rounded_payment_every_month_ends_the_loan(amount_cents, rate, months):
    payment = loan_payments.monthly_payment_cents(amount_cents, rate, months)

    balance = Decimal(amount_cents)
    for _ in range(months):
        balance = balance * (1 + rate / 1200) - payment

    # Half a cent of rounding a month, grown at the rate, is all that may be left.
    growth = (1 + rate / 1200) ** months
    assert abs(balance) <= (growth - 1) / (rate / 1200) / 2 + 1


def test_savings_are_the_difference_of_the_two_payments():
    assert (
        loan_payments.monthly_savings_cents(
            amount_cents=200_000_00, from_pct=Decimal(7), to_pct=Decimal(6), term_months=360
        )
        == 1_330_60 - 1_199_10
    )
