"""Made-up borrowers to read wording by, and what may be filled in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from rooftree.leads.models import Lead, Person
from rooftree.org.models import LoanOfficer, User
from rooftree.org.the_company import the_company
from rooftree.outreach import letter, license_words, send, wording
from rooftree.outreach.models import Template
from rooftree.outreach.purposes import occasion
from rooftree.outreach.wording import Rendered

NAMES = {  # what may be filled in, and what comes of it
    "borrower.first_name": "Their first name, or a greeting that needs none",
    "sender": "Officer and company, with every NMLS ID the law asks for",
    "lead.kind": "What they want, such as “buying a home”",
    "lead.where": "“ in FL” with its space, or nothing while the state is not known",
    "call.day": "When we call: “shortly”, or “on Monday” while nobody calls",
    "company.brand": "The name that messages sign with",
    "company.nmls_id": "The company’s NMLS ID",
    "company.phone": "The company’s number",
}
RATE_NAMES = {
    "rate.product": "The product they wait for",
    "rate.target": "The rate they wait for",
    "rate.rate": "The rate on our sheet",
    "rate.apr": "Its APR",
    "rate.points": "Its points",
    "rate.day": "The day of the sheet",
}
FIGURES = {
    "product": "30-year fixed",
    "target": "6.125%",
    "rate": "6.000%",
    "apr": "6.214%",
    "points": "0.500",
    "day": "November 27",
}
PURPOSES = {"purchase": "purchase", "refinance": "refinance", "equity": "home_equity"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Somebody made up, and whose borrower they are."""

    lead: Lead
    officer: LoanOfficer | None


def names_of(key: str) -> Mapping[str, str]:
    """What may be filled in for one occasion."""
    return NAMES | RATE_NAMES if occasion(key).has_rates else NAMES


def samples(template: Template) -> Sequence[Sample]:
    """One of whom all is known and who has an officer, and one of whom nothing is."""
    officer = LoanOfficer(user=User(name="Alex Morgan"), nmls_id="1234567")
    purpose = PURPOSES.get(template.loan_kind, "purchase")
    known = Lead(person=Person(first_name="Maria"), purpose=purpose, property_state="FL")
    unknown = Lead(person=Person(first_name=""), purpose="", property_state="")
    return Sample(lead=known, officer=officer), Sample(lead=unknown, officer=None)


def ending(template: Template, state: str, *, at: datetime) -> str:
    """What is added to it for a property in `state`; "" for a text that answers a few words."""
    planned = send.Planned(
        lead=samples(template)[0].lead,
        medium=template.medium,
        purpose="confirmation" if occasion(template.key).is_bare else "marketing",
        cause="",
        words=wording.Words(body="", language=template.language),
        to="",
    )
    message = send.draft(planned, at)  # nothing is written
    return letter.ending(
        message, state=state, company=the_company(), licenses=license_words.on_file(), at=at
    )


def rendered(template: Template, sample: Sample, *, at: datetime) -> Rendered:
    """The wording as that borrower would get it at `at`. Raises `wording.BadTemplate`."""
    return wording.render(
        template,
        lead=sample.lead,
        company=the_company(),
        officer=sample.officer,
        at=at,
        more={"rate": FIGURES} if occasion(template.key).has_rates else None,
    )
