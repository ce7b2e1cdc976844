"""The whole clock of the product on one page: what is done periodically, and how often.

Every entry does a batch of what is due and claims its rows, so any number of
clocks may run. A restart loses nothing: what is due stays due.
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
    bootstrap,
    call_events,
    close_stale_leads,
    credit_notice_triggers,
    crm_transfers,
    data_removal,
    dnc_list_imports,
    lead_arrival,
    lead_offers,
    loan_milestones,
    message_dispatch,
    number_lookups,
    read_mailboxes,
    release_runner,
    vendor_returns,
    vendor_sweeps,
)
from rooftree.ledger import seal
from rooftree.los import handoff_outbox
from rooftree.nurture import sequence_enrollment
from rooftree.nurture.models import Sequence
from rooftree.org import staff_mail
from rooftree.outreach.calls import officer_calls
from rooftree.outreach.messages import send
from rooftree.outreach.models import Template
from rooftree.outreach.wording import approval_reminders
from rooftree.reporting.evidence import ledger_checkpoints
from rooftree.reporting.fair_lending_monitor import monthly_comparison
from rooftree.reporting.rollups import fold_rollups
from rooftree.tasks.scheduler import PeriodicJob


def process_waiting_deliveries(at: datetime) -> None:
    """Deliveries whose nudge was lost."""
    while lead_arrival.process_next_batch(at=at):
        pass


def run_vendor_lookups(at: datetime) -> None:
    """What vendors must still tell us of leads, and the deliveries that waited for it."""
    while vendor_lookups.run_next_lookup(at=at):
        process_waiting_deliveries(at)


def claim_certificates(at: datetime) -> None:
    """Proofs of consent whose nudge was lost, or that must be tried again."""
    while lead_arrival.claim_next_certificate(at=at):
        pass


def run_due_sequence_steps(at: datetime) -> None:
    """Sequence steps that are due, and their messages."""
    if sequence_enrollment.queue_due_steps(at=at):
        message_dispatch.send_due_messages(at=at)


def recover_interrupted_messages(at: datetime) -> None:
    """Claims a crash left behind: looked up at the carrier, or shown; never sent again."""
    send.reclaim_stale_messages(at=at)
    send.reconcile_uncertain_texts(at=at)
    officer_calls.fail_stale_rings(at=at)


def mail_notices(at: datetime) -> None:
    """What staff have not read on their page goes to their mailbox."""
    staff_mail.mail_due_notices(at=at, limit=50)


def notify_expiring_approvals(at: datetime) -> None:
    """Wording and sequences that may soon not be sent any more."""
    for table in (Template, Sequence):
        approval_reminders.send_approval_reminders(table, at=at)


def publish_heads(at: datetime) -> None:
    """The end of the ledger, signed once a day and kept where we cannot change it."""
    ledger_checkpoints.publish_daily_head(at=at)
    if settings.HEADS_FOLDER:
        ledger_checkpoints.copy_heads_to(Path(settings.HEADS_FOLDER))


TICKS = (
    PeriodicJob(
        name="offers whose time ran out",
        interval_seconds=1,
        run=lambda at: lead_offers.pass_on_lapsed_offers(at=at),
    ),
    PeriodicJob(
        name="leads nobody has yet",
        interval_seconds=5,
        run=lambda at: lead_offers.offer_waiting_leads(at=at),
    ),
    PeriodicJob(
        name="messages due",
        interval_seconds=1,
        run=lambda at: message_dispatch.send_due_messages(at=at),
    ),
    PeriodicJob(
        name="releases", interval_seconds=1, run=lambda at: release_runner.run_releases(at=at)
    ),
    PeriodicJob(
        name="calls to officers due",
        interval_seconds=1,
        run=lambda at: officer_calls.place_due_calls(at=at),
    ),
    PeriodicJob(
        name="recordings of calls due",
        interval_seconds=5,
        run=lambda at: call_events.process_due_recordings(at=at),
    ),
    PeriodicJob(
        name="ends of calls",
        interval_seconds=600,
        run=lambda at: call_events.look_up_call_ends(at=at),
    ),
    PeriodicJob(name="deliveries waiting", interval_seconds=2, run=process_waiting_deliveries),
    PeriodicJob(name="look-ups at vendors due", interval_seconds=2, run=run_vendor_lookups),
    PeriodicJob(name="certificates to claim", interval_seconds=5, run=claim_certificates),
    PeriodicJob(
        name="vendors' own lists",
        interval_seconds=30,
        run=lambda at: vendor_sweeps.run_due_sweeps(at=at),
    ),
    PeriodicJob(
        name="other systems being read",
        interval_seconds=2,
        run=lambda at: crm_transfers.read_due_pages(at=at),
    ),
    PeriodicJob(
        name="numbers to ask about",
        interval_seconds=5,
        run=lambda at: number_lookups.ask_due_questions(at=at),
    ),
    PeriodicJob(
        name="do-not-contact files",
        interval_seconds=60,
        run=lambda at: dnc_list_imports.enqueue_waiting_files(at=at),
    ),
    PeriodicJob(
        name="mailboxes to read",
        interval_seconds=10,
        run=lambda at: read_mailboxes.read_due_mailboxes(at=at),
    ),
    PeriodicJob(
        name="who may be the same human",
        interval_seconds=5,
        run=lambda at: duplicate_review.compare_new_people(at=at),
    ),
    PeriodicJob(
        name="forms that were left",
        interval_seconds=5,
        run=lambda at: abandoned_forms.submit_abandoned_forms(at=at),
    ),
    PeriodicJob(
        name="silent sources",
        interval_seconds=60,
        run=lambda at: source_health_alerts.check_silent_sources(at=at),
    ),
    PeriodicJob(
        name="quality of sources",
        interval_seconds=3600,
        run=lambda at: source_health_alerts.check_lead_quality(at=at),
    ),
    PeriodicJob(name="ledger sealing", interval_seconds=1, run=lambda at: seal.seal_events(at=at)),
    PeriodicJob(name="heads of the ledger", interval_seconds=60, run=publish_heads),
    PeriodicJob(
        name="sums folding", interval_seconds=5, run=lambda at: fold_rollups.fold_deltas(at=at)
    ),
    PeriodicJob(name="sequence steps due", interval_seconds=10, run=run_due_sequence_steps),
    PeriodicJob(
        name="hand-offs due",
        interval_seconds=10,
        run=lambda at: handoff_outbox.send_due_handoffs(at=at),
    ),
    PeriodicJob(
        name="LOS hints due",
        interval_seconds=10,
        run=lambda at: loan_milestones.read_due_loans(at=at),
    ),
    PeriodicJob(
        name="LOS polls due",
        interval_seconds=30,
        run=lambda at: loan_milestones.poll_due_connections(at=at),
    ),
    PeriodicJob(
        name="messages of unknown fate", interval_seconds=30, run=recover_interrupted_messages
    ),
    PeriodicJob(name="notices to staff", interval_seconds=10, run=mail_notices),
    PeriodicJob(
        name="what a company starts with",
        interval_seconds=60,
        run=lambda at: bootstrap.create_defaults_if_company(at=at),
    ),
    PeriodicJob(name="approvals that end", interval_seconds=600, run=notify_expiring_approvals),
    PeriodicJob(
        name="sessions that ended",
        interval_seconds=600,
        run=lambda at: account_security.delete_expired_sessions(at=at),
    ),
    PeriodicJob(
        name="drafts let go",
        interval_seconds=3600,
        run=lambda at: form_drafts.delete_old_drafts(at=at),
    ),
    PeriodicJob(
        name="months compared for fair lending",
        interval_seconds=3600,
        run=lambda at: monthly_comparison.compare_due_months(at=at),
    ),
    PeriodicJob(
        name="things of value",
        interval_seconds=3600,
        run=lambda at: things_of_value_findings.check_partners(at=at),
    ),
    PeriodicJob(
        name="credit notices due",
        interval_seconds=60,
        run=lambda at: credit_notice_triggers.remind_and_close_due(at=at),
    ),
    PeriodicJob(
        name="leads to give back",
        interval_seconds=30,
        run=lambda at: vendor_returns.check_due_contracts(at=at),
    ),
    PeriodicJob(
        name="returns not sent",
        interval_seconds=60,
        run=lambda at: vendor_returns.remind_unsent_returns(at=at),
    ),
    PeriodicJob(
        name="pings let go",
        interval_seconds=3600,
        run=lambda at: placed_bids.delete_old_bids(at=at),
    ),
    PeriodicJob(
        name="leads gone quiet",
        interval_seconds=600,
        run=lambda at: close_stale_leads.close_due(at=at),
    ),
    PeriodicJob(
        name="records no longer kept",
        interval_seconds=21600,
        run=lambda at: data_removal.plan_removal(at=at),
    ),
    PeriodicJob(
        name="removals under way",
        interval_seconds=10,
        run=lambda at: data_removal.run_removals(at=at),
    ),
    PeriodicJob(
        name="licenses that ended",
        interval_seconds=300,
        run=lambda at: lead_offers.end_unlicensed_assignments(at=at),
    ),
)
