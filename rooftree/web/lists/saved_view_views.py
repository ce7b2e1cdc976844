"""Saving and deleting a view of a list."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404
from django.urls import reverse

from rooftree.routing import saved_views
from rooftree.routing.models import SAVED_VIEW_PAGES, SavedView
from rooftree.web.lists.list_filters import ListFilter
from rooftree.web.reports.report_filter import ReportFilter
from rooftree.web.shared.htmx_responses import respond_redirect, respond_refused
from rooftree.web.shared.staff_forms import StaffForm, checkbox_field, choice_field, text_field
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view


class SaveViewForm(StaffForm):
    """A name for the filters of a list."""

    page = choice_field("List", [(page, page) for page in SAVED_VIEW_PAGES])
    query = text_field("Filters", required=False, max_length=600)
    name = text_field("Name", max_length=40)
    is_shared = checkbox_field("Share with my team", "Everyone in your branch sees it")


@staff_view("POST")
def save_view(request: StaffRequest) -> HttpResponse:
    """Save the filters of a list under a name, for the user or for their team."""
    require_permission(request.user, "read_lead")
    form = SaveViewForm(request.POST)
    page = request.POST.get("page", "")
    data = QueryDict(request.POST.get("query", ""))
    shown: ListFilter | ReportFilter = (
        ReportFilter(request.user, data)
        if page == ReportFilter.page
        else ListFilter(page if page in SAVED_VIEW_PAGES else "people", request.user, data)
    )

    def save(typed: dict[str, Any]) -> SavedView:
        return saved_views.save_view(
            page=shown.page, name=typed["name"], query=shown.saved_query,
            is_shared=typed["is_shared"], by=request.user, at=request.at,
        )  # fmt: skip

    if not form.submit(save):
        why = next(iter(form.errors.values()))[0]
        return respond_refused(request, str(why), back_to=shown.address, status=422)
    to = f"{reverse(shown.page)}?{form.result.query}"
    return respond_redirect(request, f"Saved “{form.result.name}”", to=to)


@staff_view("POST")
def delete_view(request: StaffRequest, view_id: UUID) -> HttpResponse:
    """Delete a saved view of the user."""
    view = get_object_or_404(SavedView, pk=view_id, owner=request.user)
    saved_views.delete_view(view_id=view.pk, by=request.user, at=request.at)
    return respond_redirect(request, f"Deleted “{view.name}”", to=reverse(view.page))
