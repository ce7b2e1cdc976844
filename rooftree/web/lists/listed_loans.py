"""Which loans the pipeline shows under its filters."""

from datetime import datetime, timedelta

from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from rooftree.leads.models import Lead, Loan, Milestone
from rooftree.org.models import User
from rooftree.routing.permissions import leads_visible_to
from rooftree.web.lists.list_filters import STAGES, ListFilter
from rooftree.web.shared.search_views import search_leads

FUNDED_WINDOW = timedelta(days=30)
LOAN_ORDERS = {
    "oldest": ("moved_at", "id"),
    "newest": ("-moved_at", "-id"),
    "stage": ("rank", "moved_at", "id"),
    "name": ("lead__person__last_name", "lead__person__first_name", "id"),
    "amount": (F("amount_cents").desc(nulls_last=True), "id"),
}


def visible_loans(user: User, at: datetime) -> QuerySet[Loan]:
    """Return the loans a user can see: in process, or funded within `FUNDED_WINDOW`."""
    since = (at - FUNDED_WINDOW).date()
    loans = Loan.objects.filter(lead__in=leads_visible_to(user).values("pk"), final_outcome="")
    return loans.filter(Q(funded_date=None) | Q(funded_date__gte=since))


def find_loans(shown: ListFilter, user: User, at: datetime) -> QuerySet[Loan]:
    """Return the loans of the pipeline with `moved_at`, in its order."""
    newest = Milestone.objects.filter(loan=OuterRef("pk")).order_by("-reached_at")
    loans = visible_loans(user, at).annotate(
        moved_at=Coalesce(Subquery(newest.values("reached_at")[:1]), F("created_at"))
    )
    if set(shown.values) - {"stage", "days", "view", "loan_order"}:
        leads = shown.lead_filter.narrow_leads(Lead.objects.all(), at=at)
        if "q" in shown.values:
            leads = search_leads(leads, shown.values["q"])
        loans = loans.filter(lead__in=leads.values("pk"))
    if "stage" in shown.values:
        loans = loans.filter(stage_condition(shown.values["stage"]))
    if "days" in shown.values:
        loans = loans.filter(moved_at__lte=at - timedelta(days=int(shown.values["days"])))
    order = LOAN_ORDERS[shown.values.get("loan_order") or "oldest"]
    return loans.select_related("lead__person", "lead__source", "officer__user").order_by(*order)


def stage_condition(key: str) -> Q:
    """Return the condition of the loans in one stage."""
    keys = list(STAGES)
    place = keys.index(key)
    is_stage = Q(rank__gte=STAGES[key][1])
    if place + 1 < len(keys):
        is_stage &= Q(rank__lt=STAGES[keys[place + 1]][1])
    return is_stage


def stage_of(rank: int) -> str:
    """Return the key of the stage that a milestone's rank belongs to."""
    return [key for key, (_, low) in STAGES.items() if low <= rank][-1]
