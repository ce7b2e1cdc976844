"""The steps that follow when a loan moves in the LOS."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.tasks import task

from rooftree.core.vendor_errors import VendorError
from rooftree.flow import clock, credit_notice_triggers
from rooftree.flow.message_dispatch import send_messages
from rooftree.leads.models import BY_HAND, Lead, Loan, Milestone
from rooftree.los import loan_updates, los_connections
from rooftree.los.loan_snapshot import LoanHint
from rooftree.los.loan_updates import LoanUpdate
from rooftree.los.models import Connection, LosEvent
from rooftree.money import book_entries
from rooftree.nurture import borrower_alerts, sequence_enrollment
from rooftree.org import staff_notices
from rooftree.org.models import Company, User
from rooftree.outreach.messages import cancel_messages, redecide_held_messages
from rooftree.reporting.rollups import rollup_deltas
from rooftree.tasks.live_updates import publish_update

log = logging.getLogger(__name__)
CLEAR_TO_CLOSE = "clear_to_close"
MILESTONE_CAUSE = "milestone:"  # prefix of the cause of messages about a milestone
BATCH = 20  # loans per run


def receive_hint(*, hint: LoanHint, connection: Connection, at: datetime) -> None:
    """Store a verified webhook and enqueue the reading of its loan."""
    with transaction.atomic():
        if loan_updates.store_hint(hint, connection=connection, at=at):
            read_hints.enqueue()


@task(queue_name="soon", priority=10)
def read_hints() -> None:
    """Read every loan that the LOS reports as changed."""
    read_due_loans(at=clock.now())


def read_due_loans(*, at: datetime) -> int:
    """Read the loans of due hints; return how many hints.

    A loan's new milestones and the steps that follow them are stored in one transaction: a
    crash in between would lose the revenue, because a milestone is new only once.
    """
    due = LosEvent.objects.filter(read_at=None, due_at__lte=at).order_by("due_at")
    ids = list(due.values_list("pk", flat=True)[:BATCH])
    for event_id in ids:
        if hinted := loan_updates.read_hinted_loan(event_id=event_id, at=at):
            loan, reading = hinted
            with transaction.atomic():
                follow_loan_news(
                    loan_updates.apply_snapshot(reading, loan_id=loan.pk, at=at), at=at
                )
                loan_updates.mark_hint_read(event_id=event_id, at=at)
    return len(ids)


def poll_due_connections(*, at: datetime) -> int:
    """Poll each LOS for changes that no webhook reported; return how many loans were read."""
    loan_count = 0
    for connection in Connection.objects.filter(enabled_at__isnull=False, poll_due_at__lte=at):
        is_complete = False
        try:
            changes = loan_updates.find_changed_loans(connection=connection, at=at)
            for loan, changed in changes.ours:
                reading = loan_updates.read_from_los(loan, changed.content)
                with transaction.atomic():
                    follow_loan_news(
                        loan_updates.apply_snapshot(reading, loan_id=loan.pk, at=at), at=at
                    )
                loan_count += 1
            loan_updates.acknowledge_changes(changes, connection=connection)
            is_complete = True
        except VendorError as problem:
            log.warning("the poll of %s was interrupted: %s", connection.name, problem)
        loan_updates.schedule_next_poll(connection=connection, at=at, is_complete=is_complete)
    return loan_count


def follow_loan_news(news: LoanUpdate | None, *, at: datetime) -> None:
    """Count a loan's new milestones and notify the officer and, of good news, the borrower."""
    if news is None:
        return
    loan = news.loan
    with transaction.atomic():
        if news.is_application_now:
            rollup_deltas.count_application(loan)
        if news.is_funded_now:
            rollup_deltas.count_funding(loan)
        _book_revenue(loan, at)
        _announce_clearance(news, at)
        if loan.final_outcome:
            sequence_enrollment.stop_sequence(lead_id=loan.lead_id, because="file ended", at=at)
        credit_notice_triggers.update_credit_clocks(news, at=at)
        if news.is_resumed:
            _release_waiting_messages(loan, at)
        _notify_officer(news, at)
        _notify_unmapped_statuses(news, at)
        publish_update("lead", lead=str(loan.lead_id))


def _book_revenue(loan: Loan, at: datetime) -> None:
    """Book the revenue of a funded loan, or the difference if the LOS corrected it since.

    Compares with what was booked from the LOS only, so that a correction by hand stays.
    """
    if loan.los == BY_HAND or loan.revenue_cents is None or not loan.funded_date:
        return
    booked = loan.entries.filter(basis="los").order_by("booked_at", "id")
    change = loan.revenue_cents - sum(
        entry.amount_cents if entry.kind == "revenue" else -entry.amount_cents for entry in booked
    )
    if not change:
        return
    lead = Lead.objects.get(pk=loan.lead_id)
    nth = len(booked)
    entry = book_entries.book_entry(
        kind="revenue" if change > 0 else "reversal",
        amount_cents=abs(change),
        on_date=loan.funded_date,
        source_id=lead.source_id,
        campaign_id=lead.campaign_id,
        lead_id=lead.pk,
        loan_id=loan.pk,
        basis="los",
        idempotency_key=f"loan:{loan.pk}:funded" if nth == 0 else f"loan:{loan.pk}:revenue:{nth}",
        by=None,
        at=at,
    )
    rollup_deltas.count_revenue(entry)


