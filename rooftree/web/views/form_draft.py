"""What an open form tells us while it is filled in: the steps that were gone on from."""

import logging
from datetime import timedelta
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from rooftree.capture import flood, form_drafts, form_seal
from rooftree.capture.form_seal import BadSeal
from rooftree.capture.sources.website_form import FASTEST_FILL
from rooftree.flow import moment
from rooftree.org import throttle
from rooftree.web.form_fields import NAMES, LeadForm
from rooftree.web.form_words import WORDS
from rooftree.web.views import lead_form as whole

log = logging.getLogger(__name__)
# An open form gives a sign every 15 seconds, and an office may share one address.
SIGNS = throttle.Limit(name="form signs", most=2400, within=timedelta(hours=1))


@csrf_exempt  # no session is behind it; the seal proves that the form is ours (form_seal)
@never_cache
@require_POST
def draft(request: HttpRequest, slug: str) -> HttpResponse:
    """Keep the answers so far of somebody who can be reached; no page reads what this says."""
    source, company, at = whole.open_source(slug), whole.the_lender(), moment.now()
    try:
        seal, _ = form_seal.opened(
            request.POST.get("seal", ""), source=slug, legal_name=company.legal_name, at=at
        )
    except BadSeal as problem:
        log.info("a draft came without its seal: %s", problem)
        return HttpResponse(status=409)
    if _is_robot(request, seal.age(at)):
        return HttpResponse(status=204)
    address = request.META.get("REMOTE_ADDR") or ""
    if not throttle.allow(SIGNS, address, at=at) or flood.is_too_much(source, at=at):
        return HttpResponse(status=429)
    form = LeadForm(request.POST, WORDS[seal.language] | {"code": seal.language})
    form.is_valid()  # what is wrong or missing is left out: they have not finished
    given = {name: form.cleaned_data[name] for name in NAMES if form.cleaned_data.get(name)}
    if not (given.get("email") or given.get("phone")):
        return HttpResponse(status=204)
    form_drafts.keep(
        UUID(seal.submission_id),
        source=source,
        answers=whole.about(request.POST, seal) | given,
        visitor=form_drafts.Visitor(headers=whole.kept_headers(request), address=address),
        at=at,
    )
    return HttpResponse(status=204)


def _is_robot(request: HttpRequest, age: timedelta) -> bool:
    return bool(request.POST.get(whole.HONEYPOT)) or age < FASTEST_FILL
