"""Gate verdicts about our messages: load the inputs, decide, store."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.db.models import prefetch_related_objects

from rooftree.compliance.gate import message_gate, verdict_storage
from rooftree.compliance.gate.facts import Facts, HumanDecision, Medium, Purpose
from rooftree.compliance.gate.verdict import Decision
from rooftree.compliance.gate.verdict import Verdict as GateVerdict
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
# A rate alert answers the borrower's own request with figures from a rate sheet we keep. Figures
# for one person who asked are not an advertisement (comment 2(a)(2)-1.ii.A to 12 CFR 1026).
RATE_ALERT_PROOFS = ("rate_snapshot_ok", "prior_contact_ok", "disclosure_set_ok")


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionInputs:
    """One message and the rows its decision is based on, loaded at one moment."""

    message: Message
    lead: Lead
    company: Company
    records: LeadRecords
    answers: tuple[HumanDecision, ...] = ()

    @property
    def is_in_owners_name(self) -> bool:
        """Return True if it is in the company's name or that of the lead's current officer."""
        return self.message.officer_id in (None, self.lead.officer_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class DecidedMessage:
    """The gate's verdict about one message, with the inputs and facts behind it."""

    inputs: DecisionInputs
    facts: Facts
    verdict: Verdict

    @property
    def message(self) -> Message:
        """The message decided about."""
        return self.inputs.message

    @property
    def is_allowed(self) -> bool:
        """Return True if the message can be sent now."""
        return self.verdict.decision == Decision.ALLOW


def load_inputs(messages: Sequence[Message], *, at: datetime) -> list[DecisionInputs]:
    """Load the inputs of messages, no two of them to one person, and set their footers."""
    if not messages:
        return []
    leads = {lead.pk: lead for lead in LEADS.all(keys=[message.lead_id for message in messages])}
    contact_points.prefetch_contacts([lead.person for lead in leads.values()], "phones")
    prefetch_related_objects([*messages], "officer__user", "officer__licenses")
    keys = {message.lead_id: [address_key(message.to_address)] for message in messages}
    records = LeadRecords.load_many([*leads.values()], keys=keys, at=at)
    company = current_company()
    for message in messages:
        message.ending = build_footer(
            message,
            state=leads[message.lead_id].property_state,
            company=company,
            licenses=records[message.lead_id].company_licenses,
            at=at,
        )
    return [
        DecisionInputs(
            message=message,
            lead=leads[message.lead_id],
            company=company,
            records=records[message.lead_id],
            answers=_load_human_answers(message),
        )
        for message in messages
    ]


def decide_messages(all_inputs: Sequence[DecisionInputs], *, stage: str) -> list[DecidedMessage]:
    """Ask the gate about messages and store its verdicts."""
    return _store_verdicts([_ask_gate(inputs, stage) for inputs in all_inputs])


def redecide_messages(
    before: Sequence[DecidedMessage], *, stage: str, at: datetime
) -> list[DecidedMessage]:
    """Decide again with fresh facts about anything that can change between claim and carrier.

    Reloaded are the borrower's messages and revocations and the company's declarations. The
    rest was loaded moments ago by the same worker, and our own attempts cannot change because
    only one message per person is decided at a time.
    """
    company = current_company()
    reloaded = LeadRecords.reload_news([decision.inputs.records for decision in before], at=at)
    fresh_inputs = [
        replace(decision.inputs, company=company, records=records)
        for decision, records in zip(before, reloaded, strict=True)
    ]
    return _store_verdicts(
        [
            _ask_gate(inputs, stage, previous=decision)
            for inputs, decision in zip(fresh_inputs, before, strict=True)
        ]
    )


def preview_verdicts(messages: Sequence[Message], *, at: datetime) -> list[GateVerdict]:
    """Return the gate's verdicts about messages that are not queued. Nothing is stored."""
    return [
        message_gate.decide(gather_facts_at(inputs, at=at))
        for inputs in load_inputs(messages, at=at)
    ]


def gather_facts_at(inputs: DecisionInputs, *, at: datetime) -> Facts:
    """Return the facts for a decision at `at`, assuming nothing changes until then."""
    return gather_facts(
        _build_outgoing(inputs),
        lead=inputs.lead,
        company=inputs.company,
        at=at,
        records=inputs.records,
    )


def _ask_gate(
    inputs: DecisionInputs, stage: str, *, previous: DecidedMessage | None = None
) -> DecidedMessage:
    """Build the verdict without saving it. The gate is pure: equal facts reuse the verdict."""
    facts = gather_facts_at(inputs, at=inputs.records.at)
    if previous and previous.facts == facts:
        verdict = verdict_storage.copy_verdict_row(previous.verdict, stage=stage)
    else:
        cause = f"message:{inputs.message.pk}"
        verdict = verdict_storage.build_verdict_row(
            message_gate.decide(facts),
            facts,
            lead=inputs.lead,
            subject_key=cause,
            stage=stage,
            at=inputs.records.at,
        )
    return DecidedMessage(inputs=inputs, facts=facts, verdict=verdict)


def _store_verdicts(decided: list[DecidedMessage]) -> list[DecidedMessage]:
    insert_rows([decision.verdict for decision in decided])
    return decided


def _load_human_answers(message: Message) -> tuple[HumanDecision, ...]:
    """Return staff decisions about the rules that stopped this message; none before a verdict."""
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


def _build_outgoing(inputs: DecisionInputs) -> OutgoingContact:
    confirms, message = None, inputs.message
    if message.idempotency_key.startswith("stop:"):
        confirms = Revocation.objects.get(pk=message.idempotency_key.removeprefix("stop:"))
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
        is_owners=inputs.is_in_owners_name,
        is_officers_own=message.by_id is None
        or (message.officer is not None and message.by_id == message.officer.user_id),
        answers=inputs.answers,
        approved_until=message.template.approved_until if message.template else None,
        content_facts=RATE_ALERT_PROOFS if message.idempotency_key.startswith("watch:") else (),
    )
