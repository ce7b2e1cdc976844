"""Speed to lead in buckets: small sums that give a median and a p90.

The scale is a list of upper bounds in seconds. The stored sums depend on it: after a change, run
`rebuild_rollups.rebuild_all`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

MINUTE, HOUR, DAY = 60, 3600, 86400

# Bucket n covers [BUCKET_BOUNDS[n-1], BUCKET_BOUNDS[n]); each is about a quarter longer.
BUCKET_BOUNDS = [
    *(5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55, MINUTE),
    *(75, 90, 105, 120, 150, 180, 210, 240, 5 * MINUTE),
    *(minutes * MINUTE for minutes in (6, 8, 10, 12, 15, 20, 25, 30, 40, 50)),
    *(HOUR, 75 * MINUTE, 90 * MINUTE, 2 * HOUR, 150 * MINUTE, 3 * HOUR, 4 * HOUR),
    *(hours * HOUR for hours in (5, 6, 8, 10, 12, 15, 18)),
    *(DAY, 36 * HOUR, 2 * DAY, 3 * DAY, 4 * DAY, 7 * DAY, 14 * DAY, 30 * DAY),
]

CHART_BANDS = [  # (label, upper bound in seconds) of the chart; each bound is in BUCKET_BOUNDS
    ("under 1 min", MINUTE),
    ("1–5 min", 5 * MINUTE),
    ("5–15 min", 15 * MINUTE),
    ("15–60 min", HOUR),
    ("1–4 h", 4 * HOUR),
    ("later", None),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartBand:
    """One column of the chart."""

    label: str
    leads: int
    share_pct: float  # of all leads attempted


def find_bucket(seconds: float) -> int:
    """Return the bucket number of a waiting time; len(BUCKET_BOUNDS) above the last bound."""
    buckets = (number for number, bound in enumerate(BUCKET_BOUNDS) if seconds < bound)
    return next(buckets, len(BUCKET_BOUNDS))


def quantile_seconds(counts: Mapping[int, int], share: float) -> float | None:
    """Estimate the waiting time within which `share` (0 to 1) of the leads were attempted.

    Args:
        counts: leads by bucket.

    Exact to the bucket, and interpolated inside it. Returns None without leads, and the last
    bound if the quantile lies above all buckets.
    """
    wanted = sum(counts.values()) * share
    if wanted <= 0:
        return None
    passed = 0
    for number, (low, high) in enumerate(pairwise([0, *BUCKET_BOUNDS])):
        inside = counts.get(number, 0)
        if inside and passed + inside >= wanted:
            return low + (high - low) * (wanted - passed) / inside
        passed += inside
    return float(BUCKET_BOUNDS[-1])


def count_by_band(counts: Mapping[int, int]) -> list[ChartBand]:
    """Count the leads of each band of the chart, shortest wait first."""
    total = sum(counts.values())
    bands, low = [], 0
    for label, bound in CHART_BANDS:
        high = len(BUCKET_BOUNDS) + 1 if bound is None else BUCKET_BOUNDS.index(bound) + 1
        leads = sum(counts.get(number, 0) for number in range(low, high))
        share = 100 * leads / total if total else 0.0
        bands.append(ChartBand(label=label, leads=leads, share_pct=share))
        low = high
    return bands
