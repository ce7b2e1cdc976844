"""The pipeline board: loans in process by milestone, with their age and amount."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Max, Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import render

from rooftree.leads.models import Loan
from rooftree.org.models import User
from rooftree.routing.permissions import has_permission, leads_visible_to
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import staff_view

COLUMNS = [  # (heading, lowest rank of its milestones)
    ("In the LOS", 0),
    ("Application", 40),
    ("Processing", 50),
    ("Underwriting", 60),
    ("Clear to close", 90),
    ("Closing", 100),
    ("Funded, last 30 days", 130),
]
FUNDED_WINDOW = timedelta(days=30)
MAX_LOANS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanCard:
    """One loan on the board."""

    loan: Loan
    days: int  # since its latest milestone


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineColumn:
    """One column of the board: the loans between two milestones."""

    label: str
    cards: list[LoanCard]
    cents: int


@staff_view("GET")
def show_pipeline(request: StaffRequest) -> HttpResponse:
    """Show the board. Milestones come from the LOS, so cards can't be dragged."""
    loans = (
        visible_loans(request.user, request.at)
        .select_related("lead__person", "lead__source", "officer__user")
        .annotate(moved_at=Max("milestones__reached_at"))
        .order_by("moved_at", "id")[:MAX_LOANS]
    )
    cards = [
        LoanCard(loan=loan, days=(request.at - (loan.moved_at or loan.created_at)).days)
        for loan in loans
    ]
    context = {
        "columns": build_columns(cards),
        "number": len(cards),
        "may_export": has_permission(request.user, "export"),
    }
    return render(request, "pipeline/show.html", context)


def visible_loans(user: User, at: datetime) -> QuerySet[Loan]:
    """Return the loans a user can see: in process, or funded within `FUNDED_WINDOW`."""
    since = (at - FUNDED_WINDOW).date()
    loans = Loan.objects.filter(lead__in=leads_visible_to(user).values("pk"), final_outcome="")
    return loans.filter(Q(funded_date=None) | Q(funded_date__gte=since))


def build_columns(cards: list[LoanCard]) -> list[PipelineColumn]:
    """Build the board's columns, keeping the order of the cards."""
    columns = []
    for position, (label, low) in enumerate(COLUMNS):
        high = COLUMNS[position + 1][1] if position + 1 < len(COLUMNS) else 10_000
        inside = [card for card in cards if low <= card.loan.rank < high]
        cents = sum(card.loan.amount_cents or 0 for card in inside)
        columns.append(PipelineColumn(label=label, cards=inside, cents=cents))
    return columns
