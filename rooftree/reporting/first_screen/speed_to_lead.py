"""Speed-to-lead in buckets: small sums from which a median and a p90 can be read.

The scale is a list of upper bounds in seconds. It is part of the stored sums:
to change it, count everything anew (`recount.rebuild`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

MINUTE, HOUR, DAY = 60, 3600, 86400

# Bucket n holds [BOUNDS[n-1], BOUNDS[n]); each is about a quarter longer than the last.
BUCKET_BOUNDS = [
    *(5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55, MINUTE),
    *(75, 90, 105, 120, 150, 180, 210, 240, 5 * MINUTE),
    *(minutes * MINUTE for minutes in (6, 8, 10, 12, 15, 20, 25, 30, 40, 50)),
    *(HOUR, 75 * MINUTE, 90 * MINUTE, 2 * HOUR, 150 * MINUTE, 3 * HOUR, 4 * HOUR),
    *(hours * HOUR for hours in (5, 6, 8, 10, 12, 15, 18)),
    *(DAY, 36 * HOUR, 2 * DAY, 3 * DAY, 4 * DAY, 7 * DAY, 14 * DAY, 30 * DAY),
]

CHART_BANDS = [  # (label, upper bound in seconds): what the chart shows; each is in BOUNDS
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
    share_pct: float  # of all leads a person tried


def bucket_number(seconds: float) -> int:
    """The number of the bucket a waiting time falls in; len(BOUNDS) above the last."""
    return next((n for n, bound in enumerate(BUCKET_BOUNDS) if seconds < bound), len(BUCKET_BOUNDS))


def quantile_seconds(counts: Mapping[int, int], share: float) -> float | None:
    """The waiting time that `share` (0 to 1) of the leads stayed within.

    Args:
        counts: leads by bucket.

    Exact to the bucket, and by even spread inside it. None without leads; the
    last bound when it lies above every bucket.
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
    """The leads of each band of the chart, shortest wait first."""
    total = sum(counts.values())
    made, low = [], 0
    for label, bound in CHART_BANDS:
        high = len(BUCKET_BOUNDS) + 1 if bound is None else BUCKET_BOUNDS.index(bound) + 1
        leads = sum(counts.get(number, 0) for number in range(low, high))
        share = 100 * leads / total if total else 0.0
        made.append(ChartBand(label=label, leads=leads, share_pct=share))
        low = high
    return made
