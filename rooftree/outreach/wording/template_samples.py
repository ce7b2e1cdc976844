"""Made-up borrowers to read wording by, and what may be filled in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from rooftree.leads.models import Lead, Person
from rooftree.org.current_company import current_company
from rooftree.org.models import LoanOfficer, User
from rooftree.outreach.messages import send
from rooftree.outreach.models import Template
from rooftree.outreach.wording import license_disclosures, message_footer, message_templates
from rooftree.outreach.wording.message_templates import RenderedTemplate
from rooftree.outreach.wording.occasions import MEDIUM_NAMES, get_occasion

PLACEHOLDERS = {  # what may be filled in, and what comes of it
    "borrower.first_name": "Their first name, or a greeting that needs none",
    "sender": "Officer and company, with every NMLS ID the law asks for",
    "lead.kind": "What they want, such as “buying a home”",
    "lead.where": "“ in FL” with its space, or nothing while the state is not known",
    "call.day": "When we call: “shortly”, or “on Monday” while nobody calls",
    "company.brand": "The name that messages sign with",
    "company.nmls_id": "The company’s NMLS ID",
    "company.phone": "The company’s number",
}
RATE_PLACEHOLDERS = {
    "rate.product": "The product they wait for",
    "rate.target": "The rate they wait for",
    "rate.rate": "The rate on our sheet",
    "rate.apr": "Its APR",
    "rate.points": "Its points",
    "rate.day": "The day of the sheet",
}
CALLER_PLACEHOLDERS = {"caller.name": "The name of whoever makes the call"}
SAMPLE_RATE = {
    "product": "30-year fixed",
    "target": "6.125%",
    "rate": "6.000%",
    "apr": "6.214%",
    "points": "0.500",
    "day": "November 27",
}
SAMPLE_CALLER = "Alex Morgan"
SAMPLE_PURPOSES = {"purchase": "purchase", "refinance": "refinance", "equity": "home_equity"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleBorrower:
    """Somebody made up, and whose borrower they are."""

    lead: Lead
    officer: LoanOfficer | None


def placeholders_for(key: str) -> Mapping[str, str]:
    """What may be filled in for one occasion."""
    one = get_occasion(key)
    more = RATE_PLACEHOLDERS if one.has_rates else CALLER_PLACEHOLDERS if one.is_spoken else {}
    return PLACEHOLDERS | more


def sample_borrowers(template: Template) -> Sequence[SampleBorrower]:
    """One of whom all is known and who has an officer, and one of whom nothing is."""
    officer = LoanOfficer(user=User(name=SAMPLE_CALLER), nmls_id="1234567")
    purpose = SAMPLE_PURPOSES.get(template.loan_kind, "purchase")
    known = Lead(person=Person(first_name="Maria"), purpose=purpose, property_state="FL")
    unknown = Lead(person=Person(first_name=""), purpose="", property_state="")
    return SampleBorrower(lead=known, officer=officer), SampleBorrower(lead=unknown, officer=None)


def sample_footer(template: Template, state: str, *, at: datetime) -> str:
    """What is added to it for a property in `state`; "" for a few words, written or said."""
    if template.medium not in MEDIUM_NAMES:
        return ""
    planned = send.MessageSpec(
        lead=sample_borrowers(template)[0].lead,
        medium=template.medium,
        purpose="confirmation" if get_occasion(template.key).is_bare else "marketing",
        cause="",
        words=message_templates.MessageContent(body="", language=template.language),
        to="",
    )
    message = send.build_message(planned, at)  # nothing is written
    return message_footer.build_footer(
        message,
        state=state,
        company=current_company(),
        licenses=license_disclosures.load_company_licenses(),
        at=at,
    )


def render_sample(template: Template, sample: SampleBorrower, *, at: datetime) -> RenderedTemplate:
    """The wording as that borrower would get it at `at`. Raises `wording.BadTemplate`."""
    one = get_occasion(template.key)
    caller = sample.officer.user.name if sample.officer else SAMPLE_CALLER
    more = {"rate": SAMPLE_RATE} if one.has_rates else {}
    return message_templates.render_template(
        template,
        lead=sample.lead,
        company=current_company(),
        officer=sample.officer,
        at=at,
        extra_context=more | ({"caller": {"name": caller}} if one.is_spoken else {}),
    )
