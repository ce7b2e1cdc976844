"""The figures of the first screen as they are shown: in words, with what each opens. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from rooftree.reporting.first_screen.cohort_maturity import Maturity
from rooftree.reporting.first_screen.cost_by_source import CostRow, FirstScreen, Month
from rooftree.reporting.first_screen.report_period import MONTHS, ReportPeriod
from rooftree.reporting.first_screen.speed_to_lead import count_by_band
from rooftree.web.shared import charts, display_formats

RecordsUrl = Callable[..., str]  # to(number, source_id) is the address of the records behind it

MATURITY_LABELS = {
    "mature": "Mature",
    "maturing": "Maturing",
    "young": "Too young",
    "unknown": "Not enough history",
}
MIN_LEADS_FOR_PERCENT = 20  # in the period before, for a percentage
FIVE_MINUTE_BANDS = 2  # bands of the speed chart up to five minutes


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number with what it opens, and what is said below it."""

    label: str
    text: str
    href: str = ""
    note: str = ""
    better: str = ""  # "less" or "more" part of the note that is good news
    worse: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MaturityRing:
    """How ripe a cohort is, as a ring and a word."""

    word: str
    kind: str  # "", part, young, unknown: the style
    dash: int  # of 100
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceLine:
    """One row of the table."""

    name: str
    source_id: UUID | None
    cost: Figure
    bar: float
    cells: list[Figure]
    sentence: str  # what the phone shows below the name
    ring: MaturityRing


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartStep:
    """One bar of the funnel or column of the speed chart."""

    label: str
    number: Figure
    width: float
    x: int = 0
    share: str = ""
    is_quiet: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """Cost per funded loan by month of arrival."""

    marks: list[str]
    grid: list[float]
    settled: str
    young: str
    expected: str
    months: list[str]
    table: list[tuple[str, str, str, str]]
    sentence: str


def maturity_ring(ripe: Maturity, fundings_known: int = 0) -> MaturityRing:
    """The ring of a cohort; its title says what it rests on."""
    if ripe.share is None:
        return MaturityRing(
            word=MATURITY_LABELS["unknown"],
            kind="unknown",
            dash=0,
            title="Too few fundings so far to know how long they take",
        )
    kind = {"mature": "", "maturing": "part", "young": "young"}[ripe.word]
    percent = round(100 * ripe.share)
    return MaturityRing(
        word=MATURITY_LABELS[ripe.word],
        kind=kind,
        dash=percent,
        title=f"{percent}% of the fundings expected within 180 days of arrival had the time "
        "to happen",
    )


def headline_figure(shown: FirstScreen, to: RecordsUrl) -> Figure:
    """Cost per funded loan of all sources, against the period before."""
    total, before = shown.total, shown.before
    cost = total.cost_per_funded_cents
    was = before.cost_per_funded_cents if shown.has_full_previous_period else None
    over = f"{display_formats.money(total.spend_cents)} over {display_formats.count_noun(total.funded, 'loan')}"
    if cost is None:
        note = f"{display_formats.money(total.spend_cents)} spent, no loan funded yet"
        return Figure(label="Cost per funded loan", text="None funded", note=note)
    better = worse = ""
    if was is not None:
        gap = display_formats.money(abs(cost - was))
        better, worse = (f"{gap} less", "") if cost <= was else ("", f"{gap} more")
        over = f" than {_previous_period_label(shown.period)} · {over}"
    return Figure(
        label="Cost per funded loan",
        text=display_formats.money(cost),
        href=to("funded"),
        note=over,
        better=better,
        worse=worse,
    )


def expected_cost_text(total: CostRow) -> str:
    """What the cost will come to when all of the cohort has funded."""
    share, costs = total.ripe.share, total.expected_cost_cents
    if share is None:
        return ""
    said = f"{round(100 * share)}% mature"
    if costs and total.ripe.word != "mature":
        low, high = (
            display_formats.money(costs[0]),
            display_formats.money(costs[1]).removeprefix("$"),
        )
        said += f", expect {low}–{high}"
    return said


