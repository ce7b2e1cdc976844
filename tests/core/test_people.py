"""Names, phones, email addresses, states and ZIP codes as people write them."""

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given
from hypothesis import strategies as st

from rooftree.core.email_addresses import comparison_key, find_sender_address, parse_email_address
from rooftree.core.person_names import clean_text, repair_mojibake, split_full_name, split_suffix
from rooftree.core.phone_numbers import parse_phone_number
from rooftree.core.us_states import STATES, parse_state_code, parse_zip_code


@pytest.mark.parametrize(
    ("written", "e164", "ext", "country"),
    [
        ("2065550100", "+12065550100", None, "US"),
        ("1 (404) 555-0107 x22", "+14045550107", "22", "US"),
        ("+34 612 345 678", "+34612345678", None, "ES"),
        ("787-555-0123", "+17875550123", None, "PR"),
        ("000-000-0000", None, None, "US"),
        ("N/A", None, None, "US"),
        ("12345", None, None, "US"),
        ("6502530000.0", "+16502530000", None, "US"),  # a number column of a spreadsheet
        ("6.50253E9", "+16502530000", None, "US"),
        ("1.650253E10", "+16502530000", None, "US"),
        ("6.50253E+09", None, None, "US"),  # rounded for display: its last digits are lost
    ],
)
def test_phone_number_is_parsed(written, e164, ext, country):
    number = parse_phone_number(written)

    assert (number.e164, number.ext, number.country) == (e164, ext, country)


def test_territory_number_is_not_foreign():
    assert not parse_phone_number("787-555-0123").is_foreign
    assert parse_phone_number("+34 612 345 678").is_foreign


@given(written=st.text(max_size=150))
def test_phone_parser_accepts_any_text(written):
    number = parse_phone_number(written)

    assert number.e164 is None or number.e164.startswith("+")


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (" ZOE.Muller@Example.COM ", "ZOE.Muller@example.com"),  # the local part as typed
        ("samuel@example,com", None),  # nothing is repaired
        ("x@", None),
        ("a@localhost", None),
        ("a" * 250 + "@example.com", None),
    ],
)
def test_email_address_is_parsed_or_rejected(written, kept):
    assert parse_email_address(written) == kept


@given(
    local=st.text("abzAZ019._+-'\" @é", max_size=70),
    domain=st.text("abC.-_1é", max_size=9).map(lambda name: f"{name}.com"),
)
def test_fast_email_parsing_agrees_with_the_library(local, domain):
    written = f"{local}@{domain}"
    try:
        valid = validate_email(written.strip(), check_deliverability=False, test_environment=True)
        expected = f"{valid.local_part}@{valid.ascii_domain.lower()}"
    except EmailNotValidError:
        expected = None

    assert parse_email_address(written) == expected


@pytest.mark.parametrize(
    ("header", "address"),
    [
        ("Zillow Group, Inc. <leads@vendor.example>", "leads@vendor.example"),
        ("Team @ LoanTek <leads@vendor.example>", "leads@vendor.example"),
        ("Leads [LoanTek] <mailto:leads@vendor.example>", "leads@vendor.example"),
        ("leads@vendor.example via Ben <x@evil.example>", "x@evil.example"),
        ('"Zillow <leads@vendor.example>" <x@evil.example>', "x@evil.example"),
        ("Ben (leads@vendor.example) <x@evil.example>", "x@evil.example"),
        ('"unclosed <leads@vendor.example>', "leads@vendor.example"),
        ("leads@vendor.example (Leads, Inc.)", "leads@vendor.example"),
        ("Ben Ortiz", ""),
        ("<>", ""),
    ],
)
def test_sender_is_the_bracketed_address_whatever_the_name_contains(header, address):
    assert find_sender_address(header) == address


def test_plus_tag_is_ignored_only_where_the_provider_ignores_it():
    assert comparison_key("Ana+rates@Gmail.com") == "ana@gmail.com"
    assert comparison_key("Ana+rates@example.com") == "ana+rates@example.com"


