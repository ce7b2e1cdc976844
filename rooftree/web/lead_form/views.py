"""The company's public form, on its own page or in a frame of an allowed site.

A submission becomes the same delivery as a post to /in/form/<slug>, except that its consent
wording is the one this server signed, never text from the visitor.
"""

import json
import logging
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from rooftree.capture.intake import source_admission
from rooftree.capture.intake.receive_delivery import endpoint_of
from rooftree.capture.own_form import form_drafts, form_seal, form_versions
from rooftree.capture.own_form.form_seal import BadSeal, Seal
from rooftree.capture.own_form.form_versions import ShownForm
from rooftree.capture.parsing.envelope import IncomingDelivery
from rooftree.capture.sources.website_form import CLICK_IDS, UTM_FIELDS
from rooftree.flow import clock, lead_arrival, partner_introductions
from rooftree.leads.models import Source
from rooftree.org import throttle
from rooftree.org.models import Company
from rooftree.web.lead_form.form_page import (
    BROWSER_MEASUREMENTS,
    HONEYPOT,
    allow_framing,
    build_form,
    get_lender,
    issue_seal,
    referring_partner,
    render_form,
)
from rooftree.web.lead_form.forms import LeadForm
from rooftree.web.lead_form.translations import TRANSLATIONS
from rooftree.web.shared.request_caller import client_address, rate_limit_subject

log = logging.getLogger(__name__)
FORM_VERSION = "hosted-2026-12-02"  # of the default form, to compare results by version
MAX_TRAIL_LENGTH = 900  # characters
# Per IP address, which an office or a school can share.
REQUEST_LIMIT = throttle.ThrottleLimit(
    name="form requests", max_attempts=60, window=timedelta(hours=1)
)
KEPT_HEADERS = frozenset({"Origin", "User-Agent", "Accept-Language", "Referer"})
MIN_FONT_PX, MIN_CONTRAST = 12, 4.5  # below, consent wording is not conspicuous


@csrf_exempt  # there is no session; the seal proves that the form is ours (form_seal)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def show_lead_form(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the form; a POST stores the submission and redirects to the thank-you page."""
    source, company, at = get_open_source(slug), get_lender(), clock.now()
    language = _chosen_language(request)
    if request.method != "POST":
        live = form_versions.form_in_use(source, at=at)
        seal = issue_seal(source, live, company, language, at)
        form = build_form(None, live.design, language, company, at)
        return render_form(request, source, company, form, seal=seal)
    try:
        seal, shown = form_seal.open_seal(
            request.POST.get("seal", ""), source=slug, legal_name=company.legal_name, at=at
        )
    except BadSeal as problem:
        log.info("form without a valid seal: %s", problem)
        live = form_versions.form_in_use(source, at=at)
        seal = issue_seal(source, live, company, language, at)
        form = build_form(request.POST, live.design, language, company, at)
        return render_form(request, source, company, form, seal=seal, note="stale", status=409)
    # The form that this visitor saw, which a newer version can have replaced since.
    form = build_form(request.POST, shown.design, language, company, at)
    if not form.is_valid() and not request.POST.get(HONEYPOT):
        return render_form(request, source, company, form, seal=seal, note="problem", status=422)
    body = _build_delivery_body(form.cleaned_data, request.POST, seal, shown, company)
    return _submit_form(request, source, company, form, seal, body)


@never_cache
@require_safe
def show_thanks(request: HttpRequest, slug: str, reference: str = "") -> HttpResponse:
    """Show the thank-you page with the reference."""
    source, language = get_open_source(slug), _chosen_language(request)
    company, design = get_lender(), form_versions.form_in_use(source, at=clock.now()).design
    context = {
        "words": TRANSLATIONS[language],
        "language": language,
        "company": company,
        "privacy_url": design.privacy_url,
        "reference": reference,
    }
    response = render(request, "lead_form/thanks.html", context)
    return allow_framing(response, source.allowed_origins)


@cache_control(public=True, max_age=3600)
@require_safe
def serve_embed_script(request: HttpRequest, slug: str) -> HttpResponse:
    """Return the script that embeds the form in another site's page."""
    get_open_source(slug)
    return render(request, "lead_form/embed.js", content_type="text/javascript; charset=utf-8")


def get_open_source(slug: str) -> Source:
    """Return the source of a form; raise `Http404` if there is none or it is paused."""
    source = Source.objects.filter(adapter="website_form", slug=slug, paused_at=None).first()
    if source is None:
        raise Http404
    return source


def _chosen_language(request: HttpRequest) -> str:
    """Return the language of the URL, else the browser's."""
    language = request.GET.get("lang", "")
    if language in TRANSLATIONS:
        return language
    return "es" if request.headers.get("accept-language", "").lower().startswith("es") else "en"


def _build_delivery_body(
    answers: dict[str, Any], posted: QueryDict, seal: Seal, shown: ShownForm, company: Company
) -> bytes:
    """Return the body of the delivery, as our script on a company's site would post it."""
    given = {name: value for name, value in answers.items() if value and name != "consent"}
    text = shown.design.consent_text(seal.language, company.legal_name)
    body = (
        submission_metadata(posted, seal, shown)
        | given
        | {"consent": _consent_record(posted, seal, text, company)}
    )
    return json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")


