"""The step “Check the public address”, and the page that says what arrives here."""

from urllib.parse import urlsplit

from django.conf import settings
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from rooftree.org import setup_steps
from rooftree.web.setup import address_check
from rooftree.web.setup.go_live_steps import ADDRESS_STEP
from rooftree.web.setup.guide_step import step_key
from rooftree.web.shared.htmx_responses import respond_done, respond_refused
from rooftree.web.shared.request_caller import client_address
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view


@staff_view("GET", "POST")
def check_address(request: StaffRequest) -> HttpResponse:
    """Show the last check of the public address; a POST checks again."""
    require_permission(request.user, "edit_setup")
    key = step_key(ADDRESS_STEP)
    if request.method == "POST":
        finding = address_check.check_public_address()
        setup_steps.record_check(
            key, has_passed=finding.has_passed, finding=finding.text, at=request.at
        )
        if finding.has_passed:
            return respond_done(request, finding.text, back_to=reverse("setup"))
        return respond_refused(request, finding.text, back_to=request.path, status=422)
    context = {
        "address": settings.PUBLIC_URL,
        "step": setup_steps.stored_steps().get(key),
        "visitor": client_address(request),
        "host": urlsplit(settings.PUBLIC_URL).hostname,
        "port": settings.PORT,
    }
    return render(request, "setup/address.html", context)


@require_GET
@never_cache
def echo_request(request: HttpRequest, token: str) -> HttpResponse:
    """Say what arrived of a request that `address_check` sent a moment ago."""
    try:
        nonce = signing.loads(
            token, salt=address_check.ECHO_SALT, max_age=address_check.ECHO_SECONDS
        )
    except signing.BadSignature:
        raise Http404 from None
    return JsonResponse(
        {
            "nonce": nonce,
            "is_secure": request.is_secure(),
            "is_forwarded": "X-Forwarded-For" in request.headers,
            "visitor": client_address(request),
        }
    )
