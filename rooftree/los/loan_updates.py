"""Loan updates from the LOS: store hints, read the loan, record new milestones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from rooftree.core.uuid7 import uuid7_at
from rooftree.core.vendor_errors import Misconfigured, VendorError
from rooftree.leads.models import Lead, Loan, Milestone
from rooftree.ledger.write_events import write_event
from rooftree.los import loan_milestones
from rooftree.los.adapter_pool import get_adapter
from rooftree.los.loan_milestones import NewStep, RecordedStep
from rooftree.los.loan_snapshot import ChangedLoan, LoanHint, LoanSnapshot
from rooftree.los.los_adapter import AcknowledgesChanges
from rooftree.los.models import Connection, LosEvent

POLL_EVERY = timedelta(minutes=5)
BACK_OFF = (10, 60, 300, 900, 3600)
LAST_BACK_OFF = len(BACK_OFF) - 1
REREAD = "reread"  # the kind of a hint that the LOS didn't send


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanUpdate:
    """The changes that one reading of a loan brought."""

    loan: Loan
    steps: tuple[Milestone, ...]
    unmapped_statuses: tuple[str, ...] = ()  # statuses missing from the status map
    is_funded_now: bool = False
    is_application_now: bool = False
    is_resumed: bool = False  # its last unmapped status is mapped now


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanChanges:
    """What one poll listed: our loans with what it said of them, and the ids of all."""

    ours: tuple[tuple[Loan, ChangedLoan], ...]
    listed: tuple[str, ...]


def store_hint(hint: LoanHint, *, connection: Connection, at: datetime) -> LosEvent | None:
    """Store a verified hint, due now; return None if it was already stored.

    A hint that can't be read is stored as read, with its problem: staff see that it came.
    """
    rows = LosEvent.objects.bulk_create(
        [
            LosEvent(
                id=uuid7_at(at),
                connection=connection,
                event_id=hint.event_id[:120],
                los_loan_id=hint.loan_id[:80],
                kind=hint.event_type[:40],
                content=dict(hint.content),
                received_at=at,
                due_at=at,
                read_at=at if hint.problem else None,
                problem=hint.problem[:500],
            )
        ],
        ignore_conflicts=True,
    )
    return LosEvent.objects.filter(pk=rows[0].pk).first()


def queue_rereads(loans: Sequence[Loan], *, connection: Connection, at: datetime) -> int:
    """Queue another reading of some loans, because the lender's mapping changed; return how many.

    A reading is a hint of our own, so a failed one is tried again like a webhook's.
    """
    rows = [
        LosEvent(
            id=uuid7_at(at),
            connection=connection,
            event_id=f"{REREAD}:{loan.pk}:{at.isoformat()}",
            los_loan_id=loan.los_loan_id,
            kind=REREAD,
            received_at=at,
            due_at=at,
        )
        for loan in loans
    ]
    return len(LosEvent.objects.bulk_create(rows, ignore_conflicts=True))


def read_hinted_loan(*, event_id: UUID, at: datetime) -> tuple[Loan, LoanSnapshot] | None:
    """Read the loan a hint is about; return None if it isn't ours or can't be read now.

    No transaction is open during the LOS request. The hint is postponed first, so a
    hint that fails doesn't hold up others; `mark_hint_read` closes it together with
    the recorded changes. A vendor's failure is stored, not raised.
    """
    event = LosEvent.objects.select_related("connection").get(pk=event_id)
    if event.read_at is not None:
        return None
    event_rows, delay = (
        LosEvent.objects.filter(pk=event.pk),
        BACK_OFF[min(event.attempts, LAST_BACK_OFF)],
    )
    event_rows.update(attempts=event.attempts + 1, due_at=at + timedelta(seconds=delay))
    loan = Loan.objects.filter(
        los=event.connection.los,
        instance=event.connection.instance,
        los_loan_id=event.los_loan_id,
    ).first()
    if loan is None:
        # A hand-off under way can bring a hint before its loan number is stored here.
        handoffs = event.connection.handoffs.filter(state__in=["sending", "uncertain"])
        if event.attempts > LAST_BACK_OFF or not handoffs.exists():
            mark_hint_read(event_id=event.pk, at=at)
        return None
    if _is_overtaken(event):
        mark_hint_read(event_id=event.pk, at=at)
        return None
    try:
        # A reading that we asked for ourselves takes what the newest push said.
        pushes = LosEvent.objects.filter(connection=event.connection, los_loan_id=loan.los_loan_id)
        newest = pushes.exclude(content={}).order_by("-received_at", "-id").first()
        seen = event.content or (newest.content if newest else None)
        return loan, get_adapter(event.connection).read_loan(loan.los_loan_id, seen)
    except VendorError as problem:
        event_rows.update(problem=str(problem)[:500])
        return None


def _is_overtaken(event: LosEvent) -> bool:
    """Return True if a later state of the loan was read already: pushes can come out of order."""
    changed_at = event.content.get("changed_at")
    later = LosEvent.objects.filter(
        connection=event.connection, los_loan_id=event.los_loan_id, read_at__isnull=False
    )
    return bool(changed_at) and later.filter(content__changed_at__gt=changed_at).exists()


def mark_hint_read(*, event_id: UUID, at: datetime) -> None:
    """Close a hint, in the transaction that records the changes it brought."""
    LosEvent.objects.filter(pk=event_id).update(read_at=at, due_at=None, problem="")


def refresh_loan(*, loan: Loan, at: datetime) -> LoanUpdate | None:
    """Read one loan from its LOS and record the changes. Raises the vendor's failure."""
    return apply_snapshot(read_from_los(loan), loan_id=loan.pk, at=at)


