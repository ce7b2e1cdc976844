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
    ("failure", "next_step"),
    [
        ("refused", NextStep.DEAD),  # a retry would be rejected again: a person must look
        ("misconfigured", NextStep.DEAD),  # a person must edit something first
        ("uncertain", NextStep.DEAD),  # it may have been carried out
        ("try_later", NextStep.WAIT),
        ("discard", NextStep.CLOSED),
        ("later", NextStep.WAIT),
        ("bug", NextStep.RETRY),
    ],
)
def test_next_step_depends_on_the_kind_of_failure(failure, next_step):
    assert (
        classify_failure(FAILURES[failure], previous_attempts=0, age=FRESH).next_step is next_step
    )


def test_retry_waits_as_long_as_the_vendor_asked():
    assert (
        classify_failure(
            RetryLater("busy", retry_after_seconds=90), previous_attempts=3, age=FRESH
        ).seconds
        == 90
    )


def test_vendor_busy_for_a_day_needs_a_person():
    assert (
        classify_failure(
            RetryLater("busy", retry_after_seconds=90), previous_attempts=3, age=MAX_RETRY_LATER_AGE
        ).next_step
        is NextStep.DEAD
    )


def test_personal_data_in_an_exception_is_not_stored():
    try:
        raise ValueError("Ben Ortiz +13055550123")
    except ValueError as problem:
        reason = classify_failure(problem, previous_attempts=0, age=FRESH).reason

    assert "Ortiz" not in reason and "305" not in reason
    assert "ValueError in test_personal_data" in reason


@given(st.integers(0, 100_000))
def test_backoff_is_between_a_second_and_its_limit(attempts):
    assert 1 <= backoff_seconds(attempts) <= MAX_BACKOFF_SECONDS * 1.25
