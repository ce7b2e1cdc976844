from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rooftree.core.failures import TryLater
from rooftree.tasks.attempt import LONGEST_WAIT, PATIENCE, Next, judged, wait_after
from tests.tasks.sample_tasks import FAILURES

FRESH = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("failure", "follows"),
    [
        ("refused", Next.DEAD),  # the same would be refused again: a person must look
        ("misconfigured", Next.DEAD),  # a person must edit something first
        ("uncertain", Next.DEAD),  # it may have been carried out
        ("try_later", Next.WAIT),
        ("discard", Next.CLOSED),
        ("later", Next.WAIT),
        ("bug", Next.RETRY),
    ],
)
def test_what_follows_depends_on_the_kind_of_failure(failure, follows):
    assert judged(FAILURES[failure], tried=0, age=FRESH).next is follows


def test_a_vendor_that_says_when_is_asked_again_then():
    assert judged(TryLater("busy", after=90), tried=3, age=FRESH).seconds == 90


def test_a_vendor_that_is_busy_for_a_day_is_shown_to_a_person():
    assert judged(TryLater("busy", after=90), tried=3, age=PATIENCE).next is Next.DEAD


def test_a_persons_data_in_an_exception_is_not_stored():
    try:
        raise ValueError("Ben Ortiz +13055550123")
    except ValueError as problem:
        why = judged(problem, tried=0, age=FRESH).why

    assert "Ortiz" not in why and "305" not in why
    assert "ValueError in test_a_persons_data" in why


@given(st.integers(0, 100_000))
def test_no_wait_is_longer_than_its_limit_or_shorter_than_a_second(tried):
    assert 1 <= wait_after(tried) <= LONGEST_WAIT * 1.25
