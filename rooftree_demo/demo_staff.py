"""The staff of Lindenfield Mortgage: invented people with phone numbers that reach no one."""

import csv
import unicodedata
from dataclasses import dataclass
from pathlib import Path

LICENSED_STATES = (
    "FL", "TX", "CO", "CA", "GA", "NC", "AZ", "WA",
    "VA", "SC", "PA", "OH", "IL", "TN", "NV", "HI",
)  # fmt: skip
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri")
_WORKING_DAYS = {
    "all": (*_WEEKDAYS, "sat", "sun"),
    "week": _WEEKDAYS,
    "weekend": ("wed", "thu", "fri", "sat", "sun"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOfficer:
    """One loan officer of the demo."""

    first: str
    last: str
    branch: str
    states: tuple[str, ...]
    languages: tuple[str, ...]
    days: tuple[str, ...]
    opens: str
    closes: str
    zone: str  # "" uses the branch's zone
    backup: str  # last name of the backup officer

    @property
    def name(self) -> str:
        return f"{self.first} {self.last}"

    @property
    def login(self) -> str:
        """The part of the email address before the @, which is also the user name in the LOS."""
        letters = unicodedata.normalize("NFKD", f"{self.first[0]}{self.last}".lower())
        return "".join(letter for letter in letters if letter.isascii() and letter.isalnum())

    @property
    def hours(self) -> dict[str, list[str]]:
        return {day: [self.opens, self.closes] for day in self.days}


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoBranch:
    """One branch, with the area code of its staff's numbers."""

    name: str
    region: str
    nmls_id: str
    zone: str
    area: str


def _read_officers() -> tuple[DemoOfficer, ...]:
    with (Path(__file__).parent / "officers.csv").open(encoding="utf-8", newline="") as file:
        return tuple(
            DemoOfficer(
                first=row["first"],
                last=row["last"],
                branch=row["branch"],
                states=tuple(row["states"].split()),
                languages=tuple(row["languages"].split()),
                days=_WORKING_DAYS[row["days"]],
                opens=row["opens"],
                closes=row["closes"],
                zone=row["zone"],
                backup=row["backup"],
            )
            for row in csv.DictReader(file)
        )


# At any hour an officer is at work, so every visitor sees a lead taken:
# two start at midnight local time, one lives in Honolulu.
OFFICERS = _read_officers()
REGIONS = {"East": "America/New_York", "West": "America/Denver"}
BRANCHES = (
    DemoBranch(name="Tampa", region="East", nmls_id="2204511", zone="America/New_York", area="813"),
    DemoBranch(name="Austin", region="West", nmls_id="2204512", zone="America/Chicago", area="512"),
    DemoBranch(name="Denver", region="West", nmls_id="2204513", zone="America/Denver", area="303"),
    DemoBranch(
        name="Atlanta", region="East", nmls_id="2204514", zone="America/New_York", area="404"
    ),
    DemoBranch(
        name="Charlotte", region="East", nmls_id="2204515", zone="America/New_York", area="704"
    ),
    DemoBranch(
        name="Phoenix", region="West", nmls_id="2204516", zone="America/Phoenix", area="602"
    ),
)
# (first and last name, role, branch or region or "" for the whole company, title)
OTHER_STAFF = (
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
ASSISTED_OFFICERS = {"Nina Petrov": "Whitfield"}
