"""Put leads on sequences and take them off: one sequence a person, the one that goes first."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import QuerySet

from rooftree.compliance.gate import person_places
from rooftree.core.uuid7 import uuid7_at
from rooftree.leads.models import Lead
from rooftree.ledger.write_events import write_event
from rooftree.nurture import default_sequence
from rooftree.nurture.lead_facts import load_facts
from rooftree.nurture.models import Enrollment, Sequence, SequenceSwitch
from rooftree.nurture.sequence_plan import Plan, ends_on_event, parse_plan
from rooftree.nurture.step_conditions import condition_holds
from rooftree.org.current_company import current_company
from rooftree.outreach.messages import cancel_messages
from rooftree.outreach.wording.version_approval import in_use_filter, prepare_first_version

FINISHED = "finished"  # the reason of an enrollment that reached its last step
TALKED = frozenset({"called", "spoken", "call_back"})  # reasons that say someone talked


class CannotEnroll(Exception):
    """This lead cannot start this sequence now. The text is fit to show."""


def plan_of(sequence: Sequence) -> Plan:
    """Return the parsed steps and rules of an approved version. Raises `BadPlan`."""
    is_default = sequence.key == default_sequence.NOT_REACHED
    start = "not_reached" if is_default else "hand"
    return parse_plan(sequence.steps, sequence.rules, default_start=start)


def enroll_lead(
    *, lead_id: UUID, key: str, at: datetime, occasion: str | None = None
) -> Enrollment | None:
    """Enroll a lead in a sequence; None if it is enrolled already or can't be enrolled.

    Args:
        occasion: why; a lead starts a sequence once for each occasion. None: it may start again.
    """
    outcome = _enroll_if_possible(lead_id, key, by=None, at=at, occasion=occasion)
    return outcome if isinstance(outcome, Enrollment) else None


def start_sequence(*, lead_id: UUID, key: str, by: UUID | None, at: datetime) -> Enrollment:
    """Enroll a lead in a sequence. Raises `CannotEnroll` with the reason.

    Args:
        by: the user who chose the sequence; None: Rooftree.
    """
    outcome = _enroll_if_possible(lead_id, key, by=by, at=at)
    if isinstance(outcome, str):
        raise CannotEnroll(outcome)
    return outcome


def enroll_for_event(*, lead_id: UUID, event: str, at: datetime) -> Enrollment | None:
    """Enroll a lead in the first sequence that starts on this event and is for it.

    Args:
        event: a key of `sequence_plan.STARTS`.
    """
    lead = Lead.objects.select_related("person", "source").get(pk=lead_id)
    facts = load_facts(lead, at)
    for sequence, plan in list_starting(event, at):
        if condition_holds(plan.audience, facts):
            enrollment = enroll_lead(lead_id=lead_id, key=sequence.key, at=at)
            if enrollment:
                return enrollment
    return None


def list_starting(event: str, at: datetime) -> list[tuple[Sequence, Plan]]:
    """Return the approved sequences that start on an event, highest priority first."""
    plans = [(sequence, plan_of(sequence)) for sequence in sequences_to_start(at)]
    return sorted(
        ((sequence, plan) for sequence, plan in plans if plan.start == event),
        key=lambda pair: -pair[1].priority,
    )


def sequences_to_start(at: datetime) -> QuerySet[Sequence]:
    """Return the sequences in use, approved and switched on at `at`, by name."""
    rows = Sequence.objects.filter(in_use_filter(at), approved_until__gt=at)
    return rows.exclude(key__in=switched_off_keys(paused_only=False)).order_by("name")


def switched_off_keys(*, paused_only: bool) -> QuerySet[SequenceSwitch, str]:
    """Return the keys of paused sequences and, unless `paused_only`, of retired ones."""
    rows = SequenceSwitch.objects.filter(paused_at__isnull=False)
    if not paused_only:
        rows = rows | SequenceSwitch.objects.filter(retired_at__isnull=False)
    return rows.values_list("key", flat=True)


def first_due_at(plan: Plan, lead: Lead, at: datetime) -> datetime:
    """Return when the first step of a sequence is due for a lead enrolled at `at`."""
    return plan.steps[0].delay.due_after(at, zone_of(lead))


def zone_of(lead: Lead) -> str:
    """Return the time zone a sequence's hours are meant in: the property's, or the company's."""
    places = person_places.address_places("property", lead.property_state, lead.property_zip)
    return places[0].zone if places else current_company().zone


def local_day_start(lead: Lead, at: datetime) -> datetime:
    """Return the midnight that began the lead's day."""
    local = at.astimezone(ZoneInfo(zone_of(lead)))
    return local.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(at.tzinfo)


