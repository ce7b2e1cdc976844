"""Made-up borrowers to read wording by, and what may be filled in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from rooftree.leads.models import Lead, Person
from rooftree.org.models import LoanOfficer, User
from rooftree.org.the_company import the_company
from rooftree.outreach import letter, license_words, send, wording
from rooftree.outreach.models import Template
from rooftree.outreach.purposes import MEDIA, occasion
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
CALLER_NAMES = {"caller.name": "The name of whoever makes the call"}
FIGURES = {
    "product": "30-year fixed",
    "target": "6.125%",
    "rate": "6.000%",
    "apr": "6.214%",
    "points": "0.500",
    "day": "November 27",
}
CALLER = "Alex Morgan"
PURPOSES = {"purchase": "purchase", "refinance": "refinance", "equity": "home_equity"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Somebody made up, and whose borrower they are."""

    lead: Lead
    officer: LoanOfficer | None


def names_of(key: str) -> Mapping[str, str]:
    """What may be filled in for one occasion."""
    one = occasion(key)
    more = RATE_NAMES if one.has_rates else CALLER_NAMES if one.is_spoken else {}
    return NAMES | more


def samples(template: Template) -> Sequence[Sample]:
    """One of whom all is known and who has an officer, and one of whom nothing is."""
    officer = LoanOfficer(user=User(name=CALLER), nmls_id="1234567")
    purpose = PURPOSES.get(template.loan_kind, "purchase")
    known = Lead(person=Person(first_name="Maria"), purpose=purpose, property_state="FL")
    unknown = Lead(person=Person(first_name=""), purpose="", property_state="")
    return Sample(lead=known, officer=officer), Sample(lead=unknown, officer=None)


def ending(template: Template, state: str, *, at: datetime) -> str:
    """What is added to it for a property in `state`; "" for a few words, written or said."""
    if template.medium not in MEDIA:
        return ""
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
    one = occasion(template.key)
    caller = sample.officer.user.name if sample.officer else CALLER
    more = {"rate": FIGURES} if one.has_rates else {}
    return wording.render(
        template,
        lead=sample.lead,
        company=the_company(),
        officer=sample.officer,
        at=at,
        more=more | ({"caller": {"name": caller}} if one.is_spoken else {}),
    )
