"""Invented borrowers: names, fictional numbers, places and prices, all from one seed."""

import random
from dataclasses import dataclass

# (state, area code, city, county, ZIP, usual price in thousands of dollars)
_PLACES = [
    ("CA", "213", "Los Angeles", "Los Angeles", "90012", 880),
    ("CA", "415", "San Francisco", "San Francisco", "94110", 1280),
    ("CA", "916", "Sacramento", "Sacramento", "95814", 520),
    ("TX", "512", "Austin", "Travis", "78701", 540),
    ("TX", "713", "Houston", "Harris", "77002", 340),
    ("TX", "210", "San Antonio", "Bexar", "78205", 300),
    ("FL", "305", "Miami", "Miami-Dade", "33130", 580),
    ("FL", "407", "Orlando", "Orange", "32803", 400),
    ("FL", "813", "Tampa", "Hillsborough", "33602", 410),
    ("NY", "718", "Brooklyn", "Kings", "11215", 950),
    ("NJ", "201", "Jersey City", "Hudson", "07302", 640),
    ("PA", "215", "Philadelphia", "Philadelphia", "19103", 290),
    ("OH", "216", "Cleveland", "Cuyahoga", "44114", 190),
    ("IL", "312", "Chicago", "Cook", "60607", 380),
    ("GA", "770", "Decatur", "DeKalb", "30030", 420),
    ("NC", "704", "Charlotte", "Mecklenburg", "28202", 410),
    ("VA", "703", "Arlington", "Arlington", "22201", 740),
    ("WA", "253", "Tacoma", "Pierce", "98402", 480),
    ("WA", "206", "Seattle", "King", "98101", 860),
    ("OR", "503", "Portland", "Multnomah", "97205", 530),
    ("CO", "303", "Denver", "Denver", "80211", 600),
    ("AZ", "602", "Phoenix", "Maricopa", "85004", 430),
    ("NV", "702", "Las Vegas", "Clark", "89101", 420),
    ("NM", "505", "Albuquerque", "Bernalillo", "87102", 330),
    ("MI", "313", "Detroit", "Wayne", "48201", 180),
    ("MN", "612", "Minneapolis", "Hennepin", "55401", 350),
    ("TN", "615", "Nashville", "Davidson", "37203", 470),
    ("MA", "617", "Boston", "Suffolk", "02118", 820),
    ("MD", "410", "Baltimore", "Baltimore City", "21201", 260),
]
_FIRST_NAMES = [
    "James",
    "Mary",
    "Imani",
    "Terrence",
    "Marisol",
    "Devonte",
    "Gwen",
    "Aisha",
    "Priya",
    "Omar",
    "Grace",
    "Daniel",
    "Hannah",
    "Malik",
    "Elena",
    "Chidi",
    "Yuki",
    "Leila",
    "Sam",
    "Nora",
    "Victor",
    "Rosa",
    "Andre",
    "Wanda",
    "Felix",
    "Tamika",
    "Ravi",
    "Ingrid",
    "Mateo",
    "Lucía",
]
_LAST_NAMES = [
    "Brooks",
    "Johnson",
    "O'Malley",
    "Abara",
    "Sinclair",
    "Okoro",
    "Natarajan",
    "Haddad",
    "Kim",
    "Miller",
    "Washington",
    "Rossi",
    "Lindqvist",
    "Castellanos",
    "Freeman",
    "Patel",
    "Novak",
    "Garcia-Lopez",
    "Dubois",
    "Carter",
    "Yamada",
    "Reyes",
    "Thompson",
]
_SPANISH_NAMES = [
    ("José", "Muñoz"),
    ("María Fernanda", "Peña"),
    ("Ximena", "Castañeda"),
    ("Raúl", "Ibáñez"),
]
_VIETNAMESE_NAMES = [("Nguyễn", "Thị Hương"), ("Đức", "Phạm"), ("Thảo", "Trần"), ("Bảo", "Lê")]
_UNUSUAL_NAMES = [
    ("🏡 Zoë", "Färber"),
    ("DeShawn", "St. James III"),
    ("Siobhán", "d'Arcy-Wu"),
    ("X", "Æ"),
]
_STREETS = [
    "Palmetto Way",
    "Maple St",
    "Alder Ave",
    "9th St",
    "Sunset Blvd",
    "Oak Hill Rd",
    "Harbor Ln",
]
_PURPOSES = ["purchase", "purchase", "purchase", "refinance", "cash_out"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Borrower:
    """One invented borrower and the requested loan. Money in whole dollars."""

    first_name: str
    last_name: str
    email: str
    phone: str  # ten digits, 555-01xx, which is reserved for fiction
    language: str  # en, es or vi
    state: str
    city: str
    county: str
    zip: str
    street: str
    purpose: str  # purchase, refinance or cash_out
    price: int
    loan: int
    balance: int
    cash_out: int
    score: int
    days: int  # until they want to close
    military: bool
    agent: bool

    @property
    def down_payment(self) -> int:
        return self.price - self.loan if self.purpose == "purchase" else 0


def random_borrower(rng: random.Random) -> Borrower:
    """Invent a borrower. About one in seven has a name that careless software breaks."""
    state, area, city, county, zip_code, usual = rng.choice(_PLACES)
    first, last, language = _random_name(rng)
    price = round(usual * rng.lognormvariate(0, 0.3)) * 1000
    purpose = rng.choice(_PURPOSES)
    balance = round(price * rng.uniform(0.3, 0.7), -3)
    cash_out = int(round(price * 0.1, -3)) if purpose == "cash_out" else 0
    loan = int(round(price * rng.choice([0.8, 0.8, 0.9, 0.95, 0.965]), -2))
    if purpose != "purchase":
        loan = int(balance) + cash_out
    return Borrower(
        first_name=first,
        last_name=last,
        email=_random_email(rng, first, last),
        phone=f"{area}55501{rng.randrange(100):02d}",
        language=language,
        state=state,
        city=city,
        county=county,
        zip=zip_code,
        street=f"{rng.randrange(1, 9999)} {rng.choice(_STREETS)}",
        purpose=purpose,
        price=price,
        loan=loan,
        balance=int(balance) if purpose != "purchase" else 0,
        cash_out=cash_out,
        score=min(830, max(560, round(rng.gauss(705, 55)))),
        days=rng.choice([14, 30, 60, 60, 90, 180]),
        military=rng.random() < 0.12,
        agent=rng.random() < 0.4,
    )


def _random_name(rng: random.Random) -> tuple[str, str, str]:
    drawn = rng.random()
    if drawn < 0.07:
        return (*rng.choice(_SPANISH_NAMES), "es")
    if drawn < 0.11:
        return (*rng.choice(_VIETNAMESE_NAMES), "vi")
    if drawn < 0.14:
        return (*rng.choice(_UNUSUAL_NAMES), "en")
    return rng.choice(_FIRST_NAMES), rng.choice(_LAST_NAMES), rng.choice(["en"] * 9 + ["es"])


def _random_email(rng: random.Random, first: str, last: str) -> str:
    """Return an address in a reserved domain, without letters that email cannot carry."""
    ascii_name = "".join(letter for letter in f"{first}.{last}".lower() if letter.isascii())
    letters = [letter for letter in ascii_name if letter.isalnum() or letter == "."]
    name = "".join(letters).strip(".")
    domain = rng.choice(["example.com", "example.org", "example.net"])
    return f"{name or 'reader'}{rng.randrange(1000)}@{domain}"
