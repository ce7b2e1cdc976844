"""What a vendor is told of its leads, file by file."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from rooftree.leads.models import Source
from rooftree.money import contracts
from rooftree.money.company_day import company_day
from rooftree.reporting import vendor_status
from rooftree.reporting.models import StatusFile
from rooftree.reporting.vendor_status import NothingToTell
from rooftree.web.answers import done, refused
from rooftree.web.files import csv_file
from rooftree.web.page import must, staff


@staff("GET", "POST")
def index(request: HttpRequest, source_id: UUID) -> HttpResponse:
    """The files so far, and what the next one would say; a press makes it."""
    must(request.user, "work_returns")
    source = get_object_or_404(Source, pk=source_id)
    if request.method == "POST":
        try:
            made = vendor_status.make(source_id=source.pk, by=request.user, at=request.at)
        except NothingToTell as problem:
            return refused(request, str(problem), back_to=request.path)
        return done(request, f"File {made.number} is ready to be sent", back_to=request.path)
    contract = contracts.in_force(source.pk, company_day(request.at))
    words = contract.statuses if contract else {}
    context = {
        "source": source,
        "words": [(contracts.STATUSES[key], word) for key, word in words.items()],
        "news": vendor_status.counts(source, at=request.at),
        "files": source.status_files.select_related("made_by").order_by("-number")[:50],
    }
    return render(request, "returns/statuses.html", context)


@staff("GET")
def status_file(request: HttpRequest, file_id: UUID) -> HttpResponse:
    """One file, the same whenever it is asked for."""
    must(request.user, "work_returns")
    made = get_object_or_404(StatusFile.objects.select_related("source"), pk=file_id)
    name = f"{made.source.slug}-statuses-{made.number}.csv"
    return csv_file(vendor_status.text_of(made), name)
