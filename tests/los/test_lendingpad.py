"""LendingPad, connected through pages, over real HTTP against a simulated one."""

import pytest
from django.db import connection as database

from rooftree.core.vendor_errors import Misconfigured, OutcomeUnknown, RequestRejected
from rooftree.flow import clock, loan_milestones
from rooftree.leads.models import Loan
from rooftree.los import adapter_pool, handoff_settlement, los_connections
from rooftree.los.models import LosEvent
from rooftree.money.models import Entry
from rooftree.outreach.models import Message
from rooftree_simulators.lendingpad.lendingpad_vendor import COMPANY, CONTACT, PASSWORD, USER
from tests import make as rows
from tests.flow import journey
from tests.los import make, systems
from tests.simulators.receiver import Receiver, serve

CAMPAIGN = "00000000-0000-4000-8000-000000000003"
LEAD_FIELD = "00000000-0000-4000-8000-0000000000aa"
REVENUE_FIELD = "00000000-0000-4000-8000-0000000000bb"


@pytest.fixture
def receiver(settings):
    answers = Receiver()
    server = serve(answers)
    yield answers
    server.shutdown()
    server.server_close()


@pytest.fixture
def lender(world, dana):
    lender = systems.Lender("lendingpad")
    lender.typed = {
        "name": "LendingPad", "base_url": world.simulators.urls["lp"], "instance": COMPANY,
        "contact_id": CONTACT, "campaign_id": CAMPAIGN, "channel": "5",
        "lead_id_field": LEAD_FIELD, "user": USER, "password": PASSWORD,
    }  # fmt: skip
    return lender


@pytest.fixture
def connected(lender, world, receiver):
    """A connection that is on, and posts of the LOS that reach `receiver`."""
    lender.add(**lender.typed)
    los_connections.set_lender_fields(
        connection_id=lender.connection.pk, lead_fields={}, revenue_fields=[REVENUE_FIELD],
        by=rows.user("administrator"), at=rows.NOON,
    )  # fmt: skip
    endpoint = los_connections.webhook_endpoint(lender.connection, receiver.url)
    word = lender.make_password()
    world.say("lp/export", {"url": endpoint, "user": "rooftree", "password": word})
    world.say("lp/switches", {"revenue_field": REVENUE_FIELD})
    lender.post("enable_connection")
    return lender


def loans_there(world) -> list[dict]:
    return world.simulators.lendingpad.state()["loans"]


def test_lendingpad_is_connected_through_pages_and_checked_before_it_is_on(lender, world, dana):
    assert lender.add(**lender.typed | {"instance": "LP-7"}).status_code == 422
    assert lender.add(**lender.typed | {"branch_id": CAMPAIGN}).status_code == 422
    wrong = lender.typed | {"password": "wrong"}
    assert lender.add(**wrong).status_code == 303
    lender.post("check_connection")
    assert lender.connection.tested_at is None
    world.say("lp/switches", {"ip_block": True})
    assert [line["text"] for line in lender.check()] == [
        "LendingPad refuses our address. Ask it to allow this server's IP address."
    ]
    world.say("lp/switches", {"ip_block": False})

    settings_url = "setup_connection"
    moved = lender.typed | {"base_url": "https://elsewhere.example.com", "password": ""}
    assert "Enter the credentials again" in lender.post(settings_url, **moved).text
    assert lender.post(settings_url, **lender.typed).status_code == 303
    assert PASSWORD not in lender.page()
    lender.post("set_officer_logins", **{dana.nmls_id: ""})

    assert lender.check() == []
    assert "All mapped" in lender.page()
    lender.post("enable_connection")
    assert lender.connection.enabled_at is not None


def test_lead_becomes_one_loan_and_comes_back_funded_with_revenue(connected, world, receiver, dana):
    lead = systems.new_lead(dana)
    handoff = systems.hand_off(lead)
    again = systems.hand_off(lead)  # the same lead by a second path
    assert (handoff.state, again.pk, len(loans_there(world))) == ("created", handoff.pk, 1)
    sent = loans_there(world)[0]["content"]
    assert sent["customFields"] == [{"id": LEAD_FIELD, "values": [str(lead.pk)]}]
    assert (sent["assignments"]["loanOfficer"]["nmlsId"], sent["channel"]) == (dana.nmls_id, 5)
    loan_id = handoff.loan.los_loan_id

    for status, day in (("Approved", "2026-11-24"), ("Clear To Close", "2026-11-25")):
        world.say(f"lp/loans/{loan_id}/status", {"status": status, "date": day})
    world.pass_time("PT90S")  # one post stands for both changes
    assert systems.forward(receiver, 1) == [200]
    loan = Loan.objects.get()
    assert systems.steps_of(loan)["conditional_approval"] == "2026-11-24"
    assert systems.steps_of(loan)["clear_to_close"] == "2026-11-25"
    assert (loan.milestone, loan.loan_number[:1]) == ("clear_to_close", "R")
    assert connected.connection.subscribed_at is not None

    world.say(f"lp/loans/{loan_id}/status", {"status": "Funded", "date": "2026-11-30"})
    world.pass_time("PT90S")
    posts = list(receiver.requests)
    systems.forward(receiver, 2)
    receiver.requests = posts
    assert systems.forward(receiver, 3) == [200]  # a repeated post books nothing twice
    loan.refresh_from_db()
    assert (loan.milestone, loan.funded_date.isoformat()) == ("funded", "2026-11-30")
    assert loan.revenue_cents == 6_000_00
    assert [entry.amount_cents for entry in Entry.objects.filter(kind="revenue")] == [6_000_00]

    world.say(f"lp/loans/{loan_id}/field", {"field": REVENUE_FIELD, "value": "5,900.00"})
    world.pass_time("PT90S")
    systems.forward(receiver, 4)
    assert Entry.objects.get(kind="reversal").amount_cents == 100_00
    stored = "".join(str(event.content) for event in LosEvent.objects.all())
    assert "900-" not in stored and "1980-01-31" not in stored and "4000123412341234" not in stored
    assert world.simulators.lendingpad.violations == []


