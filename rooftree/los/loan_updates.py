"""What comes back from the LOS: hints are kept, the loan is read, new steps are written down."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from uuid import UUID

from django.db import transaction

from rooftree.core.uuid7 import uuid7_at
from rooftree.core.vendor_errors import Misconfigured, VendorError
from rooftree.leads.models import Lead, Loan, Milestone
from rooftree.ledger.write_events import write_event
from rooftree.los import loan_milestones
from rooftree.los.adapter_pool import get_adapter
from rooftree.los.loan_milestones import NewStep, RecordedStep
from rooftree.los.loan_snapshot import LoanHint, LoanSnapshot
from rooftree.los.models import Connection, LosEvent

POLL_EVERY = timedelta(minutes=5)
BACK_OFF = (10, 60, 300, 900, 3600)
LAST_BACK_OFF = len(BACK_OFF) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanUpdate:
    """What one reading of a loan added."""

    loan: Loan
    steps: tuple[Milestone, ...]
    unmapped_statuses: tuple[str, ...] = ()  # statuses that nobody has said the meaning of
    is_funded_now: bool = False
    is_application_now: bool = False


def store_hint(hint: LoanHint, *, connection: Connection, at: datetime) -> LosEvent | None:
    """Store a verified hint, due now; None when it was here before."""
    rows = LosEvent.objects.bulk_create(
        [
            LosEvent(
                id=uuid7_at(at),
                connection=connection,
                event_id=hint.event_id[:120],
                los_loan_id=hint.loan_id[:80],
                kind=hint.event_type[:40],
                received_at=at,
                due_at=at,
            )
        ],
        ignore_conflicts=True,
    )
    return LosEvent.objects.filter(pk=rows[0].pk).first()


def read_hinted_loan(*, event_id: UUID, at: datetime) -> tuple[Loan, LoanSnapshot] | None:
    """Read the loan a hint is about; None when it is not ours, or cannot be read now.

    No transaction is open while the LOS is asked. The hint is put off first,
    so that one which cannot be worked holds up no other; `settle` closes it,
    with what was read. Raises nothing for a vendor's failure.
    """
    event = LosEvent.objects.select_related("connection").get(pk=event_id)
    if event.read_at is not None:
        return None
    mine, pause = LosEvent.objects.filter(pk=event.pk), BACK_OFF[min(event.attempts, LAST_BACK_OFF)]
    mine.update(attempts=event.attempts + 1, due_at=at + timedelta(seconds=pause))
    loan = Loan.objects.filter(
        los=event.connection.los,
        instance=event.connection.instance,
        los_loan_id=event.los_loan_id,
    ).first()
    if loan is None:
        if not _is_handoff_under_way(event):
            mark_hint_read(event_id=event.pk, at=at)
        return None
    try:
        return loan, get_adapter(event.connection).read_loan(loan.los_loan_id)
    except VendorError as problem:
        mine.update(problem=str(problem)[:500])
        return None


def mark_hint_read(*, event_id: UUID, at: datetime) -> None:
    """The hint is dealt with; in the transaction that writes down what was read."""
    LosEvent.objects.filter(pk=event_id).update(read_at=at, due_at=None, problem="")


def _is_handoff_under_way(event: LosEvent) -> bool:
    """A hand-off to that LOS is on its way: its loan may speak before we know its number."""
    under_way = event.connection.handoffs.filter(state__in=["sending", "uncertain"])
    return event.attempts <= LAST_BACK_OFF and under_way.exists()


def refresh_loan(*, loan: Loan, at: datetime) -> LoanUpdate | None:
    """Read one loan from its LOS and write down what is new. Raises the vendor's failure."""
    return apply_snapshot(read_from_los(loan), loan_id=loan.pk, at=at)


def read_from_los(loan: Loan) -> LoanSnapshot:
    """The loan as it is in its LOS now. Raises the vendor's failure, or `Misconfigured`."""
    connection = Connection.objects.filter(
        los=loan.los, instance=loan.instance, enabled_at__isnull=False
    ).first()
    if connection is None:
        raise Misconfigured("The LOS of this loan is not connected any more.")
    found: LoanSnapshot = get_adapter(connection).read_loan(loan.los_loan_id)
    return found


