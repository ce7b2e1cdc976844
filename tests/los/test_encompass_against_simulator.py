"""The real adapter over real HTTP against the simulated Encompass."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from rooftree.core.http_client import ClientLimits
from rooftree.core.vendor_errors import Misconfigured, OutcomeUnknown, RequestRejected, RetryLater
from rooftree.los.adapters.encompass import Encompass, Settings
from rooftree.los.adapters.encompass_session import MAX_IN_FLIGHT
from rooftree.los.loan_milestones import RecordedStep, find_new_steps
from rooftree_simulators.encompass.encompass_vendor import Encompass as Simulated
from rooftree_simulators.simulated_clock import SimulatedClock
from rooftree_simulators.vendor_base import SimulatorSetup
from rooftree_simulators.vendor_server import HttpListener
from tests.los import make

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)


class Office:
    """A simulated Encompass, our adapter on it, and hands to make things happen."""

    def __init__(self) -> None:
        self.clock = SimulatedClock(at=NOW, speed=0)
        self.sim = Simulated(SimulatorSetup(clock=self.clock))
        self.listener = HttpListener(self.sim, 0)
        self.secret = "enc-secret"
        self.slept: list[float] = []
        self.encompass = Encompass(
            self.settings, limits=ClientLimits(read_timeout_seconds=2), sleep=self.slept.append
        )

    def settings(self) -> Settings:
        return Settings(
            base_url=self.listener.url,
            instance="TEBE00000001",
            client_id="enc-client",
            client_secret=self.secret,
            user="svc_rooftree",
            password=next(
                word
                for name, word in self.sim.office.tokens.users.items()
                if name == "svc_rooftree"
            ),
        )

    def create(self, number: int = 1) -> str:
        return self.encompass.create_loan(make.handoff(lead_id=make.lead(number))).loan_id

    def look(self, number: int = 1, *, sent_at: datetime = NOW):
        return self.encompass.find_by_lead_id(
            UUID(make.lead(number)), sent_at=sent_at, at=self.clock.now()
        )

    def move(self, loan_id: str, status: str, on: str = "", by: str = "web") -> None:
        self.sim.control(
            "POST", ["loans", loan_id, "status"], {"status": status, "date": on, "by": by}
        )

    def fault(self, action: str, **rest: object) -> None:
        self.sim.faults.add_fault({"action": action, **rest})

    def calls(self, op: str) -> int:
        return sum(call.op == op for call in self.sim.record.requests_since())

    @property
    def loans(self) -> int:
        return len(self.sim.office.loans)

    def close(self) -> None:
        self.encompass.close()
        self.listener.stop()
        self.clock.stop()


@pytest.fixture
def office() -> Iterator[Office]:
    here = Office()
    yield here
    here.close()


def test_a_created_loan_carries_our_lead_id_in_both_fields(office):
    loan_id = office.create()

    read = office.encompass.read_loan(loan_id)

    assert (read.lead_id, read.raw["4495"]) == (make.lead(1), make.lead(1))
    assert read.loan_number.startswith("TEST-")
    assert [seen.code for seen in read.observed_steps] == ["lead_in_los"]
    assert office.sim.office.violations == []


def test_twenty_threads_sign_in_once(office):
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(office.create, range(20)))

    assert (office.loans, office.calls("token")) == (20, 1)


def test_a_token_that_dies_midway_is_replaced_once_and_the_work_is_done_once(office):
    office.create(1)
    office.sim.office.tokens.expire_all_tokens()

    office.create(2)

    assert (office.loans, office.calls("token")) == (2, 2)


def test_a_token_that_is_never_accepted_asks_for_a_person(office):
    office.fault("expire_token", match={"op": "create"})

    with pytest.raises(Misconfigured):
        office.create()

    assert (office.loans, office.calls("token")) == (0, 2)


def test_a_new_secret_is_taken_up_without_a_restart(office):
    office.secret = "of last year"
    with pytest.raises(Misconfigured, match="client id and secret"):
        office.create()

    office.secret = "enc-secret"

    assert office.create()


def test_fifty_leads_in_a_storm_of_429_are_all_made_with_few_in_flight(office):
    office.fault("status:429", rate=0.4, match={"op": "create"})
    office.sim.setup = SimulatorSetup(
        clock=office.clock, latency_scale=0.01
    )  # so that requests overlap

    def until_made(number: int) -> None:
        for _ in range(20):
            try:
                office.create(number)
            except RetryLater:
                continue
            return

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(until_made, range(50)))

    leads = {loan.document["leadSourceID"] for loan in office.sim.office.loans.values()}
    assert (office.loans, len(leads)) == (50, 50)
    assert office.slept
    assert 1 < office.sim.office.peak_in_flight <= MAX_IN_FLIGHT


def test_a_busy_lender_is_left_alone_for_a_while(office):
    office.create(1)
    office.sim.office.foreign_load = 30

    with pytest.raises(RetryLater) as later:
        office.create(2)

    assert (office.loans, later.value.retry_after_seconds) == (1, 30.0)


def test_a_create_without_an_answer_is_uncertain_and_found_after_the_lag(office):
    office.fault("drop_after_commit", count=1, match={"op": "create"})
    with pytest.raises(OutcomeUnknown):
        office.create()
    assert (office.loans, office.calls("create")) == (1, 1)

    early = office.look()
    assert (early.loan_ids, early.is_conclusive) == ((), False)

    office.clock.advance(60)
    late = office.look()

    assert (late.loan_ids, late.is_conclusive) == (tuple(office.sim.office.loans), True)
    assert office.calls("create") == 1


def test_a_create_that_never_arrived_is_known_only_after_the_lag(office):
    office.create(2)
    office.fault("drop_before", count=1, match={"op": "create"})
    with pytest.raises(OutcomeUnknown):
        office.create(1)

    office.clock.advance(301)

    assert (office.look().loan_ids, office.look().is_conclusive) == ((), True)


@pytest.mark.parametrize("fault", ["status_after_commit:500", "truncate:5", "malformed_json"])
def test_a_create_with_a_broken_answer_is_never_sent_twice(office, fault):
    office.fault(fault, match={"op": "create"})

    try:
        made = office.create()
    except OutcomeUnknown:
        made = ""

    assert (office.loans, office.calls("create")) == (1, 1)
    assert made in ("", *office.sim.office.loans)


def test_a_create_that_is_answered_too_late_is_uncertain(office):
    office.fault("timeout_after_commit:2600", count=1, match={"op": "create"})

    with pytest.raises(OutcomeUnknown):
        office.create()

    office.clock.advance(60)
    assert (len(office.look().loan_ids), office.loans) == (1, 1)


def test_a_read_that_breaks_off_is_read_again(office):
    loan_id = office.create()
    office.fault("drop_before", count=1, match={"op": "fieldReader"})

    assert office.encompass.read_loan(loan_id).loan_id == loan_id
    assert office.calls("fieldReader") == 2


def test_an_unknown_folder_is_ours_to_mend(office):
    wrong = make.handoff(connection__folder="No Such Folder")

    with pytest.raises(Misconfigured, match="folder"):
        office.encompass.create_loan(wrong)


def test_a_refusal_names_the_field_and_not_the_borrower(office):
    office.fault(
        "status:400",
        match={"op": "create"},
        body=json.dumps(
            {
                "summary": "Maria Sample is not valid",
                "errorCode": "EBS-100",
                "errors": [{"key": "property.loanPurposeType", "summary": "maria.sample"}],
            }
        ),
    )

    with pytest.raises(RequestRejected) as refused:
        office.create()

    assert (refused.value.code, refused.value.fields) == ("EBS-100", ("property.loanPurposeType",))
    assert "aria" not in str(refused.value)


def test_a_loan_open_on_a_desktop_is_written_after_it_is_closed(office):
    loan_id = office.create()
    lock = ["loans", loan_id, "lock"]
    office.sim.control("POST", lock, {"user": "processor1", "type": "exclusive", "minutes": 10})
    with pytest.raises(RetryLater) as later:
        office.encompass.write_fields(loan_id, {"2976": "zillow premier"})
    assert later.value.retry_after_seconds == 60

    office.sim.control("POST", lock, {"user": "processor1", "release": True})
    office.encompass.write_fields(loan_id, {"2976": "zillow premier"})

    assert office.sim.office.get_loan(loan_id).document["leadSource"] == "zillow premier"


def test_a_funded_loan_brings_its_dates_amount_and_revenue(office):
    loan_id = office.create()
    for status, on in [
        ("Application", "2026-11-24"),
        ("Submittal", "2026-12-01"),
        ("Cond. Approval", "2026-12-05"),
        ("Clear to Close", "2026-12-15"),
        ("Funding", "2026-12-21"),
    ]:
        office.move(loan_id, status, on)

    read = office.encompass.read_loan(loan_id)
    events = find_new_steps(
        [], read.observed_steps, previous_milestone="", current_milestone=read.current_milestone
    )

    assert (read.current_milestone, read.ended_as, read.unmapped_statuses) == ("funded", "", ())
    assert (read.application_date, read.funded_date) == (date(2026, 11, 24), date(2026, 12, 21))
    assert (read.amount_cents, read.revenue_cents) == (400_000_00, 11_000_00)
    dated = {event.code: event.on for event in events}
    assert {
        "lead_in_los": NOW.date(),
        "application": date(2026, 11, 24),
        "submitted_to_underwriting": date(2026, 12, 1),
        "conditional_approval": date(2026, 12, 5),
        "clear_to_close": date(2026, 12, 15),
        "funded": date(2026, 12, 21),
    }.items() <= dated.items()
    assert [event.rank for event in events] == sorted(event.rank for event in events)
    assert all(e.on is None for e in events if e.is_inferred)


def test_steps_entered_in_the_wrong_order_end_in_the_right_ranks(office):
    loan_id = office.create()
    written: list[RecordedStep] = []
    stood_at = ""
    for status, on in [("Clear to Close", "2026-12-15"), ("Cond. Approval", "2026-12-05")]:
        office.move(loan_id, status, on)
        read = office.encompass.read_loan(loan_id)
        news = find_new_steps(
            written,
            read.observed_steps,
            previous_milestone=stood_at,
            current_milestone=read.current_milestone,
        )
        written += [RecordedStep(code=e.code, on=e.on, is_inferred=e.is_inferred) for e in news]
        stood_at = read.current_milestone

    assert stood_at == "clear_to_close"
    seen = {row.code: row.on for row in written if not row.is_inferred}
    assert seen["clear_to_close"] == date(2026, 12, 15)
    assert seen["conditional_approval"] == date(2026, 12, 5)
    assert (
        find_new_steps(
            written,
            read.observed_steps,
            previous_milestone=stood_at,
            current_milestone=read.current_milestone,
        )
        == ()
    )


def test_a_denial_is_read_from_field_1393_whatever_the_milestones_say(office):
    loan_id = office.create()
    office.move(loan_id, "Application", "2026-11-24")
    office.move(loan_id, "1393=Application denied", "2026-12-02")

    read = office.encompass.read_loan(loan_id)

    assert (read.ended_as, read.current_milestone) == ("denied", "denied")
    assert ("denied", date(2026, 12, 2)) in [(seen.code, seen.on) for seen in read.observed_steps]


def test_disclosure_tracking_says_when_the_loan_estimate_went(office):
    loan_id = office.create()
    office.move(loan_id, "Application", "2026-11-24")
    assert office.encompass.read_loan(loan_id).notices == {}

    office.move(loan_id, "Loan Estimate sent", "2026-11-25")

    assert office.encompass.read_loan(loan_id).notices == {"loan_estimate": date(2026, 11, 25)}


def test_a_suspension_ends_with_a_later_approval(office):
    loan_id = office.create()
    office.move(loan_id, "Submittal", "2026-12-01")
    office.move(loan_id, "Suspended", "2026-12-03")
    assert office.encompass.read_loan(loan_id).current_milestone == "suspended"

    office.move(loan_id, "Cond. Approval", "2026-12-08")

    assert office.encompass.read_loan(loan_id).current_milestone == "conditional_approval"


def test_what_the_desktop_does_in_silence_is_found_by_the_poll(office):
    mine, theirs = office.create(1), office.create(2)
    office.clock.advance(3600)
    asked_at = office.clock.now()
    office.move(mine, "Clear to Close", by="desktop")
    office.clock.advance(60)

    found = office.encompass.find_changed_since(asked_at)

    assert [(row.loan_id, row.lead_id) for row in found] == [(mine, make.lead(1))]
    assert theirs not in [row.loan_id for row in found]


def test_a_loan_that_is_not_there_is_refused(office):
    with pytest.raises(RequestRejected):
        office.encompass.read_loan("00000000-0000-4000-8000-000000000000")


def test_a_subscription_made_twice_is_one_with_the_new_key(office):
    endpoint = "https://lender.example/in/encompass/a"
    first = office.encompass.subscribe(endpoint, "k" * 32)

    again = office.encompass.subscribe(endpoint, "n" * 40)

    held = office.sim.office.webhooks.subscriptions
    assert (first, list(held)) == (again, [again])
    assert held[again].signing_key == "n" * 40


def test_an_empty_search_right_after_the_create_proves_nothing(office):
    office.create(1)

    asked = office.look(1, sent_at=office.clock.now() - timedelta(seconds=10))

    assert (asked.loan_ids, asked.is_conclusive) == ((), False)
