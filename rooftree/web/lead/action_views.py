"""What is done to a lead from its page. Each is a resource that a plain form can post to."""

from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.timezone import get_current_timezone, localtime

from rooftree.flow import call_events, call_outcomes, credit_notice_triggers
from rooftree.flow import los_handoff as hand_over
from rooftree.leads import lead_tasks, remarks
from rooftree.leads import snooze as aside
from rooftree.leads.models import Lead, Task
from rooftree.outreach.models import Message
from rooftree.outreach.wording import typed_messages
from rooftree.rates import rate_watch
from rooftree.rates.record_rates import InvalidRate
from rooftree.routing.permissions import has_permission, leads_visible_to
from rooftree.web.lead.views import get_visible_lead, lead_context
from rooftree.web.shared import display_formats
from rooftree.web.shared.htmx_responses import respond_done, respond_refused
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import staff_view

DUE_CHOICES = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}
RESULT_MESSAGES = {
    "spoken": "You spoke",
    "voicemail": "Marked as voicemail",
    "no_answer": "Marked as no answer",
    "call_back": "You will be reminded to call back",
    "wrong_number": "The number is unlinked, nobody is called there again",
    "bad_number": "Marked as not in service",
    "not_interested": "The lead is closed",
    "told_no": "The lead is closed, and compliance sees to the creditor’s notice",
}


def _get_permitted_lead(request: StaffRequest, verb: str, lead_id: UUID) -> Lead:
    """The lead, for somebody who may do this to it: 404 when unseen, 403 when only seen."""
    lead = get_visible_lead(request.user, lead_id)
    if not has_permission(request.user, verb):
        raise PermissionDenied("You may look at this lead; its officer works it.")
    return lead


def _lead_url(lead_id: UUID) -> str:
    return reverse("lead", args=[lead_id])


@staff_view("POST")
def record_attempt(request: StaffRequest, lead_id: UUID) -> HttpResponse:
    """What became of a call; `call_back:hour`, or `call_back:at` and a time, say when again."""
    lead = _get_permitted_lead(request, "contact_lead", lead_id)
    result, _, again = request.POST.get("result", "").partition(":")
    try:
        call_outcomes.record_outcome(
            lead_id=lead.pk,
            result=result,
            by=request.user,
            at=request.at,
            call_back_at=_parse_due_time(request, again, "call_back_at"),
        )
    except call_outcomes.InvalidOutcome as problem:
        return respond_refused(request, str(problem), back_to=_lead_url(lead_id), status=422)
    return respond_done(request, RESULT_MESSAGES[result], back_to=_lead_url(lead_id))


@staff_view("GET", "POST")
def write_message(request: StaffRequest, lead_id: UUID) -> HttpResponse:
    """Write a text or an e-mail; a refusal keeps every word that was typed."""
    lead = _get_permitted_lead(request, "contact_lead", lead_id)
    medium = request.POST.get("medium") or request.GET.get("medium", "text")
    typed = {"medium": medium if medium in ("text", "email") else "text"}
    if request.method == "GET":
        return render(request, "lead/write.html", {**lead_context(request, lead), **typed})
    typed |= {"body": request.POST.get("body", ""), "subject": request.POST.get("subject", "")}
    problem = "" if typed["body"].strip() else "Write something first."
    if not problem:
        try:
            sent = credit_notice_triggers.send_staff_message(
                lead_id=lead.pk, by=request.user, at=request.at, **typed
            )
        except typed_messages.CannotSend as stopped:
            problem = str(stopped)
        else:
            return respond_done(
                request, _delivery_text(sent, request.at), back_to=_lead_url(lead_id)
            )
    if request.htmx:
        answer = render(request, "lead/_send_problem.html", {"problem": problem}, status=422)
        answer["HX-Retarget"] = f"#problem-{typed['medium']}"
        answer["HX-Reswap"] = "innerHTML"
        return answer
    context = {**lead_context(request, lead), **typed, "problem": problem}
    return render(request, "lead/write.html", context, status=422)


@staff_view("POST")
def stop_recording(request: StaffRequest, lead_id: UUID) -> HttpResponse:
    """They said in the call that they do not want to be recorded."""
    lead = _get_permitted_lead(request, "contact_lead", lead_id)
    try:
        call_events.record_recording_objection(lead=lead, by=request.user, at=request.at)
    except call_events.NoActiveRecording as problem:
        return respond_refused(request, str(problem), back_to=_lead_url(lead_id))
    said = "It is recorded no longer, and what was recorded is being deleted"
    return respond_done(request, said, back_to=_lead_url(lead_id))


