from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rooftree.core.money_amounts import AmountKind, parse_amount


@pytest.mark.parametrize(
    ("written", "kind", "cents"),
    [
        ("$350,000", AmountKind.EXACT, 35_000_000),
        ("350k", AmountKind.EXACT, 35_000_000),
        ("$1.2MM", AmountKind.EXACT, 120_000_000),
        ("200,001 - 250,000", AmountKind.MIDPOINT, 22_500_050),
        ("200k to 250k", AmountKind.MIDPOINT, 22_500_000),
        ("200-250k", AmountKind.MIDPOINT, 22_500_000),  # the unit applies to both
        ("100000 or more", AmountKind.FLOOR, 10_000_000),
        ("over $500k", AmountKind.FLOOR, 50_000_000),
        ("500000+", AmountKind.FLOOR, 50_000_000),
        ("under 50,000", AmountKind.CEILING, 5_000_000),
        ("50,000 or less", AmountKind.CEILING, 5_000_000),
        (65.0, AmountKind.EXACT, 6_500),
        (Decimal("38.505"), AmountKind.EXACT, 3_851),  # half a cent goes up
        (0, AmountKind.EXACT, 0),
        (50_000_000, AmountKind.EXACT, 5_000_000_000),  # the largest
    ],
)
def test_amount_is_parsed_as_people_write_it(written, kind, cents):
    read = parse_amount(written)

    assert (read.kind, read.cents) == (kind, cents)


@pytest.mark.parametrize(
    "written",
    [
        "abc",
        "n/a",
        "-5",
        -5,
        50_000_001,
        "1e9",
        "1.234,56",
        "10 - 5",
        "€100",
        "9" * 5000,
        "",
        "101%",
    ],
)
def test_invalid_amount_is_none(written):
    assert parse_amount(written) is None


@pytest.mark.parametrize(
    ("written", "pct"), [("5%", "5"), ("3.5% down", "3.5"), ("20 percent", "20")]
)
def test_percentage_is_not_money(written, pct):
    read = parse_amount(written)

    assert (read.kind, read.pct, read.cents) == (AmountKind.PERCENT, Decimal(pct), None)


@given(dollars=st.integers(min_value=0, max_value=50_000_000))
def test_separators_and_dollar_sign_do_not_change_the_amount(dollars):
    assert parse_amount(f"${dollars:,}") == parse_amount(str(dollars)) == parse_amount(dollars)


@given(low=st.integers(0, 25_000_000), more=st.integers(0, 25_000_000))
def test_range_midpoint_is_between_its_bounds(low, more):
    read = parse_amount(f"{low} - {low + more}")

    assert read.low_cents <= read.cents <= read.high_cents


@given(written=st.text(max_size=80))
def test_no_text_gives_more_than_the_maximum_amount(written):
    read = parse_amount(written)

    assert read is None or read.cents is None or 0 <= read.cents <= 5_000_000_000
