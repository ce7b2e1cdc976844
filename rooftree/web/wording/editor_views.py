"""Templates > editor: both languages of one template side by side, with preview and problems."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from rooftree.core import sms_segments
from rooftree.core.us_states import STATES
from rooftree.leads.models import Lead
from rooftree.org.current_company import current_company
from rooftree.outreach.models import Template
from rooftree.outreach.wording import (
    message_templates,
    template_approval,
    template_samples,
    version_approval,
)
from rooftree.outreach.wording.license_disclosures import missing_license_entries
from rooftree.outreach.wording.occasions import LANGUAGE_NAMES
from rooftree.outreach.wording.template_check import check_template
from rooftree.routing.permissions import has_permission, leads_visible_to
from rooftree.web.shared.htmx_responses import respond_done
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view
from rooftree.web.wording import wording_editor
from rooftree.web.wording.wording_editor import WordingPlace, parse_place

MAX_LEADS = 8  # recent leads offered for the preview


@staff_view("GET", "POST")
def edit_wording(request: StaffRequest, **parts: str) -> HttpResponse:
    """Show the editor; a POST saves the typed text as the user's draft."""
    require_permission(request.user, "see_sequences")
    place = parse_place(**parts)
    if request.method == "POST":
        require_permission(request.user, "edit_sequences")
        wording_editor.save_draft(request, place, wording_editor.parse_wording(request.POST))
        return HttpResponseRedirect(place.url, status=303)
    return _render_editor(request, place, wording_editor.load_draft(request, place))


@staff_view("POST")
def preview_wording(request: StaffRequest, **parts: str) -> HttpResponse:
    """Render the preview and problems of the typed text, without saving it."""
    require_permission(request.user, "edit_sequences")
    place = parse_place(**parts)
    context = _preview_context(request, place, wording_editor.parse_wording(request.POST))
    return render(request, "wording/place.html#read", context)


@staff_view("POST")
def propose_wording(request: StaffRequest, **parts: str) -> HttpResponse:
    """Send each changed language for approval as its own version."""
    require_permission(request.user, "edit_sequences")
    place, typed = parse_place(**parts), wording_editor.parse_wording(request.POST)
    wording_editor.save_draft(request, place, typed)
    changed = _changed_languages(place, typed)
    problems = [] if changed else ["Change the text first."]
    sent = []
    for language in changed:
        try:
            sent.append(
                template_approval.propose_draft(
                    place.build_template(language, typed[language]), by=request.user, at=request.at,
                    summary=request.POST.get("summary", ""),
                )
            )  # fmt: skip
        except version_approval.CannotDecideVersion as problem:
            problems.append(f"{LANGUAGE_NAMES[language]}: {problem}")
    if problems:
        return _render_editor(request, place, typed, problems=problems, sent=sent, status=422)
    wording_editor.delete_draft(request, place)
    names = " and ".join(f"{LANGUAGE_NAMES[row.language]} v{row.version}" for row in sent)
    return respond_done(request, f"{names} sent for approval", back_to=place.url)


@staff_view("POST")
def discard_draft(request: StaffRequest, **parts: str) -> HttpResponse:
    """Delete the user's draft; the live version doesn't change."""
    require_permission(request.user, "edit_sequences")
    place = parse_place(**parts)
    wording_editor.delete_draft(request, place)
    return respond_done(request, "Draft deleted", back_to=place.url)


def _render_editor(
    request: StaffRequest,
    place: WordingPlace,
    draft: Mapping[str, Mapping[str, str]] | None,
    *,
    problems: Iterable[str] = (),
    sent: Iterable[Template] = (),
    status: int = 200,
) -> HttpResponse:
    may_edit = has_permission(request.user, "edit_sequences")
    typed = draft or _live_wording(place)
    context = {
        "has_draft": draft is not None,
        "problems": problems,
        "sent": sent,
        "summary": request.POST.get("summary", ""),
        "names": template_samples.placeholders_for(place.key).items(),
        "history": _version_history(place),
        "may_edit": may_edit,
        "leads": _sample_leads(request)[:MAX_LEADS] if may_edit else (),
        **_preview_context(request, place, typed),
    }
    return render(request, "wording/place.html", context, status=status)


def _live_wording(place: WordingPlace) -> dict[str, dict[str, str]]:
    """Return the live text by language, to start from; empty where there is none."""
    live = _live_versions(place)
    return {
        code: {"subject": live[code].subject, "body": live[code].body}
        if code in live
        else {"subject": "", "body": ""}
        for code in message_templates.LANGUAGES
    }


def _live_versions(place: WordingPlace) -> dict[str, Template]:
    history = _version_history(place)
    return {version.language: version for version in history if version.state == "live"}


def _version_history(place: WordingPlace) -> QuerySet[Template]:
    rows = Template.objects.filter(
        key=place.key, medium=place.medium, loan_kind=place.loan_kind, hours=place.hours
    )
    return rows.select_related("written_by", "decided_by").order_by("-written_at", "-version")


def _changed_languages(place: WordingPlace, typed: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Return the languages whose typed text differs from the live text."""
    live = _live_wording(place)
    return [
        code
        for code in typed
        if any(
            typed[code][part].strip() != live[code][part].strip() for part in ("subject", "body")
        )
    ]


def _sample_leads(request: StaffRequest) -> QuerySet[Lead]:
    leads = leads_visible_to(request.user).filter(is_test=False)
    return leads.select_related("person", "officer__user").order_by("-last_inquiry_at")


def _chosen_lead(request: StaffRequest) -> Lead | None:
    """Return the lead chosen for the preview, if the user can see it."""
    try:
        lead_id = UUID(request.POST.get("lead", ""))
    except ValueError:
        return None
    return _sample_leads(request).filter(pk=lead_id).first()


def _preview_context(
    request: StaffRequest, place: WordingPlace, typed: Mapping[str, Mapping[str, str]]
) -> dict[str, Any]:
    """Return the preview and problems of each language's typed text."""
    lead = _chosen_lead(request)
    chosen = request.POST.get("state", "")  # for the license disclosure
    state = chosen if chosen in STATES else lead.property_state if lead else ""
    live = _live_versions(place)
    changed = _changed_languages(place, typed)
    return {
        "place": place,
        "lead": lead,
        "states": STATES.items(),
        "state": state,
        "columns": [
            {
                "code": code,
                "name": LANGUAGE_NAMES[code],
                "typed": typed[code],
                "live": live.get(code),
                "is_changed": code in changed,
                **_rendered_column(
                    place.build_template(code, typed[code]), lead, state, request.at
                ),
            }
            for code in message_templates.LANGUAGES
        ],
    }


def _rendered_column(
    template: Template, lead: Lead | None, state: str, at: datetime
) -> dict[str, Any]:
    if not template.body and not template.subject:
        return {"is_empty": True}
    check = check_template(template, at=at)
    preview = check.preview
    if preview and lead:
        sample = template_samples.SampleBorrower(lead=lead, officer=lead.officer)
        preview = template_samples.render_sample(template, sample, at=at)
    ending = template_samples.sample_footer(template, state, at=at) if preview else ""
    is_text = template.medium == "text"
    return {
        "reading": check,
        "preview": preview,
        "ending": ending,
        "length": sms_segments.measure_text(preview.body + ending) if preview and is_text else None,
        "missing_license": missing_license_entries(current_company(), at=at).get(state, ""),
        "is_blocked": bool(check.blocking_findings),
    }
