"""Parse phone numbers, as sources and people write them, into E.164."""

import re
from dataclasses import dataclass

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat

from rooftree.core.area_codes_and_zones import AREA_CODES

# Regions of the North American plan where a mortgage lead counts as domestic.
DOMESTIC_REGIONS = frozenset({"US", "PR", "VI", "GU", "AS", "MP"})
_EXT_DIGITS = 10  # the most that the canonical record holds
_MAX_TEXT_LENGTH = 100  # a longer text is no phone number
_DIGITS = re.compile(r"\d")
_NATIONAL = re.compile(r"([2-9]\d{2})[2-9]\d{6}", re.ASCII)  # of a number in North America
_DECIMAL_NUMBER = re.compile(r"(\+?\d{7,15})\.0{1,2}")  # a number that a spreadsheet stored
_FLOAT_NUMBER = re.compile(r"(\d)\.(\d{1,14})[eE](\+?)0?(\d{1,2})")  # 6.50253E9


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneNumber:
    """One parsed phone number; `e164` is None when no such number can exist."""

    e164: str | None = None
    ext: str | None = None
    country: str | None = None  # ISO 3166 alpha-2; the default region when the number names none

    @property
    def is_valid(self) -> bool:
        return self.e164 is not None

    @property
    def is_foreign(self) -> bool:
        return self.country is not None and self.country not in DOMESTIC_REGIONS


def parse_phone_number(text: str, *, region: str = "US") -> PhoneNumber:
    """Parse the number in `text`; without a country code it belongs to `region`."""
    written = re.sub(r"^00(?=[1-9])", "+", _restore_digits(text.strip()))  # as Europe dials abroad
    default_country = region if not written.startswith("+") else None
    if not written or len(written) > _MAX_TEXT_LENGTH or not _DIGITS.search(written):
        return PhoneNumber(country=region)
    try:
        number = phonenumbers.parse(written, region)
    except NumberParseException:
        return PhoneNumber(country=default_country)
    number_region = phonenumbers.region_code_for_number(number) or _region_of_new_code(number)
    country = number_region or default_country
    if number_region is None or not (
        phonenumbers.is_valid_number_for_region(number, number_region)
        or _region_of_new_code(number)
    ):
        return PhoneNumber(country=country)
    return PhoneNumber(
        e164=phonenumbers.format_number(number, PhoneNumberFormat.E164),
        ext=(number.extension or "")[:_EXT_DIGITS] or None,
        country=country,
    )


def _region_of_new_code(number: phonenumbers.PhoneNumber) -> str | None:
    """Return the country of a number whose area code our own list has, else None.

    The library learns a new area code months after the first numbers are given out.
    """
    match = _NATIONAL.fullmatch(str(number.national_number))
    if number.country_code != 1 or match is None or match[1] not in AREA_CODES:
        return None
    state = AREA_CODES[match[1]].state
    return state if state in DOMESTIC_REGIONS else "US"


def is_rounded_number(text: str) -> bool:
    """Tell whether a spreadsheet rounded a number to `6.50253E+09`, which lost its last digits."""
    match = _FLOAT_NUMBER.fullmatch(text.strip())
    return bool(match and match[3] and len(match[2]) < int(match[4]))


def _restore_digits(text: str) -> str:
    """Return the digits of a number that a program wrote as a decimal or as a float.

    `6.50253E9` is exact, because programs that write it leave out zeros only. `6.50253E+09` is a
    spreadsheet's display with six digits, and the rest of the number is lost.
    """
    if match := _DECIMAL_NUMBER.fullmatch(text):
        return match[1]
    match = _FLOAT_NUMBER.fullmatch(text)
    if match is None or is_rounded_number(text) or not len(match[2]) <= int(match[4]) <= 14:
        return text
    return match[1] + match[2].ljust(int(match[4]), "0")


def format_phone(e164: str) -> str:
    """Format a US number as people write it, `(512) 555-0142`; return others unchanged."""
    digits = e164.removeprefix("+1")
    if e164.startswith("+1") and len(digits) == 10 and digits.isdigit():
        return f"({digits[:3]}) {digits[3:6]}-{digits[6:]}"
    return e164
