"""Phone numbers as E.164, as sources and people write them."""

import re
from dataclasses import dataclass

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat

# Regions of the North American plan where a mortgage lead is no foreigner.
DOMESTIC_REGIONS = frozenset({"US", "PR", "VI", "GU", "AS", "MP"})
_EXT_DIGITS = 10  # what the canonical record holds
_MAX_TEXT_LENGTH = 100  # a longer text is no phone number
_DIGITS = re.compile(r"\d")


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneNumber:
    """One number as read; `e164` is None when no such number can exist."""

    e164: str | None = None
    ext: str | None = None
    country: str | None = None  # ISO 3166 alpha-2; the default region when it tells none

    @property
    def is_valid(self) -> bool:
        return self.e164 is not None

    @property
    def is_foreign(self) -> bool:
        return self.country is not None and self.country not in DOMESTIC_REGIONS


def parse_phone_number(text: str, *, region: str = "US") -> PhoneNumber:
    """It is the number in `text`; without a country code it belongs to `region`."""
    written = re.sub(r"^00(?=[1-9])", "+", text.strip())  # as Europe dials abroad
    told = region if not written.startswith("+") else None
    if not written or len(written) > _MAX_TEXT_LENGTH or not _DIGITS.search(written):
        return PhoneNumber(country=region)
    try:
        number = phonenumbers.parse(written, region)
    except NumberParseException:
        return PhoneNumber(country=told)
    found = phonenumbers.region_code_for_number(number)
    country = found or told
    if found is None or not phonenumbers.is_valid_number_for_region(number, found):
        return PhoneNumber(country=country)
    return PhoneNumber(
        e164=phonenumbers.format_number(number, PhoneNumberFormat.E164),
        ext=(number.extension or "")[:_EXT_DIGITS] or None,
        country=country,
    )


def format_phone(e164: str) -> str:
    """A US number as people write it, others as they came: `(512) 555-0142`."""
    digits = e164.removeprefix("+1")
    if e164.startswith("+1") and len(digits) == 10 and digits.isdigit():
        return f"({digits[:3]}) {digits[3:6]}-{digits[6:]}"
    return e164
