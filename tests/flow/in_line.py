"""Leads with consent, and messages queued for a later moment."""

from datetime import datetime

from rooftree.leads.models import Lead
from rooftree.outreach.messages import plan_messages, send
from rooftree.outreach.wording.message_templates import MessageContent
from tests import make
from tests.flow import journey

SIGNED = "Lindenfield Mortgage NMLS 1204417. Reply STOP to opt out."


def create_consented_lead(first_name, code="813", state="FL", *, at=make.NOON):
    """Deliver a lead whose form proves consent; both first messages are sent."""
    nth = make.number()
    post = journey.form_post(
        first_name=first_name, email=f"{first_name.lower()}@home.example",
        phone=f"({code}) 555-{nth % 10_000:04d}", property_state=state,
        property_zip="33602" if state == "FL" else "90012",
        rendered_at=(at - make.MINUTE).isoformat(), submitted_at=at.isoformat(),
    )  # fmt: skip
    site = journey.Source.objects.filter(slug="our-site").first() or journey.create_website(
        name="Our form"
    )
    journey.deliver(site, post, at=at)
    return Lead.objects.get(person__first_name=first_name)


def queue_message(lead, due_at, medium="text", *, at=make.NOON):
    text = f"Hello. {SIGNED}"
    return send.queue_message(
        lead=lead,
        medium=medium,
        purpose="marketing",
        cause=f"step:{make.number()}",
        words=MessageContent(body=text, subject="Rates"),
        to=plan_messages.address_for(lead, medium),
        due_at=due_at,
        at=at,
    )


def florida_time(text):
    return datetime.fromisoformat(f"{text}-05:00")
