"""The whole clock of the product on one page: what is done periodically, and how often.

Every entry does a batch of what is due and claims its rows, so any number of
clocks may run. A restart loses nothing: what is due stays due.
"""

from datetime import datetime
from pathlib import Path

from django.conf import settings

from rooftree.capture import (
    auction,
    form_drafts,
    likeness,
    partner_alarms,
    retrieve,
    source_watch,
)
from rooftree.flow import (
    calls,
    credit,
    first_run,
    intake,
    keeping,
    left_forms,
    lists,
    mailboxes,
    messages,
    milestones,
    numbers,
    offers,
    releases,
    returns,
    sign_in,
    silence,
    sweeps,
    transfers,
)
from rooftree.ledger import seal
from rooftree.los import outbox
from rooftree.nurture import enrol
from rooftree.nurture.models import Sequence
from rooftree.org import staff_mail
from rooftree.outreach import approval_ends, ring, send
from rooftree.outreach.models import Template
from rooftree.reporting import fair_monitor, fold, heads
from rooftree.tasks.ticking import Tick


def work_waiting(at: datetime) -> None:
    """Deliveries whose nudge was lost."""
    while intake.work_next(at=at):
        pass


def look_up_waiting(at: datetime) -> None:
    """What vendors must still tell us of leads, and the deliveries that waited for it."""
    while retrieve.carry_out_next(at=at):
        work_waiting(at)


def claim_certificates(at: datetime) -> None:
    """Proofs of consent whose nudge was lost, or that must be tried again."""
    while intake.claim_next(at=at):
        pass


def step_sequences(at: datetime) -> None:
    """Sequence steps that are due, and their messages."""
    if enrol.step_due(at=at):
        messages.send_due(at=at)


def mend_messages(at: datetime) -> None:
    """Claims a crash left behind: looked up at the carrier, or shown; never sent again."""
    send.reclaim(at=at)
    send.look_up(at=at)
    ring.forget_stale(at=at)


def mail_notices(at: datetime) -> None:
    """What staff have not read on their page goes to their mailbox."""
    staff_mail.deliver_notices(at=at, limit=50)


def tell_of_approvals(at: datetime) -> None:
    """Wording and sequences that may soon not be sent any more."""
    for table in (Template, Sequence):
        approval_ends.tell(table, at=at)


def publish_heads(at: datetime) -> None:
    """The end of the ledger, signed once a day and kept where we cannot change it."""
    heads.publish_daily(at=at)
    if settings.HEADS_FOLDER:
        heads.put_elsewhere(Path(settings.HEADS_FOLDER))


TICKS = (
    Tick(name="offers whose time ran out", every=1, run=lambda at: offers.pass_on_lapsed(at=at)),
    Tick(name="leads nobody has yet", every=5, run=lambda at: offers.offer_waiting(at=at)),
    Tick(name="messages due", every=1, run=lambda at: messages.send_due(at=at)),
    Tick(name="releases", every=1, run=lambda at: releases.carry_out(at=at)),
    Tick(name="calls to officers due", every=1, run=lambda at: ring.ring_due(at=at)),
    Tick(name="recordings of calls due", every=5, run=lambda at: calls.tend_due(at=at)),
    Tick(name="ends of calls", every=600, run=lambda at: calls.look_up_ends(at=at)),
    Tick(name="deliveries waiting", every=2, run=work_waiting),
    Tick(name="look-ups at vendors due", every=2, run=look_up_waiting),
    Tick(name="certificates to claim", every=5, run=claim_certificates),
    Tick(name="vendors' own lists", every=30, run=lambda at: sweeps.go_through(at=at)),
    Tick(name="other systems being read", every=2, run=lambda at: transfers.read_due(at=at)),
    Tick(name="numbers to ask about", every=5, run=lambda at: numbers.ask_due(at=at)),
    Tick(name="do-not-contact files", every=60, run=lambda at: lists.look(at=at)),
    Tick(name="mailboxes to read", every=10, run=lambda at: mailboxes.read_due(at=at)),
    Tick(name="who may be the same human", every=5, run=lambda at: likeness.look(at=at)),
    Tick(name="forms that were left", every=5, run=lambda at: left_forms.take_in(at=at)),
    Tick(name="silent sources", every=60, run=lambda at: source_watch.look_for_silence(at=at)),
    Tick(name="quality of sources", every=3600, run=lambda at: source_watch.look_at_quality(at=at)),
    Tick(name="ledger sealing", every=1, run=lambda at: seal.seal(at=at)),
    Tick(name="heads of the ledger", every=60, run=publish_heads),
    Tick(name="sums folding", every=5, run=lambda at: fold.fold(at=at)),
    Tick(name="sequence steps due", every=10, run=step_sequences),
    Tick(name="hand-offs due", every=10, run=lambda at: outbox.send_due(at=at)),
    Tick(name="LOS hints due", every=10, run=lambda at: milestones.read_due(at=at)),
    Tick(name="LOS polls due", every=30, run=lambda at: milestones.poll_due(at=at)),
    Tick(name="messages of unknown fate", every=30, run=mend_messages),
    Tick(name="notices to staff", every=10, run=mail_notices),
    Tick(
        name="what a company starts with",
        every=60,
        run=lambda at: first_run.ensure_of_company(at=at),
    ),
    Tick(name="approvals that end", every=600, run=tell_of_approvals),
    Tick(name="sessions that ended", every=600, run=lambda at: sign_in.sweep(at=at)),
    Tick(name="drafts let go", every=3600, run=lambda at: form_drafts.forget(at=at)),
    Tick(
        name="months compared for fair lending",
        every=3600,
        run=lambda at: fair_monitor.close_due(at=at),
    ),
    Tick(name="things of value", every=3600, run=lambda at: partner_alarms.look(at=at)),
    Tick(name="credit notices due", every=60, run=lambda at: credit.go_through(at=at)),
    Tick(name="leads to give back", every=30, run=lambda at: returns.go_through(at=at)),
    Tick(name="returns not sent", every=60, run=lambda at: returns.remind(at=at)),
    Tick(name="pings let go", every=3600, run=lambda at: auction.forget(at=at)),
    Tick(name="leads gone quiet", every=600, run=lambda at: silence.close_quiet(at=at)),
    Tick(name="records no longer kept", every=21600, run=lambda at: keeping.count(at=at)),
    Tick(name="removals under way", every=10, run=lambda at: keeping.remove(at=at)),
    Tick(name="licenses that ended", every=300, run=lambda at: offers.end_unlicensed(at=at)),
)
