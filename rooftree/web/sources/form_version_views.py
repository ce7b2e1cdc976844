"""Sources > Form: the draft of the website form's next version, its findings and its preview."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.csp import CSP

from rooftree.capture.own_form import form_findings, form_versions, publish_form
from rooftree.capture.own_form.form_design import FormDesign, design_from_json
from rooftree.capture.own_form.form_texts import LANGUAGES
from rooftree.capture.own_form.models import FormVersion
from rooftree.compliance.evidence.form_certificate_check import SELLER_FIELD
from rooftree.leads.models import Source
from rooftree.org.models import Company
from rooftree.outreach.wording import version_approval
from rooftree.routing.permissions import has_permission
from rooftree.web.lead_form import form_page
from rooftree.web.shared.htmx_responses import respond_done
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view
from rooftree.web.sources import form_editor


@staff_view("GET", "POST")
def edit_form(request: StaffRequest, source_id: UUID) -> HttpResponse:
    """Show the draft, or the form in use to start from; a POST saves the user's draft."""
    require_permission(request.user, "see_sources")
    source = get_form_source(source_id)
    if request.method == "POST":
        require_permission(request.user, "edit_sources")
        form_editor.save_draft(request, source.pk, _typed_design(request, source))
        return respond_done(request, "Draft saved", back_to=_page_url(source))
    return _render_page(request, source, _started_design(request, source))


@staff_view("POST")
def check_form(request: StaffRequest, source_id: UUID) -> HttpResponse:
    """Show the findings about the typed design; store nothing."""
    require_permission(request.user, "edit_sources")
    design = _typed_design(request, get_form_source(source_id))
    return render(request, "sources/form.html#findings", {"findings": _list_findings(design)})


@staff_view("POST")
def propose_form(request: StaffRequest, source_id: UUID) -> HttpResponse:
    """Send the typed design to the approvers, as the next version."""
    require_permission(request.user, "edit_sources")
    source = get_form_source(source_id)
    design = _typed_design(request, source)
    form_editor.save_draft(request, source.pk, design)
    try:
        version = publish_form.propose_version(
            design, source_id=source.pk, by=request.user, at=request.at,
            summary=request.POST.get("summary", ""), approvers=version_approval.approvers(),
        )  # fmt: skip
    except publish_form.UnfitForm as unfit:
        return _render_page(request, source, design, problems=unfit.problems)
    except publish_form.CannotDecideForm as problem:
        return _render_page(request, source, design, problems=[str(problem)])
    form_editor.delete_draft(request, source.pk)
    words = f"v{version.number} sent for approval"
    return respond_done(request, words, back_to=_page_url(source))


@staff_view("POST")
def discard_form_draft(request: StaffRequest, source_id: UUID) -> HttpResponse:
    """Delete the user's draft; the form in use doesn't change."""
    require_permission(request.user, "edit_sources")
    source = get_form_source(source_id)
    form_editor.delete_draft(request, source.pk)
    return respond_done(request, "Draft deleted", back_to=_page_url(source))


@staff_view("GET")
def preview_form(request: StaffRequest, source_id: UUID, number: int = 0) -> HttpResponse:
    """Render the real form with a version, else the user's draft; store and send nothing."""
    require_permission(request.user, "see_sources")
    source, company = get_form_source(source_id), form_page.get_lender()
    if number:
        design = design_from_json(get_version(source, number).content)
    else:
        design = _started_design(request, source)
    chosen = request.GET.get("lang", "")
    language = chosen if chosen in LANGUAGES else LANGUAGES[0]
    form = form_page.build_form(None, design, language, company, request.at)
    context = form_page.form_context(company, form) | {
        "disclosure": form_page.render_disclosure(design, language, company, is_ticked=False),
        "other_query": f"lang={form_page.OTHER_LANGUAGE[language]}",
        "carried": dict.fromkeys(form_page.BROWSER_MEASUREMENTS, ""),
        "is_preview": True,
    }
    response = render(request, "lead_form/show.html", context)
    response._csp_config = settings.SECURE_CSP | {"frame-ancestors": [CSP.SELF]}  # type: ignore[attr-defined]
    response["X-Frame-Options"] = "SAMEORIGIN"
    return response


def get_form_source(source_id: UUID) -> Source:
    """Return a source that shows our own form. Raises `Http404`."""
    return get_object_or_404(Source, pk=source_id, adapter="website_form")


def get_version(source: Source, number: int) -> FormVersion:
    """Return a version of a source's form, with its people. Raises `Http404`."""
    rows = FormVersion.objects.select_related("written_by", "decided_by", "restores")
    return get_object_or_404(rows, source=source, number=number)


def _started_design(request: StaffRequest, source: Source) -> FormDesign:
    """Return the design to show: the chosen start, else the user's draft, else the form in use."""
    chosen = request.GET.get("from", "")
    if chosen == "default":
        return form_versions.default_form(on=request.at.date()).design
    if chosen.isascii() and chosen.isdigit() and len(chosen) < 9:
        return design_from_json(get_version(source, int(chosen)).content)
    if chosen:
        raise Http404
    draft = form_editor.load_draft(request, source.pk)
    return draft or form_versions.form_in_use(source, at=request.at).design


def _typed_design(request: StaffRequest, source: Source) -> FormDesign:
    draft = form_editor.load_draft(request, source.pk)
    start = draft or form_versions.form_in_use(source, at=request.at).design
    return form_editor.parse_design(request.POST, start=start)


def _list_findings(design: FormDesign) -> tuple[form_findings.FormFinding, ...]:
    legal_name = Company.objects.values_list("legal_name", flat=True).first() or ""
    return form_findings.check_design(design, legal_name=legal_name)


def _page_url(source: Source) -> str:
    return reverse("source_form", args=[source.pk])


def _render_page(
    request: StaffRequest, source: Source, design: FormDesign, *, problems: Iterable[str] = ()
) -> HttpResponse:
    live = form_versions.form_in_use(source, at=request.at)
    versions = form_versions.list_versions(source)
    context: dict[str, Any] = {
        "source": source,
        "live": live,
        "versions": versions,
        "waiting": next((version for version in versions if version.state == "waiting"), None),
        "may_edit": has_permission(request.user, "edit_sources"),
        "has_draft": form_editor.load_draft(request, source.pk) is not None,
        "has_company": Company.objects.exists(),
        "start": request.GET.get("from", ""),
        "seller_field": SELLER_FIELD,
        "summary": request.POST.get("summary", ""),
        "problems": problems,
        "findings": _list_findings(design),
        **form_editor.build_rows(design),
    }
    status = 422 if problems else 200
    return render(request, "sources/form.html", context, status=status)
