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
from rooftree.ledger.write import write
from rooftree.nurture import default_sequence
from rooftree.nurture.models import Enrolment, Sequence
from rooftree.outreach import automatic, take_back
from rooftree.outreach.automatic import Wanted
from rooftree.outreach.editions import started, used_at
from rooftree.outreach.purposes import occasion
from rooftree.outreach.releases import gather, limits

ENROLLABLE = ("new", "working", "nurture")
FINISHED = "finished"  # why an enrolment ended that came to its last step


def enrol(*, lead_id: UUID, key: str, at: datetime) -> Enrolment | None:
    """Start a sequence for a lead; None when it is on one, or past being written to."""
    sequence = Sequence.objects.filter(used_at(at), key=key, approved_until__gt=at).first()
    if sequence is None:
        return None
    with transaction.atomic():
        lead = Lead.objects.select_for_update().get(pk=lead_id)
        if lead.state not in ENROLLABLE or lead.is_test or lead.first_talk_at:
            return None
        if Enrolment.objects.filter(lead=lead, ended_at=None).exists():
            return None
        made = Enrolment.objects.create(
            id=uuid7_at(at),
            lead=lead,
            sequence=sequence,
            started_at=at,
            due_at=at + _pause(sequence.steps[0]),
        )
        write("nurture.lead.enrolled", at=at, lead_id=lead.pk, sequence=str(sequence))
    return made


def step_due(*, at: datetime, limit: int = 50) -> int:
    """Put the messages of every due step in line; how many enrolments moved.

    A step that is due for more people at once than may go without a second person
    becomes a release, which waits for one.
    """
    moved = _gather_large(at)
    for _ in range(limit):
        with transaction.atomic():
            enrolment = (
                Enrolment.objects.select_for_update(skip_locked=True, of=("self",))
                .select_related("sequence")
                .filter(ended_at=None, due_at__lte=at)
                .order_by("due_at")
                .first()
            )
            if enrolment is None:
                return moved
            automatic.plan_all(_step(enrolment, at), at=at)
            moved += 1
    return moved


def of_step(cause: str) -> list[Wanted]:
    """The messages of one step for one person, unless their sequence was stopped since.

    Args:
        cause: as the messages carry it: the enrolment and the number of the step.
    """
    _, enrolment_id, number = cause.split(":")
    enrolment = Enrolment.objects.select_related("sequence").get(pk=enrolment_id)
    lead = _lead(enrolment)
    if enrolment.ended_because not in ("", FINISHED) or not _is_open(lead):
        return []
    return _messages(enrolment, lead, int(number))


def _gather_large(at: datetime) -> int:
    due = Enrolment.objects.filter(ended_at=None, due_at__lte=at).order_by()
    steps = due.values_list("sequence_id", "next_step").annotate(people=Count("pk"))
    standing = limits.in_force(at=at)
    large = [(of, number) for of, number, people in steps if standing.is_large(people)]
    return sum(_gather(due.filter(sequence=of, next_step=number), at) for of, number in large)


def _gather(due: QuerySet[Enrolment], at: datetime) -> int:
    with transaction.atomic():
        rows = due.select_for_update(skip_locked=True, of=("self",)).select_related("sequence")
        found = [wanted for one in rows for wanted in _step(one, at)]
        if found:
            gather.at_once(
                kind="steps",
                title=f"A step of a sequence: {occasion(found[0].key).title}",
                members={one.cause: one.lead for one in found},
                at=at,
            )
    return len(found)


def stop(*, lead_id: UUID, because: str, at: datetime) -> bool:
    """End the live sequence of a lead and take back what it has in line; False when none ran."""
    with transaction.atomic():
        live = Enrolment.objects.filter(lead_id=lead_id, ended_at=None)
        if not live.update(ended_at=at, ended_because=because[:60], due_at=None):
            return False
        take_back.cancel_waiting(lead_id=lead_id, because=because, at=at, causes=("step:",))
        write("nurture.enrolment.ended", at=at, lead_id=lead_id, because=because)
    return True


def ensure_first_sequence(*, at: datetime) -> None:
    """Give a new company its first sequence. Safe to repeat."""
    if not Sequence.objects.filter(key=default_sequence.NOT_REACHED).exists():
        first = Sequence(
            key=default_sequence.NOT_REACHED,
            name=default_sequence.NAME,
            steps=default_sequence.STEPS,
        )
        Sequence.objects.bulk_create([started(first, at=at)], ignore_conflicts=True)


def _step(enrolment: Enrolment, at: datetime) -> list[Wanted]:
    """Move to the next step; the messages of this one."""
    lead, steps = _lead(enrolment), enrolment.sequence.steps
    if not _is_open(lead):
        _end(enrolment, "reached", at)
        return []
    if not enrolment.sequence.is_approved(at):
        _end(enrolment, "its approval is over", at)
        return []
    _follow(enrolment, steps, at)
    return _messages(enrolment, lead, enrolment.next_step)


def _messages(enrolment: Enrolment, lead: Lead, number: int) -> list[Wanted]:
    step = enrolment.sequence.steps[number]
    cause = f"step:{enrolment.pk}:{number}"
    return [
        Wanted(lead=lead, key=step["template"], medium=medium, cause=cause)
        for medium in step["media"]
    ]


def _lead(enrolment: Enrolment) -> Lead:
    return Lead.objects.select_related("person", "officer__user").get(pk=enrolment.lead_id)


def _is_open(lead: Lead) -> bool:
    return lead.state in ENROLLABLE and lead.first_talk_at is None


def _follow(enrolment: Enrolment, steps: Many[Mapping[str, Any]], at: datetime) -> None:
    following = enrolment.next_step + 1
    if following >= len(steps):
        _end(enrolment, FINISHED, at)
        return
    Enrolment.objects.filter(pk=enrolment.pk).update(
        next_step=following, due_at=at + _pause(steps[following])
    )


def _end(enrolment: Enrolment, because: str, at: datetime) -> None:
    Enrolment.objects.filter(pk=enrolment.pk).update(
        ended_at=at, ended_because=because, due_at=None
    )
    write("nurture.enrolment.ended", at=at, lead_id=enrolment.lead_id, because=because)


def _pause(step: Mapping[str, Any]) -> timedelta:
    return timedelta(minutes=step["after_minutes"])
