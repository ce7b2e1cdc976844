"""How much of what a cohort will fund has funded already, by this company's own history."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate

HORIZON_DAYS = 180  # what funds later than this after arrival is not waited for
HISTORY_DAYS = 545  # cohorts that tell how long fundings take: this old at most
MIN_FUNDINGS = 20  # with fewer there is no telling
MATURE, YOUNG = 0.9, 0.7


@dataclass(frozen=True, slots=True, kw_only=True)
class Maturity:
    """The share (0 to 1) of a cohort's expected fundings that have had the time to happen.

    None is: not enough history to tell.
    """

    share: float | None
    judge_from: date | None = None  # when a young cohort will have grown up enough

    @property
    def label(self) -> str:
        if self.share is None:
            return "unknown"
        if self.share >= MATURE:
            return "mature"
        return "maturing" if self.share >= YOUNG else "young"


@dataclass(frozen=True, slots=True, kw_only=True)
class FundingLags:
    """How many loans funded how many days after their lead arrived."""

    fundings: int
    within: tuple[float, ...]  # [n]: the share that funded within n days of arrival

    @property
    def is_enough(self) -> bool:
        return self.fundings >= MIN_FUNDINGS


def funding_lags(counts: Mapping[int, int]) -> FundingLags:
    """The distribution from counts of fundings by days since arrival.

    What lies beyond the horizon is left out, what lies before arrival (a lead
    recorded after its loan) counts as day 0.
    """
    days = [0] * (HORIZON_DAYS + 1)
    for lag, loans in counts.items():
        if lag <= HORIZON_DAYS:
            days[max(lag, 0)] += loans
    total = sum(days)
    shares = tuple(n / total for n in accumulate(days)) if total > 0 else ()
    return FundingLags(fundings=total, within=shares)


def measure_maturity(lags: FundingLags, arrivals: Mapping[date, int], today: date) -> Maturity:
    """How ripe a cohort is.

    Args:
        arrivals: leads by the day they arrived (or the middle of their week).

    Every lead is taken as equally likely to fund, at the company's own pace.
    """
    share = _mature_share(lags, arrivals, today)
    if share is None or share >= YOUNG:
        return Maturity(share=share)
    wait = next(
        n
        for n in range(1, 2 * HORIZON_DAYS + 366)
        if (_mature_share(lags, arrivals, today + timedelta(days=n)) or 0) >= YOUNG
    )
    return Maturity(share=share, judge_from=today + timedelta(days=wait))


def _mature_share(lags: FundingLags, arrivals: Mapping[date, int], today: date) -> float | None:
    leads = sum(arrivals.values())
    if not lags.is_enough or leads <= 0:
        return None
    ripe = 0.0
    for day, count in arrivals.items():
        age = (today - day).days
        if age >= 0:
            ripe += count * lags.within[min(age, HORIZON_DAYS)]
    return ripe / leads
