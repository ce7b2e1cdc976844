"""Status reports: files that tell a vendor how far its leads came."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render

from rooftree.leads.models import Source
from rooftree.money import vendor_contracts
from rooftree.money.company_day import company_day
from rooftree.reporting.exports import vendor_status_file
from rooftree.reporting.exports.vendor_status_file import NothingToReport
from rooftree.reporting.models import StatusFile
from rooftree.web.shared.file_responses import csv_response
from rooftree.web.shared.htmx_responses import respond_done, respond_refused
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_company_permission, staff_view


@staff_view("GET", "POST")
def list_status_files(request: StaffRequest, source_id: UUID) -> HttpResponse:
    """List the files and preview the next one; a POST creates it."""
    require_company_permission(request.user, "work_returns")
    source = get_object_or_404(Source, pk=source_id)
    if request.method == "POST":
        try:
            file = vendor_status_file.create_file(
                source_id=source.pk, by=request.user, at=request.at
            )
        except NothingToReport as problem:
            return respond_refused(request, str(problem), back_to=request.path)
        return respond_done(request, f"File {file.number} is ready to send", back_to=request.path)
    contract = vendor_contracts.find_contract_in_force(source.pk, company_day(request.at))
    words = contract.statuses if contract else {}
    context = {
        "source": source,
        "words": [(vendor_contracts.REPORTABLE_STATUSES[key], word) for key, word in words.items()],
        "news": vendor_status_file.count_changes(source, at=request.at),
        "files": source.status_files.select_related("made_by").order_by("-number")[:50],
    }
    return render(request, "returns/vendor_statuses.html", context)


@staff_view("GET")
def download_status_file(request: StaffRequest, file_id: UUID) -> HttpResponse:
    """Download one file; its content never changes."""
    require_company_permission(request.user, "work_returns")
    file = get_object_or_404(StatusFile.objects.select_related("source"), pk=file_id)
    name = f"{file.source.slug}-statuses-{file.number}.csv"
    return csv_response(vendor_status_file.render_file(file), name)
