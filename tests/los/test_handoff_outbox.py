"""Handing a lead over: once, whatever the network does, and saying what is missing."""

import pytest

from rooftree.leads.models import Lead, Loan
from rooftree.ledger.models import Event
from rooftree.los import adapter_pool, handoff_outbox
from rooftree.los.loan_snapshot import LoanLookup
from rooftree.los.models import Connection, Handoff
from tests import make as rows
from tests.flow import journey

CREATE = {"method": "POST", "path_regex": "/encompass/v3/loans$"}


def ask(lead) -> Handoff:
    return handoff_outbox.queue_handoff(lead_id=lead.pk, by=lead.officer.user, at=rows.NOON)


def fault(world, action: str, **rest) -> None:
    world.say("enc/faults", {"match": CREATE, "count": 1, "action": action} | rest)


def at_encompass(world) -> int:
    return len(world.simulators.encompass.state()["loans"])


def send(world, minutes: float) -> Handoff:
    world.pass_time("PT1M")
    handoff_outbox.send_due_handoffs(at=journey.later(minutes))
    return Handoff.objects.latest("asked_at")


def test_a_lead_asked_for_twice_is_one_handoff_and_one_loan(world, lead):
    assert ask(lead) == ask(lead)

    for minutes in (0, 1, 2):
        send(world, minutes)

    made = Handoff.objects.get()
    loan = Loan.objects.get()
    assert (made.state, made.loan, made.due_at, made.attempts) == ("created", loan, None, 1)
    assert (loan.lead, loan.officer, loan.amount_cents) == (lead, lead.officer, 412_000_00)
    assert at_encompass(world) == 1
    lead.refresh_from_db()
    assert lead.state == "application"
    kinds = set(Event.objects.filter(lead_id=lead.pk).values_list("kind", flat=True))
    assert {"los.handoff.asked", "los.loan.created"} <= kinds


def test_without_an_officer_or_a_los_it_says_so(world, lead):
    orphan = rows.lead()
    with pytest.raises(handoff_outbox.HandoffNotReady, match="must own the lead first"):
        handoff_outbox.queue_handoff(lead_id=orphan.pk, by=lead.officer.user, at=rows.NOON)

    Connection.objects.update(enabled_at=None)
    with pytest.raises(handoff_outbox.HandoffNotReady, match="No LOS is connected"):
        ask(lead)
    assert not Handoff.objects.exists()


def test_a_busy_los_is_asked_again_later(world, lead, monkeypatch):
    los = adapter_pool.get_adapter(Connection.objects.get())
    monkeypatch.setattr(los._session, "_sleep", lambda seconds: None)  # its own short pauses
    fault(world, "status:429", count=20)
    ask(lead)

    waiting = send(world, 0)
    assert (waiting.state, at_encompass(world)) == ("pending", 0)
    assert waiting.due_at > rows.NOON
    assert not handoff_outbox.send_due_handoffs(at=waiting.due_at - rows.SECOND)
    world.simulators.encompass.faults.clear_faults()

    assert send(world, 5).state == "created"
    assert at_encompass(world) == 1


@pytest.mark.parametrize("action", ["drop_after_commit", "status_after_commit:500"])
def test_a_create_of_unknown_fate_is_found_and_not_repeated(world, lead, action):
    fault(world, action)
    ask(lead)

    assert send(world, 0).state == "uncertain"
    for minutes in (2, 4, 6):
        send(world, minutes)

    assert Handoff.objects.get().state == "created"
    assert at_encompass(world) == 1


def test_a_create_that_never_arrived_is_sent_again_only_when_the_search_is_sure(world, lead):
    fault(world, "drop_before")
    ask(lead)
    send(world, 0)

    early = send(world, 2)
    assert (early.state, at_encompass(world)) == ("uncertain", 0)
    for minutes in (6, 7, 8):
        send(world, minutes)

    assert Handoff.objects.get().state == "created"
    assert at_encompass(world) == 1


def test_what_the_los_refuses_is_the_officers_to_mend_and_can_be_asked_again(world, lead):
    fault(world, "status:400", body='{"summary": "Bad Request", "details": "loan amount"}')
    ask(lead)

    refused = send(world, 0)
    assert (refused.state, refused.due_at) == ("rejected", None)
    assert refused.problem
    assert Lead.objects.get(pk=lead.pk).state != "application"

    again = handoff_outbox.queue_handoff(
        lead_id=lead.pk, by=lead.officer.user, at=journey.later(10)
    )
    assert again != refused
    assert send(world, 10).state == "created"
    assert at_encompass(world) == 1


def test_a_wrong_setting_waits_to_be_mended(world, lead):
    Connection.objects.update(folder="No such folder")
    ask(lead)

    waiting = send(world, 0)

    assert (waiting.state, bool(waiting.problem)) == ("pending", True)
    assert waiting.due_at == rows.NOON + handoff_outbox.SETUP_RETRY_INTERVAL
    assert at_encompass(world) == 0


def test_a_loan_that_is_there_twice_is_a_persons_to_look_at(world, lead, monkeypatch):
    ask(lead)
    Handoff.objects.update(state="uncertain", sent_at=rows.NOON)
    los = adapter_pool.get_adapter(Connection.objects.get())
    twice = LoanLookup(loan_ids=("a", "b"), is_conclusive=True)
    monkeypatch.setattr(los, "find_by_lead_id", lambda *_, **__: twice)

    shown = send(world, 0)

    assert (shown.state, shown.due_at) == ("uncertain", None)
    assert "twice" in shown.problem
    assert not Loan.objects.exists()