def _enroll_if_possible(
    lead_id: UUID, key: str, *, by: UUID | None, at: datetime, occasion: str | None = None
) -> Enrollment | str:
    """Enroll a lead in a sequence, or return the problem as a sentence.

    No exception leaves the transaction: rolling back costs the connection its prepared statements.
    """
    sequence = sequences_to_start(at).filter(key=key).first()
    if sequence is None:
        return "This sequence is not approved, paused or no longer in use."
    plan = plan_of(sequence)
    with transaction.atomic():
        person_id = Lead.objects.values_list("person_id", flat=True).get(pk=lead_id)
        leads = Lead.objects.select_for_update(no_key=True).filter(person_id=person_id)
        lead = next(row for row in leads.order_by("pk") if row.pk == lead_id)
        running = Enrollment.objects.filter(lead__person=person_id, ended_at=None)
        live = list(running.select_related("sequence").order_by("started_at"))
        if problem := _find_enrollment_problem(lead, plan, live):
            return problem
        idempotency_key = f"{key}:{lead_id}:{occasion}" if occasion else None
        if occasion and Enrollment.objects.filter(idempotency_key=idempotency_key).exists():
            return "The lead has been on this sequence for this occasion."
        for other in live:
            stop_enrollments([other], because=f"replaced by {sequence.name}", at=at)
        enrollment = Enrollment.objects.create(
            id=uuid7_at(at),
            lead=lead,
            sequence=sequence,
            started_at=at,
            started_by_id=by,
            idempotency_key=idempotency_key,
            due_at=first_due_at(plan, lead, at),
        )
        actor = f"user:{by}" if by else "system"
        write_event(
            "nurture.lead.enrolled", at=at, actor=actor, lead_id=lead.pk, sequence=str(sequence)
        )
    return enrollment


def _find_enrollment_problem(lead: Lead, plan: Plan, live: Collection[Enrollment]) -> str:
    """Return why a lead cannot start a sequence, as a sentence; "" when it can."""
    if lead.is_test:
        return "A test lead gets no messages."
    if lead.state not in plan.stages:
        if lead.state in ("application", "funded", "retired"):
            return "The lead is closed or already an application."
        return "The lead is not in a stage this sequence is for."
    if lead.first_conversation_at and "talked" in plan.ends_on:
        return "You have talked with this borrower. Sequences are for borrowers not reached yet."
    if any(other.lead_id == lead.pk and _goes_first(other, plan) for other in live):
        return "The lead is on a sequence already."
    if any(_goes_first(other, plan) for other in live):
        return "The borrower is on a sequence already, through another lead."
    return ""


def _goes_first(other: Enrollment, plan: Plan) -> bool:
    """Return True if a running enrollment may not be replaced by this sequence."""
    return plan_of(other.sequence).priority >= plan.priority


def stop_sequence(*, lead_id: UUID, because: str, at: datetime) -> bool:
    """End the live enrollment of a lead and cancel its queued messages; False if there is none.

    A sequence that goes on after a reply or a conversation is not ended by one; its queued
    messages are canceled all the same, because the borrower has just been heard.
    """
    event = "talked" if because in TALKED else because
    with transaction.atomic():
        rows = Enrollment.objects.select_for_update(of=("self",)).filter(
            lead_id=lead_id, ended_at=None
        )
        live = list(rows.select_related("sequence"))
        ending = [row for row in live if ends_on_event(plan_of(row.sequence), event)]
        if live and not ending:
            cancel_messages.cancel_overtaken(
                lead_id=lead_id, because=because, at=at, causes=("step:",)
            )
        stop_enrollments(ending, because=because, at=at)
    return bool(ending)


def stop_enrollments(rows: Collection[Enrollment], *, because: str, at: datetime) -> None:
    """End live enrollments and cancel their leads' queued step messages. In a transaction."""
    for row in rows:
        Enrollment.objects.filter(pk=row.pk).update(
            ended_at=at, end_reason=because[:60], due_at=None
        )
        cancel_messages.cancel_overtaken(
            lead_id=row.lead_id, because=because, at=at, causes=("step:",)
        )
        write_event("nurture.enrolment.ended", at=at, lead_id=row.lead_id, because=because)


def ensure_first_sequence(*, at: datetime, is_approved: bool = True) -> None:
    """Create the default sequence of a new company. Safe to repeat."""
    if not Sequence.objects.filter(key=default_sequence.NOT_REACHED).exists():
        first = Sequence(
            key=default_sequence.NOT_REACHED,
            name=default_sequence.NAME,
            steps=default_sequence.STEPS,
        )
        version = prepare_first_version(first, is_approved=is_approved, at=at)
        Sequence.objects.bulk_create([version], ignore_conflicts=True)
