"""The real adapter over real HTTP against the simulated Encompass."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

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
    """A simulated Encompass with our adapter on it, and helpers to change it."""

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
                for name, word in self.sim.instance.tokens.users.items()
                if name == "svc_rooftree"
            ),
        )

    def create_loan(self, number: int = 1) -> str:
        return self.encompass.create_loan(make.handoff(lead_id=make.lead(number))).loan_id

    def look_up(self, number: int = 1, *, sent_at: datetime = NOW):
        return self.encompass.find_created_loan(
            make.handoff(lead_id=make.lead(number)), sent_at=sent_at, at=self.clock.now()
        )

    def set_status(self, loan_id: str, status: str, on: str = "", by: str = "web") -> None:
        self.sim.control(
            "POST", ["loans", loan_id, "status"], {"status": status, "date": on, "by": by}
        )

    def add_fault(self, action: str, **rest: object) -> None:
        self.sim.faults.add_fault({"action": action, **rest})

    def count_calls(self, op: str) -> int:
        return sum(call.op == op for call in self.sim.record.requests_since())

    @property
    def loans(self) -> int:
        return len(self.sim.instance.loans)

    def close(self) -> None:
        self.encompass.close()
        self.listener.stop()
        self.clock.stop()


@pytest.fixture
def office() -> Iterator[Office]:
    test_office = Office()
    yield test_office
    test_office.close()


def test_created_loan_carries_lead_id_in_both_fields(office):
    loan_id = office.create_loan()

    snapshot = office.encompass.read_loan(loan_id)

    assert (snapshot.lead_id, snapshot.raw["4495"]) == (make.lead(1), make.lead(1))
    assert snapshot.loan_number.startswith("TEST-")
    assert [step.code for step in snapshot.observed_steps] == ["lead_in_los"]
    assert office.sim.instance.violations == []


def test_twenty_threads_share_one_sign_in(office):
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(office.create_loan, range(20)))

    assert (office.loans, office.count_calls("token")) == (20, 1)


def test_expired_token_is_renewed_once_without_a_second_loan(office):
    office.create_loan(1)
    office.sim.instance.tokens.expire_all_tokens()

    office.create_loan(2)

    assert (office.loans, office.count_calls("token")) == (2, 2)


def test_rejected_token_is_reported_as_misconfigured(office):
    office.add_fault("expire_token", match={"op": "create"})

    with pytest.raises(Misconfigured):
        office.create_loan()

    assert (office.loans, office.count_calls("token")) == (0, 2)


def test_changed_secret_is_used_without_restart(office):
    office.secret = "of last year"
    with pytest.raises(Misconfigured, match="client id and secret"):
        office.create_loan()

    office.secret = "enc-secret"

    assert office.create_loan()


def test_fifty_loans_are_created_despite_429_with_few_requests_in_flight(office):
    office.add_fault("status:429", rate=0.4, match={"op": "create"})
    office.sim.setup = SimulatorSetup(
        clock=office.clock, latency_scale=0.01
    )  # so that requests overlap

    def create_with_retries(number: int) -> None:
        for _ in range(20):
            try:
                office.create_loan(number)
            except RetryLater:
                continue
            return

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(create_with_retries, range(50)))

    leads = {loan.document["leadSourceID"] for loan in office.sim.instance.loans.values()}
    assert (office.loans, len(leads)) == (50, 50)
    assert office.slept
    assert 1 < office.sim.instance.peak_in_flight <= MAX_IN_FLIGHT


def test_busy_encompass_is_retried_after_a_pause(office):
    office.create_loan(1)
    office.sim.instance.foreign_load = 30

    with pytest.raises(RetryLater) as error:
        office.create_loan(2)

    assert (office.loans, error.value.retry_after_seconds) == (1, 30.0)


def test_create_without_answer_is_found_after_search_lag(office):
    office.add_fault("drop_after_commit", count=1, match={"op": "create"})
    with pytest.raises(OutcomeUnknown):
        office.create_loan()
    assert (office.loans, office.count_calls("create")) == (1, 1)

    early = office.look_up()
    assert (early.loan_ids, early.is_conclusive) == ((), False)

    office.clock.advance(60)
    late = office.look_up()

    assert (late.loan_ids, late.is_conclusive) == (tuple(office.sim.instance.loans), True)
    assert office.count_calls("create") == 1


def test_lost_create_is_conclusive_only_after_search_lag(office):
    office.create_loan(2)
    office.add_fault("drop_before", count=1, match={"op": "create"})
    with pytest.raises(OutcomeUnknown):
        office.create_loan(1)

    office.clock.advance(301)

    assert (office.look_up().loan_ids, office.look_up().is_conclusive) == ((), True)


@pytest.mark.parametrize("fault", ["status_after_commit:500", "truncate:5", "malformed_json"])
def test_create_with_broken_answer_is_never_repeated(office, fault):
    office.add_fault(fault, match={"op": "create"})

    try:
        loan_id = office.create_loan()
    except OutcomeUnknown:
        loan_id = ""

    assert (office.loans, office.count_calls("create")) == (1, 1)
    assert loan_id in ("", *office.sim.instance.loans)


def test_create_answered_too_late_has_unknown_outcome(office):
    office.add_fault("timeout_after_commit:2600", count=1, match={"op": "create"})

    with pytest.raises(OutcomeUnknown):
        office.create_loan()

    office.clock.advance(60)
    assert (len(office.look_up().loan_ids), office.loans) == (1, 1)


def test_interrupted_read_is_repeated(office):
    loan_id = office.create_loan()
    office.add_fault("drop_before", count=1, match={"op": "fieldReader"})

    assert office.encompass.read_loan(loan_id).loan_id == loan_id
    assert office.count_calls("fieldReader") == 2


def test_unknown_folder_is_reported_as_misconfigured(office):
    wrong = make.handoff(connection__folder="No Such Folder")

    with pytest.raises(Misconfigured, match="folder"):
        office.encompass.create_loan(wrong)


def test_refusal_names_the_field_but_no_borrower_data(office):
    office.add_fault(
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

    with pytest.raises(RequestRejected) as error:
        office.create_loan()

    assert (error.value.code, error.value.fields) == ("EBS-100", ("property.loanPurposeType",))
    assert "aria" not in str(error.value)


def test_loan_open_on_a_desktop_is_written_after_release(office):
    loan_id = office.create_loan()
    lock = ["loans", loan_id, "lock"]
    office.sim.control("POST", lock, {"user": "processor1", "type": "exclusive", "minutes": 10})
    with pytest.raises(RetryLater) as error:
        office.encompass.write_fields(loan_id, {"2976": "zillow premier"})
    assert error.value.retry_after_seconds == 60

    office.sim.control("POST", lock, {"user": "processor1", "release": True})
    office.encompass.write_fields(loan_id, {"2976": "zillow premier"})

    assert office.sim.instance.get_loan(loan_id).document["leadSource"] == "zillow premier"


def test_funded_loan_has_its_dates_amount_and_revenue(office):
    loan_id = office.create_loan()
    for status, on in [
        ("Application", "2026-11-24"),
        ("Submittal", "2026-12-01"),
        ("Cond. Approval", "2026-12-05"),
        ("Clear to Close", "2026-12-15"),
        ("Funding", "2026-12-21"),
    ]:
        office.set_status(loan_id, status, on)

    snapshot = office.encompass.read_loan(loan_id)
    steps = find_new_steps(
        [],
        snapshot.observed_steps,
        previous_milestone="",
        current_milestone=snapshot.current_milestone,
    )

    assert (snapshot.current_milestone, snapshot.final_outcome, snapshot.unmapped_statuses) == (
        "funded",
        "",
        (),
    )
    assert (snapshot.application_date, snapshot.funded_date) == (
        date(2026, 11, 24),
        date(2026, 12, 21),
    )
    assert (snapshot.amount_cents, snapshot.revenue_cents) == (400_000_00, 11_000_00)
    dated = {new_step.code: new_step.on for new_step in steps}
    assert {
        "lead_in_los": NOW.date(),
        "application": date(2026, 11, 24),
        "submitted_to_underwriting": date(2026, 12, 1),
        "conditional_approval": date(2026, 12, 5),
        "clear_to_close": date(2026, 12, 15),
        "funded": date(2026, 12, 21),
    }.items() <= dated.items()
    assert [new_step.rank for new_step in steps] == sorted(new_step.rank for new_step in steps)
    assert all(inferred_step.on is None for inferred_step in steps if inferred_step.is_inferred)


def test_steps_entered_out_of_order_keep_their_ranks_and_days(office):
    loan_id = office.create_loan()
    recorded: list[RecordedStep] = []
    previous_milestone = ""
    for status, on in [("Clear to Close", "2026-12-15"), ("Cond. Approval", "2026-12-05")]:
        office.set_status(loan_id, status, on)
        snapshot = office.encompass.read_loan(loan_id)
        new_steps = find_new_steps(
            recorded,
            snapshot.observed_steps,
            previous_milestone=previous_milestone,
            current_milestone=snapshot.current_milestone,
        )
        recorded += [
            RecordedStep(code=step.code, on=step.on, is_inferred=step.is_inferred)
            for step in new_steps
        ]
        previous_milestone = snapshot.current_milestone

    assert previous_milestone == "clear_to_close"
    observed = {row.code: row.on for row in recorded if not row.is_inferred}
    assert observed["clear_to_close"] == date(2026, 12, 15)
    assert observed["conditional_approval"] == date(2026, 12, 5)
    assert (
        find_new_steps(
            recorded,
            snapshot.observed_steps,
            previous_milestone=previous_milestone,
            current_milestone=snapshot.current_milestone,
        )
        == ()
    )


def test_denial_in_field_1393_overrides_milestones(office):
    loan_id = office.create_loan()
    office.set_status(loan_id, "Application", "2026-11-24")
    office.set_status(loan_id, "1393=Application denied", "2026-12-02")

    snapshot = office.encompass.read_loan(loan_id)

    assert (snapshot.final_outcome, snapshot.current_milestone) == ("denied", "denied")
    assert ("denied", date(2026, 12, 2)) in [
        (step.code, step.on) for step in snapshot.observed_steps
    ]


def test_loan_estimate_date_is_read_from_disclosure_tracking(office):
    loan_id = office.create_loan()
    office.set_status(loan_id, "Application", "2026-11-24")
    assert office.encompass.read_loan(loan_id).notices == {}

    office.set_status(loan_id, "Loan Estimate sent", "2026-11-25")

    assert office.encompass.read_loan(loan_id).notices == {"loan_estimate": date(2026, 11, 25)}


def test_later_approval_ends_a_suspension(office):
    loan_id = office.create_loan()
    office.set_status(loan_id, "Submittal", "2026-12-01")
    office.set_status(loan_id, "Suspended", "2026-12-03")
    assert office.encompass.read_loan(loan_id).current_milestone == "suspended"

    office.set_status(loan_id, "Cond. Approval", "2026-12-08")

    assert office.encompass.read_loan(loan_id).current_milestone == "conditional_approval"


def test_poll_finds_desktop_changes_without_webhook(office):
    changed_id, unchanged_id = office.create_loan(1), office.create_loan(2)
    office.clock.advance(3600)
    since = office.clock.now()
    office.set_status(changed_id, "Clear to Close", by="desktop")
    office.clock.advance(60)

    changed_loans = office.encompass.find_changed_since(since)

    assert [(row.loan_id, row.lead_id) for row in changed_loans] == [(changed_id, make.lead(1))]
    assert unchanged_id not in [row.loan_id for row in changed_loans]


def test_reading_an_unknown_loan_is_refused(office):
    with pytest.raises(RequestRejected):
        office.encompass.read_loan("00000000-0000-4000-8000-000000000000")


def test_repeated_subscription_keeps_one_with_the_new_key(office):
    endpoint = "https://lender.example/in/encompass/a"
    first = office.encompass.subscribe(endpoint, "k" * 32)

    second = office.encompass.subscribe(endpoint, "n" * 40)

    subscriptions = office.sim.instance.webhooks.subscriptions
    assert (first, list(subscriptions)) == (second, [second])
    assert subscriptions[second].signing_key == "n" * 40


def test_empty_search_right_after_create_is_inconclusive(office):
    office.create_loan(1)

    lookup = office.look_up(1, sent_at=office.clock.now() - timedelta(seconds=10))

    assert (lookup.loan_ids, lookup.is_conclusive) == ((), False)


def test_evening_milestone_counts_on_the_companys_own_day(office):
    """At 10:30 PM in New York the clock in Greenwich has passed midnight."""
    loan_id = office.create_loan()
    office.clock.jump_to(datetime(2026, 11, 24, 3, 30, tzinfo=UTC))

    office.set_status(loan_id, "Application")
    office.set_status(loan_id, "Processing")

    snapshot = office.encompass.read_loan(loan_id)
    assert snapshot.application_date == date(2026, 11, 23)
    assert all(step.on in (None, date(2026, 11, 23)) for step in snapshot.observed_steps)
