"""Byte, connected through pages, over real HTTP against a simulated one."""

import pytest

from rooftree.core.vendor_errors import OutcomeUnknown, RequestRejected
from rooftree.flow import loan_milestones
from rooftree.leads.models import Loan
from rooftree.los import adapter_pool, handoff_settlement, los_connections
from rooftree.los.models import Connection, Handoff
from rooftree.money.models import Entry
from rooftree.outreach.models import Message
from rooftree_simulators.byte_vendor import KEY, PASSWORD, USER
from tests import make as rows
from tests.flow import journey
from tests.los import make, systems


@pytest.fixture
def connected(world, dana):
    lender = systems.Lender("byte")
    typed = {
        "name": "Byte", "base_url": world.simulators.urls["byte"], "instance": "Main",
        "organization_code": "CORP", "lead_id_field": "CustomFields.Field01",
        "authorization_key": KEY, "user": USER, "password": PASSWORD,
    }  # fmt: skip
    assert lender.add(**typed | {"lead_id_field": "x y"}).status_code == 422
    assert lender.add(**typed | {"password": "wrong"}).status_code == 303
    assert [line["place"] for line in lender.check()] == ["settings"]
    assert lender.post("setup_connection", **typed).status_code == 303
    lender.post("set_officer_logins", **{dana.nmls_id: "dana"})
    los_connections.set_lender_fields(
        connection_id=lender.connection.pk, lead_fields={}, by=rows.user("administrator"),
        revenue_fields=["CustomFields.Field02"], at=rows.NOON,
    )  # fmt: skip
    assert lender.check() == []
    lender.post("enable_connection")
    return lender


def poll(minutes: float) -> None:
    loan_milestones.poll_due_connections(at=journey.later(minutes))


def move(world, loan: Loan, status: int, day: str) -> None:
    world.say(f"byte/loans/{loan.los_loan_id}/status", {"status": status, "date": day})


def test_lead_becomes_one_file_and_comes_back_funded_with_revenue(connected, world, dana):
    lead = systems.new_lead(dana)
    handoff = systems.hand_off(lead)
    assert systems.hand_off(lead).pk == handoff.pk
    systems.send_due(lead, 2)  # what a new file doesn't take
    simulator = world.simulators.byte
    (file,) = simulator.state()["loans"]
    assert file["CustomFields"] == {"Field01": str(lead.pk)}
    assert (file["Loan"]["LoanPurpose"], file["FileData"]["OccupancyType"]) == (1, 1)
    assert file["Applications"][0]["Borrower"]["Borrower"]["SSN"] == "900-12-3456"  # left alone

    loan = Loan.objects.get()
    move(world, loan, 5, "2026-11-24")
    move(world, loan, 16, "2026-11-25")
    simulator.sessions.clear()  # the session expired; one new sign-in
    poll(15)
    loan.refresh_from_db()
    assert systems.steps_of(loan)["conditional_approval"] == "2026-11-24"
    assert (loan.milestone, loan.loan_number[:4]) == ("clear_to_close", "2611")

    move(world, loan, 14, "2026-11-30")
    world.say(
        f"byte/loans/{loan.los_loan_id}/field", {"field": "CustomFields.Field02", "value": 6000}
    )
    poll(30)
    poll(45)
    loan.refresh_from_db()
    assert (loan.milestone, loan.funded_date.isoformat()) == ("funded", "2026-11-30")
    assert [entry.amount_cents for entry in Entry.objects.filter(kind="revenue")] == [6_000_00]
    assert simulator.violations == []
    kept = str(list(Handoff.objects.values())) + str(list(Loan.objects.values()))
    assert "900-12" not in kept and "1980-01-31" not in kept


def test_custom_status_pauses_and_declined_file_silences(connected, world, dana):
    lead = systems.new_lead(dana)
    systems.hand_off(lead)
    loan = Loan.objects.get()
    move(world, loan, 57, "2026-11-24")
    poll(15)
    loan.refresh_from_db()
    assert loan.unmapped_statuses == ["CustomStatus7"]
    mapped = {"CustomStatus7": "processing"}
    Connection.objects.update(milestone_map=mapped)
    poll(26)
    loan.refresh_from_db()
    assert (loan.current_milestone, loan.unmapped_statuses) == ("processing", [])
    move(world, loan, 7, "2026-11-25")
    poll(40)
    loan.refresh_from_db()
    assert (loan.final_outcome, loan.unmapped_statuses) == ("denied", [])
    assert not Message.objects.filter(lead=lead, sent_at__isnull=False).exists()


def test_lost_answer_goes_to_a_person_and_is_never_repeated_unseen(connected, world, dana):
    fault = {"match": {"op": "NewFile"}, "count": 1}
    world.say("byte/faults", fault | {"action": "drop_after_commit"})
    lead = systems.new_lead(dana)
    assert systems.hand_off(lead).state == "uncertain"
    stuck = systems.send_due(lead, 5)
    assert (stuck.state, stuck.due_at) == ("uncertain", None)
    simulator = world.simulators.byte
    (number,) = simulator.files
    assert "Maria Sample" in stuck.problem
    linked = handoff_settlement.link_loan(
        lead_id=lead.pk, number=str(number), by=lead.officer.user, at=journey.later(6)
    )
    assert (linked.state, len(simulator.files)) == ("created", 1)

    adapter = adapter_pool.get_adapter(connected.connection)
    for action in ("html_maintenance:200", "truncate:20", "drop_after_commit"):
        world.say("byte/faults", fault | {"action": action})
        with pytest.raises(OutcomeUnknown):
            adapter.create_loan(make.handoff("byte"))
    failure = {"action": "status:200", "body": '[{"Type":"Exception","Message":"No 900-12-3456"}]'}
    world.say("byte/faults", fault | failure)
    with pytest.raises(RequestRejected, match="No …"):
        adapter.create_loan(make.handoff("byte"))
    with pytest.raises(RequestRejected, match="not found"):
        adapter.read_loan("99")
