"""Times of day as staff type and read them."""

import pytest

from rooftree.core.clock_words import format_clock, parse_clock


@pytest.mark.parametrize(
    ("stored", "shown"),
    [("00:00", "12 AM"), ("08:00", "8 AM"), ("12:30", "12:30 PM"), ("20:05", "8:05 PM"),
     ("24:00", "midnight")],
)  # fmt: skip
def test_stored_time_is_shown_in_12_hours_and_read_back(stored, shown):
    assert format_clock(stored) == shown
    assert parse_clock(shown) == stored


@pytest.mark.parametrize("typed", ["9am", "9 am", "9:00 a.m.", "09:00", "9:00"])
def test_time_can_be_typed_in_several_ways(typed):
    assert parse_clock(typed) == "09:00"


@pytest.mark.parametrize("typed", ["25:00", "noonish", "9"])
def test_text_that_is_no_time_is_not_guessed(typed):
    assert parse_clock(typed) is None
    assert format_clock(typed) == typed
