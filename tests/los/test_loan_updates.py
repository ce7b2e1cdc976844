"""Loan updates from the LOS: every hint read once, no step lost or counted twice."""

from datetime import date

import pytest

from rooftree.flow import loan_milestones
from rooftree.leads.models import Loan, Milestone
from rooftree.los import adapter_pool, handoff_outbox, loan_updates
from rooftree.los.loan_snapshot import ChangedLoan, LoanHint
from rooftree.los.models import Connection, Handoff, LosEvent
from rooftree.money.models import Entry
from rooftree.outreach.models import Message
from tests import make
from tests.flow import journey


@pytest.fixture
def loan(world, lead) -> Loan:
    handoff_outbox.queue_handoff(lead_id=lead.pk, by=lead.officer.user, at=make.NOON)
    handoff_outbox.send_due_handoffs(at=make.NOON)
    return Loan.objects.get()


def store_hint(loan_id: str, event_id: str = "e-1", minutes: float = 1) -> LosEvent | None:
    connection = Connection.objects.get()
    loan_hint = LoanHint(
        event_id=event_id,
        event_type="update",
        loan_id=loan_id,
        instance=connection.instance,
        happened_at=None,
    )
    return loan_updates.store_hint(loan_hint, connection=connection, at=journey.later(minutes))


def fund_loan(world, loan: Loan) -> None:
    world.say("enc/scenario", {"loan_id": loan.los_loan_id, "path": "happy", "days": 1})
    world.pass_time("PT30H")


def test_repeated_hint_is_stored_once(world, loan):
    assert store_hint(loan.los_loan_id) is not None
    assert store_hint(loan.los_loan_id) is None
    assert LosEvent.objects.count() == 1


def test_funded_loan_is_counted_once_despite_repeated_hints(world, loan):
    fund_loan(world, loan)
    for nth in range(3):
        store_hint(loan.los_loan_id, f"e-{nth}")

    for minutes in (1, 2):
        loan_milestones.read_due_loans(at=journey.later(minutes))

    loan.refresh_from_db()
    assert (loan.milestone, loan.lead.state) == ("funded", "funded")
    assert isinstance(loan.funded_date, date)
    assert Entry.objects.filter(kind="revenue").count() == 1
    codes = list(Milestone.objects.filter(is_return=False).values_list("code", flat=True))
    assert len(codes) == len(set(codes))
    assert not Message.objects.filter(idempotency_key__startswith="milestone:").exists()
    assert not LosEvent.objects.filter(read_at=None).exists()


def test_loan_of_failing_los_is_read_later_without_delaying_others(world, loan):
    fund_loan(world, loan)
    world.say("enc/faults", {"match": {"method": "GET"}, "count": 20, "action": "status:500"})
    store_hint(loan.los_loan_id)
    store_hint("somebody-elses", "e-2", minutes=1)

    loan_milestones.read_due_loans(at=journey.later(1))

    waiting = LosEvent.objects.get(event_id="e-1")
    assert (waiting.read_at, waiting.attempts) == (None, 1)
    assert waiting.due_at > journey.later(1)
    assert waiting.problem
    assert LosEvent.objects.get(event_id="e-2").read_at  # not ours, and closed
    world.simulators.encompass.faults.clear_faults()
    loan_milestones.read_due_loans(at=journey.later(10))
    loan.refresh_from_db()
    assert loan.milestone == "funded"


def test_hint_about_a_loan_being_created_waits_for_its_number(world, lead):
    """Encompass can announce the loan before we have stored its answer to the create."""
    handoff_outbox.queue_handoff(lead_id=lead.pk, by=lead.officer.user, at=make.NOON)
    handoff_outbox.send_due_handoffs(at=make.NOON)
    loan = Loan.objects.get()
    loan_id = loan.los_loan_id
    Handoff.objects.update(state="uncertain", loan=None, due_at=journey.later(3))
    loan.delete()
    store_hint(loan_id)

    loan_milestones.read_due_loans(at=journey.later(1))
    assert LosEvent.objects.get().read_at is None
    world.pass_time("PT5M")
    handoff_outbox.send_due_handoffs(at=journey.later(3))
    loan_milestones.read_due_loans(at=journey.later(10))

    assert Loan.objects.get().los_loan_id == loan_id
    assert LosEvent.objects.get().read_at == journey.later(10)


def test_poll_finds_changes_without_webhook(world, loan):
    Connection.objects.update(poll_due_at=journey.later(30))
    fund_loan(world, loan)

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


def test_interrupted_poll_starts_again_from_the_same_moment(world, loan):
    Connection.objects.update(poll_due_at=journey.later(30), polled_to_at=make.NOON)
    fund_loan(world, loan)
    world.say(
        "enc/faults",
        {"match": {"path_regex": "/milestones"}, "count": 20, "action": "status:500"},
    )

    assert loan_milestones.poll_due_connections(at=journey.later(30)) == 0

    row = Connection.objects.get()
    assert row.polled_to_at == make.NOON
    assert row.poll_due_at == journey.later(30) + loan_updates.POLL_EVERY
    world.simulators.encompass.faults.clear_faults()
    assert loan_milestones.poll_due_connections(at=journey.later(36)) == 1
    loan.refresh_from_db()
    assert loan.milestone == "funded"


def test_disabled_los_is_not_polled(world, loan):
    Connection.objects.update(poll_due_at=journey.later(1), enabled_at=None)

    assert loan_milestones.poll_due_connections(at=journey.later(30)) == 0


def test_reading_a_loan_of_disconnected_los_is_refused(world, loan):
    Connection.objects.update(enabled_at=None)

    with pytest.raises(loan_updates.Misconfigured, match="no longer connected"):
        loan_updates.read_from_los(loan)


def test_loan_that_the_los_renamed_keeps_its_lead(world, loan, monkeypatch):
    los = adapter_pool.get_adapter(Connection.objects.get())
    changed = ChangedLoan(loan_id="2611000001", previous_id=loan.los_loan_id)
    monkeypatch.setattr(los, "find_changed_since", lambda _: (changed,))
    acknowledged: list[str] = []
    monkeypatch.setattr(los, "acknowledge_changes", acknowledged.extend, raising=False)

    for _ in range(2):
        changes = loan_updates.find_changed_loans(
            connection=Connection.objects.get(), at=journey.later(5)
        )
        loan_updates.acknowledge_changes(changes, connection=Connection.objects.get())

    renamed = Loan.objects.get()
    assert (renamed.pk, renamed.los_loan_id) == (loan.pk, "2611000001")
    assert acknowledged == ["2611000001"] * 2
    Handoff.objects.update(state="uncertain")
    changes = loan_updates.LoanChanges(ours=(), listed=("unknown",))
    loan_updates.acknowledge_changes(changes, connection=Connection.objects.get())
    assert "unknown" not in acknowledged
