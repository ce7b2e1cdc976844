"""What comes back from the LOS: every hint read once, no step lost, none counted twice."""

from datetime import date

import pytest

from rooftree.flow import loan_milestones
from rooftree.leads.models import Loan, Milestone
from rooftree.los import handoff_outbox, loan_updates
from rooftree.los.loan_snapshot import LoanHint
from rooftree.los.models import Connection, Handoff, LosEvent
from rooftree.money.models import Entry
from rooftree.outreach.models import Message
from tests import make as rows
from tests.flow import journey


@pytest.fixture
def loan(world, lead) -> Loan:
    handoff_outbox.queue_handoff(lead_id=lead.pk, by=lead.officer.user, at=rows.NOON)
    handoff_outbox.send_due_handoffs(at=rows.NOON)
    return Loan.objects.get()


def hint(loan_id: str, event_id: str = "e-1", minutes: float = 1) -> LosEvent | None:
    connection = Connection.objects.get()
    told = LoanHint(
        event_id=event_id,
        event_type="update",
        loan_id=loan_id,
        instance=connection.instance,
        happened_at=None,
    )
    return loan_updates.store_hint(told, connection=connection, at=journey.later(minutes))


def funds(world, loan: Loan) -> None:
    world.say("enc/scenario", {"loan_id": loan.los_loan_id, "path": "happy", "days": 1})
    world.pass_time("PT30H")


def test_the_same_hint_is_kept_once(world, loan):
    assert hint(loan.los_loan_id) is not None
    assert hint(loan.los_loan_id) is None
    assert LosEvent.objects.count() == 1


def test_a_funded_loan_is_counted_once_however_often_it_is_told(world, loan):
    funds(world, loan)
    for nth in range(3):
        hint(loan.los_loan_id, f"e-{nth}")

    for minutes in (1, 2):
        loan_milestones.read_due_loans(at=journey.later(minutes))

    loan.refresh_from_db()
    assert (loan.milestone, loan.lead.state) == ("funded", "funded")
    assert isinstance(loan.funded_date, date)
    assert Entry.objects.filter(kind="revenue").count() == 1
    codes = list(Milestone.objects.filter(is_return=False).values_list("code", flat=True))
    assert len(codes) == len(set(codes))
    told = Message.objects.filter(cause__startswith="milestone:", medium="email")
    assert told.count() == 1
    assert not LosEvent.objects.filter(read_at=None).exists()


def test_a_los_that_does_not_answer_is_read_later_and_holds_up_no_other_loan(world, loan):
    funds(world, loan)
    world.say("enc/faults", {"match": {"method": "GET"}, "count": 20, "action": "status:500"})
    hint(loan.los_loan_id)
    hint("somebody-elses", "e-2", minutes=1)

    loan_milestones.read_due_loans(at=journey.later(1))

    waiting = LosEvent.objects.get(event_id="e-1")
    assert (waiting.read_at, waiting.attempts) == (None, 1)
    assert waiting.due_at > journey.later(1)
    assert waiting.problem
    assert LosEvent.objects.get(event_id="e-2").read_at  # not ours, and dealt with
    world.simulators.encompass.faults.clear_faults()
    loan_milestones.read_due_loans(at=journey.later(10))
    loan.refresh_from_db()
    assert loan.milestone == "funded"


def test_a_hint_about_a_loan_we_are_only_making_waits_for_its_number(world, lead):
    """Encompass may tell of the loan before its answer to our create has been written down."""
    handoff_outbox.queue_handoff(lead_id=lead.pk, by=lead.officer.user, at=rows.NOON)
    handoff_outbox.send_due_handoffs(at=rows.NOON)
    loan = Loan.objects.get()
    loan_id = loan.los_loan_id
    Handoff.objects.update(state="uncertain", loan=None, due_at=journey.later(3))
    loan.delete()
    hint(loan_id)

    loan_milestones.read_due_loans(at=journey.later(1))
    assert LosEvent.objects.get().read_at is None
    world.pass_time("PT5M")
    handoff_outbox.send_due_handoffs(at=journey.later(3))
    loan_milestones.read_due_loans(at=journey.later(10))

    assert Loan.objects.get().los_loan_id == loan_id
    assert LosEvent.objects.get().read_at == journey.later(10)


def test_the_poll_finds_what_no_webhook_told(world, loan):
    Connection.objects.update(poll_due_at=journey.later(30))
    funds(world, loan)

    assert loan_milestones.poll_due_connections(at=journey.later(29)) == 0
    assert loan_milestones.poll_due_connections(at=journey.later(30)) == 1

    loan.refresh_from_db()
    assert loan.milestone == "funded"
    assert Entry.objects.filter(kind="revenue").count() == 1
    row = Connection.objects.get()
    assert (row.polled_to_at, row.poll_due_at) == (
        journey.later(30),
        journey.later(30) + loan_updates.POLL_EVERY,
    )


def test_a_poll_that_breaks_off_is_asked_again_from_where_it_began(world, loan):
    Connection.objects.update(poll_due_at=journey.later(30), polled_to_at=rows.NOON)
    funds(world, loan)
    world.say(
        "enc/faults",
        {"match": {"path_regex": "/milestones"}, "count": 20, "action": "status:500"},
    )

    assert loan_milestones.poll_due_connections(at=journey.later(30)) == 0

    row = Connection.objects.get()
    assert row.polled_to_at == rows.NOON
    assert row.poll_due_at == journey.later(30) + loan_updates.POLL_EVERY
    world.simulators.encompass.faults.clear_faults()
    assert loan_milestones.poll_due_connections(at=journey.later(36)) == 1
    loan.refresh_from_db()
    assert loan.milestone == "funded"


def test_a_los_that_was_switched_off_is_not_polled(world, loan):
    Connection.objects.update(poll_due_at=journey.later(1), enabled_at=None)

    assert loan_milestones.poll_due_connections(at=journey.later(30)) == 0


def test_reading_a_loan_whose_los_is_gone_says_so(world, loan):
    Connection.objects.update(enabled_at=None)

    with pytest.raises(loan_updates.Misconfigured, match="not connected any more"):
        loan_updates.read_from_los(loan)
