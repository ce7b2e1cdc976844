"""What rules found, closed by the compliance officer who looked at it."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from rooftree.compliance import findings
from rooftree.compliance.findings import BadConclusion
from rooftree.compliance.models import Finding
from rooftree.web.answers import done, refused
from rooftree.web.page import must_for_all, staff


@staff("POST")
def conclusion(request: HttpRequest, finding_id: UUID) -> HttpResponse:
    """Write down what was found and done; the finding is closed with it."""
    must_for_all(request.user, "conclude_findings")
    finding = get_object_or_404(Finding, pk=finding_id)
    try:
        findings.conclude(
            finding_id=finding.pk, words=request.POST.get("words", ""), by=request.user,
            at=request.at,
        )  # fmt: skip
    except BadConclusion as problem:
        return refused(request, str(problem), back_to=finding.link, status=422)
    return done(request, "Closed, with what you wrote", back_to=finding.link)
