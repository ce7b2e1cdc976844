"""Formatting the Home page's figures, each with the link to its records. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from rooftree.reporting.first_screen.cohort_maturity import Maturity
from rooftree.reporting.first_screen.cost_by_source import CostRow, FirstScreen, Month
from rooftree.reporting.first_screen.report_period import MONTHS, ReportPeriod
from rooftree.reporting.first_screen.speed_to_lead import count_by_band
from rooftree.web.shared import charts, display_formats

RecordsUrl = Callable[..., str]  # to(figure, source_id) returns the URL of the records behind it

MATURITY_LABELS = {
    "mature": "Mature",
    "maturing": "Maturing",
    "young": "Too young",
    "unknown": "Not enough history",
}
MIN_LEADS_FOR_PERCENT = 20  # leads in the previous period; fewer make a percentage noise
FIVE_MINUTE_BANDS = 2  # bands of the speed chart up to five minutes


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number, the link to its records and the note below it."""

    label: str
    text: str
    href: str = ""
    note: str = ""
    better: str = ""  # the "$83 less" in front of the note when that is good news
    worse: str = ""  # the same when it is bad news


@dataclass(frozen=True, slots=True, kw_only=True)
class MaturityRing:
    """A cohort's maturity as a ring and a word."""

    word: str
    kind: str  # style: "" (mature), part, young or unknown
    dash: int  # filled part of the ring, in percent
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceLine:
    """One row of the table by source."""

    name: str
    source_id: UUID | None
    cost: Figure
    bar: float
    cells: list[Figure]
    sentence: str  # shown below the name on phones
    ring: MaturityRing


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartStep:
    """One bar of the funnel, or one column of the speed chart."""

    label: str
    number: Figure
    width: float
    x: int = 0
    share: str = ""
    is_quiet: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """The chart of cost per funded loan by month of arrival."""

    marks: list[str]
    grid: list[float]
    settled: str
    young: str
    expected: str
    months: list[str]
    table: list[tuple[str, str, str, str]]
    sentence: str


def maturity_ring(maturity: Maturity) -> MaturityRing:
    """Build a cohort's maturity ring, with a tooltip that explains it."""
    if maturity.share is None:
        return MaturityRing(
            word=MATURITY_LABELS["unknown"],
            kind="unknown",
            dash=0,
            title="Too few fundings so far to know how long funding takes",
        )
    kind = {"mature": "", "maturing": "part", "young": "young"}[maturity.label]
    percent = round(100 * maturity.share)
    return MaturityRing(
        word=MATURITY_LABELS[maturity.label],
        kind=kind,
        dash=percent,
        title=f"{percent}% of the fundings expected within 180 days of arrival have had time to "
        "happen",
    )


def headline_figure(shown: FirstScreen, to: RecordsUrl) -> Figure:
    """Build the headline: cost per funded loan, compared with the previous period."""
    total, before = shown.total, shown.previous_total
    cost = total.cost_per_funded_cents
    previous_cost = before.cost_per_funded_cents if shown.has_full_previous_period else None
    spend = display_formats.money(total.spend_cents)
    note = f"{spend} over {display_formats.count_noun(total.funded, 'loan')}"
    if cost is None:
        note = f"{spend} spent, no loans funded yet"
        return Figure(label="Cost per funded loan", text="None funded", note=note)
    better = worse = ""
    if previous_cost is not None:
        gap = display_formats.money(abs(cost - previous_cost))
        better, worse = (f"{gap} less", "") if cost <= previous_cost else ("", f"{gap} more")
        note = f" than {_previous_period_label(shown.period)} · {note}"
    return Figure(
        label="Cost per funded loan",
        text=display_formats.money(cost),
        href=to("funded"),
        note=note,
        better=better,
        worse=worse,
    )


def expected_cost_text(total: CostRow) -> str:
    """Describe how mature the cohort is and the cost to expect; "" when maturity is unknown."""
    share, costs = total.maturity.share, total.expected_cost_cents
    if share is None:
        return ""
    text = f"{round(100 * share)}% mature"
    if costs and total.maturity.label != "mature":
        low = display_formats.money(costs[0])
        high = display_formats.money(costs[1]).removeprefix("$")
        text += f", expect {low}–{high}"
    return text


