"""Findings: closing one with a conclusion."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404

from rooftree.compliance.fair_lending import compliance_findings
from rooftree.compliance.fair_lending.compliance_findings import BadConclusion
from rooftree.compliance.models import Finding
from rooftree.web.shared.htmx_responses import respond_done, respond_refused
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_company_permission, staff_view


@staff_view("POST")
def close_finding(request: StaffRequest, finding_id: UUID) -> HttpResponse:
    """Close a finding with the compliance officer's conclusion."""
    require_company_permission(request.user, "conclude_findings")
    finding = get_object_or_404(Finding, pk=finding_id)
    try:
        compliance_findings.close_finding(
            finding_id=finding.pk, words=request.POST.get("words", ""), by=request.user,
            at=request.at,
        )  # fmt: skip
    except BadConclusion as problem:
        return respond_refused(request, str(problem), back_to=finding.link, status=422)
    return respond_done(request, "Finding closed", back_to=finding.link)
