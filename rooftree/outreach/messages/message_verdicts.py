"""Asking the gate about messages of ours, and keeping what it said."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.db.models import prefetch_related_objects

from rooftree.compliance.gate import message_gate, verdict_storage
from rooftree.compliance.gate.facts import Facts, HumanDecision, Medium, Purpose
from rooftree.compliance.gate.verdict import Decision
from rooftree.compliance.gate.verdict import Verdict as Said
from rooftree.compliance.models import Revocation, Verdict
from rooftree.db.bulk_insert import insert_rows
from rooftree.db.prepared_queries import PreparedQuery
from rooftree.leads import contact_points
from rooftree.leads.models import Lead
from rooftree.org.current_company import current_company
from rooftree.org.models import Company
from rooftree.outreach.facts.lead_records import LeadRecords
from rooftree.outreach.facts.message_facts import OutgoingContact, address_key, gather_facts
from rooftree.outreach.models import Message, MessageReview
from rooftree.outreach.wording.message_footer import build_footer

LEADS = PreparedQuery(
    lambda keys: Lead.objects.select_related("person", "source").filter(pk__in=keys),
    keys=list[UUID],
)
MEDIA = {"text": Medium.TEXT, "email": Medium.EMAIL}
# An alert answers the borrower's own request with figures of a rate sheet we keep; figures for
# one person who asked are no advertisement (comment 2(a)(2)-1.ii.A to 12 CFR 1026).
RATE_ALERT_PROOFS = ("rate_snapshot_ok", "prior_contact_ok", "disclosure_set_ok")


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionInputs:
    """One message, and the rows that a decision about it rests on, read at one moment."""

    message: Message
    lead: Lead
    company: Company
    records: LeadRecords
    answers: tuple[HumanDecision, ...] = ()

    @property
    def is_in_owners_name(self) -> bool:
        """In nobody's name, or in that of the officer whose lead it is by now."""
        return self.message.officer_id in (None, self.lead.officer_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class DecidedMessage:
    """What the gate said of one message, with all it rests on."""

    inputs: DecisionInputs
    facts: Facts
    verdict: Verdict

    @property
    def message(self) -> Message:
        return self.inputs.message

    @property
    def is_allowed(self) -> bool:
        return self.verdict.decision == Decision.ALLOW


def load_inputs(messages: Sequence[Message], *, at: datetime) -> list[DecisionInputs]:
    """Everything, as it stands. No two of the messages are to one person."""
    if not messages:
        return []
    leads = {lead.pk: lead for lead in LEADS.all(keys=[message.lead_id for message in messages])}
    contact_points.prefetch_contacts([lead.person for lead in leads.values()], "phones")
    prefetch_related_objects([*messages], "officer__user", "officer__licenses")
    keys = {message.lead_id: [address_key(message.to_address)] for message in messages}
    known = LeadRecords.load_many([*leads.values()], keys=keys, at=at)
    company = current_company()
    for message in messages:
        message.ending = build_footer(
            message,
            state=leads[message.lead_id].property_state,
            company=company,
            licenses=known[message.lead_id].company_licenses,
            at=at,
        )
    return [
        DecisionInputs(
            message=message,
            lead=leads[message.lead_id],
            company=company,
            records=known[message.lead_id],
            answers=_load_human_answers(message),
        )
        for message in messages
    ]


def decide_messages(found: Sequence[DecisionInputs], *, stage: str) -> list[DecidedMessage]:
    """Ask the gate about messages and keep its verdicts."""
    return _store_verdicts([_ask_gate(decision_inputs, stage) for decision_inputs in found])


def redecide_messages(
    before: Sequence[DecidedMessage], *, stage: str, at: datetime
) -> list[DecidedMessage]:
    """The same, with what may come from outside between a claim and the carrier read anew.

    That is what the borrower said or took back, and what the company declared.
    The rest was read moments ago by the same worker, and our own attempts are
    counted one decision a person at a time.
    """
    company = current_company()
    known = LeadRecords.reload_news(
        [decided_message.inputs.records for decided_message in before], at=at
    )
    now = [
        replace(one.inputs, company=company, records=so) for one, so in zip(before, known, strict=True)
    ]
    return _store_verdicts(
        [_ask_gate(found, stage, was=was) for found, was in zip(now, before, strict=True)]
    )


def preview_verdicts(messages: Sequence[Message], *, at: datetime) -> list[Said]:
    """What the gate would say of messages that are not in line. Nothing is written."""
    return [
        message_gate.decide(gather_facts_at(found, at=at)) for found in load_inputs(messages, at=at)
    ]


def gather_facts_at(found: DecisionInputs, *, at: datetime) -> Facts:
    """All that the gate would look at, were it asked at `at` and nothing had come since."""
    return gather_facts(
        _build_outgoing(found), lead=found.lead, company=found.company, at=at, known=found.records
    )


def _ask_gate(
    found: DecisionInputs, stage: str, *, was: DecidedMessage | None = None
) -> DecidedMessage:
    """The verdict, not yet on file. The gate is pure: the same facts have the same again."""
    facts = gather_facts_at(found, at=found.records.at)
    if was and was.facts == facts:
        verdict = verdict_storage.copy_verdict_row(was.verdict, stage=stage)
    else:
        cause = f"message:{found.message.pk}"
        verdict = verdict_storage.build_verdict_row(
            message_gate.decide(facts),
            facts,
            lead=found.lead,
            subject_key=cause,
            stage=stage,
            at=found.records.at,
        )
    return DecidedMessage(inputs=found, facts=facts, verdict=verdict)


def _store_verdicts(decided: list[DecidedMessage]) -> list[DecidedMessage]:
    insert_rows([decided_message.verdict for decided_message in decided])
    return decided


def _load_human_answers(message: Message) -> tuple[HumanDecision, ...]:
    """What people answered of the rules that stopped this message; a new one has no verdict yet."""
    if message.verdict_id is None:
        return ()
    released = MessageReview.objects.filter(message=message, is_release=True, verdict__isnull=False)
    return tuple(
        HumanDecision(
            rule=result["id"], reason=result["reason"], by=f"user:{review.by_id}", at=review.at
        )
        for review in released.select_related("verdict").order_by("at", "id")
        for result in (review.verdict.results if review.verdict else ())
        if result["decision"] == Decision.REQUIRE
    )


def _build_outgoing(found: DecisionInputs) -> OutgoingContact:
    confirms, message = None, found.message
    if message.cause.startswith("stop:"):
        confirms = Revocation.objects.get(pk=message.cause.removeprefix("stop:"))
    return OutgoingContact(
        medium=MEDIA[message.medium],
        purpose=Purpose(message.purpose),
        is_automated=message.is_automated,
        to=message.to_address,
        text=message.full_text,
        subject=message.subject,
        officer=message.officer,
        idempotency_key=f"message:{message.pk}",
        confirms=confirms,
        is_owners=found.is_in_owners_name,
        is_officers_own=message.by_id is None
        or (message.officer is not None and message.by_id == message.officer.user_id),
        answers=found.answers,
        approved_until=message.template.approved_until if message.template else None,
        content_facts=RATE_ALERT_PROOFS if message.cause.startswith("watch:") else (),
    )
