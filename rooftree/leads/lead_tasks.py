"""Tasks of a lead with due times, typed by staff, set by the product or imported."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from rooftree.core.uuid7 import uuid7_at
from rooftree.db.bulk_insert import insert_new_rows, insert_row_if_new
from rooftree.leads.models import Lead, Task
from rooftree.ledger.write_events import build_event, write_event, write_events

MAX_SHOWN = 20  # tasks of one lead shown at once
DUPLICATE_WINDOW = timedelta(minutes=1)  # within which the same title is a double submit
CALL_BACK = "call_back"  # the task kind for a callback promised to the borrower
TYPED = "typed"  # the task kind for tasks that staff typed


class InvalidTask(Exception):
    """A task without a title or with a past due time. The text is fit to show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemTask:
    """A task set by the product. Without a user or role it is the lead owner's."""

    kind: str
    title: str
    due_at: datetime
    user_id: UUID | None = None
    role: str = ""
    updates_due_at: bool = False  # setting it again also moves the due time of the open task


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedTask:
    """A task that was open in another system. It can be overdue already."""

    lead_id: UUID
    user_id: UUID | None  # None: the lead's owner
    idempotency_key: str
    title: str
    due_at: datetime


def add_task(
    *, lead_id: UUID, user_id: UUID | None, title: str, due_at: datetime, at: datetime
) -> Task:
    """Add a task to a lead, for `user_id` or the lead's owner; ignore a double submit."""
    title = title.strip()[:200]
    if not title:
        raise InvalidTask("Enter a task.")
    if due_at < at:
        raise InvalidTask("Choose a time in the future.")
    key = uuid7_at(at)
    with transaction.atomic():
        Lead.objects.select_for_update(no_key=True).get(pk=lead_id)  # serializes a double submit
        same_title = Task.objects.filter(
            lead_id=lead_id, title=title, done_at=None, canceled_at=None
        )
        recent = same_title.filter(
            idempotency_key__startswith="typed:", created_at__gt=at - DUPLICATE_WINDOW
        )
        if duplicate := recent.first():
            return duplicate
        task = Task.objects.create(
            id=key,
            lead_id=lead_id,
            user_id=user_id,
            idempotency_key=f"typed:{key}",
            title=title,
            due_at=due_at,
            created_at=at,
        )
        write_event(
            "leads.task.added", at=at, actor=f"user:{user_id}", lead_id=lead_id, task=task.pk
        )
    return task


def import_tasks(tasks: Iterable[ImportedTask], *, at: datetime) -> int:
    """Import tasks from another system, each once; return how many are new. In a transaction."""
    rows = [
        Task(
            id=uuid7_at(at),
            lead_id=task.lead_id,
            user_id=task.user_id,
            idempotency_key=task.idempotency_key,
            title=task.title.strip()[:200],
            due_at=task.due_at,
            created_at=at,
        )
        for task in tasks
    ]
    new_ids = insert_new_rows(rows)
    write_events(
        build_event(
            "leads.task.added",
            at=at,
            actor="system:import",
            lead_id=row.lead_id,
            task=row.pk,
        )
        for row in rows
        if row.pk in new_ids
    )
    return len(new_ids)


def cancel_tasks(lead_ids: Collection[UUID], *, key_prefix: str, because: str, at: datetime) -> int:
    """Cancel open tasks of some leads by prefix of their key; return how many were open."""
    rows = _open_tasks().filter(lead__in=lead_ids, idempotency_key__startswith=key_prefix)
    return rows.update(canceled_at=at, cancel_reason=because[:200])


