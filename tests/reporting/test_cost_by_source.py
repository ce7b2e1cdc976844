"""The first screen: correct, complete figures that open the leads they count."""

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


def make_counted_lead(source, *, at=AUGUST, cost=0, waited=None, funded=0, revenue=0, **changes):
    """Make a counted lead with a cost in cents, a wait in seconds, and funded loans."""
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
        idempotency_key=f"test:{make.number()}",
        by=None,
        at=lead.created_at,
        **changes,
    )


def load_screen(**changes):
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
        make_counted_lead(zillow, cost=100_00, waited=waited, funded=funded, revenue=9_000_00)
    for _ in range(2):
        make_counted_lead(tree, cost=50_00, waited=30)
    make_counted_lead(zillow, at=MAY, cost=500_00, funded=1)
    return zillow, tree


@pytest.mark.parametrize("folds", [False, True])
def test_source_row_shows_cost_and_outcome_of_its_cohort(two_sources, folds):
    if folds:
        fold_deltas(at=make.NOON)

    shown = load_screen()

    zillow, tree = shown.rows
    assert (zillow.name, tree.name) == ("Zillow", "LendingTree")
    assert (zillow.leads, zillow.applications, zillow.funded) == (4, 2, 2)
    assert zillow.cost_per_funded_cents == 200_00
    assert zillow.gross_profit_cents == 2 * 9_000_00 - 400_00
    assert zillow.pull_through_pct == 100
    assert zillow.attempted == 3
    assert (tree.leads, tree.funded, tree.cost_per_funded_cents) == (2, 0, None)
    assert tree.pull_through_pct is None


def test_total_is_the_sum_of_rows_with_the_previous_period(two_sources):
    shown = load_screen()

    assert (shown.total.leads, shown.total.spend_cents, shown.total.funded) == (6, 500_00, 2)
    assert shown.total.cost_per_funded_cents == 250_00
    for measure in ("leads", "applications", "funded", "spend_cents", "revenue_cents", "attempted"):
        assert getattr(shown.total, measure) == sum(getattr(row, measure) for row in shown.rows)
    assert (shown.previous_total.leads, shown.previous_total.cost_per_funded_cents) == (1, 500_00)


def test_incomplete_previous_period_is_not_compared(db):
    """A history that is still loading must not look like growth."""
    zillow = make.source()
    make_counted_lead(zillow)
    assert not load_screen().has_full_previous_period

    make_counted_lead(zillow, at=datetime(2026, 4, 20, 15, 0, tzinfo=UTC))
    assert not load_screen().has_full_previous_period

    make_counted_lead(zillow, at=datetime(2026, 4, 3, 15, 0, tzinfo=UTC))
    assert load_screen().has_full_previous_period


def test_late_funding_counts_for_the_arrival_cohort(two_sources):
    zillow, _ = two_sources
    make_counted_lead(
        zillow, at=datetime(2026, 9, 30, 15, tzinfo=UTC), funded=1
    )  # funds in November

    assert load_screen().total.funded == 3


def test_arrival_day_is_in_company_time(db):
    make.company(zone="America/New_York")
    zillow = make.source()
    make_counted_lead(zillow, at=datetime(2026, 10, 1, 3, 59, tzinfo=UTC))  # Sep 30, 23:59
    make_counted_lead(zillow, at=datetime(2026, 10, 1, 4, 0, tzinfo=UTC))  # Oct 1, 0:00

    assert load_screen().total.leads == 1


def test_branch_sees_only_its_own_leads(two_sources):
    zillow, _ = two_sources
    region = make.branch("South", kind="region")
    tampa = make.branch("Tampa", parent=region)
    make_counted_lead(zillow, branch=tampa, cost=70_00)

    assert load_screen(branch_paths=[region.path]).total.spend_cents == 70_00
    assert load_screen(branch_paths=[tampa.path]).total.leads == 1
    assert load_screen(branch_paths=[]).total.leads == 0
    assert load_screen().total.leads == 7


