"""Messages that staff write to a borrower: the form, sending, and the draft kept meanwhile."""

from datetime import datetime
from uuid import UUID

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.timezone import localtime

from rooftree.flow import credit_notice_triggers
from rooftree.leads.models import Lead
from rooftree.outreach.models import Message
from rooftree.outreach.wording import message_drafts, typed_messages
from rooftree.web.lead import composer as composers
from rooftree.web.lead.action_views import get_permitted_lead
from rooftree.web.lead.views import lead_context
from rooftree.web.shared import display_formats
from rooftree.web.shared.htmx_responses import respond_done
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import staff_view


@staff_view("GET", "POST")
def write_message(request: StaffRequest, lead_id: UUID) -> HttpResponse:
    """Show the message form, or send a text or email; a refusal keeps what was typed."""
    lead = get_permitted_lead(request, "contact_lead", lead_id)
    typed = _typed_message(request)
    if request.method == "GET":
        composer = _build_composer(request, lead, typed["medium"])
        composer = composers.with_snippet(composer, request.GET.get("snippet", ""))
        return _render_form(request, lead, composer)
    problem = "" if typed["body"].strip() else "Write a message first."
    if not problem:
        try:
            message = credit_notice_triggers.send_staff_message(
                lead_id=lead.pk, by=request.user, at=request.at, **typed
            )
        except typed_messages.CannotSend as refusal:
            problem = str(refusal)
        else:
            message_drafts.delete_draft(lead, user=request.user, medium=typed["medium"])
            text = _delivery_text(message, request.at)
            return respond_done(request, text, back_to=_page_to_return_to(request, lead))
    _save_draft(request, lead, typed)
    if request.htmx:
        answer = render(request, "lead/_send_problem.html", {"problem": problem}, status=422)
        answer["HX-Retarget"] = f"#problem-{typed['medium']}"
        answer["HX-Reswap"] = "innerHTML"
        return answer
    composer = composers.with_typed_text(
        _build_composer(request, lead, typed["medium"]),
        body=typed["body"],
        subject=typed["subject"],
    )
    return _render_form(request, lead, composer, problem=problem, status=422)


@staff_view("POST")
def save_draft(request: StaffRequest, lead_id: UUID) -> HttpResponse:
    """Keep what the user has typed so far; htmx gets its length and wording problems."""
    lead = get_permitted_lead(request, "contact_lead", lead_id)
    typed = _typed_message(request)
    is_saved = _save_draft(request, lead, typed)
    if not request.htmx:
        return HttpResponseRedirect(_page_to_return_to(request, lead), status=303)
    state = composers.describe_typed_text(typed["medium"], typed["body"], is_saved=is_saved)
    return render(request, "lead/_write_form.html#state", {"state": state})


def _typed_message(request: StaffRequest) -> dict[str, str]:
    medium = request.POST.get("medium") or request.GET.get("medium", "text")
    return {
        "medium": medium if medium in composers.MEDIA else "text",
        "body": request.POST.get("body", ""),
        "subject": request.POST.get("subject", ""),
    }


def _save_draft(request: StaffRequest, lead: Lead, typed: dict[str, str]) -> bool:
    return message_drafts.save_draft(lead, user=request.user, at=request.at, **typed)


def _build_composer(request: StaffRequest, lead: Lead, medium: str) -> composers.Composer:
    [composer] = composers.build_composers(lead, user=request.user, at=request.at, media=[medium])
    return composer


def _render_form(
    request: StaffRequest,
    lead: Lead,
    composer: composers.Composer,
    *,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    context = {
        **lead_context(request, lead),
        "medium": composer.medium,
        "composer": composer,
        "problem": problem,
    }
    return render(request, "lead/write.html", context, status=status)


def _page_to_return_to(request: StaffRequest, lead: Lead) -> str:
    """Return the page the form was on: the conversation, or else the lead."""
    is_conversation = request.POST.get("page") == "conversation"
    return reverse("conversation" if is_conversation else "lead", args=[lead.pk])


def _delivery_text(message: Message, at: datetime) -> str:
    """Describe what is known about a message that was just written, and no more."""
    due = (
        display_formats.date_and_time(localtime(message.due_at), localtime(at))
        if message.due_at
        else ""
    )
    match message.state:
        case "held":
            return f"On hold: will be sent at {due}"
        case "waiting" | "claimed":
            return f"Not sent yet: will retry at {due}" if due else "Not sent yet"
        case "uncertain":
            return "This may have been sent. We’re checking, and it won’t be sent twice."
    return "Sent"
