"""Invented borrowers of Lindenfield's states: names of many origins, numbers that are nobody's."""

import csv
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rooftree_simulators.posters.people import Borrower, borrower


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


def _rows(name: str) -> list[dict[str, str]]:
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
    for row in _rows("places.csv")
)
# First names beside last names of the same origin; the people of one row are mixed.
_ORIGINS = _rows("names.csv")
_FIRST_LINE = 40  # the numbers below belong to staff


def someone(rng: random.Random, number: int) -> Borrower:
    """Borrower `number`: the same seed and number, the same person.

    The number also says where they live and which phone is theirs, so that no
    two of the first thousand share one.
    """
    place, nth = number % len(PLACES), number // len(PLACES)
    there = PLACES[place]
    drawn = borrower(rng)
    first, last, language = _name(rng)
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
        email=_email(first, last, number),
        phone=_phone(there.areas, nth),
        state=there.state,
        city=there.city,
        county=there.county,
        zip=there.zip,
        price=price,
        loan=loan,
        balance=balance,
        cash_out=cash_out,
    )


def _name(rng: random.Random) -> tuple[str, str, str]:
    row = rng.choices(_ORIGINS, [int(one["share"]) for one in _ORIGINS])[0]
    return rng.choice(row["first"].split()), rng.choice(row["last"].split()), row["language"]


def _phone(areas: Sequence[str], nth: int) -> str:
    """One of the fictional numbers 555-0140 to 555-0199 of the place."""
    area = areas[nth % len(areas)]
    return f"{area}55501{_FIRST_LINE + nth // len(areas) % (100 - _FIRST_LINE)}"


def _email(first: str, last: str, number: int) -> str:
    plain = "".join(one for one in f"{first}.{last}".lower() if one.isascii())
    kept = "".join(one for one in plain if one.isalnum() or one == ".").strip(".") or "reader"
    return f"{kept}{number}@{('example.com', 'example.org', 'example.net')[number % 3]}"
