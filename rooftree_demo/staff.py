"""Who works at Lindenfield Mortgage: invented people, with numbers that ring nowhere."""

import csv
import unicodedata
from dataclasses import dataclass
from pathlib import Path

STATES = (
    "FL", "TX", "CO", "CA", "GA", "NC", "AZ", "WA",
    "VA", "SC", "PA", "OH", "IL", "TN", "NV", "HI",
)  # fmt: skip
_WEEK = ("mon", "tue", "wed", "thu", "fri")
_DAYS = {
    "all": (*_WEEK, "sat", "sun"),
    "week": _WEEK,
    "weekend": ("wed", "thu", "fri", "sat", "sun"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Officer:
    """One loan officer as the company hires them."""

    first: str
    last: str
    branch: str
    states: tuple[str, ...]
    languages: tuple[str, ...]
    days: tuple[str, ...]
    opens: str
    closes: str
    zone: str  # "" is the branch's
    backup: str  # last name

    @property
    def name(self) -> str:
        return f"{self.first} {self.last}"

    @property
    def login(self) -> str:
        """The part before the @, which is also the user name in the LOS."""
        letters = unicodedata.normalize("NFKD", f"{self.first[0]}{self.last}".lower())
        return "".join(one for one in letters if one.isascii() and one.isalnum())

    @property
    def hours(self) -> dict[str, list[str]]:
        return {day: [self.opens, self.closes] for day in self.days}


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """One branch, and the area code of its people's numbers."""

    name: str
    region: str
    nmls_id: str
    zone: str
    area: str


def _officers() -> tuple[Officer, ...]:
    with (Path(__file__).parent / "officers.csv").open(encoding="utf-8", newline="") as file:
        return tuple(
            Officer(
                first=row["first"],
                last=row["last"],
                branch=row["branch"],
                states=tuple(row["states"].split()),
                languages=tuple(row["languages"].split()),
                days=_DAYS[row["days"]],
                opens=row["opens"],
                closes=row["closes"],
                zone=row["zone"],
                backup=row["backup"],
            )
            for row in csv.DictReader(file)
        )


# Somebody is at work at any hour, so that a visitor of any hour sees a lead taken:
# two start at midnight by their own clock, one lives in Honolulu.
OFFICERS = _officers()
REGIONS = {"East": "America/New_York", "West": "America/Denver"}
BRANCHES = (
    Branch(name="Tampa", region="East", nmls_id="2204511", zone="America/New_York", area="813"),
    Branch(name="Austin", region="West", nmls_id="2204512", zone="America/Chicago", area="512"),
    Branch(name="Denver", region="West", nmls_id="2204513", zone="America/Denver", area="303"),
    Branch(name="Atlanta", region="East", nmls_id="2204514", zone="America/New_York", area="404"),
    Branch(name="Charlotte", region="East", nmls_id="2204515", zone="America/New_York", area="704"),
    Branch(name="Phoenix", region="West", nmls_id="2204516", zone="America/Phoenix", area="602"),
)
# (first and last name, role, branch or region or "" for the whole company, title)
OTHERS = (
    ("Ruth Adler", "manager", "Tampa", "Branch manager, Tampa"),
    ("Henry Osei", "manager", "Austin", "Branch manager, Austin"),
    ("Claire Novak", "manager", "Denver", "Branch manager, Denver"),
    ("Bernice Tate", "manager", "Atlanta", "Branch manager, Atlanta"),
    ("Walter Quinn", "manager", "Charlotte", "Branch manager, Charlotte"),
    ("Isabel Montoya", "manager", "Phoenix", "Branch manager, Phoenix"),
    ("Paul Reinhardt", "manager", "East", "Regional manager, East"),
    ("Judith Amsel", "manager", "West", "Regional manager, West"),
    ("Beatriz Lima", "operations", "", "Head of operations"),
    ("Jonah Feld", "marketing", "", "Head of marketing"),
    ("Omar Haddad", "compliance", "", "Compliance officer"),
    ("Evelyn Hart", "executive", "", "Chief executive"),
    ("Tariq Jones", "administrator", "", "Systems"),
    ("Nina Petrov", "assistant", "Tampa", "Assistant to Dana Whitfield"),
    ("Miriam Doyle", "compliance", "", "Compliance counsel"),
)
ASSISTS = {"Nina Petrov": "Whitfield"}
