"""The frame of every list of leads: filters, saved views, actions and pages."""

from collections.abc import Sequence
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.urls import reverse

from rooftree.flow.bulk_lead_actions import MAX_LEADS, PERMISSIONS, BulkKind
from rooftree.routing import saved_views
from rooftree.routing.permissions import has_permission
from rooftree.web.lists.list_filters import ListFilter
from rooftree.web.shared.staff_request import StaffRequest

BUTTONS = (  # of the bar, in its order
    (BulkKind.ENROLL, "bulk_enroll", "sequence", "Add to sequence"),
    (BulkKind.WATCH, "bulk_watch", "rates", "Rate watch"),
    (BulkKind.SNOOZE, "bulk_snooze", "moon", "Snooze"),
    (BulkKind.TAG, "bulk_tag", "flag", "Tag"),
    (BulkKind.REASSIGN, "bulk_reassign", "user", "Reassign"),
)

type Rows = QuerySet[Any] | Sequence[Any]


def list_context(
    request: StaffRequest, shown: ListFilter, *, number: int, on_page: int
) -> dict[str, Any]:
    """Return the context of the filters, saved views and bulk bar of a list.

    Args:
        number: how many rows the list has, and `on_page` how many of them the page shows.
    """
    views = saved_views.list_views(request.user, shown.page)
    current = next((view for view in views if view.query == shown.saved_query), None)
    return {
        "shown": shown,
        "saved_views": views,
        "current_view": current,
        "is_own_view": current is not None and current.owner_id == request.user.pk,
        "bulk_buttons": [
            {"url": reverse(url), "icon": icon, "label": label}
            for kind, url, icon, label in BUTTONS
            if has_permission(request.user, PERMISSIONS[kind])
        ],
        "bulk_from": f"page_name={shown.page}&{shown.query}",
        "number": number,
        "is_one_page": number <= min(on_page, MAX_LEADS),
        "can_select_all": on_page < number <= MAX_LEADS,
    }


class ListPaginator(Paginator):  # type: ignore[type-arg]
    """Pages of one list; `parameter` names the page in the URL, as a screen can have two lists."""

    def __init__(self, rows: Rows, size: int, *, parameter: str) -> None:
        super().__init__(rows, size)
        self.parameter = parameter


def get_page(request: StaffRequest, rows: Rows, *, size: int, parameter: str = "page") -> Page[Any]:
    """Return the page that the URL names; the nearest one if it names none."""
    pages = ListPaginator(rows, size, parameter=parameter)
    return pages.get_page(request.GET.get(parameter))
