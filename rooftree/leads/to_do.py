"""What a person is to do about a lead, and by when."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from rooftree.core.uuid7 import uuid7_at
from rooftree.leads.models import Lead, Task
from rooftree.ledger.write import write

LONGEST = 20  # tasks of one lead shown at once


class CannotAdd(Exception):
    """The task has no title. The text is fit to show."""


def add(*, lead_id: UUID, user_id: UUID | None, title: str, due_at: datetime, at: datetime) -> Task:
    """Put a task on a lead, for `user_id` or for whoever owns it."""
    title = title.strip()[:200]
    if not title:
        raise CannotAdd("Say what is to be done.")
    key = uuid7_at(at)
    with transaction.atomic():
        task = Task.objects.create(
            id=key,
            lead_id=lead_id,
            user_id=user_id,
            cause=f"typed:{key}",
            title=title,
            due_at=due_at,
            created_at=at,
        )
        write("leads.task.added", at=at, actor=f"user:{user_id}", lead_id=lead_id, task=task.pk)
    return task


def ask_for(
    *, lead_id: UUID, user_id: UUID | None, cause: str, title: str, due_at: datetime, at: datetime
) -> Task:
    """A task the product sets itself. While one of the same cause is open it is reworded."""
    with transaction.atomic():
        waiting = Task.objects.select_for_update().filter(
            lead_id=lead_id, done_at=None, cause__startswith=f"{cause}:"
        )
        task = waiting.first()
        if task:
            task.title = title[:200]
            task.save(update_fields=["title"])
            return task
        key = uuid7_at(at)
        task = Task.objects.create(
            id=key,
            lead_id=lead_id,
            user_id=user_id,
            cause=f"{cause}:{key}",
            title=title[:200],
            due_at=due_at,
            created_at=at,
        )
        write("leads.task.added", at=at, actor=f"system:{cause}", lead_id=lead_id, task=key)
    return task


def open_of(lead: Lead) -> list[Task]:
    """What is still to be done about a lead, soonest first."""
    return list(Task.objects.filter(lead=lead, done_at=None).order_by("due_at", "id")[:LONGEST])


def finish(*, task_id: UUID, by: UUID, at: datetime) -> bool:
    """Tick a task off; whether it was still open. Pressing twice is harmless."""
    with transaction.atomic():
        ticked = Task.objects.filter(id=task_id, done_at=None).update(done_at=at)
        if ticked:
            lead_id = Task.objects.values_list("lead_id", flat=True).get(id=task_id)
            write("leads.task.done", at=at, actor=f"user:{by}", lead_id=lead_id, task=task_id)
    return bool(ticked)