def _alert_clear_to_close(step: Milestone, at: datetime) -> None:
    lead = Lead.objects.select_related("person", "officer__user").get(pk=step.loan.lead_id)
    if borrower_alerts.queue_clear_to_close_alert(
        lead=lead, cause=f"{MILESTONE_CAUSE}{step.loan_id}:{step.code}", at=at
    ):
        send_messages.enqueue()


def _announce_clearance(news: LoanUpdate, at: datetime) -> None:
    """Write to the borrower if the loan stands at clear to close; funding ends what waits."""
    if news.is_funded_now:
        _cancel_milestone_messages(news.loan, "The loan funded.", at)
    if news.loan.final_outcome or news.loan.milestone != CLEAR_TO_CLOSE:
        return
    for step in news.steps:
        if step.code == CLEAR_TO_CLOSE and not step.is_inferred:
            _alert_clear_to_close(step, at)


def _cancel_milestone_messages(loan: Loan, because: str, at: datetime) -> None:
    cancel_messages.cancel_overtaken(
        lead_id=loan.lead_id, because=because, at=at, causes=(MILESTONE_CAUSE,)
    )


def _release_waiting_messages(loan: Loan, at: datetime) -> None:
    """Decide anew on messages that waited for a status; cancel them if the file has ended."""
    if loan.final_outcome:
        _cancel_milestone_messages(loan, "The file ended in the LOS.", at)
    elif redecide_held_messages.redecide_after_status_mapped(lead_id=loan.lead_id, at=at):
        send_messages.enqueue()


def save_milestone_map(
    *, connection_id: UUID, meanings: Mapping[str, str | None], by: User, at: datetime
) -> int:
    """Map statuses of the LOS and read its paused loans again; return how many loans.

    Raises `InvalidConnection` for an unknown milestone.
    """
    with transaction.atomic():
        connection = los_connections.map_milestones(
            connection_id=connection_id, meanings=meanings, by=by, at=at
        )
        paused = los_connections.find_loans(connection).exclude(unmapped_statuses=[])
        return _read_again(paused, connection, at)


def save_lender_fields(
    *,
    connection_id: UUID,
    lead_fields: Mapping[str, str],
    revenue_fields: Sequence[str],
    by: User,
    at: datetime,
) -> int:
    """Set the lender's custom and revenue fields; return how many funded loans are read again.

    Raises `InvalidConnection` for a field that the LOS can't have.
    """
    with transaction.atomic():
        connection, is_revenue_changed = los_connections.set_lender_fields(
            connection_id=connection_id,
            lead_fields=lead_fields,
            revenue_fields=revenue_fields,
            by=by,
            at=at,
        )
        if not is_revenue_changed:
            return 0
        funded = los_connections.find_loans(connection).filter(funded_date__isnull=False)
        return _read_again(funded, connection, at)


def _read_again(loans: QuerySet[Loan], connection: Connection, at: datetime) -> int:
    count = loan_updates.queue_rereads([*loans], connection=connection, at=at)
    if count:
        read_hints.enqueue()
    return count


def _notify_unmapped_statuses(news: LoanUpdate, at: datetime) -> None:
    """Ask administrators, once, to map a LOS status that has no meaning here yet.

    Until then, automatic messages about the loan wait.
    """
    if not news.unmapped_statuses:
        return
    company, loan = Company.objects.get(), news.loan
    connection = Connection.objects.filter(los=loan.los, instance=loan.instance).first()
    link = f"/setup/los/{connection.pk}/#milestones" if connection else f"/leads/{loan.lead_id}/"
    for status in news.unmapped_statuses:
        staff_notices.notify_users(
            staff_notices.alarm_users(company.alarm_user_id),
            kind="unmapped",
            cause=f"unmapped:{news.loan.los}:{status}"[:160],
            text=(
                f"The LOS sent the status {status!r}, which isn't mapped yet. Automatic messages "
                "about its loans wait until you map it."
            ),
            link=link,
            at=at,
        )


def _notify_officer(news: LoanUpdate, at: datetime) -> None:
    lead = Lead.objects.select_related("officer", "person").get(pk=news.loan.lead_id)
    milestones = [step for step in news.steps if not step.is_inferred]
    if lead.officer is None or not milestones:
        return
    milestone_name = milestones[-1].code.replace("_", " ")
    staff_notices.notify_user(
        user_id=lead.officer.user_id,
        kind="milestone",
        idempotency_key=f"milestone:{milestones[-1].pk}",
        text=f"{lead.person.short_name}'s loan: {milestone_name}.",
        link=f"/leads/{lead.pk}/",
        at=at,
    )
