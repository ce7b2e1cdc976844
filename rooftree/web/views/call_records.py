"""Calls on record: whether they are recorded, and those of which something is missing."""

from datetime import timedelta

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from rooftree.leads.models import ContactAttempt, Lead
from rooftree.org.models import Company
from rooftree.outreach import call_detail, recordings
from rooftree.routing.visible import leads_visible_to
from rooftree.web.answers import done
from rooftree.web.page import may_for_all, must, must_for_all, staff

PAGE = 20
LOOKED_AT = timedelta(days=31)  # what is older than that can no longer be found out


@staff("GET", "POST")
def show(request: HttpRequest) -> HttpResponse:
    """The switch, and incomplete calls of the last month, newest first."""
    must(request.user, "see_compliance")
    if request.method == "POST":
        return _switch(request)
    ended = request.at - recordings.LONGEST_CALL
    rows = call_detail.incomplete(before=ended).filter(
        lead__in=leads_visible_to(request.user), at__gt=request.at - LOOKED_AT
    )
    page = Paginator(rows.select_related("lead__person", "by"), PAGE).get_page(
        request.GET.get("page")
    )
    company = Company.objects.first()
    context = {
        "page": page,
        "calls": [{"row": one, "lacks": call_detail.missing(one)} for one in page],
        "not_erased": recordings.not_erased(before=request.at - recordings.AGAIN),
        "since": company.records_calls_from if company else None,
        "notices": _notices(request) if company else [],
        "may_switch": company is not None and may_for_all(request.user, "record_calls"),
    }
    return render(request, "compliance/calls.html", context)


def _notices(request: HttpRequest) -> list[tuple[str, str]]:
    """What is said, by language, as if the reader called about a mortgage, or was called."""
    calls = [ContactAttempt(lead=Lead(), by=request.user, direction=one) for one in ("out", "in")]
    return [
        (language, recordings.words_for(one, language))
        for language in recordings.NOTICES
        for one in calls
    ]


def _switch(request: HttpRequest) -> HttpResponse:
    must_for_all(request.user, "record_calls")
    is_on = request.POST.get("act") == "on"
    recordings.switch(is_on=is_on, by=request.user, at=request.at)
    said = "Calls are recorded from now on" if is_on else "No call is recorded from now on"
    return done(request, said, back_to=reverse("call_records"))
