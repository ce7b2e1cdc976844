"""A report: the figures of each value of one or two dimensions, beside the period before."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from rooftree.leads.models import Campaign, Source
from rooftree.money.balance import Balance, sum_entries
from rooftree.money.company_day import company_zone
from rooftree.money.models import Entry
from rooftree.org.models import Branch, LoanOfficer
from rooftree.reporting.first_screen import speed_to_lead
from rooftree.reporting.first_screen.report_period import ReportPeriod
from rooftree.reporting.reports import sql
from rooftree.reporting.reports.dimensions import DIMENSIONS, NOT_ATTRIBUTABLE, NOT_STATED
from rooftree.reporting.reports.value_labels import label_code

TABLE_DIMENSIONS = ("source", "campaign", "officer", "branch")
MIN_FUNDED = 5  # loans; a row with fewer shows no cost per funded loan and no ROI
MIN_DENOMINATOR = 20  # leads or loans; a row with fewer shows "3 of 7" and no percentage


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportScope:
    """The leads that a reader's reports cover."""

    branch_paths: Sequence[str] | None = None  # with the branches below; None: the company
    officer_ids: Sequence[UUID] | None = None  # None: all officers
    sees_revenue: bool = True

    @property
    def is_company(self) -> bool:
        return self.branch_paths is None and self.officer_ids is None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportQuestion:
    """What a report shows."""

    dimensions: tuple[str, ...]  # one or two keys of DIMENSIONS
    period: ReportPeriod
    filters: Mapping[str, str] = field(default_factory=dict)
    is_by_event: bool = False  # count events of the period, not what became of its arrivals


@dataclass(slots=True, kw_only=True)
class ReportSums:
    """The sums of one cell of a report."""

    leads: int = 0
    talked: int = 0
    applications: int = 0
    approved: int = 0
    cleared: int = 0
    funded: int = 0
    volume_cents: int = 0
    spend_cents: int = 0
    revenue_cents: int = 0
    wait_counts: dict[int, int] = field(default_factory=dict)  # leads by speed_to_lead bucket

    @property
    def attempted(self) -> int:
        return sum(self.wait_counts.values())

    @property
    def profit_cents(self) -> int:
        return self.revenue_cents - self.spend_cents

    @property
    def cost_per_funded_cents(self) -> int | None:
        return round(self.spend_cents / self.funded) if self.funded > 0 else None

    @property
    def roi_pct(self) -> float | None:
        """Gross profit as a percentage of the cost; None without a cost."""
        return 100 * self.profit_cents / self.spend_cents if self.spend_cents > 0 else None

    @property
    def median_seconds(self) -> float | None:
        return speed_to_lead.quantile_seconds(self.wait_counts, 0.5)

    @property
    def p90_seconds(self) -> float | None:
        return speed_to_lead.quantile_seconds(self.wait_counts, 0.9)

    def add(self, measure: str, bucket: int, amount: int) -> None:
        """Add one sum of the database."""
        if measure == "attempted":
            self.wait_counts[bucket] = self.wait_counts.get(bucket, 0) + amount
        else:
            setattr(self, measure, getattr(self, measure) + amount)

    @property
    def is_empty(self) -> bool:
        counts = (self.leads, self.attempted, self.talked, self.applications, self.funded)
        return not any((*counts, self.spend_cents, self.revenue_cents))


@dataclass(slots=True, kw_only=True)
class ReportRow:
    """One row: a value of each dimension, its figures and those of the period before."""

    keys: tuple[str, ...]
    labels: tuple[str, ...]
    depth: int = 0  # in the tree of branches
    now: ReportSums = field(default_factory=ReportSums)
    before: ReportSums = field(default_factory=ReportSums)
    payback_days: int | None = None  # from the start of the period


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A report as a page or a file shows it."""

    question: ReportQuestion
    rows: list[ReportRow]  # by label; branches as a tree
    total: ReportRow
    ledger: Balance | None  # entries of the same days; None where a report covers less

    @property
    def is_reconciled(self) -> bool:
        """True if cost and revenue equal the ledgers of the same days to the cent."""
        return self.unexplained_cents == (0, 0)

    @property
    def unexplained_cents(self) -> tuple[int, int]:
        """Cost and revenue in the ledgers that the report leaves out: of test leads."""
        if self.ledger is None:
            return 0, 0
        now = self.total.now
        return self.ledger.spend_cents - now.spend_cents, (
            self.ledger.earned_cents - now.revenue_cents
        )


def load_report(question: ReportQuestion, scope: ReportScope) -> Report:
    """Load a report in two statements, one for each dimension's names, and one for the ledgers."""
    facts = build_facts(question, scope)
    total = ReportRow(keys=(), labels=("Total",))
    rows: dict[tuple[str, ...], ReportRow] = {}
    tree = _branch_tree(scope) if "branch" in question.dimensions else {}
    for *values, measure, bucket, is_now, amount in sql.load_sums(facts):
        for keys in _expand_branches(question.dimensions, tuple(values), tree):
            row = rows.setdefault(keys, ReportRow(keys=keys, labels=()))
            (row.now if is_now else row.before).add(measure, bucket, amount)
        (total.now if is_now else total.before).add(measure, bucket, amount)
    shown = [row for row in rows.values() if not (row.now.is_empty and row.before.is_empty)]
    names = {
        key: dict(list_values(key)) if key in TABLE_DIMENSIONS else {}
        for key in question.dimensions
    }
    for row in shown:
        pairs = zip(question.dimensions, row.keys, strict=True)
        row.labels = tuple(value_label(key, value, names[key]) for key, value in pairs)
        row.depth = len(tree.get(row.keys[0], ("",))) - 1
    period = question.period
    if not question.is_by_event and len(question.dimensions) == 1:
        _add_payback(rows, total, facts, period.from_date, tree)
    covers_all = question.is_by_event and scope.is_company and not question.filters
    entries = Entry.objects.filter(on_date__gte=period.from_date, on_date__lt=period.until_date)
    return Report(
        question=question, rows=sorted(shown, key=_tree_key(tree, names)), total=total,
        ledger=sum_entries(entries) if covers_all else None,
    )  # fmt: skip