@pytest.mark.parametrize(
    ("written", "first", "middle", "last", "suffix"),
    [
        ("Pat Okoro", "Pat", None, "Okoro", None),
        ("Okoro, Pat", "Pat", None, "Okoro", None),
        ("Okoro Jr., Pat", "Pat", None, "Okoro", "JR"),
        ("Maria 🏡 Lopez", "Maria 🏡", None, "Lopez", None),
        ("😀 Élodie O’Brien", "😀 Élodie", None, "O’Brien", None),
        ("Maria - Lopez", "Maria", None, "Lopez", None),
        ("Maria de la Cruz", "Maria", None, "de la Cruz", None),
        ("de la Cruz", None, None, "de la Cruz", None),
        ("Juan Carlos de la Cruz Ortiz", "Juan", "Carlos", "de la Cruz Ortiz", None),
        ("Vincent van der Berg", "Vincent", None, "van der Berg", None),
        ("Mary St. James", "Mary", None, "St. James", None),
        ("Van Nguyen", "Van", None, "Nguyen", None),
        ("Ana García López", "Ana", None, "García López", None),
        ("José Luis Rodríguez Zapatero", "José", "Luis", "Rodríguez Zapatero", None),
        ("Mary Ann Smith", "Mary", "Ann", "Smith", None),
        ("José Ortega y Gasset", "José", None, "Ortega y Gasset", None),
        ("Maria y José Lopez", "Maria y José", None, "Lopez", None),
        ("Dr. Ana Bell", "Ana", None, "Bell", None),
        ("Mr. Bell", None, None, "Bell", None),
        ("Ana Bell, MD", "Ana", None, "Bell", None),
        ("Bell, JD", "JD", None, "Bell", None),
        ("John Q. Public III", "John", "Q.", "Public", "III"),
        ("Victor & Ana Lugo", "Victor & Ana", None, "Lugo", None),
        ("李 小龍", "李", None, "小龍", None),
        ("Madonna", "Madonna", None, None, None),
        (" - ", None, None, None, None),
    ],
)
def test_full_name_is_split(written, first, middle, last, suffix):
    name = split_full_name(written)

    assert (name.first, name.middle, name.last, name.suffix) == (first, middle, last, suffix)


def test_suffix_is_split_from_the_last_name():
    assert split_suffix("Sinclair Jr.") == ("Sinclair", "JR")
    assert split_suffix("V") == ("V", None)  # someone's whole name


@given(written=st.text())
def test_clean_text_can_be_stored_and_cleaning_twice_changes_nothing(written):
    cleaned = clean_text(written)

    cleaned.encode()
    assert "\0" not in cleaned
    assert clean_text(cleaned) == cleaned


def test_mojibake_is_repaired_and_correct_accents_stay():
    assert repair_mojibake("JosÃ©") == "José"
    assert repair_mojibake("José Ñandú 🦄") == "José Ñandú 🦄"


@pytest.mark.parametrize("written", ["co", "Colorado", " COLORADO "])
def test_state_is_recognized_in_any_form(written):
    assert parse_state_code(written) == "CO"


def test_every_state_is_recognized_by_code_and_name():
    for code, name in STATES.items():
        assert parse_state_code(code.lower()) == parse_state_code(name.upper()) == code
    assert len(STATES) == 57
    assert parse_state_code("XX") is None


@pytest.mark.parametrize(
    ("written", "state", "five", "plus4", "restored"),
    [
        ("80211", "CO", "80211", None, False),
        ("78751-4424", "TX", "78751", "4424", False),
        ("2139", "MA", "02139", None, True),
    ],
)
def test_zip_code_is_parsed(written, state, five, plus4, restored):
    zip_code = parse_zip_code(written, state=state)

    assert (zip_code.five, zip_code.plus4, zip_code.is_zero_restored) == (five, plus4, restored)


def test_four_digit_zip_code_is_unknown_in_states_without_leading_zeros():
    assert parse_zip_code("2139", state="CO") is None
    assert parse_zip_code("2139") is None
