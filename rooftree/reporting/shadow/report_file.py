"""The report of shadow mode as a CSV file: one line per lead, without a name or a number."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from rooftree.core import spreadsheet_csv
from rooftree.core.money_amounts import format_cents
from rooftree.money.company_day import company_zone
from rooftree.reporting.shadow.shadow_report import ShadowReport, their_seconds

HEADING = (
    *("lead", "vendor id", "received", "source"),
    *("first text would leave", "seconds to first text", "verdict on the text"),
    *("first email would leave", "officer by our rules", "why"),
    *("their first contact", "their seconds to first contact", "their officer"),
    *("funded", "revenue"),
)


def render_report(report: ShadowReport) -> tuple[str, int]:
    """Render the file; return its text and the number of leads. Times are the company's."""
    return spreadsheet_csv.render_csv(HEADING, _build_rows(report))


def _build_rows(report: ShadowReport) -> Iterator[tuple[Any, ...]]:
    zone = company_zone()

    def write_time(moment: datetime | None) -> str:
        return moment.astimezone(zone).isoformat(sep=" ", timespec="seconds") if moment else ""

    for line in report.lines:
        result = report.results.get(line.lead_id)
        revenue = result.revenue_cents if result else None
        yield (
            line.lead_id, line.vendor_id, write_time(line.arrived_at), line.source,
            write_time(line.text_at), line.text_seconds, line.text_sentence,
            write_time(line.email_at), line.officer_name, line.choice_sentence,
            write_time(result.first_contact_at if result else None), their_seconds(line, result),
            result.officer_name if result else "", result.funded_date if result else "",
            "" if revenue is None else format_cents(revenue),
        )  # fmt: skip
