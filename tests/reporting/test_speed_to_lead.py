"""Speed-to-lead buckets: equal in Python and SQL, with quantiles exact to a bucket."""

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from rooftree.reporting.first_screen.speed_to_lead import (
    BUCKET_BOUNDS,
    CHART_BANDS,
    count_by_band,
    find_bucket,
    quantile_seconds,
)


def test_scale_rises_and_contains_all_chart_bounds():
    assert sorted(set(BUCKET_BOUNDS)) == BUCKET_BOUNDS
    assert all(bound in BUCKET_BOUNDS for _, bound in CHART_BANDS if bound)


@pytest.mark.django_db
def test_database_uses_the_same_buckets():
    waits = [0, 4.999, 5, 59.9, 60, 299, 300, 86_400, 10**9, *BUCKET_BOUNDS]
    with connection.cursor() as cursor:
        cursor.execute(
            f"select array_agg(width_bucket(w, array{BUCKET_BOUNDS}::float8[]) order by n) "
            "from unnest(%s::float8[]) with ordinality as t (w, n)",
            [[float(wait) for wait in waits]],
        )
        assert cursor.fetchone()[0] == [find_bucket(wait) for wait in waits]


@given(st.lists(st.floats(0, 10**7), min_size=1, max_size=60), st.sampled_from([0.5, 0.9]))
def test_quantile_lies_in_the_bucket_of_the_exact_quantile(waits, share):
    counts = {}
    for wait in waits:
        counts[find_bucket(wait)] = counts.get(find_bucket(wait), 0) + 1
    ordered = sorted(waits)
    true = next(wait for rank, wait in enumerate(ordered, start=1) if rank >= share * len(waits))

    quantile = quantile_seconds(counts, share)

    low = [0, *BUCKET_BOUNDS][find_bucket(true)]
    high = [*BUCKET_BOUNDS, BUCKET_BOUNDS[-1]][find_bucket(true)]
    assert low <= quantile <= high


def test_no_quantile_without_leads():
    assert quantile_seconds({}, 0.5) is None


@given(st.dictionaries(st.integers(0, len(BUCKET_BOUNDS)), st.integers(0, 100)))
def test_chart_bands_count_every_lead_once(counts):
    bands = count_by_band(counts)

    assert sum(band.leads for band in bands) == sum(counts.values())
    if sum(counts.values()):
        assert sum(band.share_pct for band in bands) == pytest.approx(100)


@pytest.mark.parametrize(
    ("seconds", "label"),
    [
        (59, "under 1 min"),
        (60, "1–5 min"),
        (300, "5–15 min"),
        (900, "15–60 min"),
        (3600, "1–4 h"),
        (14400, "later"),
        (10**8, "later"),
    ],
)
def test_wait_falls_in_the_band_of_its_bounds(seconds, label):
    bands = count_by_band({find_bucket(seconds): 1})

    assert [band.label for band in bands if band.leads] == [label]
