"""Invented borrowers of Lindenfield's states: names of many origins, numbers that are nobody's."""

import csv
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rooftree_simulators.posters.simulated_borrowers import Borrower, random_borrower


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A city with its area codes and its usual price in thousands of dollars."""

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
# First names beside last names of the same origin; the people of one row are mixed.
_ORIGINS = _read_rows("names.csv")
_FIRST_BORROWER_LINE = 40  # of 555-01xx; the numbers below belong to staff
_RESERVED = 100 - _FIRST_BORROWER_LINE
_OPEN_LINES = range(2000, 10_000)  # of 555, where nobody has a number
_RESERVED_LINE = 4334  # the one line of 555 that was given out nationwide, beside 1212


def invent_borrower(rng: random.Random, number: int, *, language: str = "") -> Borrower:
    """Borrower `number`: the same seed and number, the same person; `language` if it matters.

    The number also says where they live and which phone is theirs, so that no
    two of the first hundred thousand share one.
    """
    place, nth = number % len(PLACES), number // len(PLACES)
    there = PLACES[place]
    drawn = random_borrower(rng)
    first, last, language = _choose_name(rng, language)
    share = rng.lognormvariate(0, 0.28)
    price = int(round(there.price * share)) * 1000
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
        language=language,
        email=_email_for(first, last, number),
        phone=_phone_for(there.areas, nth),
        state=there.state,
        city=there.city,
        county=there.county,
        zip=there.zip,
        price=price,
        loan=loan,
        balance=balance,
        cash_out=cash_out,
    )


def _choose_name(rng: random.Random, language: str) -> tuple[str, str, str]:
    of_these = [origin for origin in _ORIGINS if not language or origin["language"] == language]
    row = rng.choices(of_these, [int(one["share"]) for one in of_these])[0]
    return rng.choice(row["first"].split()), rng.choice(row["last"].split()), row["language"]


def _phone_for(areas: Sequence[str], nth: int) -> str:
    """One of the place's numbers in 555: first those for fiction, then lines nobody has."""
    area, line = areas[nth % len(areas)], nth // len(areas)
    if line < _RESERVED:
        return f"{area}55501{_FIRST_BORROWER_LINE + line}"
    open_line = _OPEN_LINES[(line - _RESERVED) % len(_OPEN_LINES)]
    return f"{area}555{open_line if open_line != _RESERVED_LINE else 1999}"


def _email_for(first: str, last: str, number: int) -> str:
    plain = "".join(one for one in f"{first}.{last}".lower() if one.isascii())
    kept = "".join(one for one in plain if one.isalnum() or one == ".").strip(".") or "reader"
    return f"{kept}{number}@{('example.com', 'example.org', 'example.net')[number % 3]}"
