"""Report periods: whole months, quarters and years, named in the URL."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rooftree.reporting.first_screen.report_period import last_complete_period, parse_period

TODAY = date(2026, 11, 23)
NOV_25, NOV_26 = date(2025, 11, 1), date(2026, 11, 1)


@pytest.mark.parametrize(
    ("kind", "today", "key", "label", "from_date", "until_date"),
    [
        ("quarter", TODAY, "2026-q3", "Q3 2026", date(2026, 7, 1), date(2026, 10, 1)),
        ("month", TODAY, "2026-10", "Oct 2026", date(2026, 10, 1), date(2026, 11, 1)),
        (
            "year",
            TODAY,
            "12m-2026-10",
            "12 months to Oct 2026",
            date(2025, 11, 1),
            date(2026, 11, 1),
        ),
        ("quarter", date(2026, 1, 1), "2025-q4", "Q4 2025", date(2025, 10, 1), date(2026, 1, 1)),
        ("quarter", date(2026, 3, 31), "2025-q4", "Q4 2025", date(2025, 10, 1), date(2026, 1, 1)),
        ("month", date(2026, 1, 31), "2025-12", "Dec 2025", date(2025, 12, 1), date(2026, 1, 1)),
    ],
)
def test_last_complete_period(kind, today, key, label, from_date, until_date):
    period = last_complete_period(kind, today)

    assert (period.key, period.label) == (key, label)
    assert (period.from_date, period.until_date) == (from_date, until_date)


@given(st.sampled_from(["month", "quarter", "year"]), st.dates(date(2010, 1, 1), date(2090, 1, 1)))
def test_period_meets_its_neighbors_and_parses_from_its_key(kind, today):
    period = last_complete_period(kind, today)

    assert period.until_date <= today
    assert period.following().until_date > today
    assert period.previous().until_date == period.from_date
    assert period.previous().following() == period
    assert parse_period(period.key, today) == period


@pytest.mark.parametrize("key", ["", "2026-q5", "2026-13", "1999-q1", "2027-q1", "2026-12", "all"])
def test_invalid_or_future_period_is_none(key):
    assert parse_period(key, TODAY) is None


def test_current_quarter_can_be_opened():
    assert parse_period("2026-q4", TODAY).until_date == date(2027, 1, 1)
