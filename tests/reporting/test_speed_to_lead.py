"""The scale of waiting times: one meaning in Python and in SQL, and quantiles true to a bucket."""

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from rooftree.reporting.first_screen.speed_to_lead import (
    BUCKET_BOUNDS,
    CHART_BANDS,
    bucket_number,
    count_by_band,
    quantile_seconds,
)


def test_the_scale_rises_and_holds_every_bound_of_the_chart():
    assert sorted(set(BUCKET_BOUNDS)) == BUCKET_BOUNDS
    assert all(bound in BUCKET_BOUNDS for _, bound in CHART_BANDS if bound)


@pytest.mark.django_db
def test_the_database_puts_a_wait_in_the_same_bucket():
    waits = [0, 4.999, 5, 59.9, 60, 299, 300, 86_400, 10**9, *BUCKET_BOUNDS]
    with connection.cursor() as cursor:
        cursor.execute(
            f"select array_agg(width_bucket(w, array{BUCKET_BOUNDS}::float8[]) order by n) "
            "from unnest(%s::float8[]) with ordinality as t (w, n)",
            [[float(wait) for wait in waits]],
        )
        assert cursor.fetchone()[0] == [bucket_number(wait) for wait in waits]


@given(st.lists(st.floats(0, 10**7), min_size=1, max_size=60), st.sampled_from([0.5, 0.9]))
def test_a_quantile_lies_in_the_bucket_of_the_true_one(waits, share):
    counts = {}
    for wait in waits:
        counts[bucket_number(wait)] = counts.get(bucket_number(wait), 0) + 1
    ordered = sorted(waits)
    true = next(w for n, w in enumerate(ordered, start=1) if n >= share * len(waits))

    found = quantile_seconds(counts, share)

    low = [0, *BUCKET_BOUNDS][bucket_number(true)]
    high = [*BUCKET_BOUNDS, BUCKET_BOUNDS[-1]][bucket_number(true)]
    assert low <= found <= high


def test_without_leads_there_is_no_median():
    assert quantile_seconds({}, 0.5) is None


@given(st.dictionaries(st.integers(0, len(BUCKET_BOUNDS)), st.integers(0, 100)))
def test_the_bands_of_the_chart_hold_every_lead_once(counts):
    made = count_by_band(counts)

    assert sum(band.leads for band in made) == sum(counts.values())
    if sum(counts.values()):
        assert sum(band.share_pct for band in made) == pytest.approx(100)


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
def test_a_wait_is_in_the_band_its_bounds_say(seconds, label):
    assert [b.label for b in count_by_band({bucket_number(seconds): 1}) if b.leads] == [label]
