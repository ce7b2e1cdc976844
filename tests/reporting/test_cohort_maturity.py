"""Cohort maturity: measured from the company's own pace, and unknown without enough history."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rooftree.reporting.first_screen.cohort_maturity import (
    HORIZON_DAYS,
    MIN_FUNDINGS,
    compute_funding_lags,
    measure_maturity,
)

TODAY = date(2026, 11, 23)
# A quarter funds on day 30, half on day 60, the last quarter on day 100.
PACE = compute_funding_lags({30: 10, 60: 20, 100: 10})


@pytest.mark.parametrize(
    ("age", "share", "label"),
    [
        (29, 0, "young"),
        (30, 0.25, "young"),
        (60, 0.75, "maturing"),
        (99, 0.75, "maturing"),
        (100, 1, "mature"),
        (900, 1, "mature"),
    ],
)
def test_maturity_follows_the_age_of_the_cohort(age, share, label):
    maturity = measure_maturity(PACE, {TODAY - timedelta(days=age): 7}, TODAY)

    assert (maturity.share, maturity.label) == (share, label)


def test_young_cohort_has_a_date_to_judge_it_from():
    maturity = measure_maturity(PACE, {TODAY - timedelta(days=40): 5}, TODAY)

    assert maturity.judge_from == TODAY + timedelta(days=20)
    assert (
        measure_maturity(PACE, {TODAY: 5}, maturity.judge_from + timedelta(days=40)).label
        != "young"
    )


def test_arrival_days_are_weighted_by_leads():
    arrivals = {TODAY - timedelta(days=100): 30, TODAY: 10}

    assert measure_maturity(PACE, arrivals, TODAY).share == pytest.approx(0.75)


@pytest.mark.parametrize(
    ("fundings", "label"), [(MIN_FUNDINGS - 1, "unknown"), (MIN_FUNDINGS, "mature")]
)
def test_maturity_is_unknown_with_too_few_fundings(fundings, label):
    lags = compute_funding_lags({30: fundings})

    assert measure_maturity(lags, {TODAY - timedelta(days=200): 5}, TODAY).label == label


def test_maturity_is_unknown_without_leads():
    assert measure_maturity(PACE, {}, TODAY).label == "unknown"


def test_fundings_after_the_horizon_are_ignored():
    assert compute_funding_lags({30: 30, HORIZON_DAYS + 1: 500}).fundings == 30


@given(
    st.dictionaries(st.integers(-5, 400), st.integers(1, 50), min_size=1),
    st.dictionaries(st.integers(0, 700), st.integers(1, 50), min_size=1),
    st.integers(0, 400),
)
def test_maturity_never_decreases(counts, ages, days):
    lags = compute_funding_lags(counts)
    arrivals = {TODAY - timedelta(days=age): count for age, count in ages.items()}

    now = measure_maturity(lags, arrivals, TODAY).share
    later = measure_maturity(lags, arrivals, TODAY + timedelta(days=days)).share

    if now is None:
        assert later is None
    else:
        assert 0 <= now <= later <= 1 + 1e-9
