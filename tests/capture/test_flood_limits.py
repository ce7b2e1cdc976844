"""Rate limits per source: a flood is told to retry and costs other sources nothing."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rooftree.capture.intake import source_admission
from rooftree.leads.models import RateLimitCount
from tests import make

pytestmark = pytest.mark.django_db
MOMENT = timedelta(milliseconds=1)


@pytest.fixture(autouse=True)
def _a_new_process():
    source_admission.reset_counts()
    yield
    source_admission.reset_counts()


def check_deliveries(source, number, *, at=make.NOON, apart=MOMENT):
    """Return for each of `count` deliveries in a row whether it is over the limit."""
    return [source_admission.turn_away_flood(source, at=at + n * apart) for n in range(number)]


def test_deliveries_over_limit_are_rejected_and_others_accepted():
    source = make.source(per_minute=10)

    assert check_deliveries(source, 14) == [False] * 10 + [True] * 4


def test_deliveries_are_accepted_again_a_minute_later():
    source = make.source(per_minute=10)
    check_deliveries(source, 12)

    assert check_deliveries(source, 1, at=make.NOON + make.MINUTE) == [False]


def test_source_without_limit_is_never_flooded(django_assert_num_queries):
    source = make.source(per_minute=None)

    with django_assert_num_queries(0):
        assert not any(check_deliveries(source, 500))


def test_flood_of_one_source_does_not_affect_others():
    noisy, quiet = make.source(per_minute=10), make.source(per_minute=10)
    check_deliveries(noisy, 30)

    assert check_deliveries(quiet, 10) == [False] * 10


def test_ordinary_source_costs_no_query(django_assert_num_queries):
    source = make.source()  # the default of a new source

    with django_assert_num_queries(0):
        assert not any(check_deliveries(source, 200, apart=timedelta(milliseconds=200)))


def test_flood_costs_two_queries_a_second_at_any_size(django_assert_max_num_queries):
    source = make.source(per_minute=10)
    check_deliveries(source, 10)

    with django_assert_max_num_queries(4):
        assert all(check_deliveries(source, 900, at=make.NOON + make.SECOND))


def test_deliveries_of_other_process_count_from_next_check():
    source = make.source(per_minute=20)
    for n in range(19):
        make.delivery(source, at=make.NOON - n * make.SECOND)

    assert check_deliveries(source, 4) == [
        False,
        False,
        True,
        True,
    ]  # the first is accepted without a check


def test_old_flood_does_not_limit_a_slow_trickle():
    source = make.source(per_minute=40)
    check_deliveries(source, 60)

    assert not any(check_deliveries(source, 200, at=make.NOON + make.HOUR, apart=make.MINUTE))


def test_rejected_deliveries_are_counted_by_day():
    source = make.source(per_minute=10)
    check_deliveries(source, 15)
    check_deliveries(source, 15, at=make.NOON + 2 * make.SECOND)

    over = RateLimitCount.objects.get(source=source)
    assert over.on_date == make.NOON.date()
    assert over.count >= 5  # those of the last second are stored with the next
    assert source_admission.recent_floods(make.NOON + make.HOUR)[source.pk].last_at == over.last_at
    assert source_admission.recent_floods(make.NOON + 2 * make.DAY) == {}


@given(gaps=st.lists(st.integers(0, 20_000), max_size=80), limit=st.integers(1, 12))
def test_accepted_deliveries_never_exceed_limit_in_any_minute(gaps, limit):
    source_admission.reset_counts()
    source = make.source(per_minute=limit)
    at, taken = make.NOON, []
    for gap in gaps:
        at += timedelta(milliseconds=gap)
        if not source_admission.turn_away_flood(source, at=at):
            taken.append(at)

    for end in taken:
        assert sum(end - make.MINUTE < moment <= end for moment in taken) <= limit
