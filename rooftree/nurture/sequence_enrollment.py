"""Putting leads on sequences, sending the steps that are due, and stopping."""

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
FINISHED = "finished"  # why an enrolment ended that came to its last step


def enroll_lead(*, lead_id: UUID, key: str, at: datetime) -> Enrollment | None:
    """Start a sequence for a lead; None when it is on one, or past being written to."""
    sequence = Sequence.objects.filter(in_use_filter(at), key=key, approved_until__gt=at).first()
    if sequence is None:
        return None
    with transaction.atomic():
        lead = Lead.objects.select_for_update().get(pk=lead_id)
        if lead.state not in ENROLLABLE or lead.is_test or lead.first_talk_at:
            return None
        if Enrollment.objects.filter(lead=lead, ended_at=None).exists():
            return None
        made = Enrollment.objects.create(
            id=uuid7_at(at),
            lead=lead,
            sequence=sequence,
            started_at=at,
            due_at=at + _step_delay(sequence.steps[0]),
        )
        write_event("nurture.lead.enrolled", at=at, lead_id=lead.pk, sequence=str(sequence))
    return made


def queue_due_steps(*, at: datetime, limit: int = 50) -> int:
    """Put the messages of every due step in line; how many enrolments moved.

    A step that is due for more people at once than may go without a second person
    becomes a release, which waits for one.
    """
    moved = _create_releases_for_large_steps(at)
    for _ in range(limit):
        with transaction.atomic():
            enrolment = (
                Enrollment.objects.select_for_update(skip_locked=True, of=("self",))
                .select_related("sequence")
                .filter(ended_at=None, due_at__lte=at)
                .order_by("due_at")
                .first()
            )
            if enrolment is None:
                return moved
            automatic_messages.queue_requests(_advance_enrollment(enrolment, at), at=at)
            moved += 1
    return moved


def build_step_requests(cause: str) -> list[MessageRequest]:
    """The messages of one step for one person, unless their sequence was stopped since.

    Args:
        cause: as the messages carry it: the enrolment and the number of the step.
    """
    _, enrolment_id, number = cause.split(":")
    enrolment = Enrollment.objects.select_related("sequence").get(pk=enrolment_id)
    lead = _load_lead(enrolment)
    if enrolment.ended_because not in ("", FINISHED) or not _is_enrollable(lead):
        return []
    return _build_requests(enrolment, lead, int(number))


def _create_releases_for_large_steps(at: datetime) -> int:
    due = Enrollment.objects.filter(ended_at=None, due_at__lte=at).order_by()
    steps = due.values_list("sequence_id", "next_step").annotate(people=Count("pk"))
    standing = release_limits.current_limits(at=at)
    large = [(of, number) for of, number, people in steps if standing.needs_second_person(people)]
    return sum(
        _create_release(due.filter(sequence=of, next_step=number), at) for of, number in large
    )


def _create_release(due: QuerySet[Enrollment], at: datetime) -> int:
    with transaction.atomic():
        rows = due.select_for_update(skip_locked=True, of=("self",)).select_related("sequence")
        found = [wanted for row in rows for wanted in _advance_enrollment(row, at)]
        if found:
            release_drafts.create_and_seal(
                kind="steps",
                title=f"A step of a sequence: {get_occasion(found[0].key).title}",
                members={one.idempotency_key: one.lead for one in found},
                at=at,
            )
    return len(found)


def stop_sequence(*, lead_id: UUID, because: str, at: datetime) -> bool:
    """End the live sequence of a lead and take back what it has in line; False when none ran."""
    with transaction.atomic():
        live = Enrollment.objects.filter(lead_id=lead_id, ended_at=None)
        if not live.update(ended_at=at, ended_because=because[:60], due_at=None):
            return False
        cancel_messages.cancel_overtaken(lead_id=lead_id, because=because, at=at, causes=("step:",))
        write_event("nurture.enrolment.ended", at=at, lead_id=lead_id, because=because)
    return True


def ensure_first_sequence(*, at: datetime) -> None:
    """Give a new company its first sequence. Safe to repeat."""
    if not Sequence.objects.filter(key=default_sequence.NOT_REACHED).exists():
        first = Sequence(
            key=default_sequence.NOT_REACHED,
            name=default_sequence.NAME,
            steps=default_sequence.STEPS,
        )
        Sequence.objects.bulk_create([prepare_first_version(first, at=at)], ignore_conflicts=True)


def _advance_enrollment(enrolment: Enrollment, at: datetime) -> list[MessageRequest]:
    """Move to the next step; the messages of this one."""
    lead, steps = _load_lead(enrolment), enrolment.sequence.steps
    if not _is_enrollable(lead):
        _end_enrollment(enrolment, "reached", at)
        return []
    if not enrolment.sequence.is_approved(at):
        _end_enrollment(enrolment, "its approval is over", at)
        return []
    _schedule_next_step(enrolment, steps, at)
    return _build_requests(enrolment, lead, enrolment.next_step)


def _build_requests(enrolment: Enrollment, lead: Lead, number: int) -> list[MessageRequest]:
    step = enrolment.sequence.steps[number]
    cause = f"step:{enrolment.pk}:{number}"
    return [
        MessageRequest(lead=lead, key=step["template"], medium=medium, idempotency_key=cause)
        for medium in step["media"]
    ]


def _load_lead(enrolment: Enrollment) -> Lead:
    return Lead.objects.select_related("person", "officer__user").get(pk=enrolment.lead_id)


def _is_enrollable(lead: Lead) -> bool:
    return lead.state in ENROLLABLE and lead.first_talk_at is None


def _schedule_next_step(
    enrolment: Enrollment, steps: Many[Mapping[str, Any]], at: datetime
) -> None:
    following = enrolment.next_step + 1
    if following >= len(steps):
        _end_enrollment(enrolment, FINISHED, at)
        return
    Enrollment.objects.filter(pk=enrolment.pk).update(
        next_step=following, due_at=at + _step_delay(steps[following])
    )


def _end_enrollment(enrolment: Enrollment, because: str, at: datetime) -> None:
    Enrollment.objects.filter(pk=enrolment.pk).update(
        ended_at=at, ended_because=because, due_at=None
    )
    write_event("nurture.enrolment.ended", at=at, lead_id=enrolment.lead_id, because=because)


def _step_delay(step: Mapping[str, Any]) -> timedelta:
    return timedelta(minutes=step["after_minutes"])