def submission_metadata(posted: QueryDict, seal: Seal, shown: ShownForm) -> dict[str, Any]:
    """Return the form version, the visitor's origin, and their steps in the form."""
    return {
        "submission_id": seal.submission_id,
        "form": shown.name if shown.version else FORM_VERSION,
        "rendered_at": seal.rendered_at,
        "language": seal.language,
        HONEYPOT: posted.get(HONEYPOT, "")[:200],
        "utm": {
            name: posted[f"utm_{name}"][:500] for name in UTM_FIELDS if posted.get(f"utm_{name}")
        },
        **{name: posted[name][:500] for name in CLICK_IDS if posted.get(name)},
        "landing_page": posted.get("page", "")[:2000],
        "referrer": posted.get("referrer", "")[:2000],
        "seconds_on_page": posted.get("seconds_on_page", "")[:10],
        "fields_touched": posted.get("fields_touched", "")[:500],
        "steps": posted.get("steps", "")[:MAX_TRAIL_LENGTH],
    }


def visitor_headers(request: HttpRequest) -> dict[str, str]:
    """Return the visitor's headers that are stored with the delivery."""
    return {name: value for name, value in request.headers.items() if name in KEPT_HEADERS}


def _consent_record(posted: QueryDict, seal: Seal, text: str, company: Company) -> dict[str, Any]:
    """Return the signed consent wording and the browser's measurements of it.

    `version` makes it a record of our own form. It is left out if the browser measured that the
    wording was different, prechecked or not conspicuous. The gate then requires more before an
    automated text.
    """
    measured = {
        name: posted.get(name, "")[:100] for name in BROWSER_MEASUREMENTS[:7] if posted.get(name)
    }
    was_ticked = measured.get("box_at_load") == "ticked"
    is_proof = not was_ticked and _is_conspicuous(measured, seal)
    return {
        "checked": posted.get("consent") is not None,
        "text": text,
        "version" if is_proof else "doubted_version": seal.version,
        "language": seal.language,
        "seller": company.legal_name,
        "prechecked": was_ticked,
        "text_sha256": seal.text_sha256,
        "snapshot_sha256": seal.snapshot_sha256,
        "seal": posted.get("seal", ""),
        **measured,
    }


def _is_conspicuous(measured: dict[str, str], seal: Seal) -> bool:
    """Return False if a measurement shows otherwise; without scripts there are none."""
    shown = measured.get("shown_sha256")
    if shown and shown != seal.text_sha256:
        return False
    if measured.get("visible") == "no":
        return False
    return (
        _parse_measurement(measured, "font_px", MIN_FONT_PX) >= MIN_FONT_PX
        and _parse_measurement(measured, "contrast", MIN_CONTRAST) >= MIN_CONTRAST
    )


def _parse_measurement(measured: dict[str, str], name: str, usual: float) -> float:
    try:
        return float(measured.get(name, usual))
    except ValueError:
        return 0.0


def _submit_form(
    request: HttpRequest,
    source: Source,
    company: Company,
    form: LeadForm,
    seal: Seal,
    body: bytes,
) -> HttpResponse:
    at = clock.now()
    endpoint = endpoint_of(source)
    own_origins = {settings.PUBLIC_URL, f"{request.scheme}://{request.get_host()}"}
    incoming = IncomingDelivery(
        path=f"/in/form/{source.slug}",
        headers={**visitor_headers(request), "Content-Type": "application/json; charset=utf-8"},
        body=body,
        remote_addr=client_address(request) or None,
        received_at=at,
        endpoint=replace(
            endpoint, allowed_origins=endpoint.allowed_origins | own_origins, signed_only=False
        ),
    )
    try:
        if not throttle.consume_attempt(
            REQUEST_LIMIT, rate_limit_subject(request), at=at
        ) or source_admission.turn_away_flood(source, at=at):
            return render_form(request, source, company, form, seal=seal, note="away", status=429)
        with transaction.atomic():
            received = lead_arrival.accept_delivery(source=source, incoming=incoming, at=at)
            form_drafts.mark_form_sent(UUID(seal.submission_id), source=source, at=at)
            if received.envelope.leads and (partner := referring_partner(request)):
                answers = form.cleaned_data
                # The partner sees the first name and last initial, as the visitor typed them.
                name = (
                    f"{answers.get('first_name', '')} {answers.get('last_name', '')[:1]}.".strip()
                )
                partner_introductions.record_introduction(
                    received, partner=partner, name=name, at=at
                )
    except DatabaseError as problem:
        log.error("form could not be stored: %s", type(problem).__name__)
        return render_form(request, source, company, form, seal=seal, note="away", status=503)
    if received.answer.status >= 400:
        return render_form(request, source, company, form, seal=seal, note="elsewhere", status=403)
    reference = json.loads(received.answer.to_bytes() or b"{}").get("reference")
    url_kwargs = {"slug": source.slug} | ({"reference": reference} if reference else {})
    back_to = reverse("lead_form_thanks", kwargs=url_kwargs)
    return HttpResponseRedirect(f"{back_to}?lang={form.translations['code']}", status=303)
