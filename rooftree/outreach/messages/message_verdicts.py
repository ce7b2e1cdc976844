"""Gate verdicts about our messages: lock, load the inputs, decide, store.

Rows are always locked in the same order and held until commit. A verdict is stored with the facts
it rests on, so that it can be derived again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Exists, F, Q, prefetch_related_objects

from rooftree.compliance.gate import message_gate
from rooftree.compliance.gate.facts import Facts, HumanDecision, Medium, Purpose
from rooftree.compliance.gate.facts_json import facts_to_json, json_hash
from rooftree.compliance.gate.verdict import Decision
from rooftree.compliance.gate.verdict import Verdict as GateVerdict
from rooftree.compliance.models import Revocation, Verdict
from rooftree.core.uuid7 import uuid7_at
from rooftree.db.bulk_insert import insert_new_rows, insert_row, insert_rows
from rooftree.db.bulk_update import update_each
from rooftree.db.prepared_queries import PreparedQuery
from rooftree.leads import contact_points
from rooftree.leads.models import ContactAttempt, Lead, Person
from rooftree.ledger.write_events import build_event, write_events
from rooftree.org import officer_licenses, shadow_mode
from rooftree.org.current_company import current_company
from rooftree.org.models import Company
from rooftree.org.sending_pause import ACTIVE_PAUSE
from rooftree.outreach.facts import contact_facts
from rooftree.outreach.facts.lead_records import LeadRecords
from rooftree.outreach.facts.message_facts import OutgoingContact, address_key, gather_facts
from rooftree.outreach.messages import cancel_messages
from rooftree.outreach.messages.plan_messages import build_footer, from_addresses
from rooftree.outreach.models import Message, MessageReview
from rooftree.outreach.releases.models import RUNNING_STATES
from rooftree.outreach.wording.message_templates import signature

LEADS = PreparedQuery(
    lambda keys: Lead.objects.select_related("person", "source").filter(pk__in=keys),
    keys=list[UUID],
)
DUE_MESSAGES = PreparedQuery(
    lambda keys, at: (
        Message.objects.select_for_update(skip_locked=True, of=("self",))
        .select_related("template")
        .annotate(
            is_shadow=shadow_mode.is_shadow_message(F("idempotency_key"), F("created_at")),
        )
        .filter(pk__in=keys, state__in=["waiting", "held"], due_at__lte=at)
        .filter(Q(release=None) | Q(release__state__in=RUNNING_STATES))
        .exclude(Exists(ACTIVE_PAUSE))
        .order_by("due_at", "pk")
    ),
    keys=list[UUID],
    at=datetime,
)
CLAIMED_MESSAGES = PreparedQuery(
    lambda keys: (
        Message.objects.select_for_update(of=("self",))
        .only("id", "lead_id")
        .annotate(is_paused=Exists(ACTIVE_PAUSE), release_state=F("release__state"))
        .filter(pk__in=keys, state="claimed")
        .order_by("pk")
    ),
    keys=list[UUID],
)
LOCKED_PEOPLE = PreparedQuery(
    lambda keys: (
        Person.objects.select_for_update(no_key=True).only("id").filter(pk__in=keys).order_by("pk")
    ),
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
        return self.verdict.decision == Decision.ALLOW and not self.is_shadow

    @property
    def is_shadow(self) -> bool:
        """Return True if the message belongs to shadow mode: decided as ever, and never sent."""
        return getattr(self.message, "is_shadow", False)


def lock_due_messages(message_ids: Iterable[UUID], *, at: datetime) -> list[Message]:
    """Lock due messages no other worker holds, the first per person, and lock those people.

    Only one decision per person at a time: two at once would each miss the other's attempt.
    """
    by_person: dict[UUID, Message] = {}
    for message in DUE_MESSAGES.all(keys=list(message_ids), at=at):
        by_person.setdefault(message.person_id, message)
    LOCKED_PEOPLE.all(keys=list(by_person))
    return list(by_person.values())


def lock_still_claimed(message_ids: Iterable[UUID], *, at: datetime) -> set[UUID]:
    """Lock messages still claimed and undo the claims of stopped ones; return the other ids."""
    claimed: list[Any] = CLAIMED_MESSAGES.all(keys=list(message_ids))
    running_states = (None, *RUNNING_STATES)  # None: not a message of a release
    stopped = [row for row in claimed if row.is_paused or row.release_state not in running_states]
    if stopped:
        cancel_messages.release_claims(stopped, at=at)
    return {row.pk for row in claimed} - {row.pk for row in stopped}


def load_inputs(messages: Sequence[Message], *, at: datetime) -> list[DecisionInputs]:
    """Load the inputs of messages, no two of them to one person; judge and complete each one.

    A typed message gets the purpose it has now, and every message its footer.
    """
    if not messages:
        return []
    leads = {lead.pk: lead for lead in LEADS.all(keys=[message.lead_id for message in messages])}
    contact_points.prefetch_contacts([lead.person for lead in leads.values()], "phones")
    prefetch_related_objects([*messages], "officer__user")
    officer_licenses.prefetch_licenses(message.officer for message in messages)
    keys = {message.lead_id: [address_key(message.to_address)] for message in messages}
    records = LeadRecords.load_many([*leads.values()], keys=keys, at=at)
    company = current_company()
    for message in messages:
        if not message.is_automated:
            message.purpose = contact_facts.judge_purpose(
                MEDIA[message.medium], records[message.lead_id], at=at
            ).value
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


def sign_as_current_owners(all_inputs: Sequence[DecisionInputs], *, at: datetime) -> None:
    """Sign automatic messages of reassigned leads with the name of the current officer.

    Such a message waited for a permitted hour or for review while its lead was reassigned.
    Only the signature depends on the officer. A message without the signature we would write
    today is left unchanged, and the gate stops it. Call in the transaction that locks the
    messages.
    """
    outdated = [
        inputs
        for inputs in all_inputs
        if inputs.message.is_automated and not inputs.is_in_owners_name
    ]
    signed = [inputs.message for inputs in outdated if _replace_signature(inputs)]
    for message, address in zip(signed, from_addresses(signed), strict=True):
        message.from_address = address
    changed = ("id", "officer_id", "from_address", "subject", "body")
    update_each(Message, [{name: getattr(message, name) for name in changed} for message in signed])
    write_events(
        build_event(
            "outreach.message.signed_anew",
            at=at,
            lead_id=message.lead_id,
            message=message.pk,
            officer_id=message.officer_id,
        )
        for message in signed
    )


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


def record_attempts(messages: Sequence[Message], at: datetime) -> None:
    """Record the contact attempts that caps count, once per message."""
    insert_new_rows(
        [
            ContactAttempt(
                id=uuid7_at(at),
                idempotency_key=f"message:{message.pk}",
                lead_id=message.lead_id,
                person_id=message.person_id,
                medium=message.medium,
                address=message.to_address,
                purpose=message.purpose,
                is_automated=message.is_automated,
                by_id=message.by_id,
                at=at,
            )
            for message in messages
        ]
    )


def store_verdict(
    verdict: GateVerdict, facts: Facts, *, lead: Lead, subject_key: str, stage: str, at: datetime
) -> Verdict:
    """Store a verdict and return its row.

    The rendered text is among the facts. `stage` says when the gate was asked.
    """
    return insert_row(
        _build_verdict_row(verdict, facts, lead=lead, subject_key=subject_key, stage=stage, at=at)
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
        verdict = _copy_verdict_row(previous.verdict, stage=stage)
    else:
        cause = f"message:{inputs.message.pk}"
        verdict = _build_verdict_row(
            message_gate.decide(facts),
            facts,
            lead=inputs.lead,
            subject_key=cause,
            stage=stage,
            at=inputs.records.at,
        )
    return DecidedMessage(inputs=inputs, facts=facts, verdict=verdict)


def _build_verdict_row(
    verdict: GateVerdict, facts: Facts, *, lead: Lead, subject_key: str, stage: str, at: datetime
) -> Verdict:
    """Return the row that `store_verdict` inserts, for a bulk insert."""
    facts_json = facts_to_json(facts)
    return Verdict(
        id=uuid7_at(at),
        lead=lead,
        person_id=lead.person_id,
        idempotency_key=subject_key,
        medium=str(facts.medium),
        purpose=str(facts.purpose),
        stage=stage,
        decision=verdict.decision.value,
        reason=verdict.reason,
        sentence=verdict.sentence[:500],
        next_allowed_at=verdict.next_allowed_at,
        results=[ruling.as_json() for ruling in verdict.rulings],
        facts=facts_json,
        facts_sha256=json_hash(facts_json),
        rules_version=verdict.rules_version,
        at=at,
    )


def _copy_verdict_row(row: Verdict, *, stage: str) -> Verdict:
    """Return an unsaved copy of a verdict for another stage, for a bulk insert."""
    values = {field.attname: getattr(row, field.attname) for field in Verdict._meta.concrete_fields}
    return Verdict(**values | {"id": uuid7_at(row.at), "stage": stage})


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


def _replace_signature(inputs: DecisionInputs) -> bool:
    """Replace the signature of one message; return False if the message doesn't contain it."""
    message, owner = inputs.message, inputs.lead.officer
    old, new = (signature(inputs.company, officer) for officer in (message.officer, owner))
    if old not in message.body:
        return False
    message.subject = message.subject.replace(old, new)
    message.body = message.body.replace(old, new)
    message.officer = owner
    return True
