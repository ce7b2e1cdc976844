"""The columns of a report: their figures as text, the records they open, and how they sort."""

from collections.abc import Callable
from dataclasses import dataclass

from rooftree.reporting.reports.report_table import MIN_DENOMINATOR, MIN_FUNDED, ReportRow
from rooftree.reporting.reports.report_table import ReportSums as Sums
from rooftree.web.shared import display_formats

COUNTED = {  # by list of records: the sums that say whether it has any
    "volume": ("funded",),
    "cost": ("spend_cents",),
    "revenue": ("revenue_cents",),
    "profit": ("spend_cents", "revenue_cents"),
}

type Value = float | int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportColumn:
    """One column. `text` is told whether it is of the total, which shows small numbers too."""

    key: str
    label: str
    records: str  # the figure whose records it opens
    value: Callable[[Sums], Value]  # for sorting and files; cents, seconds, percent or a count
    text: Callable[[Sums, bool], str]
    unit: str = ""  # in the heading of a file
    note: str = ""  # the definition, as a tooltip
    needs_revenue: bool = False


def _share(part: str, whole: str) -> Callable[[Sums], Value]:
    def value(sums: Sums) -> Value:
        below = getattr(sums, whole)
        return 100 * getattr(sums, part) / below if below else None

    return value


def _share_text(part: str, whole: str) -> Callable[[Sums, bool], str]:
    """Format a rate with its denominator; a percentage only from enough records."""

    def text(sums: Sums, _: bool) -> str:
        above, below = getattr(sums, part), getattr(sums, whole)
        if below < MIN_DENOMINATOR:
            return f"{above:,} of {below:,}" if below else "None of 0"
        return f"{100 * above / below:.0f}%, {above:,} of {below:,}"

    return text


def _rate(key: str, label: str, part: str, whole: str, *, records: str, note: str) -> ReportColumn:
    return ReportColumn(
        key=key, label=label, records=records, note=note, unit="%",
        value=_share(part, whole), text=_share_text(part, whole),
    )  # fmt: skip


def _count(key: str, label: str, note: str = "") -> ReportColumn:
    return ReportColumn(
        key=key, label=label, records=key, note=note,
        value=lambda sums: getattr(sums, key), text=lambda sums, _: f"{getattr(sums, key):,}",
    )  # fmt: skip


def _cents(key: str, label: str, field: str, *, needs_revenue: bool = False) -> ReportColumn:
    return ReportColumn(
        key=key, label=label, records=key, unit="$", needs_revenue=needs_revenue,
        value=lambda sums: getattr(sums, field),
        text=lambda sums, _: display_formats.money_exact(getattr(sums, field)),
    )  # fmt: skip


def _cost_per_funded_text(sums: Sums, is_total: bool) -> str:
    if sums.funded < MIN_FUNDED and not is_total:
        return "None funded" if not sums.funded else "Too few"
    return display_formats.money(sums.cost_per_funded_cents) if sums.funded else "None funded"


def _roi_text(sums: Sums, is_total: bool) -> str:
    if sums.roi_pct is None:
        return "No cost"
    if sums.funded < MIN_FUNDED and not is_total:
        return "Too few"
    return f"{sums.roi_pct:,.0f}%".replace("-", "−")


def _wait(key: str, label: str, field: str, note: str) -> ReportColumn:
    def text(sums: Sums, _: bool) -> str:
        seconds = getattr(sums, field)
        return "No attempts" if seconds is None else display_formats.short_wait(seconds)

    return ReportColumn(
        key=key, label=label, records="attempted", note=note, unit="seconds",
        value=lambda sums: getattr(sums, field), text=text,
    )  # fmt: skip


LEADS = _count("leads", "Leads")
PULL_THROUGH = _rate(
    "pull_through", "Pull-through", "funded", "applications", records="applications",
    note="Funded loans of applications",
)  # fmt: skip
CONTACT = _rate(
    "contact", "Contact rate", "talked", "leads", records="talked",
    note="Leads spoken with, of leads",
)  # fmt: skip
FUNDED = _count("funded", "Funded")
COLUMN_SETS = {  # by the name in the URL: label, columns
    "money": (
        "Money",
        (
            LEADS, FUNDED, PULL_THROUGH,
            _cents("volume", "Volume", "volume_cents"),
            _cents("cost", "Cost", "spend_cents"),
            ReportColumn(
                key="cost_per_funded", label="Cost per funded", records="cost", unit="$",
                note=f"Cost divided by funded loans, from {MIN_FUNDED} funded loans",
                value=lambda sums: (
                    sums.cost_per_funded_cents if sums.funded >= MIN_FUNDED else None
                ),
                text=_cost_per_funded_text,
            ),
            _cents("revenue", "Revenue", "revenue_cents", needs_revenue=True),
            _cents("profit", "Gross profit", "profit_cents", needs_revenue=True),
            ReportColumn(
                key="roi", label="ROI", records="profit", unit="%", needs_revenue=True,
                note=f"Gross profit divided by cost, from {MIN_FUNDED} funded loans",
                value=lambda sums: sums.roi_pct if sums.funded >= MIN_FUNDED else None,
                text=_roi_text,
            ),
        ),
    ),
    "funnel": (
        "Funnel",
        (
            LEADS, CONTACT,
            _rate("applications", "Lead to application", "applications", "leads",
                  records="applications", note="Applications, of leads"),
            _rate("approved", "Application to approved", "approved", "applications",
                  records="approved", note="Approved loans, of applications"),
            _rate("cleared", "Approved to clear", "cleared", "approved",
                  records="cleared", note="Loans clear to close, of approved loans"),
            _rate("closed", "Clear to funded", "funded", "cleared",
                  records="funded", note="Funded loans, of loans clear to close"),
            PULL_THROUGH,
        ),
    ),
    "speed": (
        "Speed to lead",
        (
            LEADS, _count("attempted", "Attempted"),
            _wait("median", "Median", "median_seconds",
                  "From arrival to the first attempt by a person"),
            _wait("p90", "90 in 100 within", "p90_seconds",
                  "90 of 100 leads were attempted within this time"),
            CONTACT,
        ),
    ),
}  # fmt: skip


def has_records(column: ReportColumn, sums: Sums) -> bool:
    """Return True if a figure has records to open."""
    return any(getattr(sums, name) for name in COUNTED.get(column.records, (column.records,)))


def columns_of(key: str, *, sees_revenue: bool) -> list[ReportColumn]:
    """Return the columns of a set that the reader can see."""
    return [column for column in COLUMN_SETS[key][1] if sees_revenue or not column.needs_revenue]


def file_columns(*, sees_revenue: bool) -> list[ReportColumn]:
    """Return the columns of a file: those of every set, each once."""
    every = [column for key in COLUMN_SETS for column in columns_of(key, sees_revenue=sees_revenue)]
    return list({column.key: column for column in every}.values())


def sort_rows(
    rows: list[ReportRow], columns: list[ReportColumn], key_name: str, descending: bool
) -> list[ReportRow]:
    """Sort rows, which come by name, by a column; rows without a figure come last either way."""
    column = next((column for column in columns if column.key == key_name), None)
    if column is None:
        return rows[::-1] if descending else rows

    def key(row: ReportRow) -> tuple[bool, float]:
        value = column.value(row.now)
        return value is None, (-(value or 0) if descending else (value or 0))

    return sorted(rows, key=key)
