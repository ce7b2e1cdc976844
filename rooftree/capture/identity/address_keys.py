"""Normalized key of a street address, equal for different spellings of one address."""

import re

# The house number and the first word of the street: no direction, street type or apartment.
HOUSE = re.compile(r"^(\d+\w*) (?:(?:n|s|e|w|ne|nw|se|sw|north|south|east|west) )?(\w+).*$")


def address_key(street: str, zip_code: str) -> str:
    """Return an address's lookup key, like `33602 12 main`; "" if street or ZIP is missing.

    All apartments of a building share one key, so it is evidence only together with a name.
    """
    words = " ".join("".join(char if char.isalnum() else " " for char in street.lower()).split())
    if not words or not zip_code:
        return ""
    return f"{zip_code} {HOUSE.sub(r'\1 \2', words)}"[:220]
