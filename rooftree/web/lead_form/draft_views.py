"""Drafts of the public form, saved after each completed step."""

import logging
from datetime import timedelta
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from rooftree.capture.intake import source_admission
from rooftree.capture.own_form import form_drafts, form_seal
from rooftree.capture.own_form.form_seal import BadSeal
from rooftree.capture.sources.website_form import MIN_FILL_TIME
from rooftree.flow import clock
from rooftree.org import throttle
from rooftree.web.lead_form import views
from rooftree.web.lead_form.form_page import HONEYPOT, build_form, get_lender
from rooftree.web.shared.request_caller import client_address, rate_limit_subject

log = logging.getLogger(__name__)
# An open form posts every 15 seconds, and an office can share one address.
DRAFT_LIMIT = throttle.ThrottleLimit(
    name="form signs", max_attempts=2400, window=timedelta(hours=1)
)


@csrf_exempt  # no session is behind it; the seal proves that the form is ours (form_seal)
@never_cache
@require_POST
def save_form_draft(request: HttpRequest, slug: str) -> HttpResponse:
    """Save the answers so far once there is an email or phone; the response has no body."""
    source, company, at = views.get_open_source(slug), get_lender(), clock.now()
    try:
        seal, shown = form_seal.open_seal(
            request.POST.get("seal", ""), source=slug, legal_name=company.legal_name, at=at
        )
    except BadSeal as problem:
        log.info("form draft without a valid seal: %s", problem)
        return HttpResponse(status=409)
    if request.POST.get(HONEYPOT) or seal.age(at) < MIN_FILL_TIME:  # a bot
        return HttpResponse(status=204)
    if not throttle.consume_attempt(
        DRAFT_LIMIT, rate_limit_subject(request), at=at
    ) or source_admission.turn_away_flood(source, at=at):
        return HttpResponse(status=429)
    form = build_form(request.POST, shown.design, seal.language, company, at)
    form.is_valid()  # leaves out wrong and missing answers: the visitor has not finished
    answers = {
        name: form.cleaned_data[name]
        for name in shown.design.questions
        if form.cleaned_data.get(name)
    }
    if not (answers.get("email") or answers.get("phone")):
        return HttpResponse(status=204)
    form_drafts.save_draft(
        UUID(seal.submission_id),
        source=source,
        answers=views.submission_metadata(request.POST, seal, shown) | answers,
        visitor=form_drafts.Visitor(
            headers=views.visitor_headers(request), address=client_address(request)
        ),
        at=at,
    )
    return HttpResponse(status=204)
