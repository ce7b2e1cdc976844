"""The first screen: its figures are right, whole, and open the records they count."""

from datetime import UTC, date, datetime, timedelta

import pytest

from rooftree.leads.models import Lead, Loan
from rooftree.money import book_entries
from rooftree.reporting.first_screen import cost_by_source
from rooftree.reporting.first_screen.figure_leads import (
    FIGURE_TITLES,
    FigureScope,
    leads_behind_figure,
)
from rooftree.reporting.first_screen.report_period import parse_period
from rooftree.reporting.rollups import rollup_deltas
from rooftree.reporting.rollups.fold_rollups import fold_deltas
from tests import make

TODAY = date(2026, 11, 23)
Q3 = parse_period("2026-q3", TODAY)
AUGUST = datetime(2026, 8, 12, 15, 0, tzinfo=UTC)
MAY = datetime(2026, 5, 12, 15, 0, tzinfo=UTC)


def lead_of(source, *, at=AUGUST, cost=0, waited=None, funded=0, revenue=0, **changes):
    """A counted lead: what it cost in cents, how long it waited, how many loans funded."""
    lead = make.lead(at=at, source=source, **changes)
    if waited is not None:
        Lead.objects.filter(pk=lead.pk).update(first_attempt_at=at + waited * make.SECOND)
    for _ in range(funded):
        loan = Loan.objects.create(
            lead=lead,
            los="encompass",
            instance="main",
            los_loan_id=str(make.number()),
            application_date=at.date() + timedelta(days=5),
            funded_date=at.date() + timedelta(days=40),
            amount_cents=400_000_00,
            created_at=at,
        )
        _book(lead, "revenue", revenue, loan_id=loan.pk)
    _book(lead, "cost", cost)
    rollup_deltas.append_missing_deltas(lead.pk)
    return lead


def _book(lead, kind, cents, **changes):
    book_entries.book_entry(
        kind=kind,
        amount_cents=cents,
        on_date=lead.created_at.date(),
        source_id=lead.source_id,
        lead_id=lead.pk,
        basis="test",
        cause=f"test:{make.number()}",
        by=None,
        at=lead.created_at,
        **changes,
    )


def screen(**changes):
    return cost_by_source.load_first_screen(
        **{"period": Q3, "branch_paths": None, "today": TODAY, **changes}
    )


@pytest.fixture
def two_sources(db):
    """Zillow: 4 leads, 400 dollars, 2 funded. LendingTree: 2 leads, 100 dollars, none funded."""
    make.company()
    zillow = make.source(name="Zillow", slug="zillow")
    tree = make.source(name="LendingTree", slug="lendingtree")
    for funded, waited in ((1, 20), (1, 40), (0, 400), (0, None)):
        lead_of(zillow, cost=100_00, waited=waited, funded=funded, revenue=9_000_00)
    for _ in range(2):
        lead_of(tree, cost=50_00, waited=30)
    lead_of(zillow, at=MAY, cost=500_00, funded=1)
    return zillow, tree


@pytest.mark.parametrize("folds", [False, True])
def test_each_source_shows_what_its_cohort_cost_and_became(two_sources, folds):
    if folds:
        fold_deltas(at=make.NOON)

    shown = screen()

    zillow, tree = shown.rows
    assert (zillow.name, tree.name) == ("Zillow", "LendingTree")
    assert (zillow.leads, zillow.applications, zillow.funded) == (4, 2, 2)
    assert zillow.cost_per_funded_cents == 200_00
    assert zillow.gross_profit_cents == 2 * 9_000_00 - 400_00
    assert zillow.pull_through_pct == 100
    assert zillow.attempted == 3
    assert (tree.leads, tree.funded, tree.cost_per_funded_cents) == (2, 0, None)
    assert tree.pull_through_pct is None


def test_the_total_is_the_sum_of_the_rows_and_the_period_before_stands_beside_it(two_sources):
    shown = screen()

    assert (shown.total.leads, shown.total.spend_cents, shown.total.funded) == (6, 500_00, 2)
    assert shown.total.cost_per_funded_cents == 250_00
    for measure in ("leads", "applications", "funded", "spend_cents", "revenue_cents", "attempted"):
        assert getattr(shown.total, measure) == sum(getattr(row, measure) for row in shown.rows)
    assert (shown.previous_total.leads, shown.previous_total.cost_per_funded_cents) == (1, 500_00)


def test_a_period_that_is_not_all_on_file_is_no_measure(db):
    """A history that is still being loaded must not look like growth."""
    zillow = make.source()
    lead_of(zillow)
    assert not screen().has_full_previous_period

    lead_of(zillow, at=datetime(2026, 4, 20, 15, 0, tzinfo=UTC))
    assert not screen().has_full_previous_period

    lead_of(zillow, at=datetime(2026, 4, 3, 15, 0, tzinfo=UTC))
    assert screen().has_full_previous_period


