"""The periodic jobs of the product and their intervals, on one page.

Every job handles a batch of due rows and claims them, so any number of schedulers can run.
A restart loses nothing, because due rows stay due.
"""

from datetime import datetime
from pathlib import Path

from django.conf import settings

from rooftree.capture.bidding import placed_bids
from rooftree.capture.identity import duplicate_review
from rooftree.capture.intake import vendor_lookups
from rooftree.capture.own_form import form_drafts
from rooftree.capture.partners import things_of_value_findings
from rooftree.capture.source_setup import source_health_alerts
from rooftree.flow import (
    abandoned_forms,
    account_security,
    appointments,
    bootstrap,
    call_deadlines,
    call_events,
    close_stale_leads,
    credit_notice_triggers,
    crm_transfers,
    data_removal,
    dnc_list_imports,
    lead_arrival,
    lead_offers,
    loan_milestones,
    mail_checks,
    message_dispatch,
    money_in,
    number_lookups,
    promises,
    read_mailboxes,
    release_runner,
    undo_window,
    vendor_returns,
    vendor_sweeps,
)
from rooftree.ledger import seal
from rooftree.los import handoff_outbox
from rooftree.nurture import due_steps, sequence_starts
from rooftree.nurture.models import Sequence
from rooftree.org import staff_mail
from rooftree.outreach.calls import officer_calls
from rooftree.outreach.carrier import carrier_setup
from rooftree.outreach.messages import send
from rooftree.outreach.models import Template
from rooftree.outreach.wording import approval_reminders
from rooftree.reporting.evidence import ledger_checkpoints
from rooftree.reporting.fair_lending_monitor import monthly_comparison
from rooftree.reporting.rollups import fold_rollups
from rooftree.tasks.scheduler import PeriodicJob


def process_waiting_deliveries(at: datetime) -> None:
    """Process deliveries whose task was lost."""
    while lead_arrival.process_next_batch(at=at):
        pass


def run_vendor_lookups(at: datetime) -> None:
    """Run due vendor look-ups, and process the deliveries that waited for them."""
    while vendor_lookups.run_next_lookup(at=at):
        process_waiting_deliveries(at)


def claim_certificates(at: datetime) -> None:
    """Claim consent certificates whose task was lost or that are due for a retry."""
    while lead_arrival.claim_next_certificate(at=at):
        pass


def run_due_sequence_steps(at: datetime) -> None:
    """Queue due sequence steps and send their messages."""
    if due_steps.queue_due_steps(at=at):
        message_dispatch.send_due_messages(at=at)


def recover_interrupted_messages(at: datetime) -> None:
    """Recover messages and calls that a crash interrupted, without sending any again.

    Uncertain texts are looked up at the carrier; the rest is shown to staff.
    """
    send.reclaim_stale_messages(at=at)
    send.reconcile_uncertain_texts(at=at)
    officer_calls.fail_stale_rings(at=at)


def mail_notices(at: datetime) -> None:
    """Mail notices that staff have not read on their page."""
    staff_mail.mail_due_notices(at=at, limit=50)


def notify_expiring_approvals(at: datetime) -> None:
    """Remind staff of templates and sequences whose approval expires soon."""
    for table in (Template, Sequence):
        approval_reminders.send_approval_reminders(table, at=at)


def publish_ledger_heads(at: datetime) -> None:
    """Sign the head of the ledger once a day and copy it to a place we can't change."""
    ledger_checkpoints.publish_daily_head(at=at)
    if settings.HEADS_FOLDER:
        ledger_checkpoints.copy_heads_to(Path(settings.HEADS_FOLDER))