def apply_snapshot(reading: LoanSnapshot, *, loan_id: UUID, at: datetime) -> LoanUpdate | None:
    """Write down what a reading adds to a loan. The same reading twice adds nothing."""
    with transaction.atomic():
        loan = Loan.objects.select_for_update().get(pk=loan_id)
        recorded = [
            RecordedStep(
                code=milestone.code, on=milestone.on_date, is_inferred=milestone.is_inferred
            )
            for milestone in loan.milestones.order_by("recorded_at", "id")
        ]
        events = loan_milestones.find_new_steps(
            recorded,
            reading.observed_steps,
            previous_milestone=loan.stands_at,
            current_milestone=reading.current_milestone,
        )
        steps = tuple(_create_milestone(loan, event, at) for event in events)
        was_funded, was_application = loan.funded_date, loan.application_date
        had_notices = loan.notices
        _update_loan(loan, reading, recorded, events, at)
        for step in steps:
            write_event(
                "los.milestone.reached",
                at=at,
                actor=f"vendor:{loan.los}",
                lead_id=loan.lead_id,
                loan=loan.pk,
                code=step.code,
                inferred=step.is_inferred or None,
            )
        if loan.funded_date and not was_funded:
            Lead.objects.filter(pk=loan.lead_id).update(state="funded", promise_at=None)
    is_same = was_funded == loan.funded_date and had_notices == loan.notices
    if not steps and not reading.unmapped_statuses and is_same:
        return None
    return LoanUpdate(
        loan=loan,
        steps=steps,
        unmapped_statuses=reading.unmapped_statuses,
        is_funded_now=bool(loan.funded_date and not was_funded),
        is_application_now=bool(loan.application_date and not was_application),
    )


def find_changed_loans(*, connection: Connection, at: datetime) -> list[Loan]:
    """The safety net: our loans that changed in the LOS since the last poll. Raises its failure.

    Call `polled` when all of them were read; until then the next poll finds
    them again.
    """
    since = connection.polled_to_at or connection.enabled_at or at
    ids = [one.loan_id for one in get_adapter(connection).find_changed_since(since)]
    return list(
        Loan.objects.filter(los=connection.los, instance=connection.instance, los_loan_id__in=ids)
    )


def schedule_next_poll(*, connection: Connection, at: datetime, is_complete: bool) -> None:
    """Set when to poll again; what was not read whole is asked for again from the same moment."""
    moved = {"polled_to_at": at} if is_complete else {}
    Connection.objects.filter(pk=connection.pk).update(poll_due_at=at + POLL_EVERY, **moved)


def _create_milestone(loan: Loan, event: NewStep, at: datetime) -> Milestone:
    reached = datetime.combine(event.on, time(12), UTC) if event.on else at
    return Milestone.objects.create(
        id=uuid7_at(at),
        loan=loan,
        code=event.code,
        rank=event.rank,
        on_date=event.on,
        reached_at=min(reached, at),
        said=event.source_status[:120],
        is_inferred=event.is_inferred,
        is_return=event.is_return,
        recorded_at=at,
    )


def _update_loan(
    loan: Loan,
    reading: LoanSnapshot,
    recorded: list[RecordedStep],
    events: tuple[NewStep, ...],
    at: datetime,
) -> None:
    top = loan_milestones.highest_milestone(
        [*(recorded_step.code for recorded_step in recorded), *(event.code for event in events)]
    )
    loan.milestone = top or loan.milestone
    loan.rank = (loan_milestones.all_milestones()[top].rank or 0) if top else loan.rank
    loan.stands_at = reading.current_milestone or loan.stands_at
    loan.ended_as = reading.ended_as
    loan.loan_number = reading.loan_number or loan.loan_number
    loan.amount_cents = reading.amount_cents or loan.amount_cents
    loan.revenue_cents = reading.revenue_cents or loan.revenue_cents
    loan.application_date = reading.application_date or loan.application_date
    loan.funded_date = reading.funded_date or loan.funded_date
    loan.notices = {kind: on.isoformat() for kind, on in reading.notices.items()} or loan.notices
    loan.read_at = at
    loan.save()
