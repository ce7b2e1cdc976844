"""How far chance alone may have moved a share, a median, or one figure by another."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb, inf, sqrt
from statistics import NormalDist

MAX_EXACT_COUNT = 1_000  # values up to which a median's interval is counted, not approximated


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A figure, and between what it lies as far as chance goes."""

    value: float
    low: float
    high: float


def estimate_share(hits: int, of: int, *, level: float) -> Estimate:
    """A share with Wilson's score interval. `of` is at least 1; `level` such as 0.95."""
    z2 = _z_score(level) ** 2
    here = hits / of
    middle = (here + z2 / (2 * of)) / (1 + z2 / of)
    half = sqrt(z2) / (1 + z2 / of) * sqrt(here * (1 - here) / of + z2 / (4 * of * of))
    low, high = max(0.0, middle - half), min(1.0, middle + half)
    # At the ends the formula is exact, its arithmetic is not.
    return Estimate(value=here, low=low if hits else 0.0, high=high if hits < of else 1.0)


def estimate_median(values: Sequence[float], *, level: float) -> Estimate:
    """A median with the interval between two of the values, by their ranks.

    It supposes nothing of how values are spread. Where there are too few of them for the
    level, the interval has no end.
    """
    ordered = sorted(values)
    count = len(ordered)
    middle = (ordered[(count - 1) // 2] + ordered[count // 2]) / 2
    rank = _median_rank(count, level)
    if rank < 1:
        return Estimate(value=middle, low=-inf, high=inf)
    return Estimate(value=middle, low=ordered[rank - 1], high=ordered[count - rank])


def estimate_ratio(above: Estimate, below: Estimate) -> Estimate:
    """One figure by another, neither of them negative, with all that their intervals allow.

    If each interval holds at a level of 1 - a / 2, this one does at 1 - a or better.
    """
    return Estimate(
        value=_divide(above.value, below.value),
        low=_divide(max(0.0, above.low), below.high),
        high=_divide(above.high, max(0.0, below.low)),
    )


def _divide(above: float, below: float) -> float:
    """A quotient; nothing by nothing is no difference, and anything by nothing has no end."""
    if below == 0:
        return 1.0 if above == 0 else inf
    return 0.0 if below == inf else above / below


def _median_rank(count: int, level: float) -> int:
    """The rank, from either end, between which the median lies; 0 when no rank will do."""
    tail = (1 - level) / 2
    if count > MAX_EXACT_COUNT:
        return int(count / 2 - _z_score(level) * sqrt(count) / 2)
    below, rank = 0, 0
    while rank < count // 2:
        below += comb(count, rank)
        if below > tail * 2**count:
            break
        rank += 1
    return rank


def _z_score(level: float) -> float:
    return NormalDist().inv_cdf((1 + level) / 2)
