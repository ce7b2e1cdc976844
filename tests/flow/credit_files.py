"""Helpers of tests about credit notices: an inquiry, a text, and the clocks that run."""

from rooftree.compliance.models import CreditClock
from rooftree.flow import (
    borrower_replies,
)
from rooftree.leads.models import Lead
from rooftree.outreach.messages import send
from rooftree.outreach.models import Message
from rooftree.outreach.wording.message_templates import MessageContent
from tests import make
from tests.flow import journey


def deliver_inquiry(**changes) -> Lead:
    """Deliver Ben, whose form holds five pieces of an application, or fewer."""
    five = {
        "annual_income": "96000",
        "property_address": "12 Palm Street",
        "loan_amount": "412000",
    }
    return journey.deliver(journey.create_website(), journey.form_post(**five | changes))


def receive_text(words: str, at=make.NOON + make.HOUR) -> None:
    borrower_replies.receive_text(
        sender="+18135550142", body=words, carrier_id=f"SM{make.number()}", carrier="twilio", at=at
    )


def running_clocks(lead: Lead) -> dict[str, CreditClock]:
    return {
        credit_clock.kind: credit_clock
        for credit_clock in CreditClock.objects.filter(lead=lead, closed_at=None)
    }


def send_automatic_text(lead: Lead, *, at, body="Hello.") -> Message:
    """Queue an automatic text and send it if the gate allows."""
    words = MessageContent(
        body=f"{body} Lindenfield Mortgage NMLS 1204417. Reply STOP to end.", subject="",
        officer=None, language="en",
    )  # fmt: skip
    message = send.queue_message(
        lead=Lead.objects.select_related("person").get(pk=lead.pk), medium="text",
        purpose="marketing", cause=f"test:{make.number()}", words=words, to="+18135550142", at=at,
    )  # fmt: skip
    send.deliver_messages([message.pk], at=at)
    message.refresh_from_db()
    return message