@staff_view("POST")
def add_note(request: StaffRequest, lead_id: UUID) -> HttpResponse:
    """A note for ourselves."""
    lead = _get_permitted_lead(request, "change_lead", lead_id)
    try:
        credit_notice_triggers.add_note(
            lead_id=lead.pk, by=request.user.pk, text=request.POST.get("text", ""), at=request.at
        )
    except remarks.InvalidRemark as problem:
        return respond_refused(request, str(problem), back_to=_lead_url(lead_id), status=422)
    return respond_done(request, "Note kept", back_to=_lead_url(lead_id))


@staff_view("POST")
def add_task(request: StaffRequest, lead_id: UUID) -> HttpResponse:
    """Something to be done about the lead."""
    lead = _get_permitted_lead(request, "change_lead", lead_id)
    try:
        lead_tasks.add_task(
            lead_id=lead.pk,
            user_id=request.user.pk,
            title=request.POST.get("title", ""),
            due_at=_parse_due_time(request, request.POST.get("due", ""), "due_at")
            or request.at + DUE_CHOICES["day"],
            at=request.at,
        )
    except lead_tasks.InvalidTask as problem:
        return respond_refused(request, str(problem), back_to=_lead_url(lead_id), status=422)
    return respond_done(request, "Task added", back_to=_lead_url(lead_id))


@staff_view("POST")
def snooze_lead(request: StaffRequest, lead_id: UUID) -> HttpResponse:
    """Set the lead aside until a moment, with the reason; or take it back now."""
    lead = _get_permitted_lead(request, "change_lead", lead_id)
    if request.POST.get("until") == "now":
        aside.wake_lead(lead_id=lead.pk, because="page", at=request.at)
        return respond_done(request, "Back in the queue", back_to=_lead_url(lead_id))
    until = _parse_due_time(request, request.POST.get("until", ""), "until_at")
    try:
        credit_notice_triggers.snooze_lead(
            lead_id=lead.pk,
            until=until or request.at,
            because=request.POST.get("because", ""),
            by=request.user.pk,
            at=request.at,
        )
    except aside.CannotSnooze as problem:
        return respond_refused(request, str(problem), back_to=_lead_url(lead_id), status=422)
    return respond_done(request, "Set aside", back_to=_lead_url(lead_id))


def _parse_due_time(request: StaffRequest, said: str, typed: str) -> datetime | None:
    """In an hour, a day or a week, or the time in the field `typed`, by the reader's clock."""
    if said in DUE_CHOICES:
        return request.at + DUE_CHOICES[said]
    try:
        moment = datetime.fromisoformat(request.POST.get(typed, ""))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=get_current_timezone())


def _delivery_text(sent: Message, at: datetime) -> str:
    """What has become of a message just written; never more than is known."""
    due = (
        display_formats.date_and_time(localtime(sent.due_at), localtime(at)) if sent.due_at else ""
    )
    match sent.state:
        case "held":
            return f"Held: it goes at {due}"
        case "waiting" | "claimed":
            return f"Not sent yet: it is tried again at {due}" if due else "Not sent yet"
        case "uncertain":
            return "It may have gone out; that is being looked up, and it is not sent twice"
    return "Sent"


@staff_view("POST")
def complete_task(request: StaffRequest, task_id: UUID) -> HttpResponse:
    """Tick a task off."""
    seen = leads_visible_to(request.user)
    found = get_object_or_404(Task.objects.filter(lead__in=seen), pk=task_id)
    _get_permitted_lead(request, "change_lead", found.lead_id)
    lead_tasks.finish_task(task_id=found.pk, by=request.user.pk, at=request.at)
    return respond_done(request, "Done", back_to=_lead_url(found.lead_id))


@staff_view("POST")
def add_rate_watch(request: StaffRequest, lead_id: UUID) -> HttpResponse:
    """Tell the borrower when a product reaches a rate."""
    lead = _get_permitted_lead(request, "watch_rate", lead_id)
    try:
        target = Decimal(request.POST.get("target_pct", "").strip().rstrip("%"))
        rate_watch.set_watch(
            lead=lead,
            product=request.POST.get("product", ""),
            target_pct=target,
            by=request.user,
            at=request.at,
        )
    except (InvalidOperation, InvalidRate):
        why = "Write the rate in percent, such as 6.125."
        return respond_refused(request, why, back_to=_lead_url(lead_id), status=422)
    return respond_done(request, "They will be told at that rate", back_to=_lead_url(lead_id))


@staff_view("POST")
def hand_off_lead(request: StaffRequest, lead_id: UUID) -> HttpResponse:
    """Hand the lead to the LOS; what is still missing is said, and becomes the officer's task."""
    lead = _get_permitted_lead(request, "hand_off", lead_id)
    try:
        hand_over.request_handoff(lead_id=lead.pk, by=request.user, at=request.at)
    except hand_over.HandoffNotReady as problem:
        return respond_refused(request, str(problem), back_to=_lead_url(lead_id))
    return respond_done(request, "On its way to the LOS", back_to=_lead_url(lead_id))
