"""Pause, resume and retire sequences, and move people from one version to another."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import F

from rooftree.core.user_errors import UserError
from rooftree.core.uuid7 import uuid7_at
from rooftree.ledger.write_events import write_event
from rooftree.nurture.due_steps import MOVED
from rooftree.nurture.models import Enrollment, Sequence, SequenceSwitch
from rooftree.nurture.sequence_enrollment import plan_of
from rooftree.nurture.sequence_plan import Plan
from rooftree.org.models import User


@dataclass(frozen=True, slots=True, kw_only=True)
class MovePreview:
    """Where the people of an older version would continue in the live one."""

    old: Sequence
    new: Sequence
    # (number of the next step now, number in the new version or None, people)
    lines: tuple[tuple[int, int | None, int], ...]

    @property
    def people(self) -> int:
        """How many people would move or finish."""
        return sum(people for _, _, people in self.lines)


def pause_sequence(key: str, *, by: User, at: datetime) -> None:
    """Pause a sequence: it takes no one and runs no step. Safe to repeat."""
    with transaction.atomic():
        switch = _lock_switch(key, by)
        if switch.paused_at is None:
            switch.paused_at, switch.changed_by = at, by
            switch.save()
            _write_event("paused", key, by, at)


def resume_sequence(key: str, *, by: User, at: datetime) -> None:
    """Resume a paused sequence; its people go on after as much time as was left. Repeatable."""
    with transaction.atomic():
        switch = _lock_switch(key, by)
        if switch.paused_at is None:
            return
        live = Enrollment.objects.filter(sequence__key=key, ended_at=None)
        live.filter(started_at__lte=switch.paused_at).update(
            due_at=F("due_at") + (at - switch.paused_at)
        )
        switch.paused_at, switch.changed_by = None, by
        switch.save()
        _write_event("resumed", key, by, at)


def retire_sequence(key: str, *, by: User, at: datetime) -> None:
    """Retire a sequence: it takes no one any more, and its people finish. Safe to repeat."""
    with transaction.atomic():
        switch = _lock_switch(key, by)
        if switch.retired_at is None:
            switch.retired_at, switch.changed_by = at, by
            switch.save()
            _write_event("retired", key, by, at)


def reopen_sequence(key: str, *, by: User, at: datetime) -> None:
    """Let a retired sequence take people again. Safe to repeat."""
    with transaction.atomic():
        switch = _lock_switch(key, by)
        if switch.retired_at is not None:
            switch.retired_at, switch.changed_by = None, by
            switch.save()
            _write_event("reopened", key, by, at)


def preview_move(old: Sequence, *, at: datetime) -> MovePreview:
    """Say where the people of an older version would continue in the live version.

    Raises `UserError` if there is no other version to move them to.
    """
    new = Sequence.objects.filter(key=old.key, from_at__isnull=False, until_at=None).first()
    if new is None or new.pk == old.pk or not new.is_approved(at):
        raise UserError("There is no newer approved version to move people to.")
    target = _step_map(plan_of(old), plan_of(new))
    running = Enrollment.objects.filter(sequence=old, ended_at=None)
    counts = Counter(running.values_list("next_step", flat=True))
    lines = tuple((number, target(number), counts[number]) for number in sorted(counts))
    return MovePreview(old=old, new=new, lines=lines)


def move_people(old: Sequence, *, by: User, at: datetime) -> int:
    """Move everyone on an older version to the live one; return how many. Safe to repeat.

    Each person keeps the time when their next step is due. A step that the new version lacks
    is left out; who has no step left finishes. Raises `UserError`.
    """
    with transaction.atomic():
        preview = preview_move(old, at=at)
        target = _step_map(plan_of(old), plan_of(preview.new))
        rows = Enrollment.objects.select_for_update().filter(sequence=old, ended_at=None)
        people = list(rows)
        for row in people:
            number = target(row.next_step)
            reason = "finished" if number is None else f"{MOVED}{preview.new.version}"
            due_at = row.due_at
            Enrollment.objects.filter(pk=row.pk).update(ended_at=at, end_reason=reason, due_at=None)
            if number is not None:
                Enrollment.objects.create(
                    id=uuid7_at(at),
                    lead_id=row.lead_id,
                    sequence=preview.new,
                    next_step=number,
                    due_at=due_at,
                    idempotency_key=f"move:{row.pk}",
                    started_by=by,
                    started_at=at,
                )
        write_event(
            "nurture.sequence.moved",
            at=at,
            actor=f"user:{by.pk}",
            sequence=str(old),
            to=str(preview.new),
            people=len(people),
        )
    return len(people)


def _step_map(old: Plan, new: Plan) -> Callable[[int], int | None]:
    """Return the function from a step of the old version to where it continues in the new one."""
    places = {step.id: number for number, step in enumerate(new.steps)}

    def find(number: int) -> int | None:
        later = (places[step.id] for step in old.steps[number:] if step.id in places)
        return next(later, None)

    return find


def _lock_switch(key: str, by: User) -> SequenceSwitch:
    SequenceSwitch.objects.get_or_create(key=key, defaults={"changed_by": by})
    return SequenceSwitch.objects.select_for_update().get(key=key)


def _write_event(event: str, key: str, by: User, at: datetime) -> None:
    write_event(f"nurture.sequence.{event}", at=at, actor=f"user:{by.pk}", sequence=key)
