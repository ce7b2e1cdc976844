"""Asking the gate about messages of ours, and keeping what it said."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.db.models import prefetch_related_objects

from rooftree.compliance import gate, store_verdict
from rooftree.compliance.facts import Answer, Facts, Medium, Purpose
from rooftree.compliance.models import Revocation, Verdict
from rooftree.compliance.verdict import Decision
from rooftree.compliance.verdict import Verdict as Said
from rooftree.leads import reach
from rooftree.leads.models import Lead
from rooftree.org.compiled import Reads
from rooftree.org.insert import insert_all
from rooftree.org.models import Company
from rooftree.org.the_company import the_company
from rooftree.outreach.facts import Outgoing, address_key, gather
from rooftree.outreach.known import Known
from rooftree.outreach.letter import ending
from rooftree.outreach.models import Message, MessageReview

LEADS = Reads(
    lambda keys: Lead.objects.select_related("person", "source").filter(pk__in=keys),
    keys=list[UUID],
)
MEDIA = {"text": Medium.TEXT, "email": Medium.EMAIL}
# An alert answers the borrower's own request with figures of a rate sheet we keep; figures for
# one person who asked are no advertisement (comment 2(a)(2)-1.ii.A to 12 CFR 1026).
ASKED_FOR = ("rate_snapshot_ok", "prior_contact_ok", "disclosure_set_ok")


@dataclass(frozen=True, slots=True, kw_only=True)
class OnFile:
    """One message, and the rows that a decision about it rests on, read at one moment."""

    message: Message
    lead: Lead
    company: Company
    known: Known
    answers: tuple[Answer, ...] = ()

    @property
    def is_owners(self) -> bool:
        """In nobody's name, or in that of the officer whose lead it is by now."""
        return self.message.officer_id in (None, self.lead.officer_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What the gate said of one message, with all it rests on."""

    found: OnFile
    facts: Facts
    verdict: Verdict

    @property
    def message(self) -> Message:
        return self.found.message

    @property
    def is_allowed(self) -> bool:
        return self.verdict.decision == Decision.ALLOW


def on_file(messages: Sequence[Message], *, at: datetime) -> list[OnFile]:
    """Everything, as it stands. No two of the messages are to one person."""
    if not messages:
        return []
    leads = {one.pk: one for one in LEADS.all(keys=[one.lead_id for one in messages])}
    reach.load([one.person for one in leads.values()], "phones")
    prefetch_related_objects([*messages], "officer__user", "officer__licenses")
    keys = {one.lead_id: [address_key(one.to_address)] for one in messages}
    known = Known.of_many([*leads.values()], keys=keys, at=at)
    company = the_company()
    for one in messages:
        one.ending = ending(
            one,
            state=leads[one.lead_id].property_state,
            company=company,
            licenses=known[one.lead_id].company_licenses,
            at=at,
        )
    return [
        OnFile(
            message=one,
            lead=leads[one.lead_id],
            company=company,
            known=known[one.lead_id],
            answers=_decided(one),
        )
        for one in messages
    ]


def decide(found: Sequence[OnFile], *, stage: str) -> list[Decided]:
    """Ask the gate about messages and keep its verdicts."""
    return _kept([_asked(one, stage) for one in found])


def decide_again(before: Sequence[Decided], *, stage: str, at: datetime) -> list[Decided]:
    """The same, with what may come from outside between a claim and the carrier read anew.

    That is what the borrower said or took back, and what the company declared.
    The rest was read moments ago by the same worker, and our own attempts are
    counted one decision a person at a time.
    """
    company = the_company()
    known = Known.looked_at_again([one.found.known for one in before], at=at)
    now = [
        replace(one.found, company=company, known=so) for one, so in zip(before, known, strict=True)
    ]
    return _kept([_asked(found, stage, was=was) for found, was in zip(now, before, strict=True)])


def would(messages: Sequence[Message], *, at: datetime) -> list[Said]:
    """What the gate would say of messages that are not in line. Nothing is written."""
    return [gate.decide(facts_at(found, at=at)) for found in on_file(messages, at=at)]


def facts_at(found: OnFile, *, at: datetime) -> Facts:
    """All that the gate would look at, were it asked at `at` and nothing had come since."""
    return gather(
        _outgoing(found), lead=found.lead, company=found.company, at=at, known=found.known
    )


def _asked(found: OnFile, stage: str, *, was: Decided | None = None) -> Decided:
    """The verdict, not yet on file. The gate is pure: the same facts have the same again."""
    facts = facts_at(found, at=found.known.at)
    if was and was.facts == facts:
        verdict = store_verdict.again(was.verdict, stage=stage)
    else:
        cause = f"message:{found.message.pk}"
        verdict = store_verdict.row(
            gate.decide(facts), facts, lead=found.lead, cause=cause, stage=stage, at=found.known.at
        )
    return Decided(found=found, facts=facts, verdict=verdict)


def _kept(decided: list[Decided]) -> list[Decided]:
    insert_all([one.verdict for one in decided])
    return decided


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


def _outgoing(found: OnFile) -> Outgoing:
    confirms, message = None, found.message
    if message.cause.startswith("stop:"):
        confirms = Revocation.objects.get(pk=message.cause.removeprefix("stop:"))
    return Outgoing(
        medium=MEDIA[message.medium],
        purpose=Purpose(message.purpose),
        is_automated=message.is_automated,
        to=message.to_address,
        text=message.words,
        subject=message.subject,
        officer=message.officer,
        cause=f"message:{message.pk}",
        confirms=confirms,
        is_owners=found.is_owners,
        is_officers_own=message.by_id is None
        or (message.officer is not None and message.by_id == message.officer.user_id),
        answers=found.answers,
        wording_until=message.template.approved_until if message.template else None,
        content_facts=ASKED_FOR if message.cause.startswith("watch:") else (),
    )
