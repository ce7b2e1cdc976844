"""Sample borrowers for template previews, and the available placeholders."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from rooftree.leads.models import Lead, Person
from rooftree.org.current_company import current_company
from rooftree.org.models import LoanOfficer, User
from rooftree.outreach.calls import call_reason
from rooftree.outreach.calls.call_reason import CallReason
from rooftree.outreach.messages import plan_messages
from rooftree.outreach.models import Template
from rooftree.outreach.wording import license_disclosures, message_templates
from rooftree.outreach.wording.message_templates import RenderedTemplate
from rooftree.outreach.wording.occasions import MEDIUM_NAMES, get_occasion

PLACEHOLDERS = {  # name: description for staff
    "borrower.first_name": "First name, or a greeting that works without one",
    "sender": "Officer and company, with the required NMLS IDs",
    "officer.name": "Name of the loan officer, or the company’s",
    "officer.phone": "Number of the loan officer for texts and calls, or the company’s",
    "property.city": 'City of the property; say what to write without one: | default: "your area"',
    "lead.kind": "What they asked about, such as “buying a home”",
    "lead.where": "“ in Florida”, including the space, or nothing if the state is unknown",
    "call.day": "When we call: “shortly”, or “on Monday”",
    "company.brand": "Company name in signatures",
    "company.nmls_id": "Company NMLS ID",
    "company.phone": "Company phone number",
}
RATE_PLACEHOLDERS = {
    "rate.product": "Product on the borrower’s rate watch",
    "rate.target": "Borrower’s target rate",
    "rate.rate": "Rate on our rate sheet",
    "rate.apr": "APR of that rate",
    "rate.points": "Points of that rate",
    "rate.day": "Date of the rate sheet",
}
CALLER_PLACEHOLDERS = {
    "caller.name": "Name of the caller",
    "call.reason": "Why you call, such as “because you asked about buying a home”",
}
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
    """A sample lead and the officer it belongs to."""

    lead: Lead
    officer: LoanOfficer | None


def placeholders_for(key: str) -> Mapping[str, str]:
    """Return the placeholders available for an occasion, with descriptions."""
    occasion = get_occasion(key)
    if occasion.has_rates:
        return PLACEHOLDERS | RATE_PLACEHOLDERS
    return PLACEHOLDERS | CALLER_PLACEHOLDERS if occasion.is_spoken else PLACEHOLDERS


def sample_borrowers(template: Template) -> Sequence[SampleBorrower]:
    """Return two samples: one with full data and an officer, one with no data at all."""
    officer = LoanOfficer(user=User(name=SAMPLE_CALLER), nmls_id="1234567")
    purpose = SAMPLE_PURPOSES.get(template.loan_kind, "purchase")
    known = Lead(person=Person(first_name="Maria"), purpose=purpose, property_state="FL")
    unknown = Lead(person=Person(first_name=""), purpose="", property_state="")
    return SampleBorrower(lead=known, officer=officer), SampleBorrower(lead=unknown, officer=None)


def sample_footer(template: Template, state: str, *, at: datetime) -> str:
    """Return the footer added for a property in `state`; "" for replies and scripts."""
    if template.medium not in MEDIUM_NAMES:
        return ""
    spec = plan_messages.MessageSpec(
        lead=sample_borrowers(template)[0].lead,
        medium=template.medium,
        purpose="confirmation" if get_occasion(template.key).is_bare else "marketing",
        cause="",
        words=message_templates.MessageContent(body="", language=template.language),
        to="",
    )
    message = plan_messages.build_message(spec, at)  # not saved
    return plan_messages.build_footer(
        message,
        state=state,
        company=current_company(),
        licenses=license_disclosures.load_company_licenses(),
        at=at,
    )


def render_sample(template: Template, sample: SampleBorrower, *, at: datetime) -> RenderedTemplate:
    """Render a template for a sample borrower at `at`. Raises `BadTemplate`."""
    occasion = get_occasion(template.key)
    caller = sample.officer.user.name if sample.officer else SAMPLE_CALLER
    context: dict[str, dict[str, str]] = {}
    if occasion.has_rates:
        context["rate"] = SAMPLE_RATE
    if occasion.is_spoken:
        context["caller"] = {"name": caller}
        reason = call_reason.reason_phrase(
            CallReason.INQUIRY, template.language, sample.lead.purpose
        )
        context["call"] = {"reason": reason}
    return message_templates.render_template(
        template,
        lead=sample.lead,
        company=current_company(),
        officer=sample.officer,
        at=at,
        extra_context=context,
    )
