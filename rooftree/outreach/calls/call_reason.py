"""Why an officer calls a borrower, in the words of the opening script.

What the borrower asked for comes first: nobody who asked us hears that we offer our services.
"""

from datetime import datetime, timedelta
from enum import StrEnum

from rooftree.capture.sources import SOURCES
from rooftree.compliance.gate.facts import Medium
from rooftree.leads.models import Lead
from rooftree.outreach.facts import contact_facts
from rooftree.outreach.facts.lead_records import LeadRecords
from rooftree.outreach.models import Message
from rooftree.outreach.wording.message_templates import LOAN_PHRASES

ALERT_IS_NEWS_FOR = timedelta(days=7)  # house
INTRODUCED_CHANNELS = frozenset({"import", "referral"})  # the borrower may not have asked us


class CallReason(StrEnum):
    """The reason for a call, as the borrower sees it."""

    LOAN = "loan"
    CALLBACK = "callback"
    RETURNED_CALL = "returned_call"
    REPLY = "reply"
    RATE_ALERT = "rate_alert"
    INQUIRY = "inquiry"
    INTRODUCTION = "introduction"
    OFFER = "offer"


PHRASES = {
    "en": {
        CallReason.LOAN: "about your loan application for {kind}",
        CallReason.CALLBACK: "as you asked, about {kind}",
        CallReason.RETURNED_CALL: "to return your call about {kind}",
        CallReason.REPLY: "in reply to your message about {kind}",
        CallReason.RATE_ALERT: "because rates reached your target for {kind}",
        CallReason.INQUIRY: "because you asked about {kind}",
        CallReason.INTRODUCTION: "about {kind}",
        CallReason.OFFER: "to offer our services for {kind}",
    },
    "es": {
        CallReason.LOAN: "por su solicitud de préstamo para {kind}",
        CallReason.CALLBACK: "como me pidió, sobre {kind}",
        CallReason.RETURNED_CALL: "para devolver su llamada sobre {kind}",
        CallReason.REPLY: "por su mensaje sobre {kind}",
        CallReason.RATE_ALERT: "por su meta de tasas para {kind}",
        CallReason.INQUIRY: "porque nos preguntó sobre {kind}",
        CallReason.INTRODUCTION: "sobre {kind}",
        CallReason.OFFER: "para ofrecerle servicios para {kind}",
    },
}


def find_reason(lead: Lead, *, call_at: datetime) -> CallReason:
    """Return why the borrower is called at `call_at`, from what was on file just before."""
    at = call_at - timedelta(microseconds=1)  # the call itself is on file at `call_at`
    records = LeadRecords(lead, keys=[], at=at)
    if contact_facts.is_loan_in_service(records, at=at):
        return CallReason.LOAN
    if records.agreed_callback is not None:
        return CallReason.CALLBACK
    awaited = contact_facts.find_awaited_contact(Medium.CALL, records, excluding="", at=at)
    if awaited:
        return CallReason.RETURNED_CALL if awaited == "callback" else CallReason.REPLY
    if _was_alerted(lead, at):
        return CallReason.RATE_ALERT
    if records.trigger_lead_basis is not None:
        return CallReason.OFFER
    adapter = SOURCES.get(lead.source.adapter)
    channel = lead.source.setup.get("channel") or (adapter.CHANNEL if adapter else "")
    return CallReason.INTRODUCTION if channel in INTRODUCED_CHANNELS else CallReason.INQUIRY


def reason_phrase(reason: CallReason, language: str, purpose: str) -> str:
    """Return the reason in the script's language, with the kind of loan."""
    kinds = LOAN_PHRASES[language]
    return PHRASES[language][reason].format(kind=kinds.get(purpose, kinds[""]))


def _was_alerted(lead: Lead, at: datetime) -> bool:
    return Message.objects.filter(
        lead_id=lead.pk,
        idempotency_key__startswith="watch:",
        sent_at__gt=at - ALERT_IS_NEWS_FOR,
        sent_at__lte=at,
    ).exists()