def summary_tiles(shown: FirstScreen, to: RecordsUrl) -> list[Figure]:
    """Build the six figures beside the headline."""
    total, before = shown.total, shown.previous_total
    return [
        Figure(
            label="Leads",
            text=f"{total.leads:,}",
            href=to("leads"),
            note=_change_text(total.leads, before.leads, _previous_period_label(shown.period))
            if shown.has_full_previous_period
            else "",
        ),
        Figure(
            label="Applications",
            text=f"{total.applications:,}",
            href=to("applications"),
            note=f"{_percent_text(total.applications, total.leads)} of leads"
            if 0 < total.applications <= total.leads
            else "",
        ),
        Figure(
            label="Funded",
            text=f"{total.funded:,}",
            href=to("funded"),
            note=f"{total.expected_fundings} more expected" if total.expected_fundings else "",
        ),
        _pull_through_tile(total, to),
        _speed_tile(total, to),
        Figure(
            label="Gross profit",
            text=display_formats.money_short(total.gross_profit_cents),
            href=to("profit"),
            note=_profit_multiple(total),
        ),
    ]


def source_lines(shown: FirstScreen, to: RecordsUrl) -> list[SourceLine]:
    """Build the rows of the table by source, lowest cost first."""
    costs = (row.cost_per_funded_cents or 0 for row in shown.rows if not row.is_in_audit)
    largest = max(costs, default=0)
    return [source_line(row, to, largest) for row in shown.rows]


def source_line(row: CostRow, to: RecordsUrl, largest: int = 0) -> SourceLine:
    """Build one row of the table; the total row has no source id."""
    cost = None if row.is_in_audit else row.cost_per_funded_cents
    missing_cost = "in audit" if row.is_in_audit else "none funded"
    pull = row.pull_through_pct
    key = row.source_id
    figures = [
        ("Spend", display_formats.money(row.spend_cents), "spend"),
        ("Leads", f"{row.leads:,}", "leads"),
        ("Applications", f"{row.applications:,}", "applications"),
        ("Funded", f"{row.funded:,}", "funded"),
        ("Pull-through", "n/a" if pull is None else f"{pull:.1f}%", "applications"),
        (
            "Speed",
            "n/a" if not row.attempted else display_formats.duration(row.median_seconds),
            "attempted",
        ),
        ("Gross profit", display_formats.money(row.gross_profit_cents), "profit"),
    ]
    applications = display_formats.count_noun(row.applications, "application")
    return SourceLine(
        name=row.name,
        source_id=key,
        cost=Figure(
            label="Cost per funded loan",
            text=missing_cost if cost is None else display_formats.money(cost),
            href="" if cost is None else to("funded", key),
        ),
        bar=charts.bar_width(cost or 0, largest),
        cells=[
            Figure(label=label, text=text, href="" if text == "n/a" else to(number, key))
            for label, text, number in figures
        ],
        sentence=f"{row.funded:,} of {applications} · {display_formats.money(row.spend_cents)}",
        ring=maturity_ring(row.maturity),
    )


def sources_in_audit(shown: FirstScreen) -> list[str]:
    """Return the names of sources in audit, whose cost isn't judged yet."""
    return [row.name for row in shown.rows if row.is_in_audit]


def immature_sources(shown: FirstScreen) -> list[tuple[str, str]]:
    """Return sources that are too young to judge, each with the first day to judge it."""
    return [
        (row.name, short_date(row.maturity.judge_from))
        for row in shown.rows
        if row.maturity.label == "young" and row.maturity.judge_from
    ]


def funnel_steps(total: CostRow, to: RecordsUrl) -> list[ChartStep]:
    """Build the funnel, each step with its share of the previous step.

    A step that is larger than the one before has no share: an application can come without a
    conversation on file.
    """
    steps = [
        ("Leads", total.leads, "leads"),
        ("Attempted", total.attempted, "attempted"),
        ("Contacted", total.talked, "talked"),
        ("Application", total.applications, "applications"),
        ("Funded", total.funded, "funded"),
    ]
    bars, before = [], 0
    largest = max(number for _, number, _ in steps)
    for label, number, name in steps:
        bars.append(
            ChartStep(
                label=label,
                number=Figure(label=label, text=f"{number:,}", href=to(name)),
                width=charts.bar_width(number, largest),
                share=_percent_text(number, before) if 0 < before >= number else "",
            )
        )
        before = number
    return bars


def speed_columns(total: CostRow, to: RecordsUrl) -> list[ChartStep]:
    """Build the columns of the speed chart."""
    shown = count_by_band(total.wait_counts)
    largest = max((band.share_pct for band in shown), default=0)
    return [
        ChartStep(
            label=band.label,
            number=Figure(
                label=band.label, text=f"{band.share_pct:.0f}%", href=to("attempted", band=n)
            ),
            width=charts.bar_width(band.share_pct, largest),
            x=10 * n + 1,
            is_quiet=n >= FIVE_MINUTE_BANDS,
        )
        for n, band in enumerate(shown)
    ]