def build_facts(question: ReportQuestion, scope: ReportScope) -> sql.ReportFacts:
    """Build the facts that a report and its drill-downs read."""
    zone = company_zone()
    period = question.period
    before = period.previous()
    conditions, params = ["true"], {
        "zone": zone.key, "before": before.from_date, "start": period.from_date,
        "until": period.until_date,
        "before_at": datetime.combine(before.from_date, time(), zone),
        "start_at": datetime.combine(period.from_date, time(), zone),
        "until_at": datetime.combine(period.until_date, time(), zone),
    }  # fmt: skip
    if scope.branch_paths is not None:
        conditions.append(
            "lead.branch_id in (select id from branch where path like any (%(paths)s::text[]))"
        )
        params["paths"] = [f"{path}%" for path in scope.branch_paths]
    if scope.officer_ids is not None:
        conditions.append("lead.officer_id = any(%(officers)s::uuid[])")
        params["officers"] = [*scope.officer_ids]
    return sql.ReportFacts(
        dimensions=question.dimensions, filters=question.filters,
        is_by_event=question.is_by_event, scope=" and ".join(conditions), params=params,
    )  # fmt: skip


def list_values(key: str) -> list[tuple[str, str]]:
    """List the known values of a dimension that is a table, with their names, by name."""
    if key == "officer":
        rows: Any = LoanOfficer.objects.values_list("pk", "user__name")
    elif key == "campaign":
        rows = Campaign.objects.values_list("pk", "name")
    elif key == "branch":
        rows = Branch.objects.values_list("pk", "name")
    else:
        rows = Source.objects.values_list("pk", "name")
    return sorted(((str(pk), name) for pk, name in rows), key=lambda row: row[1].lower())


def value_label(dimension: str, key: str, names: Mapping[str, str]) -> str:
    """Return the name of a dimension's value."""
    if key == NOT_ATTRIBUTABLE:
        return "Not attributable"
    if key == NOT_STATED:
        return DIMENSIONS[dimension].missing
    return names.get(key) or label_code(dimension, key)


def _branch_tree(scope: ReportScope) -> dict[str, tuple[str, ...]]:
    """Return the ids of each branch and those above it, top first, as far as the reader sees."""
    above = {part for path in scope.branch_paths or () for part in path.split("/")[:-2] if part}
    paths = Branch.objects.values_list("pk", "path")
    return {
        str(pk): tuple(part for part in path.split("/") if part and part not in above)
        for pk, path in paths
    }


def _expand_branches(
    dimensions: Sequence[str], values: tuple[str, ...], tree: Mapping[str, tuple[str, ...]]
) -> list[tuple[str, ...]]:
    """Return the rows that a cell counts in: its own, and those of the branches above."""
    if "branch" not in dimensions:
        return [values]
    place = dimensions.index("branch")
    above = tree.get(values[place], (values[place],))
    return [(*values[:place], key, *values[place + 1 :]) for key in above]


def _tree_key(
    tree: Mapping[str, tuple[str, ...]], names: Mapping[str, Mapping[str, str]]
) -> Callable[[ReportRow], Any]:
    """Return the sort key of rows: by their labels, and a branch below the one it belongs to."""
    branches = names.get("branch", {})

    def key(row: ReportRow) -> Any:
        is_odd = tuple(value in (NOT_STATED, NOT_ATTRIBUTABLE) for value in row.keys)
        above = tuple(branches.get(part, "").lower() for part in tree.get(row.keys[0], ()))
        return is_odd, above, tuple(label.lower() for label in row.labels), row.keys

    return key


def _add_payback(
    rows: Mapping[tuple[str, ...], ReportRow],
    total: ReportRow,
    facts: sql.ReportFacts,
    first_day: date,
    tree: Mapping[str, tuple[str, ...]],
) -> None:
    """Set the days until the revenue booked so far covered all the cost of a row's cohort."""
    earned: dict[tuple[str, ...], int] = {}
    for value, day, _, revenue in sql.load_money_by_day(facts):
        for keys in ((), *_expand_branches(facts.dimensions, (value,), tree)):
            row = rows[keys] if keys else total
            earned[keys] = earned.get(keys, 0) + (revenue or 0)
            if row.now.spend_cents > 0 and earned[keys] >= row.now.spend_cents:
                row.payback_days = row.payback_days or max((day - first_day).days, 1)
            else:
                row.payback_days = None  # a reversal took it back
