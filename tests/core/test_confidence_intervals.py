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


@given(of=st.integers(1, 400), data=st.data(), level=LEVELS)
def test_a_share_s_interval_holds_every_share_the_count_does_not_refute(of, data, level):
    hits = data.draw(st.integers(0, of))
    z = NormalDist().inv_cdf((1 + level) / 2)

    def is_borne(true_share):
        return abs(hits / of - true_share) <= z * sqrt(true_share * (1 - true_share) / of)

    found = confidence_intervals.estimate_share(hits, of, level=level)

    assert found.value == hits / of
    assert found.low == pytest.approx(searched(is_borne, hits / of, 0.0), abs=1e-9)
    assert found.high == pytest.approx(searched(is_borne, hits / of, 1.0), abs=1e-9)


def searched(is_borne, inside, end):
    """The edge between what is borne and what is not, by halving; the slow way."""
    if is_borne(end):
        return end
    for _ in range(100):
        middle = (inside + end) / 2
        inside, end = (middle, end) if is_borne(middle) else (inside, middle)
    return inside


@given(values=TIMES, level=LEVELS)
def test_a_median_s_interval_leaves_out_the_ranks_chance_seldom_reaches(values, level):
    ordered = sorted(values)
    tail = Fraction((1 - level) / 2)
    ranks = [
        rank
        for rank in range(1, len(values) // 2 + 1)
        if sum(Fraction(comb(len(values), n), 2 ** len(values)) for n in range(rank)) <= tail
    ]
    ends = (ordered[ranks[-1] - 1], ordered[-ranks[-1]]) if ranks else (-inf, inf)

    found = confidence_intervals.estimate_median(values, level=level)

    assert found == Estimate(value=median(values), low=ends[0], high=ends[1])


def test_a_median_of_many_has_the_ranks_of_the_exact_count_or_the_next():
    values = [float(n) for n in range(1, confidence_intervals.MAX_EXACT_COUNT + 1)]

    exact = confidence_intervals.estimate_median(values, level=0.95)
    close = confidence_intervals.estimate_median([*values, 1001.0], level=0.95)

    assert abs(exact.low - close.low) <= 1
    assert abs(exact.high - close.high) <= 1


def test_an_interval_holds_as_often_as_it_says():
    drawn = random.Random(11)
    true_median = 10 * 0.6931471805599453  # of waits with a mean of ten
    held = 0
    for _ in range(600):
        found = confidence_intervals.estimate_median(
            [drawn.expovariate(0.1) for _ in range(40)], level=0.95
        )
        held += found.low <= true_median <= found.high

    assert held / 600 >= 0.94


@given(
    above=st.tuples(*[st.floats(0, 100)] * 3).map(sorted),
    below=st.tuples(*[st.floats(0, 100)] * 3).map(sorted),
)
def test_a_ratio_allows_whatever_both_intervals_allow(above, below):
    over = Estimate(low=above[0], value=above[1], high=above[2])
    under = Estimate(low=below[0], value=below[1], high=below[2])

    found = confidence_intervals.estimate_ratio(over, under)

    for top in above:
        for bottom in [one for one in below if one > 0]:
            quotient = top / bottom
            assert found.low <= quotient or isclose(found.low, quotient)
            assert quotient <= found.high or isclose(found.high, quotient)


def test_nothing_by_nothing_is_no_difference_and_anything_by_nothing_has_no_end():
    none, some = Estimate(value=0, low=0, high=0.1), Estimate(value=0.5, low=0.3, high=0.7)

    assert confidence_intervals.estimate_ratio(none, none).value == 1
    assert confidence_intervals.estimate_ratio(some, none).value == inf
    assert confidence_intervals.estimate_ratio(none, some).value == 0
