"""The people list: every lead that the user can see, to filter, sort and act on."""

from django.http import HttpResponse
from django.shortcuts import render

from rooftree.leads import lead_tags
from rooftree.web.lists.list_filters import ListFilter
from rooftree.web.lists.list_page import get_page, list_context
from rooftree.web.lists.listed_leads import find_people
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view

PAGE_SIZE = 50


@staff_view("GET")
def list_people(request: StaffRequest) -> HttpResponse:
    """List one page of the borrowers whose leads the user can see."""
    require_permission(request.user, "read_lead")
    filters = ListFilter("people", request.user, request.GET)
    page = get_page(request, find_people(filters, request.user, request.at), size=PAGE_SIZE)
    leads = list(page.object_list)
    tags = lead_tags.tags_by_lead(lead.pk for lead in leads)
    context = {
        **list_context(request, filters, number=page.paginator.count, on_page=len(leads)),
        "page": page,
        "lines": [{"lead": lead, "tags": tags.get(lead.pk, ())} for lead in leads],
    }
    return render(request, "people/show.html", context)
