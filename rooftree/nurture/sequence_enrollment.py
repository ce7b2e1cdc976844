"""Enroll leads in sequences, queue the steps that are due, and stop sequences."""

from collections.abc import Mapping
from collections.abc import Sequence as Many
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Count, QuerySet

from rooftree.core.uuid7 import uuid7_at
from rooftree.leads.models import Lead
from rooftree.ledger.write_events import write_event
from rooftree.nurture import default_sequence
from rooftree.nurture.models import Enrollment, Sequence
from rooftree.outreach.messages import automatic_messages, cancel_messages
from rooftree.outreach.messages.automatic_messages import MessageRequest
from rooftree.outreach.releases import release_drafts, release_limits
from rooftree.outreach.wording.occasions import get_occasion
from rooftree.outreach.wording.version_approval import in_use_filter, prepare_first_version

ENROLLABLE = ("new", "working", "nurture")
FINISHED = "finished"  # the reason of an enrollment that reached its last step


class CannotEnroll(Exception):
    """This lead cannot start this sequence now. The text is fit to show."""


def enroll_lead(*, lead_id: UUID, key: str, at: datetime) -> Enrollment | None:
    """Enroll a lead in a sequence; None if it is enrolled already or can't be enrolled."""
    outcome = _enroll_if_possible(lead_id, key, by=None, at=at)
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


def _enroll_if_possible(
    lead_id: UUID, key: str, *, by: UUID | None, at: datetime
) -> Enrollment | str:
    """Enroll a lead in a sequence, or return the problem as a sentence.

    No exception leaves the transaction: rolling back costs the connection its prepared statements.
    """
    sequence = sequences_to_start(at).filter(key=key).first()
    if sequence is None:
        return "This sequence is not approved or no longer in use."
    with transaction.atomic():
        lead = Lead.objects.select_for_update().get(pk=lead_id)
        if problem := _find_enrollment_problem(lead):
            return problem
        enrollment = Enrollment.objects.create(
            id=uuid7_at(at),
            lead=lead,
            sequence=sequence,
            started_at=at,
            due_at=at + _step_delay(sequence.steps[0]),
        )
        actor = f"user:{by}" if by else "system"
        write_event(
            "nurture.lead.enrolled", at=at, actor=actor, lead_id=lead.pk, sequence=str(sequence)
        )
    return enrollment


def sequences_to_start(at: datetime) -> QuerySet[Sequence]:
    """Return the sequences in use and approved at `at`, by name."""
    return Sequence.objects.filter(in_use_filter(at), approved_until__gt=at).order_by("name")


def _find_enrollment_problem(lead: Lead) -> str:
    """Return why a lead cannot start a sequence, as a sentence; "" when it can."""
    if lead.is_test:
        return "A test lead gets no messages."
    if lead.state not in ENROLLABLE:
        return "The lead is closed or already an application."
    if lead.first_conversation_at:
        return "You have talked with this borrower. Sequences are for borrowers not reached yet."
    if Enrollment.objects.filter(lead=lead, ended_at=None).exists():
        return "The lead is on a sequence already."
    return ""


def queue_due_steps(*, at: datetime, limit: int = 50) -> int:
    """Queue the messages of due steps; return how many enrollments moved on.

    A step due for more people at once than can be written to without approval becomes a
    release, which waits for a second person.
    """
    moved = _create_releases_for_large_steps(at)
    for _ in range(limit):
        with transaction.atomic():
            enrollment = (
                Enrollment.objects.select_for_update(skip_locked=True, of=("self",))
                .select_related("sequence")
                .filter(ended_at=None, due_at__lte=at)
                .order_by("due_at")
                .first()
            )
            if enrollment is None:
                return moved
            automatic_messages.queue_requests(_advance_enrollment(enrollment, at), at=at)
            moved += 1
    return moved


