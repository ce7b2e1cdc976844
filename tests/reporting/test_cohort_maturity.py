"""Maturity: judged by the company's own pace, and never without enough of it."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rooftree.reporting.first_screen.cohort_maturity import (
    HORIZON_DAYS,
    MIN_FUNDINGS,
    funding_lags,
    measure_maturity,
)

TODAY = date(2026, 11, 23)
# A quarter funds on day 30, half on day 60, the last quarter on day 100.
PACE = funding_lags({30: 10, 60: 20, 100: 10})


@pytest.mark.parametrize(
    ("age", "share", "word"),
    [
        (29, 0, "young"),
        (30, 0.25, "young"),
        (60, 0.75, "maturing"),
        (99, 0.75, "maturing"),
        (100, 1, "mature"),
        (900, 1, "mature"),
    ],
)
def test_a_cohort_is_as_ripe_as_its_age_allows(age, share, word):
    ripe = measure_maturity(PACE, {TODAY - timedelta(days=age): 7}, TODAY)

    assert (ripe.share, ripe.label) == (share, word)


def test_a_young_cohort_says_when_it_may_be_judged():
    ripe = measure_maturity(PACE, {TODAY - timedelta(days=40): 5}, TODAY)

    assert ripe.judge_from == TODAY + timedelta(days=20)
    assert measure_maturity(PACE, {TODAY: 5}, ripe.judge_from + timedelta(days=40)).label != "young"


def test_leads_of_several_days_weigh_by_their_number():
    arrivals = {TODAY - timedelta(days=100): 30, TODAY: 10}

    assert measure_maturity(PACE, arrivals, TODAY).share == pytest.approx(0.75)


@pytest.mark.parametrize(
    ("fundings", "word"), [(MIN_FUNDINGS - 1, "unknown"), (MIN_FUNDINGS, "mature")]
)
def test_with_too_few_fundings_there_is_no_telling(fundings, word):
    lags = funding_lags({30: fundings})

    assert measure_maturity(lags, {TODAY - timedelta(days=200): 5}, TODAY).label == word


def test_without_leads_there_is_no_telling():
    assert measure_maturity(PACE, {}, TODAY).label == "unknown"


def test_what_funds_after_the_horizon_is_not_waited_for():
    assert funding_lags({30: 30, HORIZON_DAYS + 1: 500}).fundings == 30


@given(
    st.dictionaries(st.integers(-5, 400), st.integers(1, 50), min_size=1),
    st.dictionaries(st.integers(0, 700), st.integers(1, 50), min_size=1),
    st.integers(0, 400),
)
def test_a_cohort_only_grows_riper(counts, ages, days):
    lags = funding_lags(counts)
    arrivals = {TODAY - timedelta(days=age): n for age, n in ages.items()}

    now = measure_maturity(lags, arrivals, TODAY).share
    later = measure_maturity(lags, arrivals, TODAY + timedelta(days=days)).share

    if now is None:
        assert later is None
    else:
        assert 0 <= now <= later <= 1 + 1e-9
