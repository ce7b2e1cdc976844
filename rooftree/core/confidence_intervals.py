"""Confidence intervals for a share, a median and a ratio of two figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb, inf, sqrt
from statistics import NormalDist

MAX_EXACT_COUNT = 1_000  # up to this many values, a median's interval is exact; above, approximated


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A figure and the ends of its confidence interval."""

    value: float
    low: float
    high: float


def estimate_share(hits: int, total: int, *, level: float) -> Estimate:
    """Estimate a share with Wilson's score interval.

    Args:
        total: at least 1.
        level: the confidence level, such as 0.95.
    """
    z2 = _z_score(level) ** 2
    share = hits / total
    middle = (share + z2 / (2 * total)) / (1 + z2 / total)
    spread = sqrt(share * (1 - share) / total + z2 / (4 * total * total))
    half = sqrt(z2) / (1 + z2 / total) * spread
    low, high = max(0.0, middle - half), min(1.0, middle + half)
    # At 0 % and 100 % the formula is exact, but floating-point arithmetic is not.
    return Estimate(value=share, low=low if hits else 0.0, high=high if hits < total else 1.0)


def estimate_median(values: Sequence[float], *, level: float) -> Estimate:
    """Estimate a median with an interval between two of the values, by their ranks.

    Makes no assumption about the distribution. With too few values for the level, the
    interval is infinite.
    """
    ordered = sorted(values)
    count = len(ordered)
    middle = (ordered[(count - 1) // 2] + ordered[count // 2]) / 2
    rank = _median_rank(count, level)
    if rank < 1:
        return Estimate(value=middle, low=-inf, high=inf)
    return Estimate(value=middle, low=ordered[rank - 1], high=ordered[count - rank])


def estimate_ratio(numerator: Estimate, denominator: Estimate) -> Estimate:
    """Divide two non-negative figures; the interval spans all that their intervals allow.

    If each interval holds at a level of 1 - a / 2, the ratio's holds at 1 - a or better.
    """
    return Estimate(
        value=_divide(numerator.value, denominator.value),
        low=_divide(max(0.0, numerator.low), denominator.high),
        high=_divide(numerator.high, max(0.0, denominator.low)),
    )


def _divide(numerator: float, denominator: float) -> float:
    """Divide; zero by zero is 1 (no difference), and anything else by zero is infinite."""
    if denominator == 0:
        return 1.0 if numerator == 0 else inf
    return 0.0 if denominator == inf else numerator / denominator


def _median_rank(count: int, level: float) -> int:
    """Return the rank from either end that bounds the median; 0 when no rank does."""
    tail = (1 - level) / 2
    if count > MAX_EXACT_COUNT:
        return int(count / 2 - _z_score(level) * sqrt(count) / 2)
    outside, rank = 0, 0
    while rank < count // 2:
        outside += comb(count, rank)
        if outside > tail * 2**count:
            break
        rank += 1
    return rank


def _z_score(level: float) -> float:
    return NormalDist().inv_cdf((1 + level) / 2)
