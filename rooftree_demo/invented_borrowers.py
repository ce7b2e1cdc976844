"""Invented borrowers in Lindenfield's states: names of many origins, unassigned numbers."""

import csv
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rooftree_simulators.posters.simulated_borrowers import Borrower, random_borrower


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A city with its area codes and its usual home price in thousands of dollars."""

    state: str
    city: str
    county: str
    zip: str
    price: int
    areas: tuple[str, ...]
    zone: str


def _read_rows(name: str) -> list[dict[str, str]]:
    with (Path(__file__).parent / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


PLACES = tuple(
    Place(
        state=row["state"],
        city=row["city"],
        county=row["county"],
        zip=row["zip"],
        price=int(row["price"]),
        areas=tuple(row["areas"].split()),
        zone=row["zone"],
    )
    for row in _read_rows("places.csv")
)
# First and last names of the same origin; names of one row are combined.
_ORIGINS = _read_rows("names.csv")
_MAIL_DOMAINS = ("example.com", "example.org", "example.net")
_FIRST_BORROWER_LINE = 40  # of 555-01xx; lower lines belong to staff
_RESERVED = 100 - _FIRST_BORROWER_LINE
_OPEN_LINES = range(2000, 10_000)  # of 555; unassigned
_RESERVED_LINE = 4334  # the only assigned line of 555 nationwide, besides 1212


def invent_borrower(rng: random.Random, number: int, *, language: str = "") -> Borrower:
    """Invent borrower `number`; the same seed and number give the same person.

    The number also determines home and phone number, so no two of the first hundred
    thousand share a phone number. `language` "" chooses one at random.
    """
    place, nth = PLACES[number % len(PLACES)], number // len(PLACES)
    drawn = random_borrower(rng)
    origins = [origin for origin in _ORIGINS if not language or origin["language"] == language]
    origin = rng.choices(origins, [int(candidate["share"]) for candidate in origins])[0]
    first, last = rng.choice(origin["first"].split()), rng.choice(origin["last"].split())
    ascii_name = "".join(letter for letter in f"{first}.{last}".lower() if letter.isascii())
    letters = [letter for letter in ascii_name if letter.isalnum() or letter == "."]
    mail_name = "".join(letters).strip(".") or "reader"
    share = rng.lognormvariate(0, 0.28)
    price = int(round(place.price * share)) * 1000
    balance, cash_out = 0, 0
    loan = int(round(price * rng.choice([0.8, 0.8, 0.9, 0.95, 0.965]), -2))
    if drawn.purpose != "purchase":
        balance = int(round(price * rng.uniform(0.35, 0.7), -3))
        cash_out = int(round(price * 0.1, -3)) if drawn.purpose == "cash_out" else 0
        loan = balance + cash_out
    return replace(
        drawn,
        first_name=first,
        last_name=last,
        language=origin["language"],
        email=f"{mail_name}{number}@{_MAIL_DOMAINS[number % len(_MAIL_DOMAINS)]}",
        phone=_phone_for(place.areas, nth),
        state=place.state,
        city=place.city,
        county=place.county,
        zip=place.zip,
        price=price,
        loan=loan,
        balance=balance,
        cash_out=cash_out,
    )


def _phone_for(areas: Sequence[str], nth: int) -> str:
    """Return the nth number of a place in 555: first lines for fiction, then unassigned ones."""
    area, line = areas[nth % len(areas)], nth // len(areas)
    if line < _RESERVED:
        return f"{area}55501{_FIRST_BORROWER_LINE + line}"
    open_line = _OPEN_LINES[(line - _RESERVED) % len(_OPEN_LINES)]
    return f"{area}555{open_line if open_line != _RESERVED_LINE else 1999}"