def summary_tiles(shown: FirstScreen, to: RecordsUrl) -> list[Figure]:
    """The six figures beside the hero."""
    total, before = shown.total, shown.before
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
            if total.leads
            else "",
        ),
        Figure(
            label="Funded",
            text=f"{total.funded:,}",
            href=to("funded"),
            note=f"+{total.expected_fundings} more expected" if total.expected_fundings else "",
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
    """The rows of the table, lowest cost first."""
    judged = (row.cost_per_funded_cents or 0 for row in shown.rows if not row.is_in_audit)
    largest = max(judged, default=0)
    return [source_line(row, to, largest) for row in shown.rows]


def source_line(row: CostRow, to: RecordsUrl, largest: int = 0) -> SourceLine:
    """One row of the table; the total has no source."""
    cost, pull = row.cost_per_funded_cents, row.pull_through_pct
    cost = None if row.is_in_audit else cost
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
    of = display_formats.count_noun(row.applications, "application")
    return SourceLine(
        name=row.name,
        source_id=key,
        cost=Figure(
            label="Cost per funded loan",
            text=_missing_cost_label(row) if cost is None else display_formats.money(cost),
            href="" if cost is None else to("funded", key),
        ),
        bar=charts.bar_width(cost or 0, largest),
        cells=[
            Figure(label=label, text=text, href="" if text == "n/a" else to(number, key))
            for label, text, number in figures
        ],
        sentence=f"{row.funded:,} of {of} · {display_formats.money(row.spend_cents)}",
        ring=maturity_ring(row.ripe),
    )


def _missing_cost_label(row: CostRow) -> str:
    return "in audit" if row.is_in_audit else "none funded"


def sources_in_audit(shown: FirstScreen) -> list[str]:
    """The sources whose cost is not judged yet."""
    return [row.name for row in shown.rows if row.is_in_audit]


def immature_sources(shown: FirstScreen) -> list[tuple[str, str]]:
    """The sources too young to judge, and from which day they may be."""
    return [
        (row.name, short_date(row.ripe.judge_from))
        for row in shown.rows
        if row.ripe.word == "young" and row.ripe.judge_from
    ]


def funnel_steps(total: CostRow, to: RecordsUrl) -> list[ChartStep]:
    """What became of the cohort, each step with its share of the one before."""
    steps = [
        ("Leads", total.leads, "leads"),
        ("Attempted", total.attempted, "attempted"),
        ("Conversation", total.talked, "talked"),
        ("Application", total.applications, "applications"),
        ("Funded", total.funded, "funded"),
    ]
    made, before = [], 0
    for label, number, name in steps:
        made.append(
            ChartStep(
                label=label,
                number=Figure(label=label, text=f"{number:,}", href=to(name)),
                width=charts.bar_width(number, total.leads),
                share=_percent_text(number, before) if before else "",
            )
        )
        before = number
    return made


def speed_columns(total: CostRow, to: RecordsUrl) -> list[ChartStep]:
    """The columns of the speed chart."""
    shown = count_by_band(total.waits)
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
    """The share of attempted leads that were tried within five minutes, in percent."""
    if not total.attempted:
        return None
    return round(sum(band.share_pct for band in count_by_band(total.waits)[:FIVE_MINUTE_BANDS]))


def cost_trend(months: list[Month]) -> Trend | None:
    """The chart by month of arrival; None with fewer than two months to compare."""
    costs = [_dollars(month.cost_per_funded_cents) for month in months]
    if sum(cost is not None for cost in costs) < 2:
        return None
    is_young = [month.ripe.word in ("young", "maturing") for month in months]
    first_young = is_young.index(True) if True in is_young else len(months)
    wanted = [_expected_cost(m) if n >= first_young - 1 else None for n, m in enumerate(months)]
    scale = charts.build_scale(max(c for c in [*costs, *wanted] if c is not None))
    settled = [c if n < first_young else None for n, c in enumerate(costs)]
    young = [c if n >= first_young - 1 else None for n, c in enumerate(costs)]
    named = [f"{MONTHS[m.first_day.month - 1]} {m.first_day.year}" for m in months]
    told = [(n, c) for n, c in zip(named, costs, strict=True) if c is not None]
    return Trend(
        marks=[f"${mark:,.0f}" for mark in scale.marks],
        grid=[scale.y(mark) for mark in scale.marks],
        settled=charts.line_path(settled, scale),
        young=charts.line_path(young, scale) if first_young < len(months) else "",
        expected=charts.line_path(wanted, scale) if first_young < len(months) else "",
        months=[name.split()[0] for name in named][::2],
        table=[
            (name, _cost_text(m), f"{m.funded:,}", MATURITY_LABELS[m.ripe.word])
            for name, m in zip(named, months, strict=True)
        ],
        sentence=f"From ${told[0][1]:,.0f} in {told[0][0]} to ${told[-1][1]:,.0f} in {told[-1][0]}",
    )


def period_text(period: ReportPeriod) -> str:
    """The days of a period in words: `Jul 1 – Sep 30, 2026`."""
    last = period.until_date - timedelta(days=1)
    first = period.from_date
    year = f", {first.year}" if first.year != last.year else ""
    return f"{MONTHS[first.month - 1]} {first.day}{year} – {short_date(last)}, {last.year}"


def short_date(day: date) -> str:
    """`Dec 20`."""
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
        return Figure(label="Speed-to-lead", text="n/a", note="nobody has tried a lead yet")
    return Figure(
        label="Speed-to-lead",
        text=_seconds_text(total.median_seconds),
        href=to("attempted"),
        note=f"median; {_seconds_text(total.p90_seconds)} at p90",
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
    return "the 12 months before" if period.kind == "year" else period.before().label


def _change_text(now: int, was: int, before: str) -> str:
    if was < MIN_LEADS_FOR_PERCENT:  # a percentage of next to nothing is noise
        return f"{was} in {before}" if was else f"none in {before}"
    change = round(100 * (now - was) / was)
    sign = "+" if change > 0 else "−" if change < 0 else "±"
    return f"{sign}{abs(change)}% on {before}"


def _percent_text(part: int, whole: int) -> str:
    share = 100 * part / whole if whole else 0
    return f"{share:.0f}%" if share >= 10 or share == 0 else f"{share:.1f}%"


def _dollars(cents: int | None) -> float | None:
    return None if cents is None else cents / 100


def _expected_cost(month: Month) -> float | None:
    """What a month will come to: for those still growing, and the last settled one before."""
    if not month.funded or not month.ripe.share:
        return None
    return month.spend_cents / 100 / (month.funded / month.ripe.share)


def _cost_text(month: Month) -> str:
    cost = month.cost_per_funded_cents
    return "none funded" if cost is None else display_formats.money(cost)
