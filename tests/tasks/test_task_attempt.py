from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rooftree.core.vendor_errors import RetryLater
from rooftree.tasks.task_attempt import (
    MAX_BACKOFF_SECONDS,
    MAX_RETRY_LATER_AGE,
    NextStep,
    backoff_seconds,
    classify_failure,
)
from tests.tasks.sample_tasks import FAILURES

FRESH = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("failure", "follows"),
    [
        ("refused", NextStep.DEAD),  # the same would be refused again: a person must look
        ("misconfigured", NextStep.DEAD),  # a person must edit something first
        ("uncertain", NextStep.DEAD),  # it may have been carried out
        ("try_later", NextStep.WAIT),
        ("discard", NextStep.CLOSED),
        ("later", NextStep.WAIT),
        ("bug", NextStep.RETRY),
    ],
)
def test_what_follows_depends_on_the_kind_of_failure(failure, follows):
    assert classify_failure(FAILURES[failure], tried=0, age=FRESH).next_step is follows


def test_a_vendor_that_says_when_is_asked_again_then():
    assert (
        classify_failure(RetryLater("busy", retry_after_seconds=90), tried=3, age=FRESH).seconds
        == 90
    )


def test_a_vendor_that_is_busy_for_a_day_is_shown_to_a_person():
    assert (
        classify_failure(
            RetryLater("busy", retry_after_seconds=90), tried=3, age=MAX_RETRY_LATER_AGE
        ).next_step
        is NextStep.DEAD
    )


def test_a_persons_data_in_an_exception_is_not_stored():
    try:
        raise ValueError("Ben Ortiz +13055550123")
    except ValueError as problem:
        why = classify_failure(problem, tried=0, age=FRESH).reason

    assert "Ortiz" not in why and "305" not in why
    assert "ValueError in test_a_persons_data" in why


@given(st.integers(0, 100_000))
def test_no_wait_is_longer_than_its_limit_or_shorter_than_a_second(tried):
    assert 1 <= backoff_seconds(tried) <= MAX_BACKOFF_SECONDS * 1.25
