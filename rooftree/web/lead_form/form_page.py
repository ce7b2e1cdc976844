"""The public form as a page: its context, its seal, and where it can be framed."""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.csp import CSP

from rooftree.capture.own_form import form_certificates, form_seal
from rooftree.capture.own_form.form_design import FormDesign
from rooftree.capture.own_form.form_seal import Seal
from rooftree.capture.own_form.form_versions import ShownForm
from rooftree.capture.sources.website_form import CLICK_IDS, HONEYPOTS, UTM_FIELDS
from rooftree.leads.models import Partner, Source
from rooftree.org.models import Company, CompanyLicense
from rooftree.web.lead_form.forms import LeadForm
from rooftree.web.lead_form.translations import TRANSLATIONS

ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:\d{1,5})?", re.IGNORECASE)
HONEYPOT = HONEYPOTS[0]
UTM_KEYS = tuple(f"utm_{name}" for name in UTM_FIELDS)
# Measured in the browser: claims of the visitor, stored beside what the server knows.
BROWSER_MEASUREMENTS = (
    *("shown_sha256", "font_px", "contrast", "visible", "box_at_load"),
    *("checked_at", "ticks", "seconds_on_page", "fields_touched", "steps"),
)
OTHER_LANGUAGE = {"en": "es", "es": "en"}


def get_lender() -> Company:
    """Return the company; raise `Http404` if there is none yet."""
    company = Company.objects.first()
    if company is None:
        raise Http404
    return company


def build_form(
    data: Any, design: FormDesign, language: str, company: Company, at: datetime
) -> LeadForm:
    """Build the form with the states in which the company is licensed.

    A depository, and a company without licenses on file, gets all states.
    """
    words = TRANSLATIONS[language] | {"code": language}
    states: set[str] = set()
    if company.kind != "depository":
        day = at.astimezone(ZoneInfo(company.zone)).date()
        licenses = CompanyLicense.objects.filter(from_date__lte=day)
        states = set(
            licenses.filter(Q(until_date=None) | Q(until_date__gt=day)).values_list(
                "state", flat=True
            )
        )
    return LeadForm(data, words, design=design, lending_states=states)


def issue_seal(
    source: Source, shown: ShownForm, company: Company, language: str, at: datetime
) -> Seal:
    """Make the seal of a form about to be shown, and store the page as it is rendered, empty."""
    snapshot = render_disclosure(shown.design, language, company, is_ticked=False)
    empty = form_context(company, build_form(None, shown.design, language, company, at))
    page = render_to_string("lead_form/show.html", empty | {"disclosure": snapshot})
    return form_seal.make_seal(
        source=source.slug,
        form=shown,
        language=language,
        legal_name=company.legal_name,
        snapshot=snapshot,
        page_sha256=form_certificates.save_form_page(page, at=at),
        at=at,
    )


def render_disclosure(
    design: FormDesign, language: str, company: Company, *, is_ticked: bool
) -> str:
    """Render the consent box and its text, which are in the language of the seal."""
    context = {
        "label": design.texts[language]["consent_label"],
        "text": design.consent_text(language, company.legal_name),
        "is_ticked": is_ticked,
        "language": language,
    }
    return render_to_string("lead_form/_disclosure.html", context)


def render_form(  # noqa: PLR0913
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
    is_ticked = note != "stale" and form.is_bound and bool(form.data.get("consent"))
    other_query = request.GET.copy()
    other_query["lang"] = OTHER_LANGUAGE[form.translations["code"]]
    context = form_context(company, form) | {
        "note": form.translations[note] if note else "",
        "other_query": other_query.urlencode(),
        "partner": referring_partner(request),
        "seal": seal.sign(),
        "disclosure": render_disclosure(form.design, seal.language, company, is_ticked=is_ticked),
        "carried": _hidden_fields(request, forget=note == "stale"),
    }
    return allow_framing(
        render(request, "lead_form/show.html", context, status=status), source.allowed_origins
    )


def form_context(company: Company, form: LeadForm) -> dict[str, Any]:
    """Return the context that is the same for every visitor."""
    words = form.translations
    return {
        "form": form,
        "steps": list(zip(words["steps"], words["step_hints"], form.question_steps(), strict=True)),
        "words": words,
        "language": words["code"],
        "other": OTHER_LANGUAGE[words["code"]],
        "company": company,
        "privacy_url": form.design.privacy_url,
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


def referring_partner(request: HttpRequest) -> Partner | None:
    """Return the active partner whose link the visitor used; None if there is none."""
    slug = (request.POST if request.method == "POST" else request.GET).get("partner", "")
    if not slug or "\0" in slug:
        return None
    partners = Partner.objects.filter(slug=slug[:50], user__is_active=True)
    return partners.select_related("user").first()


def allow_framing(response: HttpResponse, origins: Iterable[str]) -> HttpResponse:
    """Allow frames on these websites and nowhere else."""
    sites = [origin for origin in origins if ORIGIN.fullmatch(origin)]
    config = settings.SECURE_CSP | {"frame-ancestors": sites or [CSP.NONE]}
    response._csp_config = config  # type: ignore[attr-defined]
    if sites:
        response.xframe_options_exempt = True  # the older header can't list sites
    return response
