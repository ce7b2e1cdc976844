"""What a person is to do about a lead, and by when: one table for staff's own and ours."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from rooftree.core.uuid7 import uuid7_at
from rooftree.db.bulk_insert import insert_new_rows, insert_row_if_new
from rooftree.leads.models import Lead, Task
from rooftree.ledger.write_events import build_event, write_event, write_events

MAX_SHOWN = 20  # tasks of one lead shown at once
DUPLICATE_WINDOW = timedelta(minutes=1)  # within which the same title is the same press
CALL_BACK = "call_back"  # the kind of a task that is a promise to the borrower


class InvalidTask(Exception):
    """The task has no title, or its time is past. The text is fit to show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemTask:
    """A task the product sets itself. Nobody named: it is the task of the lead's owner."""

    kind: str
    title: str
    due_at: datetime
    user_id: UUID | None = None
    role: str = ""
    updates_due_at: bool = False  # a later asking of an open one moves its time as well


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedTask:
    """A task that stood open in another system. It may be overdue already."""

    lead_id: UUID
    user_id: UUID | None  # None: whoever owns the lead
    idempotency_key: str
    title: str
    due_at: datetime


def add_task(
    *, lead_id: UUID, user_id: UUID | None, title: str, due_at: datetime, at: datetime
) -> Task:
    """Put a task on a lead, for `user_id` or for whoever owns it; pressed twice it is one."""
    title = title.strip()[:200]
    if not title:
        raise InvalidTask("Say what is to be done.")
    if due_at < at:
        raise InvalidTask("Choose a time that is still to come.")
    key = uuid7_at(at)
    with transaction.atomic():
        Lead.objects.select_for_update(no_key=True).get(pk=lead_id)  # the mutex of two presses
        typed = Task.objects.filter(lead_id=lead_id, title=title, done_at=None, cancelled_at=None)
        same = typed.filter(cause__startswith="typed:", created_at__gt=at - DUPLICATE_WINDOW)
        if known := same.first():
            return known
        task = Task.objects.create(
            id=key,
            lead_id=lead_id,
            user_id=user_id,
            cause=f"typed:{key}",
            title=title,
            due_at=due_at,
            created_at=at,
        )
        write_event(
            "leads.task.added", at=at, actor=f"user:{user_id}", lead_id=lead_id, task=task.pk
        )
    return task


def import_tasks(tasks: Iterable[ImportedTask], *, at: datetime) -> int:
    """Take over tasks of another system, each once; how many are new. In a transaction."""
    rows = [
        Task(
            id=uuid7_at(at),
            lead_id=task.lead_id,
            user_id=task.user_id,
            cause=task.idempotency_key,
            title=task.title.strip()[:200],
            due_at=task.due_at,
            created_at=at,
        )
        for task in tasks
    ]
    fresh = insert_new_rows(rows)
    write_events(
        build_event(
            "leads.task.added",
            at=at,
            actor="system:import",
            lead_id=row.lead_id,
            task=row.pk,
        )
        for row in rows
        if row.pk in fresh
    )
    return len(fresh)


def cancel_tasks(lead_ids: Collection[UUID], *, key_prefix: str, because: str, at: datetime) -> int:
    """Tasks of some leads that began with a cause need not be done any more; how many were open."""
    rows = _open_tasks().filter(lead__in=lead_ids, cause__startswith=key_prefix)
    return rows.update(cancelled_at=at, cancelled_because=because[:200])


def add_or_update_task(wanted: SystemTask, *, lead_id: UUID, at: datetime) -> Task:
    """A task the product sets itself, once: while one of its kind is open that one is reworded.

    The clock of an open one runs on, unless what is wanted `moves`.
    """
    key = uuid7_at(at)
    task = Task(
        id=key,
        lead_id=lead_id,
        kind=wanted.kind,
        user_id=wanted.user_id,
        role=wanted.role,
        cause=f"{wanted.kind}:{key}",
        title=wanted.title[:200],
        due_at=wanted.due_at,
        created_at=at,
    )
    with transaction.atomic():
        if insert_row_if_new(task):  # of two at once the database keeps one
            who = f"system:{wanted.kind}"
            write_event("leads.task.added", at=at, actor=who, lead_id=lead_id, task=key)
            return task
        known = _open_tasks().filter(lead_id=lead_id, kind=wanted.kind)
        news: dict[str, object] = {"title": task.title}
        if wanted.updates_due_at:
            news |= {"due_at": wanted.due_at, "user_id": wanted.user_id}
        known.update(**news)
        return known.get()


def open_tasks(lead: Lead) -> list[Task]:
    """What is still to be done about a lead, soonest first."""
    rows = _open_tasks().filter(lead=lead).select_related("user")
    return list(rows.order_by("due_at", "id")[:MAX_SHOWN])


def finish_task(*, task_id: UUID, by: UUID, at: datetime) -> bool:
    """Tick a task off; whether it was still open. Pressing twice is harmless."""
    with transaction.atomic():
        ticked = _open_tasks().filter(id=task_id).update(done_at=at, done_by_id=by)
        if ticked:
            lead_id = Task.objects.values_list("lead_id", flat=True).get(id=task_id)
            write_event("leads.task.done", at=at, actor=f"user:{by}", lead_id=lead_id, task=task_id)
    return bool(ticked)


def finish_tasks_of_kind(
    *, lead_id: UUID, kind: str, by: UUID, at: datetime, due_by: datetime | None = None
) -> bool:
    """Tick off the open task of a kind, or only one due by a moment; whether there was one."""
    rows = _open_tasks().filter(lead_id=lead_id, kind=kind).values_list("pk", flat=True)
    if due_by:
        rows = rows.filter(due_at__lte=due_by)
    return any([finish_task(task_id=pk, by=by, at=at) for pk in rows])


def cancel_tasks_of_kind(*, lead_id: UUID, kind: str, because: str, at: datetime) -> bool:
    """What was to be done need not be done any more; whether a task was open."""
    with transaction.atomic():
        rows = list(_open_tasks().select_for_update().filter(lead_id=lead_id, kind=kind))
        for task in rows:
            Task.objects.filter(pk=task.pk).update(cancelled_at=at, cancelled_because=because[:200])
            write_event(
                "leads.task.cancelled", at=at, lead_id=lead_id, task=task.pk, because=because
            )
    return bool(rows)


def _open_tasks() -> QuerySet[Task]:
    return Task.objects.filter(done_at=None, cancelled_at=None)
