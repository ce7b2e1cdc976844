"""The editor of one place of wording: both languages side by side, and what they come to."""

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

MAX_LEADS = 8  # recent ones to try wording on


@staff_view("GET", "POST")
def edit_wording(request: StaffRequest, **parts: str) -> HttpResponse:
    """One place in both languages, side by side; a POST keeps what was typed as a draft."""
    require_permission(request.user, "see_sequences")
    here = parse_place(**parts)
    if request.method == "POST":
        require_permission(request.user, "edit_sequences")
        wording_editor.save_draft(request, here, wording_editor.parse_wording(request.POST))
        return HttpResponseRedirect(here.url, status=303)
    return _render_editor(request, here, wording_editor.load_draft(request, here))


@staff_view("POST")
def preview_wording(request: StaffRequest, **parts: str) -> HttpResponse:
    """What the words as typed come to, and what is wrong with them; nothing is kept."""
    require_permission(request.user, "edit_sequences")
    here = parse_place(**parts)
    context = _preview_context(request, here, wording_editor.parse_wording(request.POST))
    return render(request, "wording/place.html#read", context)


@staff_view("POST")
def propose_wording(request: StaffRequest, **parts: str) -> HttpResponse:
    """Send what was changed for approval, each language as an edition of its own."""
    require_permission(request.user, "edit_sequences")
    here, said = parse_place(**parts), wording_editor.parse_wording(request.POST)
    wording_editor.save_draft(request, here, said)
    changed = _changed_languages(here, said)
    problems = [] if changed else ["Nothing is changed."]
    sent = []
    for language in changed:
        try:
            sent.append(
                template_approval.propose_draft(
                    here.build_template(language, said[language]), by=request.user, at=request.at,
                    summary=request.POST.get("summary", ""),
                )
            )  # fmt: skip
        except version_approval.CannotDecideVersion as problem:
            problems.append(f"{LANGUAGE_NAMES[language]}: {problem}")
    if problems:
        return _render_editor(request, here, said, problems=problems, sent=sent, status=422)
    wording_editor.delete_draft(request, here)
    who = " and ".join(f"{LANGUAGE_NAMES[one.language]} v{one.version}" for one in sent)
    return respond_done(request, f"{who} wait for approval", back_to=here.url)


@staff_view("POST")
def discard_draft(request: StaffRequest, **parts: str) -> HttpResponse:
    """Forget what was typed; what is in use stays as it is."""
    require_permission(request.user, "edit_sequences")
    here = parse_place(**parts)
    wording_editor.delete_draft(request, here)
    return respond_done(request, "The draft is gone; nothing else changed", back_to=here.url)


def _render_editor(
    request: StaffRequest,
    here: WordingPlace,
    draft: Mapping[str, Mapping[str, str]] | None,
    *,
    problems: Iterable[str] = (),
    sent: Iterable[Template] = (),
    status: int = 200,
) -> HttpResponse:
    may_edit = has_permission(request.user, "edit_sequences")
    said = draft or _live_wording(here)
    context = {
        "has_draft": draft is not None,
        "problems": problems,
        "sent": sent,
        "summary": request.POST.get("summary", ""),
        "names": template_samples.placeholders_for(here.key).items(),
        "history": _version_history(here),
        "may_edit": may_edit,
        "leads": _sample_leads(request)[:MAX_LEADS] if may_edit else (),
        **_preview_context(request, here, said),
    }
    return render(request, "wording/place.html", context, status=status)


def _live_wording(here: WordingPlace) -> dict[str, dict[str, str]]:
    """What stands there now, to begin from; nothing where there is none."""
    live = {
        template.language: template
        for template in _version_history(here)
        if template.state == "live"
    }
    return {
        code: {"subject": live[code].subject, "body": live[code].body}
        if code in live
        else {"subject": "", "body": ""}
        for code in message_templates.LANGUAGES
    }


def _version_history(here: WordingPlace) -> "QuerySet[Template]":
    rows = Template.objects.filter(
        key=here.key, medium=here.medium, loan_kind=here.loan_kind, hours=here.hours
    )
    return rows.select_related("written_by", "decided_by").order_by("-written_at", "-version")


def _changed_languages(here: WordingPlace, said: Mapping[str, Mapping[str, str]]) -> list[str]:
    """The languages in which something else was typed than what is in use."""
    now = _live_wording(here)
    return [
        code
        for code in said
        if any(said[code][part].strip() != now[code][part].strip() for part in ("subject", "body"))
    ]


def _sample_leads(request: StaffRequest) -> "QuerySet[Lead]":
    mine = leads_visible_to(request.user).filter(is_test=False)
    return mine.select_related("person", "officer__user").order_by("-warmed_at")


def _chosen_lead(request: StaffRequest) -> Lead | None:
    """The real lead chosen to read the words for, of those this person may know of."""
    try:
        wanted = UUID(request.POST.get("lead", ""))
    except ValueError:
        return None
    return _sample_leads(request).filter(pk=wanted).first()


def _preview_context(
    request: StaffRequest, here: WordingPlace, said: Mapping[str, Mapping[str, str]]
) -> dict[str, Any]:
    """Each language's words as typed, read and shown for somebody."""
    lead = _chosen_lead(request)
    state = _chosen_state(request, lead)
    live = {
        template.language: template
        for template in _version_history(here)
        if template.state == "live"
    }
    changed = _changed_languages(here, said)
    return {
        "place": here,
        "lead": lead,
        "states": STATES.items(),
        "state": state,
        "columns": [
            {
                "code": code,
                "name": LANGUAGE_NAMES[code],
                "said": said[code],
                "live": live.get(code),
                "is_changed": code in changed,
                **_rendered_column(here.build_template(code, said[code]), lead, state, request.at),
            }
            for code in message_templates.LANGUAGES
        ],
    }


def _chosen_state(request: StaffRequest, lead: Lead | None) -> str:
    """Whose law the ending is shown for: the state chosen, else that of the lead."""
    chosen = request.POST.get("state", "")
    return chosen if chosen in STATES else lead.property_state if lead else ""


def _rendered_column(
    template: Template, lead: Lead | None, state: str, at: datetime
) -> dict[str, Any]:
    if not template.body and not template.subject:
        return {"is_empty": True}
    found = check_template(template, at=at)
    shown = found.preview
    if shown and lead:
        sample = template_samples.SampleBorrower(lead=lead, officer=lead.officer)
        shown = template_samples.render_sample(template, sample, at=at)
    ending = template_samples.sample_footer(template, state, at=at) if shown else ""
    is_text = template.medium == "text"
    return {
        "reading": found,
        "shown": shown,
        "ending": ending,
        "length": sms_segments.measure_text(shown.body + ending) if shown and is_text else None,
        "missing": missing_license_entries(current_company(), at=at).get(state, ""),
        "is_blocked": bool(found.blocking_findings),
    }