def read_from_los(loan: Loan, seen: Mapping[str, Any] | None = None) -> LoanSnapshot:
    """Read a loan from its LOS. Raises the vendor's failure, or `Misconfigured`.

    Args:
        seen: what the poll said of the loan.
    """
    enabled = Connection.objects.filter(
        los=loan.los, instance=loan.instance, enabled_at__isnull=False
    )
    connection = enabled.filter(handoffs__loan=loan).first() or enabled.first()
    if connection is None:
        raise Misconfigured("The LOS of this loan is no longer connected.")
    return get_adapter(connection).read_loan(loan.los_loan_id, seen)


def apply_snapshot(snapshot: LoanSnapshot, *, loan_id: UUID, at: datetime) -> LoanUpdate | None:
    """Record the changes a snapshot brings to a loan. Applying it again changes nothing."""
    with transaction.atomic():
        loan = Loan.objects.select_for_update().get(pk=loan_id)
        recorded = [
            RecordedStep(
                code=milestone.code, on=milestone.on_date, is_inferred=milestone.is_inferred
            )
            for milestone in loan.milestones.order_by("recorded_at", "id")
        ]
        new_steps = loan_milestones.find_new_steps(
            recorded,
            snapshot.observed_steps,
            previous_milestone=loan.current_milestone,
            current_milestone=snapshot.current_milestone,
        )
        milestones = tuple(_create_milestone(loan, new_step, at) for new_step in new_steps)
        was_funded, was_application = loan.funded_date, loan.application_date
        was_paused, before = bool(loan.unmapped_statuses), _followed_values(loan)
        _update_loan(loan, snapshot, recorded, new_steps, at)
        for milestone_row in milestones:
            write_event(
                "los.milestone.reached",
                at=at,
                actor=f"vendor:{loan.los}",
                lead_id=loan.lead_id,
                loan=loan.pk,
                code=milestone_row.code,
                inferred=milestone_row.is_inferred or None,
            )
        if loan.funded_date and not was_funded:
            Lead.objects.filter(pk=loan.lead_id).update(state="funded", response_due_at=None)
    if not milestones and before == _followed_values(loan):
        return None
    return LoanUpdate(
        loan=loan,
        steps=milestones,
        unmapped_statuses=snapshot.unmapped_statuses,
        is_funded_now=bool(loan.funded_date and not was_funded),
        is_application_now=bool(loan.application_date and not was_application),
        is_resumed=was_paused and not loan.unmapped_statuses,
    )


def _followed_values(loan: Loan) -> tuple[object, ...]:
    """Return the values whose change has consequences, besides new milestones."""
    return loan.funded_date, loan.notices, loan.revenue_cents, loan.unmapped_statuses


