"""The editor of one place of wording: both languages side by side, and what they come to."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from rooftree.core import segments
from rooftree.core.states import STATES
from rooftree.leads.models import Lead
from rooftree.org.the_company import the_company
from rooftree.outreach import editions, publish_wording, wording, wording_samples
from rooftree.outreach.license_words import not_on_file
from rooftree.outreach.models import Template
from rooftree.outreach.purposes import LANGUAGE_NAMES
from rooftree.outreach.read_wording import read
from rooftree.routing.visible import leads_visible_to, may
from rooftree.web import wording_form
from rooftree.web.answers import done
from rooftree.web.page import must, staff
from rooftree.web.wording_form import Place, in_address

LEADS = 8  # recent ones to try wording on


@staff("GET", "POST")
def place(request: HttpRequest, **parts: str) -> HttpResponse:
    """One place in both languages, side by side; a POST keeps what was typed as a draft."""
    must(request.user, "see_sequences")
    here = in_address(**parts)
    if request.method == "POST":
        must(request.user, "edit_sequences")
        wording_form.keep_draft(request, here, wording_form.typed(request.POST))
        return HttpResponseRedirect(here.address, status=303)
    return _page(request, here, wording_form.draft_of(request, here))


@staff("POST")
def reading(request: HttpRequest, **parts: str) -> HttpResponse:
    """What the words as typed come to, and what is wrong with them; nothing is kept."""
    must(request.user, "edit_sequences")
    here = in_address(**parts)
    context = _read(request, here, wording_form.typed(request.POST))
    return render(request, "wording/place.html#read", context)


@staff("POST")
def proposal(request: HttpRequest, **parts: str) -> HttpResponse:
    """Send what was changed for approval, each language as an edition of its own."""
    must(request.user, "edit_sequences")
    here, said = in_address(**parts), wording_form.typed(request.POST)
    wording_form.keep_draft(request, here, said)
    changed = _changed(here, said)
    problems = [] if changed else ["Nothing is changed."]
    sent = []
    for language in changed:
        try:
            sent.append(
                publish_wording.propose(
                    here.template(language, said[language]), by=request.user, at=request.at,
                    summary=request.POST.get("summary", ""),
                )
            )  # fmt: skip
        except editions.CannotDecide as problem:
            problems.append(f"{LANGUAGE_NAMES[language]}: {problem}")
    if problems:
        return _page(request, here, said, problems=problems, sent=sent, status=422)
    wording_form.drop_draft(request, here)
    who = " and ".join(f"{LANGUAGE_NAMES[one.language]} v{one.version}" for one in sent)
    return done(request, f"{who} wait for approval", back_to=here.address)


@staff("POST")
def drop(request: HttpRequest, **parts: str) -> HttpResponse:
    """Forget what was typed; what is in use stays as it is."""
    must(request.user, "edit_sequences")
    here = in_address(**parts)
    wording_form.drop_draft(request, here)
    return done(request, "The draft is gone; nothing else changed", back_to=here.address)


def _page(
    request: HttpRequest,
    here: Place,
    draft: Mapping[str, Mapping[str, str]] | None,
    *,
    problems: Iterable[str] = (),
    sent: Iterable[Template] = (),
    status: int = 200,
) -> HttpResponse:
    may_edit = may(request.user, "edit_sequences")
    said = draft or _in_use(here)
    context = {
        "has_draft": draft is not None,
        "problems": problems,
        "sent": sent,
        "summary": request.POST.get("summary", ""),
        "names": wording_samples.names_of(here.key).items(),
        "history": _history(here),
        "may_edit": may_edit,
        "leads": _leads(request)[:LEADS] if may_edit else (),
        **_read(request, here, said),
    }
    return render(request, "wording/place.html", context, status=status)


def _in_use(here: Place) -> dict[str, dict[str, str]]:
    """What stands there now, to begin from; nothing where there is none."""
    live = {one.language: one for one in _history(here) if one.state == "live"}
    return {
        code: {"subject": live[code].subject, "body": live[code].body}
        if code in live
        else {"subject": "", "body": ""}
        for code in wording.LANGUAGES
    }


def _history(here: Place) -> "QuerySet[Template]":
    rows = Template.objects.filter(
        key=here.key, medium=here.medium, loan_kind=here.loan_kind, hours=here.hours
    )
    return rows.select_related("written_by", "decided_by").order_by("-written_at", "-version")


def _changed(here: Place, said: Mapping[str, Mapping[str, str]]) -> list[str]:
    """The languages in which something else was typed than what is in use."""
    now = _in_use(here)
    return [
        code
        for code in said
        if any(said[code][part].strip() != now[code][part].strip() for part in ("subject", "body"))
    ]


def _leads(request: HttpRequest) -> "QuerySet[Lead]":
    mine = leads_visible_to(request.user).filter(is_test=False)
    return mine.select_related("person", "officer__user").order_by("-warmed_at")


def _lead(request: HttpRequest) -> Lead | None:
    """The real lead chosen to read the words for, of those this person may know of."""
    try:
        wanted = UUID(request.POST.get("lead", ""))
    except ValueError:
        return None
    return _leads(request).filter(pk=wanted).first()


def _read(
    request: HttpRequest, here: Place, said: Mapping[str, Mapping[str, str]]
) -> dict[str, Any]:
    """Each language's words as typed, read and shown for somebody."""
    lead = _lead(request)
    state = _state(request, lead)
    live = {one.language: one for one in _history(here) if one.state == "live"}
    changed = _changed(here, said)
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
                **_shown(here.template(code, said[code]), lead, state, request.at),
            }
            for code in wording.LANGUAGES
        ],
    }


def _state(request: HttpRequest, lead: Lead | None) -> str:
    """Whose law the ending is shown for: the state chosen, else that of the lead."""
    chosen = request.POST.get("state", "")
    return chosen if chosen in STATES else lead.property_state if lead else ""


def _shown(template: Template, lead: Lead | None, state: str, at: datetime) -> dict[str, Any]:
    if not template.body and not template.subject:
        return {"is_empty": True}
    found = read(template, at=at)
    shown = found.shown
    if shown and lead:
        sample = wording_samples.Sample(lead=lead, officer=lead.officer)
        shown = wording_samples.rendered(template, sample, at=at)
    ending = wording_samples.ending(template, state, at=at) if shown else ""
    is_text = template.medium == "text"
    return {
        "reading": found,
        "shown": shown,
        "ending": ending,
        "length": segments.length(shown.body + ending) if shown and is_text else None,
        "missing": not_on_file(the_company(), at=at).get(state, ""),
        "is_blocked": bool(found.blocking),
    }
