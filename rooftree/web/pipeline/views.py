"""The pipeline: loans in process by milestone, as a board or as a list."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Case, Count, F, IntegerField, QuerySet, Sum, Value, When, Window
from django.db.models.functions import RowNumber
from django.http import HttpResponse
from django.shortcuts import render

from rooftree.leads.models import Loan
from rooftree.routing.permissions import has_permission
from rooftree.web.lists.list_filters import STAGES, ListFilter
from rooftree.web.lists.list_page import get_page, list_context
from rooftree.web.lists.listed_loans import find_loans, stage_condition, stage_of
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import staff_view

PAGE_SIZE = 50
MAX_CARDS = 10  # in one column of the board; the list has all


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanCard:
    """One loan on the board or in the list."""

    loan: Loan
    days: int  # since its latest milestone
    stage: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineColumn:
    """One column of the board: the loans between two milestones."""

    label: str
    cards: list[LoanCard]
    number: int  # of all its loans
    cents: int  # of all its loans
    href: str  # the list of all its loans


@staff_view("GET")
def show_pipeline(request: StaffRequest) -> HttpResponse:
    """Show the board or the list. Milestones come from the LOS, so cards can't be dragged."""
    filters = ListFilter("pipeline", request.user, request.GET)
    loans = find_loans(filters, request.user, request.at)
    context: dict[str, Any] = {"may_export": has_permission(request.user, "export")}
    if filters.values.get("view") == "list":
        page = get_page(request, loans, size=PAGE_SIZE)
        cards = [_build_card(loan, request.at) for loan in page.object_list]
        context |= {"page": page, "cards": cards}
        context |= list_context(request, filters, number=page.paginator.count, on_page=len(cards))
    else:
        columns = _build_columns(loans, filters, request.at)
        number = sum(column.number for column in columns)
        on_page = sum(len(column.cards) for column in columns)
        context |= list_context(request, filters, number=number, on_page=on_page)
        context["columns"] = columns
    context["board_href"], context["list_href"] = filters.href(view=""), filters.href(view="list")
    return render(request, "pipeline/show.html", context)


def _build_columns(
    loans: QuerySet[Loan], filters: ListFilter, at: datetime
) -> list[PipelineColumn]:
    """Build the board's columns in two queries: their sums, and their first cards."""
    keys = list(STAGES)
    stage = Case(
        *(When(stage_condition(key), then=Value(place)) for place, key in enumerate(keys)),
        default=Value(0), output_field=IntegerField(),
    )  # fmt: skip
    sums = (
        loans.order_by().values(place=stage).annotate(number=Count("pk"), cents=Sum("amount_cents"))
    )
    totals: dict[int, Any] = {row["place"]: row for row in sums}
    ranked = loans.annotate(
        nth=Window(RowNumber(), partition_by=[stage], order_by=_window_order(loans.query.order_by))
    )
    cards: dict[str, list[LoanCard]] = {key: [] for key in keys}
    for loan in ranked.filter(nth__lte=MAX_CARDS):
        card = _build_card(loan, at)
        cards[card.stage].append(card)
    return [
        PipelineColumn(
            label=STAGES[key][0],
            cards=cards[key],
            number=totals.get(place, {}).get("number", 0),
            cents=totals.get(place, {}).get("cents") or 0,
            href=filters.href(view="list", stage=key),
        )
        for place, key in enumerate(keys)
    ]


def _window_order(order: Sequence[Any]) -> list[Any]:
    """Return an order as a window takes it: without a leading minus in a string."""
    return [
        F(key.removeprefix("-")).desc() if isinstance(key, str) and key.startswith("-") else key
        for key in order
    ]


def _build_card(loan: Loan, at: datetime) -> LoanCard:
    moved_at = loan.moved_at  # type: ignore[attr-defined]
    return LoanCard(loan=loan, days=(at - moved_at).days, stage=stage_of(max(loan.rank, 0)))
