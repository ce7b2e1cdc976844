import random
from fractions import Fraction
from math import comb, inf, isclose, sqrt
from statistics import NormalDist, median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rooftree.core import confidence_intervals
from rooftree.core.confidence_intervals import Estimate

LEVELS = st.sampled_from([0.8, 0.95, 0.99, 0.995])
TIMES = st.lists(st.integers(1, 500).map(float), min_size=1, max_size=120)


@given(total=st.integers(1, 400), data=st.data(), level=LEVELS)
def test_share_interval_contains_every_share_the_count_does_not_reject(total, data, level):
    hits = data.draw(st.integers(0, total))
    z = NormalDist().inv_cdf((1 + level) / 2)

    def is_plausible(true_share):
        error = z * sqrt(true_share * (1 - true_share) / total)
        return abs(hits / total - true_share) <= error

    share = confidence_intervals.estimate_share(hits, total, level=level)

    assert share.value == hits / total
    assert share.low == pytest.approx(find_edge(is_plausible, hits / total, 0.0), abs=1e-9)
    assert share.high == pytest.approx(find_edge(is_plausible, hits / total, 1.0), abs=1e-9)


def find_edge(is_plausible, inside, end):
    """Find the last plausible value by bisection."""
    if is_plausible(end):
        return end
    for _ in range(100):
        middle = (inside + end) / 2
        inside, end = (middle, end) if is_plausible(middle) else (inside, middle)
    return inside


@given(values=TIMES, level=LEVELS)
def test_median_interval_excludes_the_ranks_that_chance_rarely_reaches(values, level):
    ordered = sorted(values)
    tail = Fraction((1 - level) / 2)
    ranks = [
        rank
        for rank in range(1, len(values) // 2 + 1)
        if sum(Fraction(comb(len(values), n), 2 ** len(values)) for n in range(rank)) <= tail
    ]
    ends = (ordered[ranks[-1] - 1], ordered[-ranks[-1]]) if ranks else (-inf, inf)

    estimate = confidence_intervals.estimate_median(values, level=level)

    assert estimate == Estimate(value=median(values), low=ends[0], high=ends[1])


def test_median_of_many_values_is_within_one_rank_of_the_exact_count():
    values = [float(n) for n in range(1, confidence_intervals.MAX_EXACT_COUNT + 1)]

    exact = confidence_intervals.estimate_median(values, level=0.95)
    close = confidence_intervals.estimate_median([*values, 1001.0], level=0.95)

    assert abs(exact.low - close.low) <= 1
    assert abs(exact.high - close.high) <= 1


def test_interval_contains_the_true_median_as_often_as_its_level_says():
    rng = random.Random(11)
    true_median = 10 * 0.6931471805599453  # of exponential waits with a mean of ten
    hits = 0
    for _ in range(600):
        estimate = confidence_intervals.estimate_median(
            [rng.expovariate(0.1) for _ in range(40)], level=0.95
        )
        hits += estimate.low <= true_median <= estimate.high

    assert hits / 600 >= 0.94


@given(
    above=st.tuples(*[st.floats(0, 100)] * 3).map(sorted),
    below=st.tuples(*[st.floats(0, 100)] * 3).map(sorted),
)
def test_ratio_interval_contains_every_quotient_of_both_intervals(above, below):
    over = Estimate(low=above[0], value=above[1], high=above[2])
    under = Estimate(low=below[0], value=below[1], high=below[2])

    estimate = confidence_intervals.estimate_ratio(over, under)

    for top in above:
        for bottom in [value for value in below if value > 0]:
            quotient = top / bottom
            assert estimate.low <= quotient or isclose(estimate.low, quotient)
            assert quotient <= estimate.high or isclose(estimate.high, quotient)


def test_zero_by_zero_is_one_and_anything_else_by_zero_is_infinite():
    none, some = Estimate(value=0, low=0, high=0.1), Estimate(value=0.5, low=0.3, high=0.7)

    assert confidence_intervals.estimate_ratio(none, none).value == 1
    assert confidence_intervals.estimate_ratio(some, none).value == inf
    assert confidence_intervals.estimate_ratio(none, some).value == 0