def find_changed_loans(*, connection: Connection, at: datetime) -> LoanChanges:
    """Find the loans that changed in the LOS since the last poll. Raises the vendor's failure.

    Catches the changes no webhook announced. Call `schedule_next_poll` after all of them
    were read; until then the next poll finds them again.
    """
    since = connection.polled_to_at or connection.enabled_at or at
    listed = get_adapter(connection).find_changed_since(since)
    for row in listed:
        _follow_rename(row, connection, at)
    changes = {row.loan_id: row for row in listed}
    loans = Loan.objects.filter(
        los=connection.los, instance=connection.instance, los_loan_id__in=list(changes)
    )
    # Two connections can reach one instance; each loan is read through its own, while it is on.
    others = Connection.objects.filter(enabled_at__isnull=False).exclude(pk=connection.pk)
    loans = loans.exclude(handoff__connection__in=others)
    ours = tuple((loan, changes[loan.los_loan_id]) for loan in loans)
    return LoanChanges(ours=ours, listed=tuple(changes))


def acknowledge_changes(changes: LoanChanges, *, connection: Connection) -> None:
    """Tell an LOS that keeps listing changes that these are stored. Raises its failure.

    While a hand-off is under way, loans we don't know stay listed: one can be its loan.
    """
    adapter = get_adapter(connection)
    if not isinstance(adapter, AcknowledgesChanges):
        return
    is_busy = connection.handoffs.filter(state__in=["sending", "uncertain"]).exists()
    ours = tuple(changed.loan_id for _, changed in changes.ours)
    adapter.acknowledge_changes(ours if is_busy else changes.listed)


def _follow_rename(changed: ChangedLoan, connection: Connection, at: datetime) -> None:
    """Keep the link to a loan that the LOS renamed: a lead there becomes a loan."""
    if not changed.previous_id or changed.previous_id == changed.loan_id:
        return
    loans = Loan.objects.filter(los=connection.los, instance=connection.instance)
    if loans.filter(los_loan_id=changed.loan_id).exists():
        return
    with transaction.atomic():
        if loan := loans.select_for_update().filter(los_loan_id=changed.previous_id).first():
            loans.filter(pk=loan.pk).update(los_loan_id=changed.loan_id)
            LosEvent.objects.filter(connection=connection, los_loan_id=changed.previous_id).update(
                los_loan_id=changed.loan_id
            )
            write_event("los.loan.renamed", at=at, lead_id=loan.lead_id, loan=loan.pk)


def schedule_next_poll(*, connection: Connection, at: datetime, is_complete: bool) -> None:
    """Schedule the next poll; an incomplete one starts again from the same moment."""
    progress = {"polled_to_at": at} if is_complete else {}
    Connection.objects.filter(pk=connection.pk).update(poll_due_at=at + POLL_EVERY, **progress)


def _create_milestone(loan: Loan, step: NewStep, at: datetime) -> Milestone:
    reached = datetime.combine(step.on, time(12), UTC) if step.on else at
    return Milestone.objects.create(
        id=uuid7_at(at),
        loan=loan,
        code=step.code,
        rank=step.rank,
        on_date=step.on,
        reached_at=min(reached, at),
        los_label=step.source_status[:120],
        is_inferred=step.is_inferred,
        is_return=step.is_return,
        recorded_at=at,
    )


def _update_loan(
    loan: Loan,
    snapshot: LoanSnapshot,
    recorded: list[RecordedStep],
    new_steps: tuple[NewStep, ...],
    at: datetime,
) -> None:
    top = loan_milestones.highest_milestone(
        [*(milestone.code for milestone in recorded), *(step.code for step in new_steps)]
    )
    loan.milestone = top or loan.milestone
    loan.rank = (loan_milestones.all_milestones()[top].rank or 0) if top else loan.rank
    loan.current_milestone = snapshot.current_milestone or loan.current_milestone
    loan.final_outcome = snapshot.final_outcome
    loan.loan_number = snapshot.loan_number or loan.loan_number
    loan.amount_cents = snapshot.amount_cents or loan.amount_cents
    if snapshot.revenue_cents is not None:  # zero is a correction, an empty field is not
        loan.revenue_cents = snapshot.revenue_cents
    loan.application_date = snapshot.application_date or loan.application_date
    loan.funded_date = snapshot.funded_date or loan.funded_date
    loan.notices = {kind: on.isoformat() for kind, on in snapshot.notices.items()} or loan.notices
    loan.unmapped_statuses = list(snapshot.unmapped_statuses)
    loan.read_at = at
    loan.save()
