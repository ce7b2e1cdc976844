"""The files of a report: CSV and XLSX. They hold sums, and name no borrower."""

from django.http import Http404, HttpResponse
from django.utils.text import slugify

from rooftree.core import spreadsheet_csv, spreadsheet_xlsx
from rooftree.reporting.reports.dimensions import DIMENSIONS
from rooftree.reporting.reports.report_table import ReportSums, load_report
from rooftree.web.reports.report_columns import ReportColumn, file_columns
from rooftree.web.reports.views import read_question, report_title
from rooftree.web.shared.file_responses import csv_response, xlsx_response
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import staff_view


@staff_view("GET")
def download_report(request: StaffRequest, kind: str) -> HttpResponse:
    """Download a report with its total and the period before, as `csv` or `xlsx`."""
    if kind not in ("csv", "xlsx"):
        raise Http404
    _, question, scope = read_question(request)
    report = load_report(question, scope)
    columns = file_columns(sees_revenue=scope.sees_revenue)
    period = question.period
    heading = [DIMENSIONS[key].label for key in question.dimensions]
    for label in (period.label, period.previous().label):
        heading += [", ".join(filter(None, (c.label, c.unit, label))) for c in columns]
    rows = [
        [*row.labels, *[""] * (len(question.dimensions) - len(row.labels)),
         *(_value(sums, column) for sums in (row.now, row.before) for column in columns)]
        for row in (*report.rows, report.total)
    ]  # fmt: skip
    title = report_title(question)
    name = f"{slugify(title)}-{period.key}-{request.at:%Y-%m-%d}.{kind}"
    if kind == "csv":
        return csv_response(spreadsheet_csv.render_csv(heading, rows)[0], name)
    return xlsx_response(spreadsheet_xlsx.render_xlsx(heading, rows, title=title), name)


def _value(sums: ReportSums, column: ReportColumn) -> object:
    """Return a figure as a number: dollars with cents, else rounded to two decimals."""
    value = column.value(sums)
    if value is None:
        return None
    return round(value / 100, 2) if column.unit == "$" else round(value, 2)
