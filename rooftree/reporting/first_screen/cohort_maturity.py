"""Share of a cohort's expected fundings that have happened, from the company's own history."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate

HORIZON_DAYS = 180  # later fundings after arrival are ignored
HISTORY_DAYS = 545  # oldest cohorts used to measure the time to funding
MIN_FUNDINGS = 20  # with fewer, the maturity is unknown
MATURE, YOUNG = 0.9, 0.7


@dataclass(frozen=True, slots=True, kw_only=True)
class Maturity:
    """The share (0 to 1) of a cohort's expected fundings that have had time to happen.

    None: not enough history to tell.
    """

    share: float | None
    judge_from: date | None = None  # first day a young cohort is mature enough to judge

    @property
    def label(self) -> str:
        if self.share is None:
            return "unknown"
        if self.share >= MATURE:
            return "mature"
        return "maturing" if self.share >= YOUNG else "young"


@dataclass(frozen=True, slots=True, kw_only=True)
class FundingLags:
    """The distribution of days from a lead's arrival to its funding."""

    fundings: int
    within: tuple[float, ...]  # [n]: share that funded within n days of arrival

    @property
    def is_enough(self) -> bool:
        return self.fundings >= MIN_FUNDINGS


def compute_funding_lags(counts: Mapping[int, int]) -> FundingLags:
    """Compute the distribution from counts of fundings by days since arrival.

    Fundings beyond the horizon are left out. Fundings before arrival (a lead recorded after its
    loan) count as day 0.
    """
    days = [0] * (HORIZON_DAYS + 1)
    for lag, loans in counts.items():
        if lag <= HORIZON_DAYS:
            days[max(lag, 0)] += loans
    total = sum(days)
    shares = tuple(fundings / total for fundings in accumulate(days)) if total > 0 else ()
    return FundingLags(fundings=total, within=shares)


def measure_maturity(lags: FundingLags, arrivals: Mapping[date, int], today: date) -> Maturity:
    """Measure the maturity of a cohort.

    Args:
        arrivals: leads by the day they arrived (or the middle of their week).

    Assumes that every lead is equally likely to fund, at the company's own pace.
    """
    share = _mature_share(lags, arrivals, today)
    if share is None or share >= YOUNG:
        return Maturity(share=share)
    days = next(
        days
        for days in range(1, 2 * HORIZON_DAYS + 366)
        if (_mature_share(lags, arrivals, today + timedelta(days=days)) or 0) >= YOUNG
    )
    return Maturity(share=share, judge_from=today + timedelta(days=days))


def _mature_share(lags: FundingLags, arrivals: Mapping[date, int], today: date) -> float | None:
    leads = sum(arrivals.values())
    if not lags.is_enough or leads <= 0:
        return None
    mature = 0.0
    for day, count in arrivals.items():
        age = (today - day).days
        if age >= 0:
            mature += count * lags.within[min(age, HORIZON_DAYS)]
    return mature / leads