def test_a_loan_funded_after_the_period_counts_for_the_cohort_it_arrived_in(two_sources):
    zillow, _ = two_sources
    lead_of(zillow, at=datetime(2026, 9, 30, 15, tzinfo=UTC), funded=1)  # funds in November

    assert screen().total.funded == 3


def test_a_lead_just_before_midnight_at_the_company_is_of_the_day_before(db):
    make.company(zone="America/New_York")
    zillow = make.source()
    lead_of(zillow, at=datetime(2026, 10, 1, 3, 59, tzinfo=UTC))  # Sep 30, 23:59
    lead_of(zillow, at=datetime(2026, 10, 1, 4, 0, tzinfo=UTC))  # Oct 1, 0:00

    assert screen().total.leads == 1


def test_a_branch_sees_only_what_its_own_leads_became(two_sources):
    zillow, _ = two_sources
    region = make.branch("South", kind="region")
    tampa = make.branch("Tampa", parent=region)
    lead_of(zillow, branch=tampa, cost=70_00)

    assert screen(branch_paths=[region.path]).total.spend_cents == 70_00
    assert screen(branch_paths=[tampa.path]).total.leads == 1
    assert screen(branch_paths=[]).total.leads == 0
    assert screen().total.leads == 7


def test_too_little_history_leaves_the_ripeness_unknown(two_sources):
    assert screen().total.maturity.label == "unknown"
    assert screen().total.expected_fundings is None


def test_with_history_a_young_cohort_is_called_young_and_more_is_expected(db):
    make.company()
    zillow = make.source()
    for _ in range(20):  # each funds 40 days after it came
        lead_of(zillow, at=datetime(2026, 3, 2, 15, tzinfo=UTC), cost=100_00, funded=1)
    lead_of(zillow, at=AUGUST, cost=100_00, funded=1)
    october = parse_period("2026-10", TODAY)
    for _ in range(3):
        lead_of(zillow, at=datetime(2026, 10, 7, 15, tzinfo=UTC), cost=100_00)  # 47 days old
        lead_of(zillow, at=datetime(2026, 10, 28, 15, tzinfo=UTC), cost=100_00)

    assert screen().total.maturity.label == "mature"
    young = screen(period=october).total.maturity
    assert (young.label, young.share) == ("young", 0.5)
    assert young.judge_from > TODAY


def test_the_trend_has_twelve_months_and_adds_up(two_sources):
    months = screen().months

    assert [m.first_day for m in months][0] == date(2025, 11, 1)
    assert [m.first_day for m in months][-1] == date(2026, 10, 1)
    by_day = {m.first_day: m for m in months}
    assert by_day[date(2026, 8, 1)].cost_per_funded_cents == 250_00
    assert by_day[date(2026, 5, 1)].spend_cents == 500_00
    assert by_day[date(2026, 9, 1)].cost_per_funded_cents is None


def test_the_whole_screen_is_four_statements(two_sources, django_assert_num_queries):
    with django_assert_num_queries(5):
        screen()


@pytest.mark.parametrize("number", [n for n in FIGURE_TITLES if n not in ("spend", "profit")])
def test_every_figure_opens_as_many_records_as_it_counts(two_sources, number):
    shown = screen()

    for row in [*shown.rows, shown.total]:
        part = FigureScope(period=Q3, source_id=row.source_id)
        leads = leads_behind_figure(number, part, visible=Lead.objects.all())
        assert leads.count() == getattr(row, number), (number, row.name)


def test_spend_opens_the_leads_that_were_paid_for_at_that_source(two_sources):
    zillow, tree = two_sources
    twice = Lead.objects.filter(source=zillow, created_at=AUGUST).first()
    book_entries.book_entry(
        kind="cost",
        amount_cents=50_00,
        on_date=TODAY,
        source_id=tree.pk,
        lead_id=twice.pk,
        basis="per_lead",
        cause="again",
        by=None,
        at=make.NOON,
    )

    part = FigureScope(period=Q3, source_id=tree.pk)
    assert twice in leads_behind_figure("spend", part, visible=Lead.objects.all())
    assert leads_behind_figure("spend", part, visible=Lead.objects.all()).count() == 3
    assert twice not in leads_behind_figure("leads", part, visible=Lead.objects.all())


def test_a_column_of_the_speed_chart_opens_the_leads_of_its_band(two_sources):
    counts = [
        leads_behind_figure(
            "attempted", FigureScope(period=Q3, band=band), visible=Lead.objects.all()
        ).count()
        for band in range(6)
    ]

    assert counts == [4, 0, 1, 0, 0, 0]


def test_records_show_nothing_the_user_may_not_see(two_sources):
    part = FigureScope(period=Q3)

    assert not leads_behind_figure("leads", part, visible=Lead.objects.none()).exists()


def test_a_test_lead_is_behind_no_figure(two_sources):
    zillow, _ = two_sources
    hidden = lead_of(zillow, is_test=True)

    assert hidden not in leads_behind_figure(
        "leads", FigureScope(period=Q3), visible=Lead.objects.all()
    )
    assert screen().total.leads == 6
