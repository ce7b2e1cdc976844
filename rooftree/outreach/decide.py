"""Asking the gate about one message of ours, and keeping what it said."""

from datetime import datetime

from rooftree.compliance import gate, store_verdict
from rooftree.compliance.facts import Medium, Purpose
from rooftree.compliance.models import Revocation, Verdict
from rooftree.leads.models import Lead
from rooftree.org.models import Company
from rooftree.outreach.facts import Outgoing, gather
from rooftree.outreach.letter import footer
from rooftree.outreach.models import Message

MEDIA = {"text": Medium.TEXT, "email": Medium.EMAIL}


def decide(message: Message, *, stage: str, at: datetime) -> Verdict:
    """Ask the gate about one message and keep its verdict."""
    lead = (
        Lead.objects.select_related("person", "source")
        .prefetch_related("person__phones")
        .get(pk=message.lead_id)
    )
    facts = gather(_outgoing(message), lead=lead, company=Company.objects.get(), at=at)
    verdict = gate.decide(facts)
    return store_verdict.store(
        verdict, facts, lead=lead, cause=f"message:{message.pk}", stage=stage, at=at
    )


def _outgoing(message: Message) -> Outgoing:
    confirms = None
    if message.cause.startswith("stop:"):
        confirms = Revocation.objects.get(pk=message.cause.removeprefix("stop:"))
    return Outgoing(
        medium=MEDIA[message.medium],
        purpose=Purpose(message.purpose),
        is_automated=message.is_automated,
        to=message.to_address,
        text=message.body + (footer(message) if message.medium == "email" else ""),
        subject=message.subject,
        officer=message.officer,
        cause=f"message:{message.pk}",
        confirms=confirms,
    )
