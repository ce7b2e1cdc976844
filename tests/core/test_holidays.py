"""Moving holidays, observed days, business days and clamped months."""

import csv
from datetime import date
from pathlib import Path

import holidays as holidays_package
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rooftree.compliance.gate.rulebook import RULE_DATA, STATES
from rooftree.core import holidays

days = st.dates(min_value=date(1990, 1, 1), max_value=date(2090, 1, 1))


@pytest.mark.parametrize(
    ("definition", "year", "day"),
    [
        ("easter", 2026, date(2026, 4, 5)),
        ("easter-2", 2027, date(2027, 3, 26)),
        ("easter-47", 2027, date(2027, 2, 9)),
        ("4#thu#11", 2026, date(2026, 11, 26)),
        ("last#mon#05", 2027, date(2027, 5, 31)),
        ("last#mon#12", 2026, date(2026, 12, 28)),
        ("2#mon#08", 2027, date(2027, 8, 9)),
        ("election", 2026, date(2026, 11, 3)),
        ("election", 2027, date(2027, 11, 2)),
        ("12-25", 2026, date(2026, 12, 25)),
    ],
)
def test_holiday_definition_names_its_date(definition: str, year: int, day: date) -> None:
    padded = definition + "+0" if definition == "easter" else definition
    assert holidays.holiday_date(padded, year) == day


def test_weekend_holiday_is_also_observed_on_the_next_weekday() -> None:
    observed = holidays.holiday_dates(("07-04",), 2026)
    assert observed == {date(2026, 7, 3), date(2026, 7, 4)}
    assert holidays.holiday_dates(("01-01",), 2027) == {date(2027, 1, 1), date(2027, 12, 31)}


def test_ten_business_days_skip_weekends_and_thanksgiving() -> None:
    assert holidays.add_business_days(date(2026, 11, 23), 10) == date(2026, 12, 8)
    assert holidays.business_day_on_or_before(date(2026, 11, 28)) == date(2026, 11, 27)


def test_added_months_clamp_to_the_end_of_a_short_month() -> None:
    assert holidays.add_months(date(2026, 11, 30), 3) == date(2027, 2, 28)
    assert holidays.add_months(date(2024, 2, 29), 12) == date(2025, 2, 28)
    assert holidays.add_months(date(2026, 8, 24), 3) == date(2026, 11, 24)


def test_state_holidays_differ_from_the_package_only_as_argued() -> None:
    names = {definition: name for name, definition in RULE_DATA["holiday_defs"].items()}
    differences = set()
    for state in RULE_DATA["state_holidays"]:
        for year in range(2026, 2034):
            theirs = holidays_package.country_holidays(
                "US", subdiv=state, years=year, categories=("public", "government")
            )
            closed = holidays.holiday_dates(STATES[state].holidays, year)
            differences |= {
                (state, name.removesuffix(" (observed)"), "theirs")
                for day, name in theirs.items()
                if day not in closed
            }
            differences |= {
                (state, names[definition], "ours")
                for definition in STATES[state].holidays
                if holidays.holiday_date(definition, year) not in theirs
            }
    path = Path(__file__).parent / "state_holiday_differences.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert all(len(row["argument"]) > 20 for row in rows)
    assert differences == {(row["state"], row["holiday"], row["side"]) for row in rows}


@given(day=days, count=st.integers(1, 40))
def test_added_business_days_end_on_a_later_business_day(day: date, count: int) -> None:
    later = holidays.add_business_days(day, count)
    assert later > day
    assert holidays.is_business_day(later)
    assert holidays.add_business_days(day, count - 1) < later


@given(st.integers(1990, 2090))
def test_easter_is_a_sunday_in_spring(year: int) -> None:
    day = holidays.easter_sunday(year)
    assert day.weekday() == 6
    assert date(year, 3, 22) <= day <= date(year, 4, 25)
