"""The outcome of a call, recorded in one tap, and the steps that follow from it."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from rooftree.core.uuid7 import uuid7_at
from rooftree.db.prepared_queries import PreparedQuery
from rooftree.flow import appointments, outcome_consequences, undo_window
from rooftree.flow.outcome_consequences import NOT_REACHED
from rooftree.leads import lead_tasks
from rooftree.leads.models import ContactAttempt, Lead
from rooftree.ledger.write_events import write_event
from rooftree.nurture import sequence_enrollment
from rooftree.org.models import User
from rooftree.outreach.messages import cancel_messages, plan_messages
from rooftree.reporting.rollups import rollup_deltas
from rooftree.tasks.live_updates import publish_update

LOCKED_LEAD = PreparedQuery(
    lambda id: (
        Lead.objects.select_for_update(of=("self",), no_key=True)
        .select_related("person")
        .filter(pk=id)
    ),
    id=UUID,
)
RESULTS = {
    "spoken": "Spoke",
    "voicemail": "Voicemail",
    "no_answer": "No answer",
    "call_back": "Call back",
    "wrong_number": "Wrong number",
    "bad_number": "Not in service",
    "not_interested": "Not interested",
    "told_no": "Declined: does not qualify",
}
OUTCOME_WINDOW = timedelta(hours=12)  # a later outcome belongs to another call
DUPLICATE_WINDOW = timedelta(minutes=1)  # a repeat of the same outcome within it is one tap
# A call up to this long before the agreed time counts as the agreed callback.
CALLBACK_KEPT_WINDOW = timedelta(minutes=30)
# Within it a tap is about the call that the ring connected.
CONNECTED_CALL_WINDOW = timedelta(hours=1)
REACHED = frozenset({"spoken", "call_back", "not_interested", "told_no"})
CLOSING_RESULTS = {"not_interested": "not interested", "told_no": "told they do not qualify"}


class InvalidOutcome(Exception):
    """The outcome is unknown, or a callback has no time. The text is fit to show to staff."""


def record_outcome(  # noqa: PLR0913
    *,
    lead_id: UUID,
    result: str,
    by: User,
    at: datetime,
    call_back_at: datetime | None = None,
    cause: str = "",
    can_undo: bool = False,
) -> ContactAttempt:
    """Record the outcome of a call, once per `cause` if the page gives one.

    "Not reached" starts the short sequence and "reached" stops it. A wrong number is
    unlinked at once. A number "not in service" is marked dead if the carrier could not
    complete a call to it either. "Not interested" closes the lead. So does telling the
    borrower that they do not qualify, which is a credit decision with a notice of its own.

    Args:
        can_undo: keep the outcome open to `undo_window.undo_act` for ten seconds, and start its
            consequences afterwards. Another outcome by the same person meanwhile replaces it.
    """
    if result not in RESULTS:
        raise InvalidOutcome(f"“{result}” is not an outcome. Choose {', '.join(RESULTS.values())}.")
    if result == "call_back" and call_back_at is None:
        raise InvalidOutcome("Choose a time to call back.")
    with transaction.atomic():
        lead = _lock_lead(lead_id)
        if earlier_tap := _find_repeated_outcome(lead, result, by, at, cause):
            return earlier_tap
        if open_act := undo_window.find_open_act(lead.pk):
            # The same person corrects their outcome in time; otherwise the act stays.
            is_outcome = open_act.attempt_id is not None
            if is_outcome and open_act.by_id == by.pk and at < open_act.settles_at:
                undo_window.undo_act(open_act.pk, by=by, at=at)
            else:
                undo_window.settle_act(open_act.pk, at=at)
            lead = _lock_lead(lead_id)
        before = undo_window.take_snapshot(lead.pk) if can_undo else {}
        attempt, is_new = _save_attempt(lead, result, by, at, cause)
        if not is_new:
            return attempt
        _update_lead_state(lead, result, at)
        _follow_outcome(lead, result, by, at, call_back_at)
        write_event(
            "flow.attempt.recorded",
            at=at,
            actor=f"user:{by.pk}",
            lead_id=lead.pk,
            person_id=lead.person_id,
            attempt=attempt.pk,
            result=result,
        )
        rollup_deltas.count_attempt(lead)
        if can_undo:
            undo_window.open_window(attempt, before=before, by=by, at=at)
        else:
            outcome_consequences.start_consequences(
                attempt, lead=lead, by=by, recorded_at=at, at=at
            )
        publish_update("lead", lead=str(lead.pk))
    return attempt


def _lock_lead(lead_id: UUID) -> Lead:
    return LOCKED_LEAD.get(id=lead_id)


def find_calls_without_outcome(lead_id: UUID, at: datetime) -> QuerySet[ContactAttempt]:
    """Return started calls to the borrower that have no outcome yet, newest first."""
    is_call = Q(idempotency_key__startswith="ring:") | Q(idempotency_key__startswith="call:")
    rows = ContactAttempt.objects.filter(is_call, lead_id=lead_id, medium="call", result="")
    return rows.filter(at__gt=at - OUTCOME_WINDOW, at__lte=at).order_by("-at", "-id")


def find_open_officer_call(by: User, at: datetime) -> ContactAttempt | None:
    """Return the last call that a ring connected for a user and that has no outcome yet."""
    rows = ContactAttempt.objects.filter(
        by=by,
        medium="call",
        idempotency_key__startswith="ring:",
        result="",
        at__gt=at - CONNECTED_CALL_WINDOW,
        at__lte=at,
    )
    return rows.select_related("lead__person", "lead__officer__user").order_by("-at").first()


def _save_attempt(
    lead: Lead, result: str, by: User, at: datetime, cause: str
) -> tuple[ContactAttempt, bool]:
    """Save the outcome on the attempt it belongs to; return the attempt and if it is new.

    A call that the ring connected already has an attempt, which gets the result. The
    lead's row is locked, so the second of two simultaneous taps finds the first: the same
    outcome within a minute is one tap.
    """
    cause = cause or f"tap:{uuid7_at(at)}"
    attempt = find_calls_without_outcome(lead.pk, at).first()
    if attempt := attempt or _find_connected_call_of_lead(lead, at):
        attempt.result, attempt.result_at = result, at
        attempt.save(update_fields=["result", "result_at"])
        return attempt, True
    return ContactAttempt.objects.get_or_create(
        idempotency_key=cause,
        defaults={
            "id": uuid7_at(at),
            "lead": lead,
            "person_id": lead.person_id,
            "medium": "call",
            "address": plan_messages.address_for(lead, "text"),
            "result": result,
            "result_at": at,
            "by": by,
            "at": at,
        },
    )


def _find_repeated_outcome(
    lead: Lead, result: str, by: User, at: datetime, cause: str
) -> ContactAttempt | None:
    """Return the attempt that this tap, or this page, has recorded already."""
    is_same_tap = Q(by=by, result=result, result_at__gt=at - DUPLICATE_WINDOW, result_at__lte=at)
    rows = ContactAttempt.objects.filter(
        is_same_tap | Q(idempotency_key=cause) if cause else is_same_tap, lead=lead
    )
    return rows.filter(medium="call").order_by("-at").first()


def _find_connected_call_of_lead(lead: Lead, at: datetime) -> ContactAttempt | None:
    """Return the connected call of a lead whose end only the carrier has reported so far."""
    rows = ContactAttempt.objects.filter(
        lead=lead,
        medium="call",
        idempotency_key__startswith="ring:",
        result_at=None,  # no staff member has recorded an outcome
        at__gt=at - CONNECTED_CALL_WINDOW,
        at__lte=at,
    )
    return rows.order_by("-at").first()


def _update_lead_state(lead: Lead, result: str, at: datetime) -> None:
    """Set the timestamps and the state that follow from the result."""
    changes: dict[str, object] = {"response_due_at": None}
    if lead.first_attempt_at is None:
        changes["first_attempt_at"] = at
    if result in REACHED and lead.first_conversation_at is None:
        changes["first_conversation_at"] = at
    if lead.state == "new":
        changes["state"] = "working"
    if result in CLOSING_RESULTS:
        changes |= {"state": "retired", "retired_at": at, "retired_reason": CLOSING_RESULTS[result]}
    Lead.objects.filter(pk=lead.pk).update(**changes)
    for name, value in changes.items():
        setattr(lead, name, value)


def _follow_outcome(
    lead: Lead, result: str, by: User, at: datetime, call_back_at: datetime | None
) -> None:
    """Stop at once what the outcome has overtaken: tasks, the sequence, queued messages."""
    _update_callback_task(lead, result, by, at, call_back_at)
    appointments.follow_call(
        lead_id=lead.pk,
        is_reached=result in REACHED,
        closing=result if result in CLOSING_RESULTS else "",
        by=by,
        at=at,
    )
    if result in NOT_REACHED:
        return
    sequence_enrollment.stop_sequence(lead_id=lead.pk, because=result, at=at)
    if result in REACHED:  # a greeting held until the morning would come too late
        cancel_messages.cancel_overtaken(lead_id=lead.pk, because=result, at=at)


def _update_callback_task(
    lead: Lead, result: str, by: User, at: datetime, call_back_at: datetime | None
) -> None:
    """Move, finish or cancel the callback task.

    A new time replaces the old one, a call at the agreed time finishes the task, and an
    outcome that ends the calls cancels it.
    """
    if call_back_at:
        callback = lead_tasks.SystemTask(
            kind=lead_tasks.CALL_BACK,
            title="Call back as agreed",
            due_at=call_back_at,
            user_id=by.pk,
            updates_due_at=True,
        )
        lead_tasks.add_or_update_task(callback, lead_id=lead.pk, at=at)
    elif result in ("wrong_number", "bad_number") or result in CLOSING_RESULTS:
        lead_tasks.cancel_tasks_of_kind(
            lead_id=lead.pk, kind=lead_tasks.CALL_BACK, because=result, at=at
        )
    else:
        lead_tasks.finish_tasks_of_kind(
            lead_id=lead.pk,
            kind=lead_tasks.CALL_BACK,
            by=by.pk,
            at=at,
            due_by=at + CALLBACK_KEPT_WINDOW,
        )
