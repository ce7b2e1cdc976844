"""What is done to a lead from its page. Each is a resource that a plain form can post to."""

from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.timezone import get_current_timezone, localtime

from rooftree.flow import attempts, calls, credit
from rooftree.flow import handoff as hand_over
from rooftree.leads import remarks, to_do
from rooftree.leads import snooze as aside
from rooftree.leads.models import Lead, Task
from rooftree.outreach import compose
from rooftree.outreach.models import Message
from rooftree.rates import watch
from rooftree.rates.observe import NotARate
from rooftree.routing.visible import leads_visible_to, may
from rooftree.web import words
from rooftree.web.answers import done, refused
from rooftree.web.page import staff
from rooftree.web.views.lead import about, visible

DUE = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}
SAID = {
    "spoken": "You spoke",
    "voicemail": "Marked as voicemail",
    "no_answer": "Marked as no answer",
    "call_back": "You will be reminded to call back",
    "wrong_number": "The number is unlinked, nobody is called there again",
    "bad_number": "Marked as not in service",
    "not_interested": "The lead is closed",
    "told_no": "The lead is closed, and compliance sees to the creditor’s notice",
}


def _to(request: HttpRequest, verb: str, lead_id: UUID) -> Lead:
    """The lead, for somebody who may do this to it: 404 when unseen, 403 when only seen."""
    lead = visible(request.user, lead_id)
    if not may(request.user, verb):
        raise PermissionDenied("You may look at this lead; its officer works it.")
    return lead


def _page(lead_id: UUID) -> str:
    return reverse("lead", args=[lead_id])


@staff("POST")
def attempt(request: HttpRequest, lead_id: UUID) -> HttpResponse:
    """What became of a call; `call_back:hour`, or `call_back:at` and a time, say when again."""
    lead = _to(request, "contact_lead", lead_id)
    result, _, again = request.POST.get("result", "").partition(":")
    try:
        attempts.record(
            lead_id=lead.pk,
            result=result,
            by=request.user,
            at=request.at,
            call_back_at=_moment(request, again, "call_back_at"),
        )
    except attempts.NotAResult as problem:
        return refused(request, str(problem), back_to=_page(lead_id), status=422)
    return done(request, SAID[result], back_to=_page(lead_id))


@staff("GET", "POST")
def messages(request: HttpRequest, lead_id: UUID) -> HttpResponse:
    """Write a text or an e-mail; a refusal keeps every word that was typed."""
    lead = _to(request, "contact_lead", lead_id)
    medium = request.POST.get("medium") or request.GET.get("medium", "text")
    typed = {"medium": medium if medium in ("text", "email") else "text"}
    if request.method == "GET":
        return render(request, "lead/write.html", {**about(request, lead), **typed})
    typed |= {"body": request.POST.get("body", ""), "subject": request.POST.get("subject", "")}
    problem = "" if typed["body"].strip() else "Write something first."
    if not problem:
        try:
            sent = credit.wrote(lead_id=lead.pk, by=request.user, at=request.at, **typed)
        except compose.CannotSend as stopped:
            problem = str(stopped)
        else:
            return done(request, _became(sent, request.at), back_to=_page(lead_id))
    if request.htmx:
        answer = render(request, "_problem.html", {"problem": problem}, status=422)
        answer["HX-Retarget"] = f"#problem-{typed['medium']}"
        answer["HX-Reswap"] = "innerHTML"
        return answer
    context = {**about(request, lead), **typed, "problem": problem}
    return render(request, "lead/write.html", context, status=422)


@staff("POST")
def recording_objection(request: HttpRequest, lead_id: UUID) -> HttpResponse:
    """They said in the call that they do not want to be recorded."""
    lead = _to(request, "contact_lead", lead_id)
    try:
        calls.object_to_recording(lead=lead, by=request.user, at=request.at)
    except calls.NothingToStop as problem:
        return refused(request, str(problem), back_to=_page(lead_id))
    said = "It is recorded no longer, and what was recorded is being deleted"
    return done(request, said, back_to=_page(lead_id))


