"""The figures of the first screen as they are shown: in words, with what each opens. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from rooftree.reporting.first_screen import FirstScreen, Month, Row
from rooftree.reporting.maturity import Ripeness
from rooftree.reporting.period import MONTHS, Period
from rooftree.reporting.speed import bands
from rooftree.web import charts, words

To = Callable[..., str]  # to(number, source_id) is the address of the records behind it

RIPE_WORDS = {
    "mature": "Mature",
    "maturing": "Maturing",
    "young": "Too young",
    "unknown": "Not enough history",
}
ENOUGH_LEADS = 20  # in the period before, for a percentage
FIVE_MINUTES = 2  # bands of the speed chart up to five minutes


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
class Ring:
    """How ripe a cohort is, as a ring and a word."""

    word: str
    kind: str  # "", part, young, unknown: the style
    dash: int  # of 100
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One row of the table."""

    name: str
    source_id: UUID | None
    cost: Figure
    bar: float
    cells: list[Figure]
    sentence: str  # what the phone shows below the name
    ring: Ring


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
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


def ring(ripe: Ripeness, fundings_known: int = 0) -> Ring:
    """The ring of a cohort; its title says what it rests on."""
    if ripe.share is None:
        return Ring(
            word=RIPE_WORDS["unknown"],
            kind="unknown",
            dash=0,
            title="Too few fundings so far to know how long they take",
        )
    kind = {"mature": "", "maturing": "part", "young": "young"}[ripe.word]
    percent = round(100 * ripe.share)
    return Ring(
        word=RIPE_WORDS[ripe.word],
        kind=kind,
        dash=percent,
        title=f"{percent}% of the fundings expected within 180 days of arrival had the time "
        "to happen",
    )


def hero(shown: FirstScreen, to: To) -> Figure:
    """Cost per funded loan of all sources, against the period before."""
    total, before = shown.total, shown.before
    cost = total.cost_per_funded_cents
    was = before.cost_per_funded_cents if shown.has_whole_before else None
    over = f"{words.money(total.spend_cents)} over {words.plural(total.funded, 'loan')}"
    if cost is None:
        note = f"{words.money(total.spend_cents)} spent, no loan funded yet"
        return Figure(label="Cost per funded loan", text="None funded", note=note)
    better = worse = ""
    if was is not None:
        gap = words.money(abs(cost - was))
        better, worse = (f"{gap} less", "") if cost <= was else ("", f"{gap} more")
        over = f" than {_before(shown.period)} · {over}"
    return Figure(
        label="Cost per funded loan",
        text=words.money(cost),
        href=to("funded"),
        note=over,
        better=better,
        worse=worse,
    )


def expectation(total: Row) -> str:
    """What the cost will come to when all of the cohort has funded."""
    share, costs = total.ripe.share, total.expected_cost_cents
    if share is None:
        return ""
    said = f"{round(100 * share)}% mature"
    if costs and total.ripe.word != "mature":
        low, high = words.money(costs[0]), words.money(costs[1]).removeprefix("$")
        said += f", expect {low}–{high}"
    return said


def tiles(shown: FirstScreen, to: To) -> list[Figure]:
    """The six figures beside the hero."""
    total, before = shown.total, shown.before
    return [
        Figure(
            label="Leads",
            text=f"{total.leads:,}",
            href=to("leads"),
            note=_change(total.leads, before.leads, _before(shown.period))
            if shown.has_whole_before
            else "",
        ),
        Figure(
            label="Applications",
            text=f"{total.applications:,}",
            href=to("applications"),
            note=f"{_percent(total.applications, total.leads)} of leads" if total.leads else "",
        ),
        Figure(
            label="Funded",
            text=f"{total.funded:,}",
            href=to("funded"),
            note=f"+{total.more_expected} more expected" if total.more_expected else "",
        ),
        _pull_through(total, to),
        _speed(total, to),
        Figure(
            label="Gross profit",
            text=words.money_short(total.gross_profit_cents),
            href=to("profit"),
            note=_times(total),
        ),
    ]


