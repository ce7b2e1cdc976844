"""Ten seconds of undo: an act's changes are put back, or its consequences start.

Every changed row is stored with its old and new values. Undoing compares and sets, so that a
change that came in between stays. The ledger keeps both the act and its undoing.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import models, transaction

from rooftree.core.uuid7 import uuid7_at
from rooftree.flow import credit_notice_triggers, outcome_consequences
from rooftree.leads import snooze
from rooftree.leads.models import ContactAttempt, Lead, Task, UndoableAct
from rooftree.ledger.write_events import write_event
from rooftree.nurture.models import Enrollment
from rooftree.org.models import User
from rooftree.outreach.messages import cancel_messages
from rooftree.outreach.models import Message
from rooftree.reporting.rollups import rollup_deltas
from rooftree.tasks.live_updates import publish_update

UNDO_SECONDS = 10  # as the page counts them down
SETTLE_AFTER = timedelta(seconds=UNDO_SECONDS + 2)  # a tap in the last second still arrives
KEPT_FOR = timedelta(days=1)  # a closed window; the ledger keeps the act
SETTLE_BATCH = 100
SNOOZED = "snoozed"  # the result of an act that isn't a call's outcome
TOO_LATE = "It’s too late to undo this. Log the right outcome, or reopen the lead."

type RowValues = dict[str, str | int | None]
type Snapshot = dict[tuple[str, str], RowValues]

TABLES: dict[str, type[models.Model]] = {
    table._meta.db_table: table for table in (Lead, Task, Enrollment, Message, ContactAttempt)
}
JSON_FORMS: dict[type, Callable[[Any], str]] = {datetime: datetime.isoformat, UUID: str}
COLUMNS = {
    "lead": (
        *("state", "retired_at", "retired_reason", "response_due_at"),
        *("first_attempt_at", "first_conversation_at", "snoozed_until", "snooze_reason"),
    ),
    "task": ("due_at", "user_id", "title", "done_at", "done_by_id", "canceled_at", "cancel_reason"),
    "enrollment": ("ended_at", "end_reason", "due_at"),
    "message": ("state", "due_at", "problem"),
    "contact_attempt": ("result", "result_at"),
}


class CannotUndo(Exception):
    """The act has taken effect, or is someone else's. The text is fit to show to staff."""


def take_snapshot(lead_id: UUID, *, before: Snapshot | None = None) -> Snapshot:
    """Read the rows of a lead that an outcome can change.

    Args:
        before: an earlier snapshot, whose rows are read again whatever their state now.
    """
    known = [key for _, key in before or ()]
    of_lead = models.Q(lead=lead_id)
    is_open_task = models.Q(done_at=None, canceled_at=None)
    is_queued = models.Q(
        direction="out", is_automated=True, state__in=["waiting", "held", "review"]
    )
    rows_by_table: dict[str, models.QuerySet[Any]] = {
        "lead": Lead.objects.filter(pk=lead_id),
        "task": Task.objects.filter(of_lead & is_open_task | models.Q(pk__in=known)),
        "enrollment": Enrollment.objects.filter(of_lead, ended_at=None)
        | Enrollment.objects.filter(pk__in=known),
        "message": Message.objects.filter(of_lead & is_queued | models.Q(pk__in=known)),
        "contact_attempt": ContactAttempt.objects.filter(of_lead, medium="call"),
    }
    return {
        (table, str(row["pk"])): {
            name: JSON_FORMS[type(row[name])](row[name])
            if type(row[name]) in JSON_FORMS
            else row[name]
            for name in COLUMNS[table]
        }
        for table, rows in rows_by_table.items()
        for row in rows.values("pk", *COLUMNS[table])
    }


def open_window(
    attempt: ContactAttempt, *, before: Snapshot, by: User, at: datetime
) -> UndoableAct:
    """Store what the outcome of `attempt` changed, so that it can be undone until it settles.

    Until then no automatic message goes to the borrower, since the outcome can forbid it.
    """
    Message.objects.filter(
        lead=attempt.lead_id,
        direction="out",
        is_automated=True,
        state__in=["waiting", "held"],
        due_at__lt=at + SETTLE_AFTER,
    ).update(due_at=at + SETTLE_AFTER)
    act = UndoableAct(lead_id=attempt.lead_id, result=attempt.result, attempt_id=attempt.pk, by=by)
    return _store_act(act, before, at)


def snooze_lead(
    *, lead_id: UUID, until: datetime, because: str, by: User, at: datetime
) -> UndoableAct:
    """Snooze a lead; its reason is checked for a credit decision once it can't be undone anymore.

    Raises `snooze.CannotSnooze`.
    """
    with transaction.atomic():
        Lead.objects.select_for_update(of=("self",), no_key=True).get(pk=lead_id)
        if open_act := find_open_act(lead_id):
            settle_act(open_act.pk, at=at)
        before = take_snapshot(lead_id)
        snooze.snooze_lead(lead_id=lead_id, until=until, because=because, by=by.pk, at=at)
        return _store_act(UndoableAct(lead_id=lead_id, result=SNOOZED, by=by), before, at)


