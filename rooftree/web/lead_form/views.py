"""The company's public form, on its own page or in a frame of an allowed site.

A submission becomes the same delivery as a post to /in/form/<slug>, except that its consent
wording is the one this server signed, never text from the visitor.
"""

import json
import logging
import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.csp import CSP
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from rooftree.capture.intake import source_admission
from rooftree.capture.intake.receive_delivery import endpoint_of
from rooftree.capture.own_form import form_certificates, form_drafts, form_seal, form_wording
from rooftree.capture.own_form.form_seal import BadSeal, Seal
from rooftree.capture.parsing.envelope import IncomingDelivery
from rooftree.capture.sources.website_form import CLICK_IDS, HONEYPOTS, UTM_FIELDS
from rooftree.flow import clock, lead_arrival, partner_introductions
from rooftree.leads.models import Partner, Source
from rooftree.org import throttle
from rooftree.org.models import Company, CompanyLicense
from rooftree.web.lead_form.forms import LeadForm
from rooftree.web.lead_form.translations import TRANSLATIONS
from rooftree.web.shared.request_caller import client_address, rate_limit_subject

log = logging.getLogger(__name__)
FORM_VERSION = "hosted-2026-12-02"  # of layout and texts, to compare results by version
ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:\d{1,5})?", re.IGNORECASE)
HONEYPOT = HONEYPOTS[0]
UTM_KEYS = tuple(f"utm_{name}" for name in UTM_FIELDS)
# Measured in the browser: claims of the visitor, stored beside what the server knows.
BROWSER_MEASUREMENTS = (
    *("shown_sha256", "font_px", "contrast", "visible", "box_at_load"),
    *("checked_at", "ticks", "seconds_on_page", "fields_touched", "steps"),
)
MAX_TRAIL_LENGTH = 900  # characters
# Per IP address, which an office or a school can share.
REQUEST_LIMIT = throttle.ThrottleLimit(
    name="form requests", max_attempts=60, window=timedelta(hours=1)
)
OTHER_LANGUAGE = {"en": "es", "es": "en"}
KEPT_HEADERS = frozenset({"Origin", "User-Agent", "Accept-Language", "Referer"})
MIN_FONT_PX, MIN_CONTRAST = 12, 4.5  # below, consent wording is not conspicuous


@csrf_exempt  # there is no session; the seal proves that the form is ours (form_seal)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def show_lead_form(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the form; a POST stores the submission and redirects to the thank-you page."""
    source, company, at = get_open_source(slug), get_lender(), clock.now()
    language = _chosen_language(request)
    words = TRANSLATIONS[language] | {"code": language}
    if request.method != "POST":
        seal = _issue_seal(source, company, language, at)
        return _render_form(
            request, source, company, build_form(None, words, company, at), seal=seal
        )
    form = build_form(request.POST, words, company, at)
    try:
        seal, text = form_seal.open_seal(
            request.POST.get("seal", ""), source=slug, legal_name=company.legal_name, at=at
        )
    except BadSeal as problem:
        log.info("form without a valid seal: %s", problem)
        seal = _issue_seal(source, company, language, at)
        return _render_form(request, source, company, form, seal=seal, note="stale", status=409)
    if not form.is_valid() and not request.POST.get(HONEYPOT):
        return _render_form(request, source, company, form, seal=seal, note="problem", status=422)
    body = _build_delivery_body(form.cleaned_data, request.POST, seal, text, company)
    return _submit_form(request, source, company, form, seal, body)


@never_cache
@require_safe
def show_thanks(request: HttpRequest, slug: str, reference: str = "") -> HttpResponse:
    """Show the thank-you page with the reference."""
    source, language = get_open_source(slug), _chosen_language(request)
    context = {"words": TRANSLATIONS[language], "language": language, "company": get_lender()}
    response = render(request, "lead_form/thanks.html", {**context, "reference": reference})
    return _allow_framing(response, source)


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


def get_lender() -> Company:
    """Return the company; raise `Http404` if there is none yet."""
    company = Company.objects.first()
    if company is None:
        raise Http404
    return company


def build_form(data: Any, words: dict[str, Any], company: Company, at: datetime) -> LeadForm:
    """Build the form with the states in which the company is licensed.

    A depository, and a company without licenses on file, gets all states.
    """
    states: set[str] = set()
    if company.kind != "depository":
        day = at.astimezone(ZoneInfo(company.zone)).date()
        licenses = CompanyLicense.objects.filter(from_date__lte=day)
        states = set(
            licenses.filter(Q(until_date=None) | Q(until_date__gt=day)).values_list(
                "state", flat=True
            )
        )
    return LeadForm(data, words, lending_states=states)


def _chosen_language(request: HttpRequest) -> str:
    """Return the language of the URL, else the browser's."""
    language = request.GET.get("lang", "")
    if language in TRANSLATIONS:
        return language
    return "es" if request.headers.get("accept-language", "").lower().startswith("es") else "en"


def _issue_seal(source: Source, company: Company, language: str, at: datetime) -> Seal:
    edition = form_wording.current_edition(language, on=at.date())
    text = edition.render(company.legal_name)
    snapshot = _render_disclosure(edition.language, text, is_ticked=False)
    words = TRANSLATIONS[language] | {"code": language}
    empty = _form_context(company, build_form(None, words, company, at))
    page = render_to_string("lead_form/show.html", empty | {"disclosure": snapshot})
    return form_seal.make_seal(
        source=source.slug,
        edition=edition,
        text=text,
        snapshot=snapshot,
        page_sha256=form_certificates.save_form_page(page, at=at),
        at=at,
    )


