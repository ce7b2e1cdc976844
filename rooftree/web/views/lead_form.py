"""The company's public form: shown on its own page or in a frame of an allowed site.

What goes on from here is the same delivery as a post to /in/form/<slug>, with one thing
added: the wording in it is the one this server signed, never the visitor's text.
"""

import json
import logging
import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.csp import CSP
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from rooftree.capture import flood, form_drafts, form_evidence, form_seal, form_wording
from rooftree.capture.envelope import Incoming
from rooftree.capture.form_seal import BadSeal, Seal
from rooftree.capture.receive import endpoint_of
from rooftree.capture.sources.website_form import CLICK_IDS, HONEYPOTS, UTM
from rooftree.flow import intake, introductions, moment
from rooftree.leads.models import Partner, Source
from rooftree.org import throttle
from rooftree.org.models import Company
from rooftree.web.form_fields import LeadForm
from rooftree.web.form_words import WORDS

log = logging.getLogger(__name__)
FORM = "hosted-2026-11-27"  # of the layout, so that a figure can be read against what was shown
ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:\d{1,5})?", re.IGNORECASE)
HONEYPOT = HONEYPOTS[0]
UTM_KEYS = tuple(f"utm_{name}" for name in UTM)
# Measured in the browser; the visitor's word, kept beside what the server knows.
MEASURED = (
    *("shown_sha256", "font_px", "contrast", "visible", "box_at_load"),
    *("checked_at", "ticks", "seconds_on_page", "fields_touched", "steps"),
)
LONGEST_TRAIL = 900  # letters
# Of one address; an office or a school may share one.
REQUESTS = throttle.Limit(name="form requests", most=60, within=timedelta(hours=1))
OTHER = {"en": "es", "es": "en"}
HEADERS = frozenset({"Origin", "User-Agent", "Accept-Language", "Referer"})
LEAST_FONT_PX, LEAST_CONTRAST = 12, 4.5  # below, a wording was not conspicuous


@csrf_exempt  # no session is behind it; the seal proves that the form is ours (form_seal)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def lead_form(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the form, or take it in and go on to the thanks."""
    source, company, at = open_source(slug), the_lender(), moment.now()
    language = _language(request)
    words = WORDS[language] | {"code": language}
    if request.method != "POST":
        seal = _new_seal(source, company, language, at)
        return _page(request, source, company, LeadForm(None, words), seal=seal)
    form = LeadForm(request.POST, words)
    try:
        seal, text = form_seal.opened(
            request.POST.get("seal", ""), source=slug, legal_name=company.legal_name, at=at
        )
    except BadSeal as problem:
        log.info("a form came back without its seal: %s", problem)
        seal = _new_seal(source, company, language, at)
        return _page(request, source, company, form, seal=seal, note="stale", status=409)
    if not form.is_valid() and not request.POST.get(HONEYPOT):
        return _page(request, source, company, form, seal=seal, note="problem", status=422)
    body = _body(form.cleaned_data, request.POST, seal, text, company)
    return _hand_in(request, source, company, form, seal, body)


@never_cache
@require_safe
def thanks(request: HttpRequest, slug: str, reference: str = "") -> HttpResponse:
    """What follows, with the reference to quote."""
    source, language = open_source(slug), _language(request)
    context = {"words": WORDS[language], "language": language, "company": the_lender()}
    answer = render(request, "lead_form/thanks.html", {**context, "reference": reference})
    return _framed(answer, source)


@cache_control(public=True, max_age=3600)
@require_safe
def embed(request: HttpRequest, slug: str) -> HttpResponse:
    """The script of one line that puts the form on another site's page."""
    open_source(slug)
    return render(request, "lead_form/embed.js", content_type="text/javascript; charset=utf-8")


def open_source(slug: str) -> Source:
    """The source whose form this is; 404 when there is none or it is paused."""
    source = Source.objects.filter(adapter="website_form", slug=slug, paused_at=None).first()
    if source is None:
        raise Http404
    return source


def the_lender() -> Company:
    """The company whose form this is; 404 before there is one."""
    company = Company.objects.first()
    if company is None:
        raise Http404
    return company


def _language(request: HttpRequest) -> str:
    """As the address says, else as the browser prefers."""
    asked = request.GET.get("lang", "")
    if asked in WORDS:
        return asked
    return "es" if request.headers.get("accept-language", "").lower().startswith("es") else "en"


