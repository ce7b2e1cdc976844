"""Actions on the lead page; each is an endpoint that a plain form can post to."""

from datetime import datetime
from decimal import Decimal, InvalidOperation
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.timezone import get_current_timezone, localtime

from rooftree.flow import (
    appointments,
    call_events,
    call_outcomes,
    credit_notice_triggers,
    undo_window,
)
from rooftree.leads import remarks
from rooftree.leads.models import ContactAttempt, Lead
from rooftree.rates import rate_watch
from rooftree.rates.record_rates import InvalidRate
from rooftree.routing.permissions import can_act_on
from rooftree.web.lead import due_choices, outcome_card
from rooftree.web.lead.views import get_visible_lead
from rooftree.web.shared import display_formats
from rooftree.web.shared.htmx_responses import respond_done, respond_redirect, respond_refused
from rooftree.web.shared.next_lead import find_next_lead
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import staff_view


def get_permitted_lead(request: StaffRequest, permission: str, lead_id: UUID) -> Lead:
    """Return the lead; 404 if the user can't see it, 403 without the permission."""
    lead = get_visible_lead(request.user, lead_id)
    if not can_act_on(request.user, permission, lead):
        raise PermissionDenied("You can view this lead, but only its loan officer can change it.")
    return lead


def _lead_url(lead_id: UUID) -> str:
    return reverse("lead", args=[lead_id])


@staff_view("POST")
def record_attempt(request: StaffRequest, lead_id: UUID) -> HttpResponse:
    """Record the outcome of a call.

    `result` is a key of `call_outcomes.RESULTS`; a callback adds when: `call_back:hour`, `:day`,
    `:week`, or `:at` with the time in `call_back_at`. A denial,
    which starts the adverse action clock, is asked about once: `told_no:confirmed`.
    """
    lead = get_permitted_lead(request, "contact_lead", lead_id)
    result, _, detail = request.POST.get("result", "").partition(":")
    if result == "told_no" and detail != "confirmed":
        if not request.htmx:
            return render(request, "lead/decline.html", {"lead": lead, "person": lead.person})
        why = "Confirm first that you told the borrower they don’t qualify."
        return respond_refused(request, why, back_to=_lead_url(lead.pk), status=422)
    call_back_at = _parse_callback_time(request, lead, detail)
    try:
        attempt = call_outcomes.record_outcome(
            lead_id=lead.pk,
            result=result,
            by=request.user,
            at=request.at,
            call_back_at=call_back_at,
            can_undo=True,
        )
    except call_outcomes.InvalidOutcome as problem:
        return respond_refused(request, str(problem), back_to=_lead_url(lead_id), status=422)
    text = outcome_card.RESULT_MESSAGES[result]
    if result == "call_back" and call_back_at:
        when = display_formats.date_and_time(localtime(call_back_at), localtime(request.at))
        text = f"{text} for {when}"
    return _offer_next_lead(request, lead, attempt, text)


def _offer_next_lead(
    request: StaffRequest, lead: Lead, attempt: ContactAttempt, text: str
) -> HttpResponse:
    """Confirm an outcome with its undo, and go on to the next lead of the queue.

    After a conversation the page stays, for notes and a message, and offers the next lead.
    """
    act = undo_window.find_open_act(lead.pk)
    undo_url = outcome_card.undo_url(act.pk) if act and act.attempt_id == attempt.pk else ""
    following = find_next_lead(request.user, after=lead.pk, at=request.at)
    if following and attempt.result != "spoken":
        words = f"{lead.person.name}: {text}"
        return respond_redirect(request, words, to=following.page, undo_url=undo_url)
    return respond_done(
        request, text, back_to=_lead_url(lead.pk), undo_url=undo_url, next_lead=following
    )


@staff_view("POST")
def stop_recording(request: StaffRequest, lead_id: UUID) -> HttpResponse:
    """Stop recording the call and delete the recording, because the borrower objected."""
    lead = get_permitted_lead(request, "contact_lead", lead_id)
    try:
        call_events.record_recording_objection(lead=lead, by=request.user, at=request.at)
    except call_events.NoActiveRecording as problem:
        return respond_refused(request, str(problem), back_to=_lead_url(lead_id))
    text = "Recording stopped. The recording is being deleted."
    return respond_done(request, text, back_to=_lead_url(lead_id))


@staff_view("POST")
def add_note(request: StaffRequest, lead_id: UUID) -> HttpResponse:
    """Add an internal note to the lead."""
    lead = get_permitted_lead(request, "change_lead", lead_id)
    try:
        credit_notice_triggers.add_note(
            lead_id=lead.pk, by=request.user.pk, text=request.POST.get("text", ""), at=request.at
        )
    except remarks.InvalidRemark as problem:
        return respond_refused(request, str(problem), back_to=_lead_url(lead_id), status=422)
    return respond_done(request, "Note saved", back_to=_lead_url(lead_id))


def _parse_callback_time(request: StaffRequest, lead: Lead, choice: str) -> datetime | None:
    """Return the callback's time: a choice of `due_choices`, or the time in `call_back_at`.

    A chosen day means 9 AM in the user's zone, or later if calls to the borrower open later. A
    typed time without a zone is in the user's zone. None if neither can be read.
    """
    if chosen := due_choices.due_time(choice, request.user, request.at):
        return appointments.first_calling_time(lead, chosen)
    try:
        moment = datetime.fromisoformat(request.POST.get("call_back_at", ""))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=get_current_timezone())


@staff_view("POST")
def add_rate_watch(request: StaffRequest, lead_id: UUID) -> HttpResponse:
    """Watch a product's rate, and notify the borrower when it reaches the target."""
    lead = get_permitted_lead(request, "watch_rate", lead_id)
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
        why = "Enter a rate in percent, for example 6.125."
        return respond_refused(request, why, back_to=_lead_url(lead_id), status=422)
    return respond_done(request, "Rate watch set", back_to=_lead_url(lead_id))


@staff_view("POST")
def end_rate_watch(request: StaffRequest, lead_id: UUID, watch_id: UUID) -> HttpResponse:
    """End a rate watch of the lead; no alert goes out for it anymore."""
    lead = get_permitted_lead(request, "watch_rate", lead_id)
    watch = get_object_or_404(lead.watches, pk=watch_id)
    rate_watch.end_watch(watch, because="ended by staff", by=request.user, at=request.at)
    return respond_done(request, "Rate watch ended", back_to=_lead_url(lead_id))