def test_denied_loan_silences_and_unknown_status_pauses(connected, world, receiver, dana):
    lead = systems.new_lead(dana)
    loan_id = systems.hand_off(lead).loan.los_loan_id
    world.say(f"lp/loans/{loan_id}/status", {"status": "Investor Review"})
    world.pass_time("PT90S")
    systems.forward(receiver, 1)
    assert Loan.objects.get().unmapped_statuses == ["Investor Review"]
    assert "Investor Review" in connected.page()

    world.say(f"lp/loans/{loan_id}/status", {"status": "Denied", "date": "2026-11-27"})
    loan_milestones.poll_due_connections(at=journey.later(10))  # no post yet: the poll sees it
    loan = Loan.objects.get()
    assert (loan.final_outcome, loan.unmapped_statuses) == ("denied", [])
    assert systems.steps_of(loan)["denied"] == "2026-11-27"
    assert not Message.objects.filter(lead=lead, sent_at__isnull=False).exists()


def test_uncertain_create_is_looked_up_and_never_repeated_unseen(connected, world, dana):
    fault = {"match": {"op": "import/loan"}, "count": 1}
    world.say("lp/faults", fault | {"action": "drop_after_commit"})
    lead = systems.new_lead(dana)
    assert systems.hand_off(lead).state == "uncertain"
    systems.new_lead(dana, "Marcus Sample")
    assert systems.send_due(lead, 2).state == "created"
    assert len(loans_there(world)) == 1

    world.say("lp/faults", fault | {"action": "drop_before"})
    lost = systems.new_lead(dana, "Ana Ruiz")
    systems.hand_off(lost)
    assert systems.send_due(lost, 5).state == "uncertain"
    stuck = systems.send_due(lost, 20)
    assert (stuck.state, stuck.due_at, "Ana Ruiz" in stuck.problem) == ("uncertain", None, True)
    assert len(loans_there(world)) == 1

    number = loans_there(world)[0]["loanNumber"]
    with pytest.raises(handoff_settlement.HandoffSettled):  # Maria's loan
        handoff_settlement.link_loan(
            lead_id=lost.pk, number=number, by=lost.officer.user, at=journey.later(21)
        )
    browser = systems.Client()
    browser.force_login(dana.user)
    with clock.freeze(journey.later(22)):
        page = browser.get(f"/leads/{lost.pk}/").text
        assert "send again" in page
        browser.post(f"/leads/{lost.pk}/hand-off/outcome/", {"again": "yes"})
    assert systems.send_due(lost, 23).state == "created"
    assert len(loans_there(world)) == 2


def test_success_status_that_means_failure_is_no_loan(connected, world):
    adapter = adapter_pool.get_adapter(connected.connection)
    record = make.handoff("lendingpad")
    answers = {
        "html_maintenance:200": OutcomeUnknown,
        "truncate:20": OutcomeUnknown,
        "status_after_commit:500": OutcomeUnknown,
        "drop_after_commit": OutcomeUnknown,
    }
    for action, failure in answers.items():
        world.say("lp/faults", {"match": {"op": "import/loan"}, "count": 1, "action": action})
        with pytest.raises(failure):
            adapter.create_loan(record)
    banner = {"action": "status:200", "body": "LendingPad WebApi Service: Production (2.24.0)"}
    world.say("lp/faults", {"match": {"op": "import/loan"}, "count": 1, **banner})
    with pytest.raises(Misconfigured):
        adapter.create_loan(record)
    with pytest.raises(RequestRejected, match="Contact or company"):
        adapter.create_loan(make.handoff("lendingpad", connection__contact_id=CAMPAIGN))


def test_posts_are_refused_without_password_and_bad_loan_does_not_stop_others(
    connected, world, receiver, dana
):
    first, second = (systems.hand_off(systems.new_lead(dana, name)) for name in ("A B", "C D"))
    simulator = world.simulators.lendingpad
    exports = [loan.as_export(COMPANY) for loan in simulator.loans.values()]
    world.say("lp/xtest", {})
    simulator.post_loans([{"loanId": "broken", "loanStatus": {"id": 1}}, *exports])
    assert systems.forward(receiver, 1, authorization="Basic d3Jvbmc6d3Jvbmc=") == [401, 401]
    assert LosEvent.objects.count() == 0

    world.say("lp/xtest", {})
    simulator.post_loans([{"loanId": "broken", "loanStatus": {"id": 1}}, *exports])
    assert systems.forward(receiver, 1) == [200, 200]
    assert LosEvent.objects.filter(kind="export").count() == 2
    assert LosEvent.objects.get(kind="unreadable").problem == "A loan of the post has no loan ID."
    assert {first.loan_id, second.loan_id} == set(Loan.objects.values_list("pk", flat=True))
    with database.cursor() as cursor:
        cursor.execute("select string_agg(e::text, '') from los_event e")
        assert "900-" not in cursor.fetchone()[0]