def _render_disclosure(language: str, text: str, *, is_ticked: bool) -> str:
    context = {"words": TRANSLATIONS[language], "text": text, "is_ticked": is_ticked}
    return render_to_string("lead_form/_disclosure.html", context | {"language": language})


def _render_form(  # noqa: PLR0913
    request: HttpRequest,
    source: Source,
    company: Company,
    form: LeadForm,
    *,
    seal: Seal,
    note: str = "",
    status: int = 200,
) -> HttpResponse:
    """Render the form with the typed values; after a new seal, the consent box is unchecked."""
    edition = form_wording.find_edition(seal.version, seal.language)
    text = edition.render(company.legal_name) if edition else ""
    is_ticked = note != "stale" and form.is_bound and bool(form.data.get("consent"))
    language = form.translations["code"]
    other_query = request.GET.copy()
    other_query["lang"] = OTHER_LANGUAGE[language]
    context = _form_context(company, form) | {
        "note": form.translations[note] if note else "",
        "other_query": other_query.urlencode(),
        "partner": _referring_partner(request),
        "seal": seal.sign(),
        "disclosure": _render_disclosure(seal.language, text, is_ticked=is_ticked),
        "carried": _hidden_fields(request, forget=note == "stale"),
    }
    return _allow_framing(render(request, "lead_form/show.html", context, status=status), source)


def _form_context(company: Company, form: LeadForm) -> dict[str, Any]:
    """Return the context that is the same for every visitor."""
    words = form.translations
    return {
        "form": form,
        "steps": list(zip(words["steps"], words["step_hints"], form.question_steps(), strict=True)),
        "words": words,
        "language": words["code"],
        "other": OTHER_LANGUAGE[words["code"]],
        "company": company,
        "honeypot": HONEYPOT,
        "housing": words["housing"].get(company.kind, ""),
    }


def _hidden_fields(request: HttpRequest, *, forget: bool) -> dict[str, str]:
    """Return the hidden fields: where the visitor came from, and the measurements so far."""
    posted: QueryDict = request.POST if request.method == "POST" else request.GET
    marketing = {name: posted.get(name, "")[:500] for name in (*UTM_KEYS, *CLICK_IDS)}
    page = posted.get("page", "")
    came_from = posted.get("referrer") or request.headers.get("referer", "")
    measured = {
        name: "" if forget or posted is request.GET else posted.get(name, "")[:500]
        for name in BROWSER_MEASUREMENTS
    }
    here = request.build_absolute_uri()
    return {
        **{name: value for name, value in marketing.items() if value},
        **({"partner": partner[:50]} if (partner := posted.get("partner", "")) else {}),
        "page": (page if _is_web_url(page) else here)[:2000],
        "referrer": came_from[:2000] if _is_web_url(came_from) else "",
        **measured,
    }


def _is_web_url(url: str) -> bool:
    try:
        return urlsplit(url).scheme in ("http", "https")
    except ValueError:
        return False


def _build_delivery_body(
    answers: dict[str, Any], posted: QueryDict, seal: Seal, text: str, company: Company
) -> bytes:
    """Return the body of the delivery, as our script on a company's site would post it."""
    given = {name: value for name, value in answers.items() if value and name != "consent"}
    body = (
        submission_metadata(posted, seal)
        | given
        | {"consent": _consent_record(posted, seal, text, company)}
    )
    return json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")


def submission_metadata(posted: QueryDict, seal: Seal) -> dict[str, Any]:
    """Return the form version, the visitor's origin, and their steps in the form."""
    return {
        "submission_id": seal.submission_id,
        "form": FORM_VERSION,
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
            return _render_form(request, source, company, form, seal=seal, note="away", status=429)
        with transaction.atomic():
            received = lead_arrival.accept_delivery(source=source, incoming=incoming, at=at)
            form_drafts.mark_form_sent(UUID(seal.submission_id), source=source, at=at)
            if received.envelope.leads and (partner := _referring_partner(request)):
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
        return _render_form(request, source, company, form, seal=seal, note="away", status=503)
    if received.answer.status >= 400:
        return _render_form(request, source, company, form, seal=seal, note="elsewhere", status=403)
    reference = json.loads(received.answer.to_bytes() or b"{}").get("reference")
    url_kwargs = {"slug": source.slug} | ({"reference": reference} if reference else {})
    back_to = reverse("lead_form_thanks", kwargs=url_kwargs)
    return HttpResponseRedirect(f"{back_to}?lang={form.translations['code']}", status=303)


def _referring_partner(request: HttpRequest) -> Partner | None:
    """Return the active partner whose link the visitor used; None if there is none."""
    slug = (request.POST if request.method == "POST" else request.GET).get("partner", "")
    if not slug or "\0" in slug:
        return None
    partners = Partner.objects.filter(slug=slug[:50], user__is_active=True)
    return partners.select_related("user").first()


def _allow_framing(response: HttpResponse, source: Source) -> HttpResponse:
    """Allow frames on the source's own websites and nowhere else."""
    sites = [origin for origin in source.allowed_origins if ORIGIN.fullmatch(origin)]
    config = settings.SECURE_CSP | {"frame-ancestors": sites or [CSP.NONE]}
    response._csp_config = config  # type: ignore[attr-defined]
    if sites:
        response.xframe_options_exempt = True  # the older header can't list sites
    return response