def build_step_requests(cause: str) -> list[MessageRequest]:
    """Return the messages of one step for one person; none if the sequence was stopped since.

    Args:
        cause: the cause of the messages: `step:<enrollment id>:<step number>`.
    """
    _, enrollment_id, number = cause.split(":")
    enrollment = Enrollment.objects.select_related("sequence").get(pk=enrollment_id)
    lead = _load_lead(enrollment)
    if enrollment.end_reason not in ("", FINISHED) or not _is_enrollable(lead):
        return []
    return _build_requests(enrollment, lead, int(number))


def _create_releases_for_large_steps(at: datetime) -> int:
    due = Enrollment.objects.filter(ended_at=None, due_at__lte=at).order_by()
    steps = due.values_list("sequence_id", "next_step").annotate(people=Count("pk"))
    limits = release_limits.current_limits(at=at)
    large = [
        (sequence_id, number)
        for sequence_id, number, people in steps
        if limits.needs_second_person(people)
    ]
    return sum(
        _create_release(due.filter(sequence=sequence_id, next_step=number), at)
        for sequence_id, number in large
    )


def _create_release(due: QuerySet[Enrollment], at: datetime) -> int:
    with transaction.atomic():
        rows = due.select_for_update(skip_locked=True, of=("self",)).select_related("sequence")
        requests = [request for row in rows for request in _advance_enrollment(row, at)]
        if requests:
            release_drafts.create_and_seal(
                kind="steps",
                title=f"Sequence step: {get_occasion(requests[0].key).title}",
                members={request.idempotency_key: request.lead for request in requests},
                at=at,
            )
    return len(requests)


def stop_sequence(*, lead_id: UUID, because: str, at: datetime) -> bool:
    """End the live enrollment of a lead and cancel its queued messages; False if there is none."""
    with transaction.atomic():
        live = Enrollment.objects.filter(lead_id=lead_id, ended_at=None)
        if not live.update(ended_at=at, end_reason=because[:60], due_at=None):
            return False
        cancel_messages.cancel_overtaken(lead_id=lead_id, because=because, at=at, causes=("step:",))
        write_event("nurture.enrolment.ended", at=at, lead_id=lead_id, because=because)
    return True


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


def _advance_enrollment(enrollment: Enrollment, at: datetime) -> list[MessageRequest]:
    """Schedule the next step of an enrollment; return the messages of the current one."""
    lead, steps = _load_lead(enrollment), enrollment.sequence.steps
    if not _is_enrollable(lead):
        _end_enrollment(enrollment, "reached", at)
        return []
    if not enrollment.sequence.is_approved(at):
        _end_enrollment(enrollment, "its approval is over", at)
        return []
    _schedule_next_step(enrollment, steps, at)
    return _build_requests(enrollment, lead, enrollment.next_step)


def _build_requests(enrollment: Enrollment, lead: Lead, number: int) -> list[MessageRequest]:
    step = enrollment.sequence.steps[number]
    cause = f"step:{enrollment.pk}:{number}"
    return [
        MessageRequest(lead=lead, key=step["template"], medium=medium, idempotency_key=cause)
        for medium in step["media"]
    ]


def _load_lead(enrollment: Enrollment) -> Lead:
    return Lead.objects.select_related("person", "officer__user").get(pk=enrollment.lead_id)


def _is_enrollable(lead: Lead) -> bool:
    return lead.state in ENROLLABLE and lead.first_conversation_at is None


def _schedule_next_step(
    enrollment: Enrollment, steps: Many[Mapping[str, Any]], at: datetime
) -> None:
    next_number = enrollment.next_step + 1
    if next_number >= len(steps):
        _end_enrollment(enrollment, FINISHED, at)
        return
    Enrollment.objects.filter(pk=enrollment.pk).update(
        next_step=next_number, due_at=at + _step_delay(steps[next_number])
    )


def _end_enrollment(enrollment: Enrollment, because: str, at: datetime) -> None:
    Enrollment.objects.filter(pk=enrollment.pk).update(ended_at=at, end_reason=because, due_at=None)
    write_event("nurture.enrolment.ended", at=at, lead_id=enrollment.lead_id, because=because)


def _step_delay(step: Mapping[str, Any]) -> timedelta:
    return timedelta(minutes=step["after_minutes"])