def _store_act(act: UndoableAct, before: Snapshot, at: datetime) -> UndoableAct:
    act.pk, act.at, act.settles_at = uuid7_at(at), at, at + SETTLE_AFTER
    act.changes = [*_compare(before, take_snapshot(act.lead_id, before=before))]
    act.save(force_insert=True)
    return act


def find_open_act(lead_id: UUID) -> UndoableAct | None:
    """Return the act on a lead that can still be undone, or None."""
    return UndoableAct.objects.filter(lead=lead_id, settled_at=None, undone_at=None).first()


def undo_act(act_id: UUID, *, by: User, at: datetime) -> UndoableAct:
    """Undo an act: put every row back that nothing else has changed since; safe to repeat.

    Raises `CannotUndo` once its consequences have started, and for someone else's act.
    """
    with transaction.atomic():
        act = UndoableAct.objects.filter(pk=act_id, by=by).first()
        if act is None:
            raise CannotUndo(TOO_LATE)
        Lead.objects.select_for_update(no_key=True).get(pk=act.lead_id)
        act.refresh_from_db()
        if act.undone_at:
            return act
        if act.settled_at:
            raise CannotUndo(TOO_LATE)
        for change in act.changes:
            _put_back(change, at)
        act.undone_at = at
        act.save(update_fields=["undone_at"])
        write_event(
            "leads.lead.woken" if act.result == SNOOZED else "flow.attempt.undone",
            at=at,
            actor=f"user:{by.pk}",
            lead_id=act.lead_id,
            attempt=act.attempt_id,
            result=act.result,
            because="undone",
        )
        rollup_deltas.count_attempt(Lead.objects.get(pk=act.lead_id))
        publish_update("lead", lead=str(act.lead_id))
    return act


def settle_act(act_id: UUID, *, at: datetime) -> bool:
    """Start the consequences of an act that nobody undid; return False if it was closed."""
    with transaction.atomic():
        act = UndoableAct.objects.select_related("by").get(pk=act_id)
        lead = (
            Lead.objects.select_for_update(of=("self",), no_key=True)
            .select_related("person")
            .get(pk=act.lead_id)
        )
        open_act = UndoableAct.objects.filter(pk=act_id, settled_at=None, undone_at=None)
        if not open_act.update(settled_at=at):
            return False
        if act.result == SNOOZED:
            reasons = (change["new"].get("snooze_reason") for change in act.changes)
            because = next(filter(None, reasons), "")
            credit_notice_triggers.check_snooze_reason(lead.pk, because, at=at)
        attempts = ContactAttempt.objects.filter(lead=lead)
        attempt = attempts.filter(pk=act.attempt_id).first() if act.attempt_id else None
        if attempt is not None and attempt.result == act.result:
            outcome_consequences.start_consequences(
                attempt, lead=lead, by=act.by, recorded_at=act.at, at=at
            )
        publish_update("lead", lead=str(act.lead_id))
    return True


def settle_due_acts(*, at: datetime) -> int:
    """Settle the acts whose ten seconds are over, and delete old windows; return how many."""
    due = UndoableAct.objects.filter(settled_at=None, undone_at=None, settles_at__lte=at)
    keys = list(due.order_by("settles_at").values_list("pk", flat=True)[:SETTLE_BATCH])
    settled = sum(settle_act(key, at=at) for key in keys)
    closed = models.Q(settled_at__lt=at - KEPT_FOR) | models.Q(undone_at__lt=at - KEPT_FOR)
    UndoableAct.objects.filter(closed).delete()
    return settled


def _compare(before: Snapshot, after: Snapshot) -> Iterable[dict[str, Any]]:
    """Yield the changed rows; the columns of the lead one by one, since others change it too."""
    for (table, key), new in after.items():
        old = before.get((table, key))
        if old is None:
            yield {"table": table, "id": key, "old": None, "new": new}
            continue
        columns = [name for name in new if new[name] != old[name]]
        groups = [[name] for name in columns] if table == "lead" else [columns]
        for names in filter(None, groups):
            yield {
                "table": table,
                "id": key,
                "old": {name: old[name] for name in names},
                "new": {name: new[name] for name in names},
            }


def _put_back(change: Mapping[str, Any], at: datetime) -> None:
    """Give one row its old values, unless it was changed since; remove a row the act created."""
    table = change["table"]
    rows = TABLES[table]._default_manager.filter(pk=change["id"], **change["new"])
    if change["old"] is not None:
        rows.update(**change["old"])
    elif table == "task":
        rows.update(canceled_at=at, cancel_reason="undone")
    elif table == "contact_attempt":  # no call took place
        cancel_messages.delete_undone_attempts(rows)