def test_maturity_is_unknown_with_too_little_history(two_sources):
    assert load_screen().total.maturity.label == "unknown"
    assert load_screen().total.expected_fundings is None


def test_young_cohort_is_labeled_young_with_history(db):
    make.company()
    zillow = make.source()
    for _ in range(20):  # each funds 40 days after arrival
        make_counted_lead(zillow, at=datetime(2026, 3, 2, 15, tzinfo=UTC), cost=100_00, funded=1)
    make_counted_lead(zillow, at=AUGUST, cost=100_00, funded=1)
    october = parse_period("2026-10", TODAY)
    for _ in range(3):
        make_counted_lead(
            zillow, at=datetime(2026, 10, 7, 15, tzinfo=UTC), cost=100_00
        )  # 47 days old
        make_counted_lead(zillow, at=datetime(2026, 10, 28, 15, tzinfo=UTC), cost=100_00)

    assert load_screen().total.maturity.label == "mature"
    young = load_screen(period=october).total.maturity
    assert (young.label, young.share) == ("young", 0.5)
    assert young.judge_from > TODAY


def test_trend_has_twelve_months(two_sources):
    months = load_screen().months

    assert months[0].first_day == date(2025, 11, 1)
    assert months[-1].first_day == date(2026, 10, 1)
    by_day = {month.first_day: month for month in months}
    assert by_day[date(2026, 8, 1)].cost_per_funded_cents == 250_00
    assert by_day[date(2026, 5, 1)].spend_cents == 500_00
    assert by_day[date(2026, 9, 1)].cost_per_funded_cents is None


def test_first_screen_runs_five_queries(two_sources, django_assert_num_queries):
    with django_assert_num_queries(5):
        load_screen()


@pytest.mark.parametrize(
    "figure", [name for name in FIGURE_TITLES if name not in ("spend", "profit")]
)
def test_figure_opens_as_many_leads_as_it_counts(two_sources, figure):
    shown = load_screen()

    for row in [*shown.rows, shown.total]:
        scope = FigureScope(period=Q3, source_id=row.source_id)
        leads = leads_behind_figure(figure, scope, visible=Lead.objects.all())
        assert leads.count() == getattr(row, figure), (figure, row.name)


def test_spend_opens_the_leads_paid_at_that_source(two_sources):
    zillow, tree = two_sources
    lead = Lead.objects.filter(source=zillow, created_at=AUGUST).first()
    book_entries.book_entry(
        kind="cost",
        amount_cents=50_00,
        on_date=TODAY,
        source_id=tree.pk,
        lead_id=lead.pk,
        basis="per_lead",
        idempotency_key="again",
        by=None,
        at=make.NOON,
    )

    scope = FigureScope(period=Q3, source_id=tree.pk)
    assert lead in leads_behind_figure("spend", scope, visible=Lead.objects.all())
    assert leads_behind_figure("spend", scope, visible=Lead.objects.all()).count() == 3
    assert lead not in leads_behind_figure("leads", scope, visible=Lead.objects.all())


def test_speed_chart_column_opens_the_leads_of_its_band(two_sources):
    counts = [
        leads_behind_figure(
            "attempted", FigureScope(period=Q3, band=band), visible=Lead.objects.all()
        ).count()
        for band in range(6)
    ]

    assert counts == [4, 0, 1, 0, 0, 0]


def test_figure_opens_only_visible_leads(two_sources):
    scope = FigureScope(period=Q3)

    assert not leads_behind_figure("leads", scope, visible=Lead.objects.none()).exists()


def test_test_lead_is_in_no_figure(two_sources):
    zillow, _ = two_sources
    test_lead = make_counted_lead(zillow, is_test=True)

    assert test_lead not in leads_behind_figure(
        "leads", FigureScope(period=Q3), visible=Lead.objects.all()
    )
    assert load_screen().total.leads == 6
