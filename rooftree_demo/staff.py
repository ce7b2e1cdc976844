"""Who works at Lindenfield Mortgage: invented people, with numbers that ring nowhere."""

from dataclasses import dataclass

STATES = (
    "FL", "TX", "CO", "CA", "GA", "NC", "AZ", "WA",
    "VA", "SC", "PA", "OH", "IL", "TN", "NV", "HI",
)  # fmt: skip
EAST = ("FL", "GA", "NC", "VA", "SC", "PA", "OH", "TN")
SOUTH = ("TX", "FL", "GA", "TN", "IL", "OH", "NC")
WEST = ("CO", "AZ", "CA", "WA", "NV", "HI", "TX")

_WEEK = ("mon", "tue", "wed", "thu", "fri")
_ALL = (*_WEEK, "sat", "sun")


@dataclass(frozen=True, slots=True, kw_only=True)
class Officer:
    """One loan officer as the company hires them."""

    first: str
    last: str
    branch: str
    states: tuple[str, ...]
    languages: tuple[str, ...] = ("en",)
    days: tuple[str, ...] = _ALL
    opens: str = "08:00"
    closes: str = "20:00"
    zone: str = ""  # "" is the branch's
    backup: str = ""  # last name

    @property
    def name(self) -> str:
        return f"{self.first} {self.last}"

    @property
    def login(self) -> str:
        """The part before the @, which is also the user name in the LOS."""
        return f"{self.first[0]}{self.last}".lower().replace("-", "").replace("'", "")

    @property
    def hours(self) -> dict[str, list[str]]:
        return {day: [self.opens, self.closes] for day in self.days}


# Somebody is at work at any hour, so that a visitor of any hour sees a lead taken:
# two start at midnight by their own clock, one lives in Honolulu.
OFFICERS = (
    Officer(first="Dana", last="Whitfield", branch="Tampa", states=(*EAST, "TX"), backup="Bell"),
    Officer(
        first="Marcus", last="Bell", branch="Tampa", states=EAST, days=_WEEK, backup="Whitfield"
    ),
    Officer(first="Priya", last="Raman", branch="Tampa", states=(*EAST, "IL"), backup="Ortega"),
    Officer(
        first="Luis", last="Ortega", branch="Tampa", states=STATES, languages=("en", "es"),
        opens="12:00", closes="24:00", backup="Raman",
    ),
    Officer(
        first="Sam", last="Rivera", branch="Austin", states=SOUTH, languages=("en", "es"),
        opens="09:00", closes="21:00", backup="Kim",
    ),
    Officer(
        first="Grace", last="Kim", branch="Austin", states=(*SOUTH, "CA"), languages=("en", "ko"),
        days=_WEEK, backup="Rivera",
    ),
    Officer(first="Tom", last="Albrecht", branch="Austin", states=SOUTH, backup="Duarte"),
    Officer(
        first="Ximena", last="Duarte", branch="Austin", states=STATES, languages=("en", "es"),
        opens="00:00", closes="09:00", backup="Mensah",
    ),
    Officer(first="Erin", last="Gallagher", branch="Denver", states=WEST, backup="Aziz"),
    Officer(
        first="Noor", last="Aziz", branch="Denver", states=WEST, days=_WEEK, backup="Gallagher",
    ),
    Officer(
        first="Kofi", last="Mensah", branch="Denver", states=STATES, opens="00:00", closes="09:00",
        backup="Duarte",
    ),
    Officer(
        first="Mei-Ling", last="Zhou", branch="Denver", states=STATES, languages=("en", "zh"),
        opens="07:00", closes="21:00", zone="Pacific/Honolulu", backup="Gallagher",
    ),
)  # fmt: skip

# (name, NMLS ID of the branch, zone, area code of its people's numbers)
BRANCHES = (
    ("Tampa", "2204511", "America/New_York", "813"),
    ("Austin", "2204512", "America/Chicago", "512"),
    ("Denver", "2204513", "America/Denver", "303"),
)
# (first and last name, role, branch or "" for the whole company, title)
OTHERS = (
    ("Ruth Adler", "manager", "Tampa", "Branch manager, Tampa"),
    ("Henry Osei", "manager", "Austin", "Branch manager, Austin"),
    ("Claire Novak", "manager", "Denver", "Branch manager, Denver"),
    ("Beatriz Lima", "operations", "", "Head of operations"),
    ("Jonah Feld", "marketing", "", "Head of marketing"),
    ("Omar Haddad", "compliance", "", "Compliance officer"),
    ("Evelyn Hart", "executive", "", "Chief executive"),
    ("Tariq Jones", "administrator", "", "Systems"),
    ("Nina Petrov", "assistant", "Tampa", "Assistant to Dana Whitfield"),
)
ASSISTS = {"Nina Petrov": "Whitfield"}