def share_within_five_minutes(total: CostRow) -> int | None:
    """Return the percentage of attempted leads attempted within five minutes; None without any."""
    if not total.attempted:
        return None
    return round(
        sum(band.share_pct for band in count_by_band(total.wait_counts)[:FIVE_MINUTE_BANDS])
    )


def cost_trend(months: list[Month]) -> Trend | None:
    """Build the chart by month of arrival; None with fewer than two months to compare."""
    cents = [month.cost_per_funded_cents for month in months]
    costs = [None if cost is None else cost / 100 for cost in cents]
    if sum(cost is not None for cost in costs) < 2:
        return None
    is_young = [month.maturity.label in ("young", "maturing") for month in months]
    first_young = is_young.index(True) if True in is_young else len(months)
    expected = [_expected_cost(m) if n >= first_young - 1 else None for n, m in enumerate(months)]
    scale = charts.build_scale(max(c for c in [*costs, *expected] if c is not None))
    settled = [c if n < first_young else None for n, c in enumerate(costs)]
    young = [c if n >= first_young - 1 else None for n, c in enumerate(costs)]
    names = [f"{MONTHS[m.first_day.month - 1]} {m.first_day.year}" for m in months]
    known = [(n, c) for n, c in zip(names, costs, strict=True) if c is not None]
    (first_name, first_cost), (last_name, last_cost) = known[0], known[-1]
    return Trend(
        marks=[f"${mark:,.0f}" for mark in scale.marks],
        grid=[scale.y(mark) for mark in scale.marks],
        settled=charts.line_path(settled, scale),
        young=charts.line_path(young, scale) if first_young < len(months) else "",
        expected=charts.line_path(expected, scale) if first_young < len(months) else "",
        months=[name.split()[0] for name in names][::2],
        table=[
            (name, _cost_text(m), f"{m.funded:,}", MATURITY_LABELS[m.maturity.label])
            for name, m in zip(names, months, strict=True)
        ],
        sentence=f"From ${first_cost:,.0f} in {first_name} to ${last_cost:,.0f} in {last_name}",
    )


def period_text(period: ReportPeriod) -> str:
    """Format the days of a period: `Jul 1 – Sep 30, 2026`."""
    last = period.until_date - timedelta(days=1)
    first = period.from_date
    year = f", {first.year}" if first.year != last.year else ""
    return f"{MONTHS[first.month - 1]} {first.day}{year} – {short_date(last)}, {last.year}"


def short_date(day: date) -> str:
    """Format a date as `Dec 20`."""
    return f"{MONTHS[day.month - 1]} {day.day}"


def _pull_through_tile(total: CostRow, to: RecordsUrl) -> Figure:
    pull = total.pull_through_pct
    return Figure(
        label="Pull-through",
        text="n/a" if pull is None else f"{pull:.1f}%",
        href="" if pull is None else to("applications"),
        note=f"{total.funded:,} of {display_formats.count_noun(total.applications, 'application')}",
    )


def _speed_tile(total: CostRow, to: RecordsUrl) -> Figure:
    if not total.attempted:
        return Figure(label="Speed to lead", text="n/a", note="no leads attempted yet")
    return Figure(
        label="Speed to lead",
        text=_seconds_text(total.median_seconds),
        href=to("attempted"),
        note=f"median; 90% within {_seconds_text(total.p90_seconds)}",
    )


def _seconds_text(seconds: float | None) -> str:
    if seconds is not None and seconds < 120:
        return f"{seconds:.0f} s"
    return display_formats.duration(seconds)


def _profit_multiple(total: CostRow) -> str:
    if total.spend_cents <= 0:
        return ""
    return f"{total.gross_profit_cents / total.spend_cents:.1f} × spend".replace("-", "−")


def _previous_period_label(period: ReportPeriod) -> str:
    return "the prior 12 months" if period.kind == "year" else period.previous().label


def _change_text(current: int, previous: int, period: str) -> str:
    if previous < MIN_LEADS_FOR_PERCENT:
        return f"{previous or 'none'} in {period}"
    change = round(100 * (current - previous) / previous)
    sign = "+" if change > 0 else "−" if change < 0 else "±"
    return f"{sign}{abs(change)}% from {period}"


def _percent_text(part: int, whole: int) -> str:
    share = 100 * part / whole if whole else 0
    return f"{share:.0f}%" if share >= 10 or share == 0 else f"{share:.1f}%"


def _expected_cost(month: Month) -> float | None:
    """Project a month's cost per funded loan once mature, in dollars; None without fundings."""
    if not month.funded or not month.maturity.share:
        return None
    return month.spend_cents / 100 / (month.funded / month.maturity.share)


def _cost_text(month: Month) -> str:
    cost = month.cost_per_funded_cents
    return "none funded" if cost is None else display_formats.money(cost)
