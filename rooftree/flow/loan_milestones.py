"""The steps that follow when a loan moves in the LOS."""

import logging
from datetime import datetime

from django.db import transaction
from django.tasks import task

from rooftree.core.vendor_errors import VendorError
from rooftree.flow import clock, credit_notice_triggers
from rooftree.flow.message_dispatch import send_messages
from rooftree.leads.models import Lead, Milestone
from rooftree.los import loan_updates
from rooftree.los.loan_snapshot import LoanHint
from rooftree.los.loan_updates import LoanUpdate
from rooftree.los.models import Connection, LosEvent
from rooftree.money import book_entries
from rooftree.nurture import borrower_alerts, sequence_enrollment
from rooftree.org import staff_notices
from rooftree.org.models import Company
from rooftree.reporting.rollups import rollup_deltas
from rooftree.tasks.live_updates import publish_update

log = logging.getLogger(__name__)
CLEAR_TO_CLOSE = "clear_to_close"
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
            for loan in loan_updates.find_changed_loans(connection=connection, at=at):
                reading = loan_updates.read_from_los(loan)
                with transaction.atomic():
                    follow_loan_news(
                        loan_updates.apply_snapshot(reading, loan_id=loan.pk, at=at), at=at
                    )
                loan_count += 1
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
            _book_revenue(news, at)
            rollup_deltas.count_funding(loan)
        for step in news.steps:
            if step.code == CLEAR_TO_CLOSE and not step.is_inferred and not loan.final_outcome:
                _alert_clear_to_close(step, at)
        if loan.final_outcome:
            sequence_enrollment.stop_sequence(lead_id=loan.lead_id, because="file ended", at=at)
        credit_notice_triggers.update_credit_clocks(news, at=at)
        _notify_officer(news, at)
        _notify_unmapped_statuses(news, at)
        publish_update("lead", lead=str(loan.lead_id))


def _book_revenue(news: LoanUpdate, at: datetime) -> None:
    loan = news.loan
    if not loan.revenue_cents or not loan.funded_date:
        return
    lead = Lead.objects.get(pk=loan.lead_id)
    entry = book_entries.book_entry(
        kind="revenue",
        amount_cents=loan.revenue_cents,
        on_date=loan.funded_date,
        source_id=lead.source_id,
        campaign_id=lead.campaign_id,
        lead_id=lead.pk,
        loan_id=loan.pk,
        basis="los",
        idempotency_key=f"loan:{loan.pk}:funded",
        by=None,
        at=at,
    )
    rollup_deltas.count_revenue(entry)


def _alert_clear_to_close(step: Milestone, at: datetime) -> None:
    lead = Lead.objects.select_related("person", "officer__user").get(pk=step.loan.lead_id)
    if borrower_alerts.queue_clear_to_close_alert(
        lead=lead, cause=f"milestone:{step.loan_id}:{step.code}", at=at
    ):
        send_messages.enqueue()


def _notify_unmapped_statuses(news: LoanUpdate, at: datetime) -> None:
    """Ask administrators, once, to map a LOS status that has no meaning here yet.

    An unmapped status changes nothing.
    """
    company = Company.objects.get()
    for status in news.unmapped_statuses:
        staff_notices.notify_users(
            staff_notices.alarm_users(company.alarm_user_id),
            kind="unmapped",
            cause=f"unmapped:{news.loan.los}:{status}"[:160],
            text=f"The LOS sent the status {status!r}, which isn't mapped yet. Map it.",
            link=f"/leads/{news.loan.lead_id}/",
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