TICKS = (
    PeriodicJob(
        name="lapsed offers",
        interval_seconds=1,
        run=lambda at: lead_offers.pass_on_lapsed_offers(at=at),
    ),
    PeriodicJob(
        name="declined offers",
        interval_seconds=1,
        run=lambda at: lead_offers.pass_on_declined_offers(at=at),
    ),
    PeriodicJob(
        name="ended pauses",
        interval_seconds=5,
        run=lambda at: lead_offers.end_due_pauses(at=at),
    ),
    PeriodicJob(
        name="unassigned leads",
        interval_seconds=5,
        run=lambda at: lead_offers.offer_waiting_leads(at=at),
    ),
    PeriodicJob(
        name="promises",
        interval_seconds=5,
        run=lambda at: promises.watch_promises(at=at),
    ),
    PeriodicJob(
        name="deadlines of calls that aren't allowed",
        interval_seconds=15,
        run=lambda at: call_deadlines.move_unlawful_deadlines(at=at),
    ),
    PeriodicJob(
        name="due messages",
        interval_seconds=1,
        run=lambda at: message_dispatch.send_due_messages(at=at),
    ),
    PeriodicJob(
        name="outcomes to settle",
        interval_seconds=1,
        run=lambda at: undo_window.settle_due_acts(at=at),
    ),
    PeriodicJob(
        name="releases", interval_seconds=1, run=lambda at: release_runner.run_releases(at=at)
    ),
    PeriodicJob(
        name="due officer calls",
        interval_seconds=1,
        run=lambda at: officer_calls.place_due_calls(at=at),
    ),
    PeriodicJob(
        name="due call recordings",
        interval_seconds=5,
        run=lambda at: call_events.process_due_recordings(at=at),
    ),
    PeriodicJob(
        name="missing call ends",
        interval_seconds=600,
        run=lambda at: call_events.look_up_call_ends(at=at),
    ),
    PeriodicJob(name="waiting deliveries", interval_seconds=2, run=process_waiting_deliveries),
    PeriodicJob(name="vendor look-ups", interval_seconds=2, run=run_vendor_lookups),
    PeriodicJob(name="consent certificates", interval_seconds=5, run=claim_certificates),
    PeriodicJob(
        name="missed-lead sweeps",
        interval_seconds=30,
        run=lambda at: vendor_sweeps.run_due_sweeps(at=at),
    ),
    PeriodicJob(
        name="CRM transfers",
        interval_seconds=2,
        run=lambda at: crm_transfers.read_due_pages(at=at),
    ),
    PeriodicJob(
        name="number look-ups",
        interval_seconds=5,
        run=lambda at: number_lookups.ask_due_questions(at=at),
    ),
    PeriodicJob(
        name="do-not-call files",
        interval_seconds=60,
        run=lambda at: dnc_list_imports.enqueue_waiting_files(at=at),
    ),
    PeriodicJob(
        name="mailboxes",
        interval_seconds=10,
        run=lambda at: read_mailboxes.read_due_mailboxes(at=at),
    ),
    PeriodicJob(
        name="possible duplicates",
        interval_seconds=5,
        run=lambda at: duplicate_review.compare_new_people(at=at),
    ),
    PeriodicJob(
        name="abandoned forms",
        interval_seconds=5,
        run=lambda at: abandoned_forms.submit_abandoned_forms(at=at),
    ),
    PeriodicJob(
        name="silent sources",
        interval_seconds=60,
        run=lambda at: source_health_alerts.check_silent_sources(at=at),
    ),
    PeriodicJob(
        name="prices per lead",
        interval_seconds=60,
        run=lambda at: money_in.apply_due_prices(at=at),
    ),
    PeriodicJob(
        name="lead quality",
        interval_seconds=3600,
        run=lambda at: source_health_alerts.check_lead_quality(at=at),
    ),
    PeriodicJob(name="ledger sealing", interval_seconds=1, run=lambda at: seal.seal_events(at=at)),
    PeriodicJob(name="ledger heads", interval_seconds=60, run=publish_ledger_heads),
    PeriodicJob(
        name="rollup folding", interval_seconds=5, run=lambda at: fold_rollups.fold_deltas(at=at)
    ),
    PeriodicJob(name="due sequence steps", interval_seconds=10, run=run_due_sequence_steps),
    PeriodicJob(
        name="sequence starts",
        interval_seconds=60,
        run=lambda at: sequence_starts.enroll_due_leads(at=at),
    ),
    PeriodicJob(
        name="due hand-offs",
        interval_seconds=10,
        run=lambda at: handoff_outbox.send_due_handoffs(at=at),
    ),
    PeriodicJob(
        name="due LOS hints",
        interval_seconds=10,
        run=lambda at: loan_milestones.read_due_loans(at=at),
    ),
    PeriodicJob(
        name="due LOS polls",
        interval_seconds=30,
        run=lambda at: loan_milestones.poll_due_connections(at=at),
    ),
    PeriodicJob(name="interrupted messages", interval_seconds=30, run=recover_interrupted_messages),
    PeriodicJob(
        name="appointment reminders",
        interval_seconds=30,
        run=lambda at: appointments.send_due_reminders(at=at),
    ),
    PeriodicJob(
        name="mail server and DNS records",
        interval_seconds=3600,
        run=lambda at: mail_checks.recheck_mail(at=at),
    ),
    PeriodicJob(name="staff notices", interval_seconds=10, run=mail_notices),
    PeriodicJob(
        name="company defaults",
        interval_seconds=60,
        run=lambda at: bootstrap.create_defaults_if_company(at=at),
    ),
    PeriodicJob(name="expiring approvals", interval_seconds=600, run=notify_expiring_approvals),
    PeriodicJob(
        name="expired sessions",
        interval_seconds=600,
        run=lambda at: account_security.delete_expired_sessions(at=at),
    ),
    PeriodicJob(
        name="old form drafts",
        interval_seconds=3600,
        run=lambda at: form_drafts.delete_old_drafts(at=at),
    ),
    PeriodicJob(
        name="fair lending comparison",
        interval_seconds=3600,
        run=lambda at: monthly_comparison.compare_due_months(at=at),
    ),
    PeriodicJob(
        name="RESPA log",
        interval_seconds=3600,
        run=lambda at: things_of_value_findings.check_partners(at=at),
    ),
    PeriodicJob(
        name="carrier account",
        interval_seconds=60,
        run=lambda at: carrier_setup.check_due_account(at=at),
    ),
    PeriodicJob(
        name="due credit notices",
        interval_seconds=60,
        run=lambda at: credit_notice_triggers.process_due_clocks(at=at),
    ),
    PeriodicJob(
        name="lead returns",
        interval_seconds=30,
        run=lambda at: vendor_returns.check_due_contracts(at=at),
    ),
    PeriodicJob(
        name="unsent returns",
        interval_seconds=60,
        run=lambda at: vendor_returns.remind_unsent_returns(at=at),
    ),
    PeriodicJob(
        name="old bids",
        interval_seconds=3600,
        run=lambda at: placed_bids.delete_old_bids(at=at),
    ),
    PeriodicJob(
        name="stale leads",
        interval_seconds=600,
        run=lambda at: close_stale_leads.close_due_leads(at=at),
    ),
    PeriodicJob(
        name="removal planning",
        interval_seconds=21600,
        run=lambda at: data_removal.plan_removal(at=at),
    ),
    PeriodicJob(
        name="removals",
        interval_seconds=10,
        run=lambda at: data_removal.run_removals(at=at),
    ),
    PeriodicJob(
        name="expired licenses",
        interval_seconds=300,
        run=lambda at: lead_offers.end_unlicensed_assignments(at=at),
    ),
)
