"""Counting tries, by any number of processes."""

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
    """Any order of tries of two people over some hours."""

    @given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 300)), max_size=25))
    def test_never_more_than_the_limit_between_a_window_and_its_end(self, tries):
        Throttle.objects.all().delete()
        began: dict[str, int] = {}
        allowed: dict[str, int] = {}
        for whom, minute in sorted(tries, key=lambda one: one[1]):
            if whom not in began or minute - began[whom] >= 60:
                began[whom], allowed[whom] = minute, 0
            allowed[whom] += 1

            may = throttle.consume_attempt(THREE, whom, at=make.NOON + minute * make.MINUTE)

            assert may is (allowed[whom] <= 3)


def test_eight_processes_count_as_one(committed):
    def attempt(_):
        try:
            return throttle.consume_attempt(THREE, "dana", at=make.NOON)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(attempt, range(8)))

    assert found.count(True) == 3


def test_an_address_is_kept_as_a_hash_and_case_does_not_matter(db):
    for written in ("Dana@x.example", "dana@X.example", " dana@x.example"):
        throttle.consume_attempt(THREE, written, at=make.NOON)

    [row] = Throttle.objects.all()
    assert row.count == 3
    assert "dana" not in row.key


def test_whoever_proved_it_begins_again_and_old_counts_are_swept(db):
    throttle.consume_attempt(THREE, "dana", at=make.NOON)
    throttle.consume_attempt(THREE, "sam", at=make.NOON)
    throttle.reset_attempts(THREE, "Dana")

    assert Throttle.objects.count() == 1
    assert throttle.delete_expired_counters(at=make.NOON + make.DAY) == 0
    assert throttle.delete_expired_counters(at=make.NOON + 3 * make.DAY) == 1
