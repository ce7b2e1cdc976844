from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rooftree.web.shared import display_formats

AT = datetime(2026, 11, 23, 15, 22, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("cents", "text"),
    [
        (196_300, "$1,963"),
        (0, "$0"),
        (-21_400, "−$214"),  # a true minus
        (None, "unknown"),  # missing is a word, never a dash
    ],
)
def test_money_in_sentences_is_whole_dollars(cents, text):
    assert display_formats.money(cents) == text


@pytest.mark.parametrize(
    ("cents", "text"),
    [
        (175_000_000, "$1.75M"),
        (41_200_000, "$412K"),
        (999_900, "$9,999"),
        (99_999_999, "$1.00M"),  # never $1000K
        (250_000_000_000, "$2.50B"),
    ],
)
def test_short_money_has_three_digits(cents, text):
    assert display_formats.money_short(cents) == text


def test_ledger_amounts_show_cents():
    assert display_formats.money_exact(10_000) == "$100.00"
    assert display_formats.money_exact(-5) == "−$0.05"


@given(st.integers(-(10**12), 10**12))
def test_ledger_amount_parses_back_to_the_cent(cents):
    text = display_formats.money_exact(cents)

    digits = int("".join(character for character in text if character.isdigit()))
    assert digits == abs(cents)
    assert text.startswith("−") == (cents < 0)


def test_rates_have_three_decimals():
    assert display_formats.rate(Decimal("6.19")) == "6.190%"


def test_percentage_shows_its_denominator():
    assert (
        display_formats.share_of_total(231, 644, "applications") == "35.9%, 231 of 644 applications"
    )
    assert display_formats.share_of_total(0, 0, "applications") == "none of 0 applications"


@pytest.mark.parametrize(
    ("e164", "text"),
    [
        ("+15125550142", "(512) 555-0142"),
        ("+442079460000", "+442079460000"),  # foreign numbers are not reformatted
        ("", "none"),
    ],
)
def test_phone_numbers_are_formatted_for_reading(e164, text):
    assert display_formats.phone(e164) == text


@pytest.mark.parametrize(
    ("before", "text"),
    [
        (timedelta(seconds=40), "40 s ago"),
        (timedelta(seconds=119), "119 s ago"),
        (timedelta(minutes=2), "2 min ago"),
        (timedelta(minutes=59, seconds=59), "59 min ago"),
        (timedelta(hours=1), "2:22 PM"),
        (timedelta(days=11), "Nov 12, 3:22 PM"),
        (timedelta(days=990), "Mar 8, 2024"),
        (-timedelta(hours=20), "tomorrow, 11:22 AM"),
    ],
)
def test_times_show_only_the_needed_precision(before, text):
    assert display_formats.time_ago(AT - before, AT) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(38, "0:38"), (74, "1:14"), (41 * 60, "41 min"), (11_520, "3 h 12 min"), (None, "unknown")],
)
def test_durations_are_formatted_for_reading(seconds, text):
    assert display_formats.duration(seconds) == text


def test_overdue_time_says_late_and_is_never_negative():
    assert display_formats.time_left(AT - timedelta(seconds=38), AT) == "0:38 late"
    assert display_formats.time_left(AT + timedelta(seconds=38), AT) == "0:38"


@pytest.mark.parametrize(
    ("code", "loan_type", "text"),
    [
        ("purchase", "va", "VA purchase"),
        ("refinance_cash_out", "", "Cash-out refi"),
        ("heloc", "", "HELOC"),
        ("refinance", "conventional", "Refinance"),  # a conventional loan is not mentioned
        ("", "", "Loan"),
    ],
)
def test_loan_purpose_uses_trade_terms(code, loan_type, text):
    assert display_formats.purpose(code, loan_type) == text


def test_initials_are_taken_from_real_names():
    assert display_formats.initials("Dana Whitfield") == "DW"
    assert display_formats.initials("Luis & Carmen Ibarra") == "LI"
    assert display_formats.initials("") == "?"
