"""Set-up: the account that claims consent certificates, and what could not be claimed."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.debug import sensitive_post_parameters

from rooftree.capture.certificates import claim, standing
from rooftree.web.answers import done
from rooftree.web.page import must, staff
from rooftree.web.staff_forms import StaffForm, secret


class KeyForm(StaffForm):
    """The one thing TrustedForm gives its customers."""

    key = secret("API key", "In your ActiveProspect account, under TrustedForm", required=True)


@sensitive_post_parameters("key")
@staff("GET", "POST")
def certificates(request: HttpRequest) -> HttpResponse:
    """The key, and how the claims of the last 30 days stand."""
    must(request.user, "edit_setup")
    form = KeyForm(request.POST or None)

    def keep(typed: dict[str, Any]) -> None:
        claim.set_key(typed["key"], by=request.user.pk, at=request.at)

    if request.method == "POST" and form.carried_out(keep):
        return done(request, "The key is kept; what waited is claimed now", back_to=request.path)
    stands = standing.of_certificates(at=request.at)
    counts = {name: stands.counts.get(name, 0) for name in ("retained", "pending", "failed")}
    context = {
        "form": form,
        "stands": stands,
        **counts,
        "mismatch": stands.counts.get("retained_mismatch", 0),
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "setup/certificates.html", context, status=status)
