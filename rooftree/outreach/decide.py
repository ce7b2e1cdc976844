"""Asking the gate about one message of ours, and keeping what it said."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.db.models import prefetch_related_objects

from rooftree.compliance import gate, store_verdict
from rooftree.compliance.facts import Answer, Medium, Purpose
from rooftree.compliance.models import Revocation, Verdict
from rooftree.compliance.verdict import Decision
from rooftree.leads.models import Lead
from rooftree.org.compiled import Reads
from rooftree.org.models import Company
from rooftree.org.the_company import the_company
from rooftree.outreach.facts import Outgoing, address_key, gather
from rooftree.outreach.known import Known
from rooftree.outreach.letter import footer
from rooftree.outreach.models import Message, MessageReview

LEAD = Reads(lambda key: Lead.objects.select_related("person", "source").filter(pk=key), key=UUID)
MEDIA = {"text": Medium.TEXT, "email": Medium.EMAIL}
# An alert answers the borrower's own request with figures of a rate sheet we keep; figures for
# one person who asked are no advertisement (comment 2(a)(2)-1.ii.A to 12 CFR 1026).
ASKED_FOR = ("rate_snapshot_ok", "prior_contact_ok", "disclosure_set_ok")


@dataclass(frozen=True, slots=True, kw_only=True)
class OnFile:
    """The rows that a decision about one message rests on, read at one moment."""

    lead: Lead
    company: Company
    known: Known
    answers: tuple[Answer, ...] = ()


def on_file(message: Message, *, at: datetime) -> OnFile:
    """Everything, as it stands."""
    lead = LEAD.one(key=message.lead_id)
    prefetch_related_objects([lead.person], "phones")
    known = Known(lead, keys=[address_key(message.to_address)], at=at)
    return OnFile(lead=lead, company=the_company(), known=known, answers=_decided(message))


def looked_at_again(was: OnFile, *, at: datetime) -> OnFile:
    """The same, with what may come from outside between a claim and the carrier read anew.

    That is what the borrower said or took back, and what the company declared.
    The rest was read moments ago by the same worker, and our own attempts are
    counted one decision a person at a time.
    """
    return replace(was, company=the_company(), known=was.known.looked_at_again(at=at))


def decide(message: Message, found: OnFile, *, stage: str) -> Verdict:
    """Ask the gate about one message and keep its verdict."""
    at = found.known.at
    outgoing = _outgoing(message, found)
    facts = gather(outgoing, lead=found.lead, company=found.company, at=at, known=found.known)
    return store_verdict.store(
        gate.decide(facts),
        facts,
        lead=found.lead,
        cause=f"message:{message.pk}",
        stage=stage,
        at=at,
    )


def _decided(message: Message) -> tuple[Answer, ...]:
    """What people answered of the rules that stopped this message; a new one has no verdict yet."""
    if message.verdict_id is None:
        return ()
    released = MessageReview.objects.filter(message=message, is_release=True, verdict__isnull=False)
    return tuple(
        Answer(rule=one["id"], reason=one["reason"], by=f"user:{review.by_id}", at=review.at)
        for review in released.select_related("verdict").order_by("at", "id")
        for one in (review.verdict.results if review.verdict else ())
        if one["decision"] == Decision.REQUIRE
    )


def _outgoing(message: Message, found: OnFile) -> Outgoing:
    confirms, company = None, found.company
    if message.cause.startswith("stop:"):
        confirms = Revocation.objects.get(pk=message.cause.removeprefix("stop:"))
    return Outgoing(
        medium=MEDIA[message.medium],
        purpose=Purpose(message.purpose),
        is_automated=message.is_automated,
        to=message.to_address,
        text=message.body + (footer(message, company) if message.medium == "email" else ""),
        subject=message.subject,
        officer=message.officer,
        cause=f"message:{message.pk}",
        confirms=confirms,
        answers=found.answers,
        content_facts=ASKED_FOR if message.cause.startswith("watch:") else (),
    )
