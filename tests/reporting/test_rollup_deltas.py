"""Rollup deltas: the running sums equal a recount from scratch, in any order of events."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from threading import Barrier

import pytest
from django.db import connections, transaction
from django.db.models import Sum
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase as HypothesisCase
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from rooftree.leads.models import Lead, Loan
from rooftree.money import book_entries
from rooftree.money.models import Entry
from rooftree.reporting.models import MonthRollup, Rollup, RollupDelta
from rooftree.reporting.rollups import rebuild_rollups, rollup_deltas
from rooftree.reporting.rollups.fold_rollups import fold_deltas
from tests import make

DAY = date(2026, 11, 23)


def total(measure):
    return RollupDelta.objects.filter(measure=measure).aggregate(sum=Sum("amount"))["sum"] or 0


def make_lead(**changes):
    lead = make.lead(**changes)
    rollup_deltas.count_lead(lead)
    return lead


def make_loan(lead, **changes):
    return Loan.objects.create(
        **{
            "lead": lead,
            "los": "encompass",
            "instance": "main",
            "los_loan_id": f"loan-{make.number()}",
            "created_at": make.NOON,
            **changes,
        }
    )


def book_entry(source, **changes):
    return book_entries.book_entry(
        **{
            "kind": "cost",
            "amount_cents": 100_00,
            "on_date": DAY,
            "source_id": source.pk,
            "basis": "invoice",
            "idempotency_key": f"test:{make.number()}",
            "by": None,
            "at": make.NOON,
            **changes,
        }
    )


@pytest.mark.django_db
def test_lead_is_counted_once_on_its_company_day():
    make.company(zone="America/New_York")
    lead = make_lead(at=make.NIGHT)  # Tuesday in UTC, Monday at the company
    rollup_deltas.count_lead(lead)

    delta = RollupDelta.objects.get()
    assert (delta.measure, delta.amount, delta.arrival_date) == ("leads", 1, DAY)
    assert (delta.source_id, delta.branch_id) == (lead.source_id, None)


@pytest.mark.django_db
def test_test_lead_is_not_counted():
    make_lead(is_test=True)

    assert not RollupDelta.objects.exists()


@pytest.mark.django_db
def test_attempt_counts_in_the_bucket_of_its_wait():
    lead = make_lead()
    Lead.objects.filter(pk=lead.pk).update(first_attempt_at=make.NOON + 52 * make.SECOND)

    rollup_deltas.count_attempt(lead)
    rollup_deltas.count_attempt(lead)

    delta = RollupDelta.objects.get(measure="attempted")
    assert delta.bucket == 10  # 50 to 55 seconds
    assert delta.amount == 1


@pytest.mark.django_db
def test_funded_loan_without_application_date_counts_as_application():
    loan = make_loan(make_lead(), funded_date=DAY, amount_cents=400_000_00)

    rollup_deltas.count_funding(loan)

    assert (total("applications"), total("funded"), total("amount_cents")) == (1, 1, 400_000_00)


@pytest.mark.django_db
def test_application_dated_later_moves_to_its_day():
    loan = make_loan(make_lead(), funded_date=DAY)
    rollup_deltas.count_funding(loan)
    Loan.objects.filter(pk=loan.pk).update(application_date=DAY - timedelta(days=30))

    rollup_deltas.count_application(loan)

    assert total("applications") == 1
    assert rebuild_rollups.find_differences() == []


@pytest.mark.django_db
def test_withdrawn_funding_is_removed_from_the_sums():
    loan = make_loan(make_lead(), funded_date=DAY, application_date=DAY, amount_cents=1)
    rollup_deltas.count_funding(loan)
    Loan.objects.filter(pk=loan.pk).update(funded_date=None)

    rollup_deltas.count_funding(loan)

    assert (total("applications"), total("funded"), total("amount_cents")) == (1, 0, 0)


@pytest.mark.django_db
def test_spend_is_net_of_credits_and_revenue_of_reversals():
    lead = make_lead()
    for kind, cents in (("cost", 65_00), ("credit", 65_00), ("cost", 50_00)):
        rollup_deltas.count_cost(
            book_entry(lead.source, kind=kind, amount_cents=cents, lead_id=lead.pk)
        )
    for kind, cents in (("revenue", 9_000_00), ("reversal", 1_000_00)):
        rollup_deltas.count_revenue(
            book_entry(lead.source, kind=kind, amount_cents=cents, lead_id=lead.pk)
        )

    assert (total("spend_cents"), total("revenue_cents")) == (50_00, 8_000_00)


@pytest.mark.django_db
def test_repeat_inquiry_costs_the_source_that_sent_it():
    lead = make_lead()
    second = make.source("lendingtree")

    rollup_deltas.count_cost(book_entry(second, lead_id=lead.pk, on_date=DAY + timedelta(days=9)))

    delta = RollupDelta.objects.get(measure="spend_cents")
    assert (delta.source_id, delta.arrival_date) == (second.pk, DAY)


@pytest.mark.django_db
def test_fee_without_lead_counts_once_for_its_source():
    zillow = make.source()
    fee = book_entry(zillow, amount_cents=500_00)

    rollup_deltas.count_cost(fee)
    rollup_deltas.count_cost(fee)

    assert total("spend_cents") == 500_00
    assert rebuild_rollups.find_differences() == []


@pytest.mark.django_db
def test_sums_move_with_the_lead_to_its_branch():
    tampa = make.branch("Tampa")
    lead = make_lead()
    rollup_deltas.count_cost(book_entry(lead.source, lead_id=lead.pk))
    fold_deltas(at=make.NOON)
    Lead.objects.filter(pk=lead.pk).update(branch=tampa)

    rollup_deltas.recount_lead(lead)
    fold_deltas(at=make.NOON)

    totals = {}
    for row in Rollup.objects.all():
        totals[row.branch_id, row.measure] = totals.get((row.branch_id, row.measure), 0)
        totals[row.branch_id, row.measure] += row.amount
    assert totals == {
        (None, "leads"): 0,
        (None, "spend_cents"): 0,
        (tampa.pk, "leads"): 1,
        (tampa.pk, "spend_cents"): 100_00,
    }


@pytest.mark.django_db
def test_each_delta_is_folded_once():
    for _ in range(3):
        make_lead(source=make.source())

    assert (fold_deltas(at=make.NOON, limit=2).deltas, fold_deltas(at=make.NOON).deltas) == (2, 1)
    assert fold_deltas(at=make.NOON).deltas == 0
    assert Rollup.objects.aggregate(sum=Sum("amount"))["sum"] == 3
    assert not RollupDelta.objects.filter(folded_at=None).exists()


@pytest.mark.django_db
def test_wrong_monthly_sum_is_found():
    make_lead()
    fold_deltas(at=make.NOON)
    assert rebuild_rollups.find_differences() == []

    MonthRollup.objects.update(amount=2)

    (difference,) = rebuild_rollups.find_differences()
    assert (difference.key[0], difference.counted, difference.actual) == (date(2026, 11, 1), 2, 1)


@pytest.mark.django_db
def test_uncounted_change_is_found_and_fixed_by_a_rebuild():
    lead = make_lead()
    make_loan(lead, funded_date=DAY)  # not counted
    book_entry(lead.source)  # the fee is not counted either

    differences = rebuild_rollups.find_differences()
    assert {(row.key[4], row.counted, row.actual) for row in differences} == {
        ("applications", 0, 1),
        ("funded", 0, 1),
        ("spend_cents", 0, 100_00),
    }

    rebuild_rollups.rebuild_all(at=make.NOON)

    assert rebuild_rollups.find_differences() == []
    assert not RollupDelta.objects.filter(folded_at=None).exists()


@pytest.mark.django_db(transaction=True)
def test_concurrent_move_and_funding_are_both_counted():
    tampa = make.branch("Tampa")
    for _ in range(4):
        lead = make_lead()
        loan = make_loan(lead)
        start = Barrier(2)

        def move(lead=lead, start=start):
            start.wait()
            with transaction.atomic():
                Lead.objects.filter(pk=lead.pk).update(branch=tampa)
                rollup_deltas.recount_lead(lead)

        def fund(loan=loan, start=start):
            start.wait()
            with transaction.atomic():
                Loan.objects.filter(pk=loan.pk).update(funded_date=DAY)
                rollup_deltas.count_funding(loan)

        run_concurrently(move, fund)

    assert rebuild_rollups.find_differences() == []


@pytest.mark.django_db(transaction=True)
def test_concurrent_folds_and_appends_lose_nothing():
    source = make.source()

    def append():
        for _ in range(8):
            make_lead(source=source)

    def compact():
        for _ in range(12):
            fold_deltas(at=make.NOON, limit=3)

    run_concurrently(append, append, compact, compact, compact)

    assert rebuild_rollups.find_differences() == []
    while fold_deltas(at=make.NOON).deltas:
        pass
    assert Rollup.objects.aggregate(sum=Sum("amount"))["sum"] == 16
    assert rebuild_rollups.find_differences() == []


def run_concurrently(*functions):
    def run(function):
        try:
            function()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(functions)) as pool:
        for future in [pool.submit(run, function) for function in functions]:
            future.result(timeout=60)


class Business(RuleBasedStateMachine):
    """All events that change a sum, in any order, with folds in between."""

    def __init__(self):
        super().__init__()
        self.sources = [make.source(), make.source()]
        self.branches = [make.branch(), make.branch()]
        self.leads = []

    def any_lead(self, nth):
        return self.leads[nth % len(self.leads)] if self.leads else None

    @rule(which=st.integers(0, 1), hours=st.integers(0, 2000), is_test=st.booleans())
    def arrive(self, which, hours, is_test):
        at = make.NOON + hours * make.HOUR
        lead = make_lead(at=at, source=self.sources[which], is_test=is_test and hours % 4 == 0)
        self.leads.append(lead)

    @rule(nth=st.integers(0, 50), seconds=st.integers(0, 10**7))
    def attempt(self, nth, seconds):
        if lead := self.any_lead(nth):
            attempted_at = lead.created_at + seconds * make.SECOND
            leads = Lead.objects.filter(pk=lead.pk, first_attempt_at=None)
            leads.update(first_attempt_at=attempted_at)
            rollup_deltas.count_attempt(lead)

    @rule(nth=st.integers(0, 50), which=st.integers(0, 2))
    def move(self, nth, which):
        if lead := self.any_lead(nth):
            branch = [*self.branches, None][which]
            Lead.objects.filter(pk=lead.pk).update(branch=branch)
            rollup_deltas.recount_lead(lead)

    @rule(nth=st.integers(0, 50), which=st.integers(0, 1), kind=st.sampled_from(["cost", "credit"]))
    def pay(self, nth, which, kind):
        lead = self.any_lead(nth)
        source = self.sources[which]
        rollup_deltas.count_cost(
            book_entry(source, kind=kind, lead_id=lead.pk if lead and nth % 3 else None)
        )

    @rule(nth=st.integers(0, 50), days=st.none() | st.integers(0, 90), cents=st.integers(0, 10**8))
    def lend(self, nth, days, cents):
        if lead := self.any_lead(nth):
            loan = lead.loans.first() or make_loan(lead, application_date=DAY)
            funded_date = None if days is None else DAY + timedelta(days=days)
            Loan.objects.filter(pk=loan.pk).update(funded_date=funded_date, amount_cents=cents)
            rollup_deltas.count_funding(loan)
            rollup_deltas.count_revenue(
                book_entry(lead.source, kind="revenue", lead_id=lead.pk, loan_id=loan.pk)
            )

    @rule(limit=st.integers(1, 8))
    def compact(self, limit):
        fold_deltas(at=make.NOON, limit=limit)

    @invariant()
    def sums_equal_a_recount(self):
        assert rebuild_rollups.find_differences() == []


@pytest.mark.hypothesis
class EverySequence(HypothesisCase):
    def test_sums_are_exact_after_any_sequence_of_events(self):
        def machine():
            for table in (RollupDelta, Rollup, MonthRollup, Entry, Loan, Lead):
                table.objects.all().delete()
            return Business()

        run_state_machine_as_test(
            machine, settings=settings(max_examples=12, stateful_step_count=20, deadline=None)
        )
