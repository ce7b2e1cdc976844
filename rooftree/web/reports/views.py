"""The Reports page: figures by one or two dimensions, and the records behind each figure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet, Sum
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from rooftree.leads.models import Lead
from rooftree.money.company_day import company_day, company_zone
from rooftree.org.models import User
from rooftree.reporting.first_screen import cost_by_source
from rooftree.reporting.first_screen.report_period import (
    last_complete_period,
    parse_period,
)
from rooftree.reporting.reports.dimensions import DIMENSIONS
from rooftree.reporting.reports.report_records import (
    RECORD_LISTS,
    REVENUE_LISTS,
    records_behind,
)
from rooftree.reporting.reports.report_table import (
    ReportQuestion,
    ReportRow,
    ReportScope,
    load_report,
)
from rooftree.routing import saved_views
from rooftree.routing.permissions import has_permission, leads_visible_to, officers_of
from rooftree.web.home.home_figures import period_text
from rooftree.web.home.views import PERIOD_KINDS, recent_periods
from rooftree.web.lists.list_page import get_page
from rooftree.web.reports.report_columns import (
    COLUMN_SETS,
    ReportColumn,
    columns_of,
    has_records,
    sort_rows,
)
from rooftree.web.reports.report_filter import EVENT, ReportFilter
from rooftree.web.shared.display_formats import count_noun, money_exact
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import staff_view

PAGE_SIZE = 50
MAX_ROWS = 500  # on the page; a file has all


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportCell:
    """One figure of a row, with its records and its value in the period before."""

    text: str
    href: str
    before: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportLine:
    """One row as the page shows it."""

    labels: Sequence[str]
    indent: range  # one step for each level of branches above
    cells: list[ReportCell]
    payback: str


@staff_view("GET")
def show_report(request: StaffRequest) -> HttpResponse:
    """Show a report."""
    shown, question, scope = read_question(request)
    report = load_report(question, scope)
    columns = columns_of(shown.column_set, sees_revenue=scope.sees_revenue)
    rows = sort_rows(report.rows, columns, *shown.sort)
    today = company_day(request.at)
    period = question.period
    views = saved_views.list_views(request.user, shown.page)
    current = next((view for view in views if view.query == shown.saved_query), None)
    context = {
        "shown": shown,
        "report": report,
        "title": report_title(question),
        "days": period_text(period),
        "is_running": period.until_date > today,
        "now": request.at.astimezone(company_zone()),
        "reader": request.user,
        "headings": [_build_heading(shown, item) for item in columns],
        "name_href": shown.href(sort="" if shown.sort[0] else "-name"),
        "names": [DIMENSIONS[key].label for key in question.dimensions],
        "has_payback": (
            len(question.dimensions) == 1
            and not question.is_by_event
            and scope.sees_revenue
            and shown.column_set == "money"
        ),
        "has_before": not report.total.before.is_empty,
        "before_label": period.previous().label,
        "lines": [_build_line(shown, question, row, columns) for row in rows[:MAX_ROWS]],
        "hidden_rows": max(len(rows) - MAX_ROWS, 0),
        "total": _build_line(shown, question, report.total, columns),
        "is_company": scope.is_company,
        "controls": _build_controls(shown, question, today),
        "saved_views": views,
        "current_view": current,
        "is_own_view": current is not None and current.owner_id == request.user.pk,
        "number": len(rows),
    }
    return render(request, "reports/show.html", context)


@staff_view("GET")
def list_report_records(request: StaffRequest, figure: str) -> HttpResponse:
    """List the records behind a figure of a report that the user can see, with their total."""
    shown, question, scope = read_question(request)
    visible = visible_records(request.user, figure, question, scope)
    listed = RECORD_LISTS[figure]
    page = get_page(request, visible, size=PAGE_SIZE)
    counted = records_behind(figure, question, scope, visible=None).count()
    total = count_noun(page.paginator.count, listed.kind)
    if listed.amount:
        total = money_exact(visible.aggregate(total=Sum(listed.amount))["total"] or 0)
    context = {
        "shown": shown,
        "listed": listed,
        "figure": figure,
        "page": page,
        "hidden": counted - page.paginator.count,
        "total_text": total,
        "days": period_text(question.period),
        "is_by_event": question.is_by_event,
        "may_export": listed.kind != "entry" and has_permission(request.user, "export"),
        "may_open_entries": has_permission(request.user, "see_money"),
        "back": shown.address,
    }
    return render(request, "reports/records.html", context)


def visible_records(
    user: User, figure: str, question: ReportQuestion, scope: ReportScope
) -> QuerySet[Any]:
    """Return the records behind a figure that a user can see. Raises Http404 for none such."""
    if figure not in RECORD_LISTS or (figure in REVENUE_LISTS and not scope.sees_revenue):
        raise Http404
    # Entries that no lead carries are company-wide, so a whole-company reader sees all entries.
    sees_all = scope.is_company and RECORD_LISTS[figure].kind == "entry"
    return records_behind(
        figure, question, scope, visible=None if sees_all else leads_visible_to(user)
    )


def leads_behind_report(request: StaffRequest, figure: str) -> QuerySet[Lead]:
    """Return the leads of the list at this URL, for its export."""
    _, question, scope = read_question(request)
    records = visible_records(request.user, figure, question, scope)
    kind = RECORD_LISTS[figure].kind
    if kind == "entry":
        raise Http404
    key = "lead_id" if kind == "loan" else "pk"
    leads = Lead.objects.filter(pk__in=records.order_by().values(key))
    return leads.order_by("-created_at", "-id")


def read_question(request: StaffRequest) -> tuple[ReportFilter, ReportQuestion, ReportScope]:
    """Read a report's URL. Raises PermissionDenied for roles without reports."""
    user = request.user
    if not has_permission(user, "see_reports"):
        raise PermissionDenied
    today = company_day(request.at)
    shown = ReportFilter(user, request.GET)
    scope = ReportScope(
        branch_paths=[user.branch.path] if user.branch else None,
        sees_revenue=has_permission(user, "see_home"),
    )
    if not has_permission(user, "see_home"):
        own = [*officers_of(user, "see_reports").values_list("pk", flat=True)]
        scope = ReportScope(officer_ids=own, sees_revenue=False)
    period = parse_period(shown.values.get("period", ""), today)
    if period is None:
        period = cost_by_source.newest_period_with_leads(
            "quarter", branch_paths=scope.branch_paths, today=today
        )
    question = ReportQuestion(
        dimensions=shown.dimensions, period=period, filters=shown.filters,
        is_by_event=shown.is_by_event,
    )  # fmt: skip
    return shown, question, scope


