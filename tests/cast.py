"""Named people for tests: `gather` creates them, and the test says what happens to them."""

from dataclasses import dataclass

from rooftree.leads.models import Lead, Source
from rooftree.org.models import Branch, Company, LoanOfficer, User
from tests import make


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """All people, in a company with a region, two branches and one source."""

    company: Company
    region: Branch
    tampa: Branch  # Ruth's: Dana works here
    austin: Branch  # Sam works here
    dana: LoanOfficer  # CA and FL; English
    sam: LoanOfficer  # TX; English and Spanish
    ruth: User  # branch manager of Tampa
    omar: User  # compliance, whole company
    zillow: Source
    ben: Lead  # Ben Ortiz: a purchase in Florida, new, unassigned
    mei: Lead  # Mei Chen: a refinance in California, waiting 14 months for a rate


def gather() -> Cast:
    """Create all of them at make.NOON; Ben has just arrived."""
    company = make.company()
    region = make.branch("South", kind="region")
    tampa = make.branch("Tampa", parent=region)
    austin = make.branch("Austin", parent=region, zone="America/Chicago")
    ruth = make.user("manager", name="Ruth Adler", email="ruth@lindenfield.example", branch=tampa)
    company.alarm_user = ruth
    company.save(update_fields=["alarm_user"])
    zillow = make.source("zillow", name="Zillow", slug="zillow", cost_cents=65_00)
    return Cast(
        company=company,
        region=region,
        tampa=tampa,
        austin=austin,
        dana=make.officer("Dana Whitfield", licensed=("CA", "FL"), branch=tampa),
        sam=make.officer(
            "Sam Rivera",
            licensed=("TX",),
            languages=["en", "es"],
            branch=austin,
            zone="America/Chicago",
        ),
        ruth=ruth,
        omar=make.user("compliance", name="Omar Haddad", email="omar@lindenfield.example"),
        zillow=zillow,
        ben=_ben(zillow),
        mei=_mei(zillow),
    )


def _ben(zillow: Source) -> Lead:
    human = make.person(
        first_name="Ben",
        last_name="Ortiz",
        phone="+18135550142",
        email="ben.ortiz@home.example",
        state="FL",
    )
    return make.lead(person=human, source=zillow, property_city="Tampa", property_zip="33602")


def _mei(zillow: Source) -> Lead:
    since = make.NOON - 14 * 30 * make.DAY
    human = make.person(
        first_name="Mei",
        last_name="Chen",
        phone="+14155550187",
        email="mei.chen@home.example",
        state="CA",
        at=since,
    )
    return make.lead(
        at=since,
        person=human,
        source=zillow,
        state="nurture",
        purpose="refinance_rate_term",
        current_rate_pct="7.125",
        amount_cents=610_000_00,
        value_cents=900_000_00,
        property_state="CA",
        property_city="San Francisco",
        property_zip="94110",
    )
