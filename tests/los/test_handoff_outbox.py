"""Hand-off of a lead to the LOS: exactly once despite failures, with missing facts named."""

import pytest

from rooftree.leads.models import Lead, Loan
from rooftree.ledger.models import Event
from rooftree.los import adapter_pool, handoff_outbox
from rooftree.los.loan_snapshot import LoanLookup
from rooftree.los.models import Connection, Handoff
from tests import make
from tests.flow import journey

CREATE = {"method": "POST", "path_regex": "/encompass/v3/loans$"}


def queue_handoff(lead) -> Handoff:
    return handoff_outbox.queue_handoff(lead_id=lead.pk, by=lead.officer.user, at=make.NOON)


def add_fault(world, action: str, **rest) -> None:
    world.say("enc/faults", {"match": CREATE, "count": 1, "action": action} | rest)


def count_encompass_loans(world) -> int:
    return len(world.simulators.encompass.state()["loans"])


def send_due(world, minutes: float) -> Handoff:
    world.pass_time("PT1M")
    handoff_outbox.send_due_handoffs(at=journey.later(minutes))
    return Handoff.objects.latest("requested_at")


def test_second_request_for_a_lead_makes_no_second_handoff_or_loan(world, lead):
    assert queue_handoff(lead) == queue_handoff(lead)

    for minutes in (0, 1, 2):
        send_due(world, minutes)

    handoff = Handoff.objects.get()
    loan = Loan.objects.get()
    assert (handoff.state, handoff.loan, handoff.due_at, handoff.attempts) == (
        "created",
        loan,
        None,
        1,
    )
    assert (loan.lead, loan.officer, loan.amount_cents) == (lead, lead.officer, 412_000_00)
    assert count_encompass_loans(world) == 1
    lead.refresh_from_db()
    assert lead.state == "application"
    kinds = set(Event.objects.filter(lead_id=lead.pk).values_list("kind", flat=True))
    assert {"los.handoff.asked", "los.loan.created"} <= kinds


def test_handoff_without_officer_or_los_is_refused_with_reason(world, lead):
    orphan = make.lead()
    with pytest.raises(handoff_outbox.HandoffNotReady, match="must own the lead first"):
        handoff_outbox.queue_handoff(lead_id=orphan.pk, by=lead.officer.user, at=make.NOON)

    Connection.objects.update(enabled_at=None)
    with pytest.raises(handoff_outbox.HandoffNotReady, match="No LOS is connected"):
        queue_handoff(lead)
    assert not Handoff.objects.exists()


def test_handoff_to_busy_los_is_retried_later(world, lead, monkeypatch):
    los = adapter_pool.get_adapter(Connection.objects.get())
    monkeypatch.setattr(
        los._session, "_sleep", lambda seconds: None
    )  # skip the adapter's own short pauses
    add_fault(world, "status:429", count=20)
    queue_handoff(lead)

    waiting = send_due(world, 0)
    assert (waiting.state, count_encompass_loans(world)) == ("pending", 0)
    assert waiting.due_at > make.NOON
    assert not handoff_outbox.send_due_handoffs(at=waiting.due_at - make.SECOND)
    world.simulators.encompass.faults.clear_faults()

    assert send_due(world, 5).state == "created"
    assert count_encompass_loans(world) == 1


@pytest.mark.parametrize("action", ["drop_after_commit", "status_after_commit:500"])
def test_create_with_unknown_outcome_is_looked_up_and_not_repeated(world, lead, action):
    add_fault(world, action)
    queue_handoff(lead)

    assert send_due(world, 0).state == "uncertain"
    for minutes in (2, 4, 6):
        send_due(world, minutes)

    assert Handoff.objects.get().state == "created"
    assert count_encompass_loans(world) == 1


def test_lost_create_is_resent_only_after_conclusive_search(world, lead):
    add_fault(world, "drop_before")
    queue_handoff(lead)
    send_due(world, 0)

    early = send_due(world, 2)
    assert (early.state, count_encompass_loans(world)) == ("uncertain", 0)
    for minutes in (6, 7, 8):
        send_due(world, minutes)

    assert Handoff.objects.get().state == "created"
    assert count_encompass_loans(world) == 1


def test_rejected_handoff_can_be_requested_again(world, lead):
    add_fault(world, "status:400", body='{"summary": "Bad Request", "details": "loan amount"}')
    queue_handoff(lead)

    refused = send_due(world, 0)
    assert (refused.state, refused.due_at) == ("rejected", None)
    assert refused.problem
    assert Lead.objects.get(pk=lead.pk).state != "application"

    second = handoff_outbox.queue_handoff(
        lead_id=lead.pk, by=lead.officer.user, at=journey.later(10)
    )
    assert second != refused
    assert send_due(world, 10).state == "created"
    assert count_encompass_loans(world) == 1


def test_handoff_waits_while_setup_is_wrong(world, lead):
    Connection.objects.update(folder="No such folder")
    queue_handoff(lead)

    waiting = send_due(world, 0)

    assert (waiting.state, bool(waiting.problem)) == ("pending", True)
    assert waiting.due_at == make.NOON + handoff_outbox.SETUP_RETRY_INTERVAL
    assert count_encompass_loans(world) == 0


def test_duplicate_loan_in_los_waits_for_staff(world, lead, monkeypatch):
    queue_handoff(lead)
    Handoff.objects.update(state="uncertain", sent_at=make.NOON)
    los = adapter_pool.get_adapter(Connection.objects.get())
    twice = LoanLookup(loan_ids=("a", "b"), is_conclusive=True)
    monkeypatch.setattr(los, "find_created_loan", lambda *_, **__: twice)

    handoff = send_due(world, 0)

    assert (handoff.state, handoff.due_at) == ("uncertain", None)
    assert "twice" in handoff.problem
    assert not Loan.objects.exists()


def test_fields_that_a_create_does_not_take_are_written_later_and_alone(world, lead, monkeypatch):
    los = adapter_pool.get_adapter(Connection.objects.get())
    later = {"CX.ROOFTREESOURCE": "zillow"}
    monkeypatch.setattr(los, "list_later_fields", lambda _: later, raising=False)
    world.say("enc/faults", {"match": {"op": "fieldWriter"}, "count": 3, "action": "status:503"})
    queue_handoff(lead)
    assert send_due(world, 0).later_fields == later

    waiting = send_due(world, 1)
    assert (waiting.state, waiting.later_fields, bool(waiting.problem)) == ("created", later, True)
    done = send_due(world, 20)

    assert (done.later_fields, done.due_at, done.problem) == ({}, None, "")
    written = world.simulators.encompass.instance.loans[done.loan.los_loan_id].custom
    assert (written["CX.ROOFTREESOURCE"], count_encompass_loans(world)) == ("zillow", 1)
