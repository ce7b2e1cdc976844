"""The form in which two spellings of one street address are equal."""

import re

# The house number and the first word of the street: no direction, no kind of street, no flat.
HOUSE = re.compile(r"^(\d+\w*) (?:(?:n|s|e|w|ne|nw|se|sw|north|south|east|west) )?(\w+).*$")


def address_key(street: str, zip_code: str) -> str:
    """It is what an address is looked up by: `33602 12 main`; "" unless both parts are told.

    A building has one key, whatever the flat: it is evidence beside a name, never without one.
    """
    letters = " ".join("".join(one if one.isalnum() else " " for one in street.lower()).split())
    if not letters or not zip_code:
        return ""
    return f"{zip_code} {HOUSE.sub(r'\1 \2', letters)}"[:220]
