"""Invented borrowers of Lindenfield's states: names of many origins, numbers that are nobody's."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

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
    zone: str = "America/New_York"


CENTRAL, MOUNTAIN, PACIFIC = "America/Chicago", "America/Denver", "America/Los_Angeles"
PLACES = (
    Place(state="FL", city="Tampa", county="Hillsborough", zip="33602", price=410, areas=("813", "727")),
    Place(state="FL", city="Miami", county="Miami-Dade", zip="33130", price=580, areas=("305", "786")),
    Place(state="FL", city="Orlando", county="Orange", zip="32803", price=400, areas=("407", "321")),
    Place(state="GA", city="Decatur", county="DeKalb", zip="30030", price=420, areas=("404", "770")),
    Place(state="NC", city="Charlotte", county="Mecklenburg", zip="28202", price=410, areas=("704", "980")),
    Place(state="VA", city="Arlington", county="Arlington", zip="22201", price=740, areas=("703", "571")),
    Place(state="NJ", city="Jersey City", county="Hudson", zip="07302", price=640, areas=("201", "551")),
    Place(state="PA", city="Philadelphia", county="Philadelphia", zip="19103", price=290, areas=("215", "267")),
    Place(state="OH", city="Cleveland", county="Cuyahoga", zip="44114", price=190, areas=("216", "440")),
    Place(state="TX", city="Austin", county="Travis", zip="78701", price=540, areas=("512", "737"), zone=CENTRAL),
    Place(state="TX", city="Houston", county="Harris", zip="77002", price=340, areas=("713", "832"), zone=CENTRAL),
    Place(state="TX", city="San Antonio", county="Bexar", zip="78205", price=300, areas=("210", "726"), zone=CENTRAL),
    Place(state="IL", city="Chicago", county="Cook", zip="60607", price=380, areas=("312", "773"), zone=CENTRAL),
    Place(state="TN", city="Nashville", county="Davidson", zip="37203", price=470, areas=("615", "629"), zone=CENTRAL),
    Place(state="CO", city="Denver", county="Denver", zip="80211", price=600, areas=("303", "720"), zone=MOUNTAIN),
    Place(state="AZ", city="Phoenix", county="Maricopa", zip="85004", price=430, areas=("602", "480"), zone="America/Phoenix"),
    Place(state="NV", city="Las Vegas", county="Clark", zip="89101", price=420, areas=("702", "725"), zone=PACIFIC),
    Place(state="CA", city="Sacramento", county="Sacramento", zip="95814", price=520, areas=("916", "279"), zone=PACIFIC),
    Place(state="CA", city="Los Angeles", county="Los Angeles", zip="90012", price=880, areas=("213", "323"), zone=PACIFIC),
    Place(state="WA", city="Tacoma", county="Pierce", zip="98402", price=480, areas=("253", "360"), zone=PACIFIC),
    Place(state="HI", city="Honolulu", county="Honolulu", zip="96813", price=790, areas=("808",), zone="Pacific/Honolulu"),
)  # fmt: skip

# First names beside last names of the same origin; people of one row are mixed.
_ORIGINS: tuple[tuple[int, str, str, str], ...] = (
    (30, "en", "James Mary Daniel Hannah Wesley Carol Brandon Emily Scott Megan Curtis Paula Neil Joyce",
     "Brooks Miller Carter Thompson Harris Bennett Cole Foster Reed Hughes Palmer Walsh O'Malley Freeman"),
    (14, "en", "Imani Terrence DeShawn Tamika Malik Aaliyah Andre Keisha Darnell Monique",
     "Washington Jefferson Booker Gaines Toussaint Franklin Sinclair Mayfield"),
    (15, "es", "José María Ximena Raúl Lucía Mateo Rosa Héctor Valentina Andrés Guadalupe",
     "Muñoz Peña Castañeda Ibáñez Reyes Castellanos Garcia-Lopez Delgado Ríos Fuentes"),
    (8, "en", "Elena Carlos Sofia Miguel Adriana Victor Diego Marisol",
     "Vargas Romero Salazar Molina Cordero Espinoza"),
    (9, "en", "Priya Ravi Ananya Arjun Kavita Sanjay Meera Vikram", "Natarajan Patel Iyer Sharma Reddy Kapoor Desai"),
    (7, "en", "Mei Wei Jun Hana Minh Linh Yuki Jae-won Soo-ah", "Chen Wang Nguyen Tran Kim Park Yamada Lim"),
    (5, "en", "Chidi Ngozi Kwame Amara Tunde Zainab", "Okoro Adeyemi Mensah Abara Diallo"),
    (5, "en", "Omar Leila Yusuf Nadia Karim Samira", "Haddad Rahman Nasser Farouk Aziz"),
    (5, "en", "Ingrid Lars Katarzyna Pavel Oksana Giulia Luca Anneke", "Lindqvist Novak Kowalski Petrenko Rossi Dubois van-der-Berg"),
    (1, "en", "Zoë🏡 X Siobhán Þóra", "Färber Æ d'Arcy-Wu St.-James-III"),
    (1, "vi", "Hương Đức Thảo Bảo", "Nguyễn Phạm Trần Lê"),
)  # fmt: skip
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
    weights = [one[0] for one in _ORIGINS]
    _, language, firsts, lasts = rng.choices(_ORIGINS, weights)[0]
    return rng.choice(firsts.split()), rng.choice(lasts.split()), language


def _phone(areas: Sequence[str], nth: int) -> str:
    """One of the fictional numbers 555-0140 to 555-0199 of the place."""
    area = areas[nth % len(areas)]
    return f"{area}55501{_FIRST_LINE + nth // len(areas) % (100 - _FIRST_LINE)}"


def _email(first: str, last: str, number: int) -> str:
    plain = "".join(one for one in f"{first}.{last}".lower() if one.isascii())
    kept = "".join(one for one in plain if one.isalnum() or one == ".").strip(".") or "reader"
    return f"{kept}{number}@{('example.com', 'example.org', 'example.net')[number % 3]}"
