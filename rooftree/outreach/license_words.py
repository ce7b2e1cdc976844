"""What the property's state wants said of our license, from what is on file."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from rooftree.compliance import license_wording
from rooftree.compliance.entitlement import local_date
from rooftree.compliance.facts import Medium
from rooftree.compliance.license_wording import Demand
from rooftree.org.models import Company, CompanyLicense
from rooftree.outreach.known_rows import Licensed


def license_there(licenses: Iterable[Licensed], state: str, at: datetime) -> Licensed | None:
    """The company's license in a state on its own date; the newest where there are several."""
    today = local_date(state, at)
    there = [one for one in licenses if one.state == state and one.holds(today)]
    return max(there, key=lambda one: one.from_date, default=None)


def license_words(
    medium: str, *, state: str, company: Company, licenses: Iterable[Licensed], at: datetime
) -> str:
    """The words for a message there; "" where none are asked, or one that they name is missing."""
    demand = demanded(medium, state=state, company=company, licenses=licenses, at=at)
    return demand.words if demand else ""


def demanded(
    medium: str, *, state: str, company: Company, licenses: Iterable[Licensed], at: datetime
) -> Demand | None:
    """The same with its law and what is missing; None where nothing is asked of this company."""
    if company.kind == "depository":
        return None
    there = license_there(licenses, state, at)
    us = license_wording.Us(
        nmls_id=company.nmls_id,
        website=company.website,
        phone=company.phone,
        address=company.postal_address,
        number=there.number if there else "",
        license=there.license if there else "",
    )
    return license_wording.demanded(state, Medium(medium), us, on=local_date(state, at))


def on_file() -> list[Licensed]:
    """Every license of the company, of whatever dates."""
    columns = ("state", "number", "license", "from_date", "until_date")
    return [Licensed(**one) for one in CompanyLicense.objects.values(*columns)]


def not_on_file(company: Company, *, at: datetime) -> Mapping[str, str]:
    """What is to be entered, in a sentence, by state we lend in; until then nothing goes there."""
    licenses = on_file()
    states = sorted({one.state for one in licenses if license_there(licenses, one.state, at)})
    found = {
        state: demanded("text", state=state, company=company, licenses=licenses, at=at)
        for state in states
    }
    return {
        state: license_wording.not_on_file(state, one.lacks)
        for state, one in found.items()
        if one and one.lacks
    }
