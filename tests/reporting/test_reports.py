"""Reports: exact figures of a small book, equal to Home and to the ledgers, and their records."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from rooftree.leads.models import Lead, Loan, Milestone
from rooftree.money import balance, book_entries
from rooftree.reporting.first_screen import cost_by_source
from rooftree.reporting.first_screen.report_period import parse_period
from rooftree.reporting.reports.dimensions import DIMENSIONS
from rooftree.reporting.reports.report_records import RECORD_LISTS, records_behind
from rooftree.reporting.reports.report_table import ReportQuestion, ReportScope, load_report
from rooftree.reporting.rollups import rollup_deltas
from tests import make

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 23)
Q3 = parse_period("2026-q3", TODAY)
AUGUST = datetime(2026, 8, 12, 15, 0, tzinfo=UTC)
AUGUST_12 = AUGUST.date()
COMPANY = ReportScope()


def ask(*dimensions, by_event=False, **filters):
    return ReportQuestion(
        dimensions=dimensions or ("source",), period=Q3, filters=filters, is_by_event=by_event
    )


def book(kind, cents, source, *, lead=None, on=AUGUST_12, **changes):
    return book_entries.book_entry(
        kind=kind, amount_cents=cents, on_date=on, source_id=source.pk,
        lead_id=lead and lead.pk, basis="test", idempotency_key=f"test:{make.number()}", by=None,
        at=AUGUST, **changes,
    )  # fmt: skip


def make_lead(source, *, at=AUGUST, cost=0, waited=None, talked=False, **changes):
    lead = make.lead(at=at, source=source, **changes)
    Lead.objects.filter(pk=lead.pk).update(
        first_attempt_at=None if waited is None else at + timedelta(seconds=waited),
        first_conversation_at=at + timedelta(hours=1) if talked else None,
    )
    if cost:
        book("cost", cost, source, lead=lead, on=at.date())
    return lead


def make_loan(lead, *, rank=40, funded=None, cents=400_000_00, revenue=0):
    loan = Loan.objects.create(
        lead=lead, los="encompass", instance="main", los_loan_id=str(make.number()), rank=rank,
        application_date=lead.created_at.date() + timedelta(days=5), funded_date=funded,
        amount_cents=cents, created_at=AUGUST,
    )  # fmt: skip
    for reached in range(40, rank + 1, 10):
        Milestone.objects.create(
            loan=loan, code=f"step_{reached}", rank=reached, reached_at=AUGUST,
            on_date=lead.created_at.date() + timedelta(days=reached), recorded_at=AUGUST,
        )  # fmt: skip
    if revenue:
        book("revenue", revenue, lead.source, lead=lead, on=funded, loan_id=loan.pk)
    return loan


@pytest.fixture
def books(db):
    """Zillow: 3 leads for $100.01 each, 2 applications, 1 approved, 1 funded for $8,000.05 in
    October. Web: 1 lead of May at $40 that funded in August for $5,000. Its fee is $250.10."""
    make.company()
    south = make.branch("South", kind="region")
    tampa, austin = make.branch("Tampa", parent=south), make.branch("Austin", parent=south)
    dana, sam = make.officer("Dana", branch=tampa), make.officer("Sam", branch=austin)
    zillow = make.source(name="Zillow", slug="zillow")
    web = make.source("website_form", name="Web", slug="web")
    first, second, third = (
        make_lead(zillow, cost=100_01, waited=waited, talked=talked, officer=officer,
                  branch=officer.branch, credit_band=band)
        for waited, talked, officer, band in (
            (20, True, dana, "good"), (400, True, dana, "fair"), (None, False, sam, "")
        )
    )  # fmt: skip
    old = make_lead(
        web, at=datetime(2026, 5, 4, 15, 0, tzinfo=UTC), cost=40_00, officer=sam, branch=austin
    )
    make_loan(first, rank=130, funded=date(2026, 10, 20), revenue=8_000_05)
    make_loan(second, rank=50)
    make_loan(old, rank=130, funded=date(2026, 8, 20), cents=300_000_00, revenue=5_000_00)
    book("credit", 50_00, zillow, lead=third)
    rollup_deltas.count_cost(book("cost", 250_10, web))
    for lead in (first, second, third, old):
        rollup_deltas.append_missing_deltas(lead.pk)
    return locals()


def row_of(report, *labels):
    return next(row for row in report.rows if row.labels == labels)


def test_cohort_report_counts_what_became_of_the_arrivals_as_home_does(books):
    report = load_report(ask(), COMPANY)
    zillow, web = row_of(report, "Zillow").now, row_of(report, "Web").now

    assert (zillow.leads, zillow.attempted, zillow.talked) == (3, 2, 2)
    assert (zillow.applications, zillow.approved, zillow.cleared, zillow.funded) == (2, 1, 1, 1)
    assert (zillow.volume_cents, zillow.spend_cents, zillow.revenue_cents) == (
        400_000_00, 250_03, 8_000_05,
    )  # fmt: skip
    assert (web.leads, web.spend_cents, web.funded) == (0, 250_10, 0)
    assert row_of(report, "Web").before.funded == 1
    assert row_of(report, "Zillow").payback_days == 111  # July 1 to October 20
    assert report.total.now.spend_cents == 500_13

    home = cost_by_source.load_first_screen(period=Q3, branch_paths=None, today=TODAY).total
    total = report.total.now
    assert (home.leads, home.funded, home.spend_cents, home.revenue_cents, home.amount_cents) == (
        total.leads, total.funded, total.spend_cents, total.revenue_cents, total.volume_cents,
    )  # fmt: skip
    assert home.wait_counts == total.wait_counts


@pytest.mark.parametrize("key", DIMENSIONS)
def test_event_report_equals_the_ledgers_to_the_cent_by_every_dimension(books, key):
    report = load_report(ask(key, by_event=True), COMPANY)
    total = report.total.now

    ledger = balance.balances_by_source(from_date=Q3.from_date, until_date=Q3.until_date)
    assert total.spend_cents == sum(row.spend_cents for row in ledger.values()) == 500_13
    assert total.revenue_cents == sum(row.earned_cents for row in ledger.values()) == 5_000_00
    assert report.is_reconciled
    if key != "branch":  # a region counts its branches' leads too
        assert sum(row.now.spend_cents for row in report.rows) == 500_13
    if key not in ("source", "campaign"):
        assert row_of(report, "Not attributable").now.spend_cents == 250_10
    assert total.funded == 1  # the loan that funded in August, of a lead of May


@pytest.mark.parametrize("by_event", [False, True])
def test_each_figure_opens_exactly_the_records_it_counts(books, by_event):
    sums = {
        "leads": "leads", "attempted": "attempted", "talked": "talked", "funded": "funded",
        "applications": "applications", "approved": "approved", "cleared": "cleared",
    }  # fmt: skip
    cents = {"volume": "volume_cents", "cost": "spend_cents", "revenue": "revenue_cents"}
    for dimensions in [("source",), ("officer", "credit"), ("branch",), ("price", "source")]:
        report = load_report(ask(*dimensions, by_event=by_event), COMPANY)
        for row in report.rows:
            own = dict(zip(dimensions, row.keys, strict=True))
            question = ask(*dimensions, by_event=by_event, **own)
            for figure, name in sums.items():
                records = records_behind(figure, question, COMPANY, visible=None)
                assert len(records) == getattr(row.now, name), (figure, row.labels)
            for figure, name in cents.items():
                records = records_behind(figure, question, COMPANY, visible=None)
                amount = RECORD_LISTS[figure].amount
                assert sum(getattr(record, amount) for record in records) == getattr(
                    row.now, name
                ), (figure, row.labels)
            profit = records_behind("profit", question, COMPANY, visible=None)
            assert sum(entry.profit for entry in profit) == row.now.profit_cents


def test_branch_rows_count_the_branches_below_within_what_the_reader_sees(books):
    report = load_report(ask("branch"), COMPANY)
    assert [(row.labels, row.depth, row.now.leads) for row in report.rows] == [
        (("South",), 0, 3), (("Austin",), 1, 1), (("Tampa",), 1, 2), (("Not attributable",), 0, 0),
    ]  # fmt: skip
    assert report.total.now.leads == 3

    own = load_report(ask("branch"), ReportScope(branch_paths=[books["tampa"].path]))
    assert [(row.labels, row.now.leads) for row in own.rows] == [(("Tampa",), 2)]
    assert own.total.now.spend_cents == 200_02 and own.ledger is None


def test_officer_scope_counts_only_own_leads(books):
    scope = ReportScope(officer_ids=[books["sam"].pk], sees_revenue=False)
    report = load_report(ask("source", "purpose"), scope)

    assert report.total.now.leads == 1
    assert report.total.now.spend_cents == 50_01  # $100.01 less the credit


def test_test_leads_are_left_out_and_named_in_the_reconciliation(books):
    lead = make_lead(books["zillow"], cost=7_00, is_test=True)
    report = load_report(ask(by_event=True), COMPANY)

    assert lead.is_test and report.total.now.leads == 3
    assert report.unexplained_cents == (7_00, 0) and not report.is_reconciled


def test_report_takes_few_statements(books, django_assert_num_queries):
    question = replace(ask("source", "officer"), is_by_event=True)
    with django_assert_num_queries(5):  # company zone, sums, two lists of names, ledgers
        load_report(question, COMPANY)
