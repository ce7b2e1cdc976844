"""Which leads a list shows under its filters, for the list itself and for an action on all."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from rooftree.leads.models import Lead
from rooftree.org.models import User
from rooftree.routing import work_queue
from rooftree.routing.lead_filter import LEAD_ORDERS
from rooftree.routing.permissions import has_permission, leads_visible_to
from rooftree.routing.work_queue import Tab
from rooftree.web.lists.list_filters import ListFilter
from rooftree.web.lists.listed_loans import find_loans
from rooftree.web.shared.search_views import search_leads


def find_people(shown: ListFilter, user: User, at: datetime) -> QuerySet[Lead]:
    """Return the leads of the people list, in its order."""
    leads = shown.lead_filter.narrow_leads(leads_visible_to(user), at=at)
    if "q" in shown.values:
        leads = search_leads(leads, shown.values["q"])
    order = LEAD_ORDERS[shown.values.get("order") or "newest"]
    return leads.select_related("person", "source", "officer__user").order_by(*order)


def find_queue_rows(shown: ListFilter, user: User, at: datetime) -> list[work_queue.QueueRow]:
    """Return the rows of the queue, in its order."""
    tab = Tab(shown.values.get("tab") or Tab.NOW)
    return work_queue.list_rows(user, at=at, tab=tab, only=shown.lead_filter)


def find_lead_ids(shown: ListFilter, user: User, at: datetime, *, limit: int) -> list[UUID]:
    """Return the ids of the leads that a list shows, over all its pages, at most `limit`."""
    return list(_FINDERS[shown.page](shown, user, at)[:limit])


def _queue_ids(shown: ListFilter, user: User, at: datetime) -> list[UUID]:
    if not has_permission(user, "see_queue"):
        return []
    return [row.lead_id for row in find_queue_rows(shown, user, at)]


_FINDERS: dict[str, Callable[[ListFilter, User, datetime], Any]] = {
    "queue": _queue_ids,
    "people": lambda shown, user, at: find_people(shown, user, at).values_list("pk", flat=True),
    "pipeline": lambda shown, user, at: find_loans(shown, user, at).values_list(
        "lead_id", flat=True
    ),
}