@staff("POST")
def note(request: HttpRequest, lead_id: UUID) -> HttpResponse:
    """A note for ourselves."""
    lead = _to(request, "change_lead", lead_id)
    try:
        credit.note(
            lead_id=lead.pk, by=request.user.pk, text=request.POST.get("text", ""), at=request.at
        )
    except remarks.CannotAdd as problem:
        return refused(request, str(problem), back_to=_page(lead_id), status=422)
    return done(request, "Note kept", back_to=_page(lead_id))


@staff("POST")
def task(request: HttpRequest, lead_id: UUID) -> HttpResponse:
    """Something to be done about the lead."""
    lead = _to(request, "change_lead", lead_id)
    try:
        to_do.add(
            lead_id=lead.pk,
            user_id=request.user.pk,
            title=request.POST.get("title", ""),
            due_at=_moment(request, request.POST.get("due", ""), "due_at")
            or request.at + DUE["day"],
            at=request.at,
        )
    except to_do.CannotAdd as problem:
        return refused(request, str(problem), back_to=_page(lead_id), status=422)
    return done(request, "Task added", back_to=_page(lead_id))


@staff("POST")
def snooze(request: HttpRequest, lead_id: UUID) -> HttpResponse:
    """Set the lead aside until a moment, with the reason; or take it back now."""
    lead = _to(request, "change_lead", lead_id)
    if request.POST.get("until") == "now":
        aside.wake(lead_id=lead.pk, because="page", at=request.at)
        return done(request, "Back in the queue", back_to=_page(lead_id))
    until = _moment(request, request.POST.get("until", ""), "until_at")
    try:
        credit.set_aside(
            lead_id=lead.pk,
            until=until or request.at,
            because=request.POST.get("because", ""),
            by=request.user.pk,
            at=request.at,
        )
    except aside.CannotSnooze as problem:
        return refused(request, str(problem), back_to=_page(lead_id), status=422)
    return done(request, "Set aside", back_to=_page(lead_id))


def _moment(request: HttpRequest, said: str, typed: str) -> datetime | None:
    """In an hour, a day or a week, or the time in the field `typed`, by the reader's clock."""
    if said in DUE:
        return request.at + DUE[said]
    try:
        moment = datetime.fromisoformat(request.POST.get(typed, ""))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=get_current_timezone())


def _became(sent: Message, at: datetime) -> str:
    """What has become of a message just written; never more than is known."""
    due = words.when(localtime(sent.due_at), localtime(at)) if sent.due_at else ""
    match sent.state:
        case "held":
            return f"Held: it goes at {due}"
        case "waiting" | "claimed":
            return f"Not sent yet: it is tried again at {due}" if due else "Not sent yet"
        case "uncertain":
            return "It may have gone out; that is being looked up, and it is not sent twice"
    return "Sent"


@staff("POST")
def completion(request: HttpRequest, task_id: UUID) -> HttpResponse:
    """Tick a task off."""
    seen = leads_visible_to(request.user)
    found = get_object_or_404(Task.objects.filter(lead__in=seen), pk=task_id)
    _to(request, "change_lead", found.lead_id)
    to_do.finish(task_id=found.pk, by=request.user.pk, at=request.at)
    return done(request, "Done", back_to=_page(found.lead_id))


@staff("POST")
def watches(request: HttpRequest, lead_id: UUID) -> HttpResponse:
    """Tell the borrower when a product reaches a rate."""
    lead = _to(request, "watch_rate", lead_id)
    try:
        target = Decimal(request.POST.get("target_pct", "").strip().rstrip("%"))
        watch.set_watch(
            lead=lead,
            product=request.POST.get("product", ""),
            target_pct=target,
            by=request.user,
            at=request.at,
        )
    except (InvalidOperation, NotARate):
        why = "Write the rate in percent, such as 6.125."
        return refused(request, why, back_to=_page(lead_id), status=422)
    return done(request, "They will be told at that rate", back_to=_page(lead_id))


@staff("POST")
def handoff(request: HttpRequest, lead_id: UUID) -> HttpResponse:
    """Hand the lead to the LOS; what is still missing is said, and becomes the officer's task."""
    lead = _to(request, "hand_off", lead_id)
    try:
        hand_over.ask(lead_id=lead.pk, by=request.user, at=request.at)
    except hand_over.CannotHandOff as problem:
        return refused(request, str(problem), back_to=_page(lead_id))
    return done(request, "On its way to the LOS", back_to=_page(lead_id))