def report_title(question: ReportQuestion) -> str:
    """Return the heading of a report, such as `Source by loan officer`."""
    first, *more = (DIMENSIONS[key].label for key in question.dimensions)
    return f"{first} by {more[0].lower()}" if more else f"By {first.lower()}"


def payback_text(row: ReportRow) -> str:
    """Return how long a cohort took to earn back its cost."""
    if row.now.spend_cents <= 0:
        return "No cost"
    return "Not yet" if row.payback_days is None else count_noun(row.payback_days, "day")


def _build_line(
    shown: ReportFilter, question: ReportQuestion, row: ReportRow, columns: list[ReportColumn]
) -> ReportLine:
    """Build a row; each figure links to its records, of the report's filters and the row."""
    is_total = not row.keys
    own = dict(zip(question.dimensions, row.keys, strict=True)) if row.keys else {}
    params = {**shown.values, **own, "period": question.period.key}
    query = urlencode({key: value for key, value in params.items() if value})
    cells = []
    for column in columns:
        before = column.text(row.before, is_total)
        href = f"{reverse('report_records', args=[column.records])}?{query}"
        href = href if has_records(column, row.now) else ""
        cells.append(ReportCell(text=column.text(row.now, is_total), href=href, before=before))
    return ReportLine(
        labels=row.labels, indent=range(row.depth), cells=cells, payback=payback_text(row)
    )


def _build_heading(shown: ReportFilter, column: ReportColumn) -> dict[str, Any]:
    """Build a column's heading: a press sorts by it, largest first, and the next press reverses."""
    key, descending = shown.sort
    is_sorted = key == column.key
    turned = column.key if is_sorted and descending else f"-{column.key}"
    order = ("descending" if descending else "ascending") if is_sorted else ""
    return {
        "label": column.label, "note": column.note, "order": order,
        "href": shown.href(sort=turned),
    }  # fmt: skip


def _build_controls(shown: ReportFilter, question: ReportQuestion, today: date) -> dict[str, Any]:
    """Build the links that change a report's shape."""
    first, second = question.dimensions[0], (*question.dimensions, "")[1]
    return {
        "by": [
            (dimension.label, shown.href(by=key, by2="" if key == second else second, sort=""),
             key == first)
            for key, dimension in DIMENSIONS.items()
        ],
        "by2": [
            ("Nothing else", shown.href(by2="", sort=""), not second),
            *(
                (dimension.label, shown.href(by2=key, sort=""), key == second)
                for key, dimension in DIMENSIONS.items() if key != first
            ),
        ],
        "kinds": [
            (label, shown.href(period=last_complete_period(kind, today).key),
             kind == question.period.kind)
            for kind, label in PERIOD_KINDS
        ],
        "periods": [
            (period.label, shown.href(period=period.key), period.key == question.period.key)
            for period in recent_periods(question.period.kind, today)
        ],
        "basis": [
            ("Leads that arrived", shown.href(basis=""), not question.is_by_event),
            ("Events of the period", shown.href(basis=EVENT), question.is_by_event),
        ],
        "sets": [
            (label, shown.href(show=key, sort=""), key == shown.column_set)
            for key, (label, _) in COLUMN_SETS.items()
        ],
    }  # fmt: skip