def lines(shown: FirstScreen, to: To) -> list[Line]:
    """The rows of the table, lowest cost first."""
    judged = (row.cost_per_funded_cents or 0 for row in shown.rows if not row.is_in_audit)
    largest = max(judged, default=0)
    return [line(row, to, largest) for row in shown.rows]


def line(row: Row, to: To, largest: int = 0) -> Line:
    """One row of the table; the total has no source."""
    cost, pull = row.cost_per_funded_cents, row.pull_through_pct
    cost = None if row.is_in_audit else cost
    key = row.source_id
    figures = [
        ("Spend", words.money(row.spend_cents), "spend"),
        ("Leads", f"{row.leads:,}", "leads"),
        ("Applications", f"{row.applications:,}", "applications"),
        ("Funded", f"{row.funded:,}", "funded"),
        ("Pull-through", "n/a" if pull is None else f"{pull:.1f}%", "applications"),
        ("Speed", "n/a" if not row.attempted else words.lasts(row.median_seconds), "attempted"),
        ("Gross profit", words.money(row.gross_profit_cents), "profit"),
    ]
    of = words.plural(row.applications, "application")
    return Line(
        name=row.name,
        source_id=key,
        cost=Figure(
            label="Cost per funded loan",
            text=_no_cost(row) if cost is None else words.money(cost),
            href="" if cost is None else to("funded", key),
        ),
        bar=charts.width(cost or 0, largest),
        cells=[
            Figure(label=label, text=text, href="" if text == "n/a" else to(number, key))
            for label, text, number in figures
        ],
        sentence=f"{row.funded:,} of {of} · {words.money(row.spend_cents)}",
        ring=ring(row.ripe),
    )


def _no_cost(row: Row) -> str:
    return "in audit" if row.is_in_audit else "none funded"


def in_audit(shown: FirstScreen) -> list[str]:
    """The sources whose cost is not judged yet."""
    return [row.name for row in shown.rows if row.is_in_audit]


def youngest(shown: FirstScreen) -> list[tuple[str, str]]:
    """The sources too young to judge, and from which day they may be."""
    return [
        (row.name, day_words(row.ripe.judge_from))
        for row in shown.rows
        if row.ripe.word == "young" and row.ripe.judge_from
    ]


def funnel(total: Row, to: To) -> list[Step]:
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
            Step(
                label=label,
                number=Figure(label=label, text=f"{number:,}", href=to(name)),
                width=charts.width(number, total.leads),
                share=_percent(number, before) if before else "",
            )
        )
        before = number
    return made


def columns(total: Row, to: To) -> list[Step]:
    """The columns of the speed chart."""
    shown = bands(total.waits)
    largest = max((band.share_pct for band in shown), default=0)
    return [
        Step(
            label=band.label,
            number=Figure(
                label=band.label, text=f"{band.share_pct:.0f}%", href=to("attempted", band=n)
            ),
            width=charts.width(band.share_pct, largest),
            x=10 * n + 1,
            is_quiet=n >= FIVE_MINUTES,
        )
        for n, band in enumerate(shown)
    ]


def within_five_minutes(total: Row) -> int | None:
    """The share of attempted leads that were tried within five minutes, in percent."""
    if not total.attempted:
        return None
    return round(sum(band.share_pct for band in bands(total.waits)[:FIVE_MINUTES]))


