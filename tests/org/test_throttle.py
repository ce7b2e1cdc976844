"""Rate limits, counted by any number of processes."""

from concurrent.futures import ThreadPoolExecutor

from django.db import connection
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from rooftree.org import throttle
from rooftree.org.models import Throttle
from rooftree.org.throttle import ThrottleLimit
from tests import make

THREE = ThrottleLimit(name="three", max_attempts=3, window=make.HOUR)


class Counting(TestCase):
    """Any order of attempts by two people over some hours."""

    @given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 300)), max_size=25))
    def test_window_never_allows_more_than_the_limit(self, attempts):
        Throttle.objects.all().delete()
        began: dict[str, int] = {}
        counts: dict[str, int] = {}
        for subject, minute in sorted(attempts, key=lambda attempt: attempt[1]):
            if subject not in began or minute - began[subject] >= 60:
                began[subject], counts[subject] = minute, 0
            counts[subject] += 1

            is_allowed = throttle.consume_attempt(
                THREE, subject, at=make.NOON + minute * make.MINUTE
            )

            assert is_allowed is (counts[subject] <= 3)


def test_concurrent_attempts_share_one_count(committed):
    def attempt(_):
        try:
            return throttle.consume_attempt(THREE, "dana", at=make.NOON)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(attempt, range(8)))

    assert results.count(True) == 3


def test_subject_is_stored_as_hash_ignoring_case(db):
    for email in ("Dana@x.example", "dana@X.example", " dana@x.example"):
        throttle.consume_attempt(THREE, email, at=make.NOON)

    [row] = Throttle.objects.all()
    assert row.count == 3
    assert "dana" not in row.key


def test_reset_clears_one_counter_and_old_counters_are_deleted(db):
    throttle.consume_attempt(THREE, "dana", at=make.NOON)
    throttle.consume_attempt(THREE, "sam", at=make.NOON)
    throttle.reset_attempts(THREE, "Dana")

    assert Throttle.objects.count() == 1
    assert throttle.delete_expired_counters(at=make.NOON + make.DAY) == 0
    assert throttle.delete_expired_counters(at=make.NOON + 3 * make.DAY) == 1
