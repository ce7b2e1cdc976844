"""Setup of consent certificates: the TrustedForm account and the certificates without proof."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.debug import sensitive_post_parameters

from rooftree.capture.certificates import certificate_claims, certificate_report
from rooftree.web.shared.htmx_responses import respond_done
from rooftree.web.shared.staff_forms import StaffForm, secret_field
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view


class TrustedFormKeyForm(StaffForm):
    """The API key of the company's TrustedForm account."""

    key = secret_field(
        "API key", "In your ActiveProspect account, under TrustedForm", required=True
    )


@sensitive_post_parameters("key")
@staff_view("GET", "POST")
def edit_certificate_account(request: StaffRequest) -> HttpResponse:
    """Show the claims of the last 30 days; a POST saves the API key unless it is rejected."""
    require_permission(request.user, "edit_setup")
    form = TrustedFormKeyForm(request.POST or None)

    def save(typed: dict[str, Any]) -> None:
        certificate_claims.refuse_wrong_key(typed["key"])
        certificate_claims.save_trustedform_key(typed["key"], by=request.user.pk, at=request.at)

    if request.method == "POST" and form.submit(save):
        return respond_done(
            request, "Key saved. Waiting certificates are being claimed", back_to=request.path
        )
    report = certificate_report.build_certificate_report(at=request.at)
    counts = {name: report.counts.get(name, 0) for name in ("retained", "pending", "failed")}
    context = {
        "form": form,
        "report": report,
        **counts,
        "mismatch": report.counts.get("retained_mismatch", 0),
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "setup/certificates.html", context, status=status)