def _new_seal(source: Source, company: Company, language: str, at: datetime) -> Seal:
    edition = form_wording.current(language, on=at.date())
    text = edition.of(company.legal_name)
    snapshot = _disclosure(edition.language, text, is_ticked=False)
    empty = _context(company, LeadForm(None, WORDS[language] | {"code": language}))
    page = render_to_string("lead_form/show.html", empty | {"disclosure": snapshot})
    return form_seal.make(
        source=source.slug,
        edition=edition,
        text=text,
        snapshot=snapshot,
        page_sha256=form_evidence.keep_page(page, at=at),
        at=at,
    )


def _disclosure(language: str, text: str, *, is_ticked: bool) -> str:
    context = {"words": WORDS[language], "text": text, "is_ticked": is_ticked}
    return render_to_string("lead_form/_disclosure.html", context | {"language": language})


def _page(  # noqa: PLR0913
    request: HttpRequest,
    source: Source,
    company: Company,
    form: LeadForm,
    *,
    seal: Seal,
    note: str = "",
    status: int = 200,
) -> HttpResponse:
    """The form, with what was typed. A new seal is a new wording: its box starts unticked."""
    edition = form_wording.find(seal.version, seal.language)
    text = edition.of(company.legal_name) if edition else ""
    is_ticked = note != "stale" and form.is_bound and bool(form.data.get("consent"))
    language = form.words["code"]
    context = _context(company, form) | {
        "note": form.words[note] if note else "",
        "other_query": _query(request, lang=OTHER[language]),
        "partner": _partner(request),
        "seal": seal.sign(),
        "disclosure": _disclosure(seal.language, text, is_ticked=is_ticked),
        "carried": _carried(request, forget=note == "stale"),
    }
    return _framed(render(request, "lead_form/show.html", context, status=status), source)


def _context(company: Company, form: LeadForm) -> dict[str, Any]:
    """What the form shows to everybody."""
    words = form.words
    return {
        "form": form,
        "steps": list(zip(words["steps"], words["step_hints"], form.steps(), strict=True)),
        "words": words,
        "language": words["code"],
        "other": OTHER[words["code"]],
        "company": company,
        "honeypot": HONEYPOT,
        "housing": words["housing"].get(company.kind, ""),
    }


def _query(request: HttpRequest, **changes: str) -> str:
    query = request.GET.copy()
    for name, value in changes.items():
        query[name] = value
    return query.urlencode()


def _carried(request: HttpRequest, *, forget: bool) -> dict[str, str]:
    """The hidden fields: where the visitor came from, and what was measured so far."""
    posted: QueryDict = request.POST if request.method == "POST" else request.GET
    marks = {name: posted.get(name, "")[:500] for name in (*UTM_KEYS, *CLICK_IDS)}
    page = posted.get("page", "")
    came_from = posted.get("referrer") or request.headers.get("referer", "")
    measured = {
        name: "" if forget or posted is request.GET else posted.get(name, "")[:500]
        for name in MEASURED
    }
    here = request.build_absolute_uri()
    return {
        **{name: value for name, value in marks.items() if value},
        **({"partner": partner[:50]} if (partner := posted.get("partner", "")) else {}),
        "page": (page if _is_web(page) else here)[:2000],
        "referrer": came_from[:2000] if _is_web(came_from) else "",
        **measured,
    }


def _is_web(url: str) -> bool:
    try:
        return urlsplit(url).scheme in ("http", "https")
    except ValueError:
        return False


def _body(
    answers: dict[str, Any], posted: QueryDict, seal: Seal, text: str, company: Company
) -> bytes:
    """The delivery, as our own script on a company's site would have posted it."""
    given = {name: value for name, value in answers.items() if value and name != "consent"}
    found = about(posted, seal) | given | {"consent": _consent(posted, seal, text, company)}
    return json.dumps(found, ensure_ascii=False).encode("utf-8", "replace")


def about(posted: QueryDict, seal: Seal) -> dict[str, Any]:
    """What goes with the answers: which form, where the visitor came from, what they did."""
    return {
        "submission_id": seal.submission_id,
        "form": FORM,
        "rendered_at": seal.rendered_at,
        "language": seal.language,
        HONEYPOT: posted.get(HONEYPOT, "")[:200],
        "utm": {name: posted[f"utm_{name}"][:500] for name in UTM if posted.get(f"utm_{name}")},
        **{name: posted[name][:500] for name in CLICK_IDS if posted.get(name)},
        "landing_page": posted.get("page", "")[:2000],
        "referrer": posted.get("referrer", "")[:2000],
        "seconds_on_page": posted.get("seconds_on_page", "")[:10],
        "fields_touched": posted.get("fields_touched", "")[:500],
        "steps": posted.get("steps", "")[:LONGEST_TRAIL],
    }