def add_or_update_task(wanted: SystemTask, *, lead_id: UUID, at: datetime) -> Task:
    """Set a task of the product, or update the title of the open task of its kind.

    The due time of an open task stays, unless `updates_due_at` is set.
    """
    key = uuid7_at(at)
    task = Task(
        id=key,
        lead_id=lead_id,
        kind=wanted.kind,
        user_id=wanted.user_id,
        role=wanted.role,
        idempotency_key=f"{wanted.kind}:{key}",
        title=wanted.title[:200],
        due_at=wanted.due_at,
        created_at=at,
    )
    with transaction.atomic():
        if insert_row_if_new(task):  # if two workers race, the database keeps one
            actor = f"system:{wanted.kind}"
            write_event("leads.task.added", at=at, actor=actor, lead_id=lead_id, task=key)
            return task
        open_task = _open_tasks().filter(lead_id=lead_id, kind=wanted.kind)
        changes: dict[str, object] = {"title": task.title}
        if wanted.updates_due_at:
            changes |= {"due_at": wanted.due_at, "user_id": wanted.user_id}
        open_task.update(**changes)
        return open_task.get()


def list_open_tasks(lead: Lead) -> list[Task]:
    """List the open tasks of a lead, soonest first, at most `MAX_SHOWN`."""
    rows = lead.tasks.filter(done_at=None, canceled_at=None).select_related("user")
    return list(rows.order_by("due_at", "id")[:MAX_SHOWN])


def move_task(*, task_id: UUID, due_at: datetime, by: UUID, at: datetime) -> bool:
    """Move the due time of a typed task; return True if it was still open.

    Other tasks keep theirs: the borrower, a rule or the law set it.
    """
    if due_at <= at:
        raise InvalidTask("Choose a time in the future.")
    with transaction.atomic():
        task = _open_tasks().select_for_update().filter(id=task_id, kind=TYPED).first()
        if task is None:
            return False
        Task.objects.filter(pk=task.pk).update(due_at=due_at)
        write_event(
            "leads.task.moved",
            at=at,
            actor=f"user:{by}",
            lead_id=task.lead_id,
            task=task_id,
            due_at=due_at,
        )
    return True


def finish_task(*, task_id: UUID, by: UUID, at: datetime) -> bool:
    """Finish a task; return True if it was still open. Safe to repeat."""
    with transaction.atomic():
        finished = _open_tasks().filter(id=task_id).update(done_at=at, done_by_id=by)
        if finished:
            lead_id = Task.objects.values_list("lead_id", flat=True).get(id=task_id)
            write_event("leads.task.done", at=at, actor=f"user:{by}", lead_id=lead_id, task=task_id)
    return bool(finished)


def reopen_task(*, task_id: UUID, by: UUID, finished_after: datetime, at: datetime) -> bool:
    """Undo that a user finished a task; return False if it was too long ago or not by them.

    False as well if another task of its kind has been opened since.
    """
    finished = Task.objects.filter(pk=task_id, done_by=by, done_at__gt=finished_after)
    try:
        with transaction.atomic():
            lead_id = finished.values_list("lead_id", flat=True).first()
            if lead_id is None or not finished.update(done_at=None, done_by=None):
                return False
            actor = f"user:{by}"
            write_event("leads.task.reopened", at=at, actor=actor, lead_id=lead_id, task=task_id)
    except IntegrityError:
        return False
    return True


def finish_tasks_of_kind(
    *, lead_id: UUID, kind: str, by: UUID, at: datetime, due_by: datetime | None = None
) -> bool:
    """Finish the open task of a kind, if due by `due_by`; return True if there was one."""
    rows = _open_tasks().filter(lead_id=lead_id, kind=kind).values_list("pk", flat=True)
    if due_by:
        rows = rows.filter(due_at__lte=due_by)
    return any([finish_task(task_id=pk, by=by, at=at) for pk in rows])


def cancel_tasks_of_kind(*, lead_id: UUID, kind: str, because: str, at: datetime) -> bool:
    """Cancel the open task of a kind; return True if there was one."""
    with transaction.atomic():
        rows = list(_open_tasks().select_for_update().filter(lead_id=lead_id, kind=kind))
        for task in rows:
            Task.objects.filter(pk=task.pk).update(canceled_at=at, cancel_reason=because[:200])
            write_event(
                "leads.task.cancelled", at=at, lead_id=lead_id, task=task.pk, because=because
            )
    return bool(rows)


def _open_tasks() -> QuerySet[Task]:
    return Task.objects.filter(done_at=None, canceled_at=None)
