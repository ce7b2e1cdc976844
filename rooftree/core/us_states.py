"""States and territories of the postal service, and ZIP codes."""

import re
from dataclasses import dataclass

STATES = {
    "AL": "Alabama",
    "AK": "Alaska",
    "AZ": "Arizona",
    "AR": "Arkansas",
    "CA": "California",
    "CO": "Colorado",
    "CT": "Connecticut",
    "DE": "Delaware",
    "DC": "District of Columbia",
    "FL": "Florida",
    "GA": "Georgia",
    "HI": "Hawaii",
    "ID": "Idaho",
    "IL": "Illinois",
    "IN": "Indiana",
    "IA": "Iowa",
    "KS": "Kansas",
    "KY": "Kentucky",
    "LA": "Louisiana",
    "ME": "Maine",
    "MD": "Maryland",
    "MA": "Massachusetts",
    "MI": "Michigan",
    "MN": "Minnesota",
    "MS": "Mississippi",
    "MO": "Missouri",
    "MT": "Montana",
    "NE": "Nebraska",
    "NV": "Nevada",
    "NH": "New Hampshire",
    "NJ": "New Jersey",
    "NM": "New Mexico",
    "NY": "New York",
    "NC": "North Carolina",
    "ND": "North Dakota",
    "OH": "Ohio",
    "OK": "Oklahoma",
    "OR": "Oregon",
    "PA": "Pennsylvania",
    "RI": "Rhode Island",
    "SC": "South Carolina",
    "SD": "South Dakota",
    "TN": "Tennessee",
    "TX": "Texas",
    "UT": "Utah",
    "VT": "Vermont",
    "VA": "Virginia",
    "WA": "Washington",
    "WV": "West Virginia",
    "WI": "Wisconsin",
    "WY": "Wyoming",
    "AS": "American Samoa",
    "GU": "Guam",
    "MH": "Marshall Islands",
    "MP": "Northern Mariana Islands",
    "PR": "Puerto Rico",
    "VI": "Virgin Islands",
}
# Their ZIP codes start with 0, which spreadsheets drop.
LEADING_ZERO_STATES = frozenset({"CT", "MA", "ME", "NH", "NJ", "PR", "RI", "VI", "VT"})
_ALIASES = {"washingtondc": "DC", "usvirginislands": "VI", "dofcolumbia": "DC"}
_BY_NAME = {re.sub(r"[^a-z]", "", name.lower()): code for code, name in STATES.items()} | _ALIASES
_ZIP = re.compile(r"(\d{5})(?:[- ]?(\d{4}))?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class ZipCode:
    """A ZIP code split into its parts."""

    five: str
    plus4: str | None = None
    is_zero_restored: bool = False  # a leading zero was restored


def parse_state_code(text: str) -> str | None:
    """Return the USPS code for a code or a full name in any case; None when it is neither."""
    letters = re.sub(r"[^a-z]", "", text.lower())
    if letters.upper() in STATES:
        return letters.upper()
    return _BY_NAME.get(letters)


def parse_zip_code(text: str, *, state: str | None = None) -> ZipCode | None:
    """Return the ZIP code in `text`, or None.

    A four-digit code gets its zero back only in a state whose codes begin with 0.
    """
    digits = text.strip()
    if match := _ZIP.fullmatch(digits):
        return ZipCode(five=match[1], plus4=match[2])
    if state in LEADING_ZERO_STATES and (match := _ZIP.fullmatch(f"0{digits}")):
        return ZipCode(five=match[1], plus4=match[2], is_zero_restored=True)
    return None