def trend(months: list[Month]) -> Trend | None:
    """The chart by month of arrival; None with fewer than two months to compare."""
    costs = [_dollars(month.cost_per_funded_cents) for month in months]
    if sum(cost is not None for cost in costs) < 2:
        return None
    is_young = [month.ripe.word in ("young", "maturing") for month in months]
    first_young = is_young.index(True) if True in is_young else len(months)
    wanted = [_expected(m) if n >= first_young - 1 else None for n, m in enumerate(months)]
    scale = charts.scale_to(max(c for c in [*costs, *wanted] if c is not None))
    settled = [c if n < first_young else None for n, c in enumerate(costs)]
    young = [c if n >= first_young - 1 else None for n, c in enumerate(costs)]
    named = [f"{MONTHS[m.first_day.month - 1]} {m.first_day.year}" for m in months]
    told = [(n, c) for n, c in zip(named, costs, strict=True) if c is not None]
    return Trend(
        marks=[f"${mark:,.0f}" for mark in scale.marks],
        grid=[scale.y(mark) for mark in scale.marks],
        settled=charts.line(settled, scale),
        young=charts.line(young, scale) if first_young < len(months) else "",
        expected=charts.line(wanted, scale) if first_young < len(months) else "",
        months=[name.split()[0] for name in named][::2],
        table=[
            (name, _cost_words(m), f"{m.funded:,}", RIPE_WORDS[m.ripe.word])
            for name, m in zip(named, months, strict=True)
        ],
        sentence=f"From ${told[0][1]:,.0f} in {told[0][0]} to ${told[-1][1]:,.0f} in {told[-1][0]}",
    )


def days(period: Period) -> str:
    """The days of a period in words: `Jul 1 – Sep 30, 2026`."""
    last = period.until_date - timedelta(days=1)
    first = period.from_date
    year = f", {first.year}" if first.year != last.year else ""
    return f"{MONTHS[first.month - 1]} {first.day}{year} – {day_words(last)}, {last.year}"


def day_words(day: date) -> str:
    """`Dec 20`."""
    return f"{MONTHS[day.month - 1]} {day.day}"


def _pull_through(total: Row, to: To) -> Figure:
    pull = total.pull_through_pct
    return Figure(
        label="Pull-through",
        text="n/a" if pull is None else f"{pull:.1f}%",
        href="" if pull is None else to("applications"),
        note=f"{total.funded:,} of {words.plural(total.applications, 'application')}",
    )


def _speed(total: Row, to: To) -> Figure:
    if not total.attempted:
        return Figure(label="Speed-to-lead", text="n/a", note="nobody has tried a lead yet")
    return Figure(
        label="Speed-to-lead",
        text=_seconds(total.median_seconds),
        href=to("attempted"),
        note=f"median; {_seconds(total.p90_seconds)} at p90",
    )


def _seconds(seconds: float | None) -> str:
    if seconds is not None and seconds < 120:
        return f"{seconds:.0f} s"
    return words.lasts(seconds)


def _times(total: Row) -> str:
    if total.spend_cents <= 0:
        return ""
    return f"{total.gross_profit_cents / total.spend_cents:.1f} × spend".replace("-", "−")


def _before(period: Period) -> str:
    return "the 12 months before" if period.kind == "year" else period.before().label


def _change(now: int, was: int, before: str) -> str:
    if was < ENOUGH_LEADS:  # a percentage of next to nothing is noise
        return f"{was} in {before}" if was else f"none in {before}"
    change = round(100 * (now - was) / was)
    sign = "+" if change > 0 else "−" if change < 0 else "±"
    return f"{sign}{abs(change)}% on {before}"


def _percent(part: int, whole: int) -> str:
    share = 100 * part / whole if whole else 0
    return f"{share:.0f}%" if share >= 10 or share == 0 else f"{share:.1f}%"


def _dollars(cents: int | None) -> float | None:
    return None if cents is None else cents / 100


def _expected(month: Month) -> float | None:
    """What a month will come to: for those still growing, and the last settled one before."""
    if not month.funded or not month.ripe.share:
        return None
    return month.spend_cents / 100 / (month.funded / month.ripe.share)


def _cost_words(month: Month) -> str:
    cost = month.cost_per_funded_cents
    return "none funded" if cost is None else words.money(cost)
