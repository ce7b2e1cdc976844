"""A source that floods is asked to come again, and costs the others nothing."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rooftree.capture.intake import flood_limits
from rooftree.leads.models import RateLimitCount
from tests import make

pytestmark = pytest.mark.django_db
MOMENT = timedelta(milliseconds=1)


@pytest.fixture(autouse=True)
def _a_new_process():
    flood_limits.reset_counts()
    yield
    flood_limits.reset_counts()


def asks(source, number, *, at=make.NOON, apart=MOMENT):
    """Whether each of so many deliveries, one after another, is too much."""
    return [flood_limits.turn_away_flood(source, at=at + n * apart) for n in range(number)]


def test_what_is_over_the_limit_is_too_much_and_what_is_not_is_taken():
    source = make.source(per_minute=10)

    assert asks(source, 14) == [False] * 10 + [True] * 4


def test_a_minute_later_it_is_taken_again():
    source = make.source(per_minute=10)
    asks(source, 12)

    assert asks(source, 1, at=make.NOON + make.MINUTE) == [False]


def test_without_a_limit_nothing_is_too_much(django_assert_num_queries):
    source = make.source(per_minute=None)

    with django_assert_num_queries(0):
        assert not any(asks(source, 500))


def test_one_flood_is_no_other_sources():
    noisy, quiet = make.source(per_minute=10), make.source(per_minute=10)
    asks(noisy, 30)

    assert asks(quiet, 10) == [False] * 10


def test_an_ordinary_source_costs_no_statement(django_assert_num_queries):
    source = make.source()  # as a new one is set up

    with django_assert_num_queries(0):
        assert not any(asks(source, 200, apart=timedelta(milliseconds=200)))


def test_a_flood_costs_two_statements_a_second_however_large_it_is(django_assert_max_num_queries):
    source = make.source(per_minute=10)
    asks(source, 10)

    with django_assert_max_num_queries(4):
        assert all(asks(source, 900, at=make.NOON + make.SECOND))


def test_what_another_process_took_counts_from_the_next_look_on():
    source = make.source(per_minute=20)
    for n in range(19):
        make.delivery(source, at=make.NOON - n * make.SECOND)

    assert asks(source, 4) == [False, False, True, True]  # the first is taken without a look


def test_a_flood_long_ago_is_forgotten_by_a_slow_trickle():
    source = make.source(per_minute=40)
    asks(source, 60)

    assert not any(asks(source, 200, at=make.NOON + make.HOUR, apart=make.MINUTE))


def test_what_is_turned_away_is_counted_for_the_day():
    source = make.source(per_minute=10)
    asks(source, 15)
    asks(source, 15, at=make.NOON + 2 * make.SECOND)

    over = RateLimitCount.objects.get(source=source)
    assert over.on_date == make.NOON.date()
    assert over.count >= 5  # the last second's are told with the next
    assert flood_limits.recent_floods(make.NOON + make.HOUR)[source.pk].last_at == over.last_at
    assert flood_limits.recent_floods(make.NOON + 2 * make.DAY) == {}


@given(gaps=st.lists(st.integers(0, 20_000), max_size=80), limit=st.integers(1, 12))
def test_never_more_than_the_limit_in_any_minute(gaps, limit):
    flood_limits.reset_counts()
    source = make.source(per_minute=limit)
    at, taken = make.NOON, []
    for gap in gaps:
        at += timedelta(milliseconds=gap)
        if not flood_limits.turn_away_flood(source, at=at):
            taken.append(at)

    for end in taken:
        assert sum(end - make.MINUTE < one <= end for one in taken) <= limit