def kept_headers(request: HttpRequest) -> dict[str, str]:
    """The headers of a visitor that go with their request."""
    return {name: value for name, value in request.headers.items() if name in HEADERS}


def _consent(posted: QueryDict, seal: Seal, text: str, company: Company) -> dict[str, Any]:
    """What was shown, as signed, and what the visitor's browser says of it.

    `version` is what makes this a record of our own form. It is left out when the
    browser measured that our words were not what stood there, unticked and plain to
    see; the gate then asks for more before an automated text.
    """
    measured = {name: posted.get(name, "")[:100] for name in MEASURED[:7] if posted.get(name)}
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
    """Nothing measured speaks against it; a browser without script measures nothing."""
    shown = measured.get("shown_sha256")
    if shown and shown != seal.text_sha256:
        return False
    if measured.get("visible") == "no":
        return False
    return (
        _figure(measured, "font_px", LEAST_FONT_PX) >= LEAST_FONT_PX
        and _figure(measured, "contrast", LEAST_CONTRAST) >= LEAST_CONTRAST
    )


def _figure(measured: dict[str, str], name: str, usual: float) -> float:
    try:
        return float(measured.get(name, usual))
    except ValueError:
        return 0.0


def _hand_in(
    request: HttpRequest,
    source: Source,
    company: Company,
    form: LeadForm,
    seal: Seal,
    body: bytes,
) -> HttpResponse:
    at = moment.now()
    endpoint = endpoint_of(source)
    ours = {settings.PUBLIC_URL, f"{request.scheme}://{request.get_host()}"}
    incoming = Incoming(
        path=f"/in/form/{source.slug}",
        headers={**kept_headers(request), "Content-Type": "application/json; charset=utf-8"},
        body=body,
        remote_addr=request.META.get("REMOTE_ADDR") or None,
        received_at=at,
        endpoint=replace(endpoint, allowed_origins=endpoint.allowed_origins | ours),
    )
    try:
        address = request.META.get("REMOTE_ADDR") or ""
        if not throttle.allow(REQUESTS, address, at=at) or flood.is_too_much(source, at=at):
            return _page(request, source, company, form, seal=seal, note="away", status=429)
        with transaction.atomic():
            received = intake.accept(source=source, incoming=incoming, at=at)
            form_drafts.sent(UUID(seal.submission_id), source=source, at=at)
            if received.envelope.leads and (partner := _partner(request)):
                name = _short_name(form.cleaned_data)
                introductions.of_delivery(received, partner=partner, name=name, at=at)
    except DatabaseError as problem:
        log.error("a form could not be stored: %s", type(problem).__name__)
        return _page(request, source, company, form, seal=seal, note="away", status=503)
    if received.answer.status >= 400:
        return _page(request, source, company, form, seal=seal, note="elsewhere", status=403)
    told = json.loads(received.answer.to_bytes() or b"{}")
    named = {"slug": source.slug} | (
        {"reference": told["reference"]} if told.get("reference") else {}
    )
    back_to = reverse("lead_form_thanks", kwargs=named)
    return HttpResponseRedirect(f"{back_to}?lang={form.words['code']}", status=303)


def _partner(request: HttpRequest) -> Partner | None:
    """Whose link the visitor came by, when there is such a partner still."""
    slug = (request.POST if request.method == "POST" else request.GET).get("partner", "")
    if not slug or "\0" in slug:
        return None
    mine = Partner.objects.filter(slug=slug[:50], user__is_active=True)
    return mine.select_related("user").first()


def _short_name(answers: dict[str, Any]) -> str:
    """As the partner sees it: nobody but the visitor has said who they are."""
    return f"{answers.get('first_name', '')} {answers.get('last_name', '')[:1]}.".strip()


def _framed(answer: HttpResponse, source: Source) -> HttpResponse:
    """The page may stand in a frame of the source's own sites, and of no other."""
    sites = [one for one in source.allowed_origins if ORIGIN.fullmatch(one)]
    answer._csp_config = settings.SECURE_CSP | {"frame-ancestors": sites or [CSP.NONE]}
    if sites:
        answer.xframe_options_exempt = True  # the older header knows no list
    return answer
