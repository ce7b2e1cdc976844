"""The inbox of borrower messages, unread first, and one conversation with a reply form."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render

from rooftree.leads import contact_points
from rooftree.leads.models import Lead
from rooftree.outreach.inbound import conversation_inbox
from rooftree.outreach.messages import contact_permissions
from rooftree.routing.permissions import can_act_on, leads_visible_to
from rooftree.web.lead import composer as composers
from rooftree.web.lead import lead_cards
from rooftree.web.lead.views import get_visible_lead
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import staff_view

FILTERS = {"": "All", "reply": "Needs reply", "mine": "Mine"}


@staff_view("GET")
def list_conversations(request: StaffRequest) -> HttpResponse:
    """List every conversation the user can see; htmx gets the list only."""
    template = "conversations/index.html#threads" if request.htmx else "conversations/index.html"
    return render(request, template, _list_context(request))


@staff_view("GET")
def show_conversation(request: StaffRequest, lead_id: UUID) -> HttpResponse:
    """Show one conversation; mark it read if the user can reply."""
    lead = get_visible_lead(request.user, lead_id)
    can_answer = can_act_on(request.user, "contact_lead", lead)
    if can_answer:
        conversation_inbox.mark_read(lead_id=lead.pk, by=request.user.pk, at=request.at)
    context = {
        "lead": lead,
        "person": lead.person,
        "entries": conversation_inbox.list_entries_of_lead(lead),
        "can_answer": can_answer,
    }
    if request.htmx:
        return render(request, "conversations/show.html#thread", context)
    context |= _list_context(request) | _contact_context(request, lead)
    if can_answer:
        context |= _composer_context(request, lead, context)
    return render(request, "conversations/show.html", context)


def _list_context(request: StaffRequest) -> dict[str, Any]:
    """Return the conversations of the chosen filter, and the filters with their counts."""
    threads = conversation_inbox.list_threads(leads_visible_to(request.user), at=request.at)
    shown = request.GET.get("show", "")
    by_filter = {
        "": threads,
        "reply": [thread for thread in threads if thread.needs_reply],
        "mine": [
            thread
            for thread in threads
            if thread.lead.officer and thread.lead.officer.user_id == request.user.pk
        ],
    }
    return {
        "threads": by_filter.get(shown, threads),
        "shown": shown,
        "filters": [
            (key, label, len(by_filter[key]) if key == "reply" else None)
            for key, label in FILTERS.items()
        ],
    }


def _contact_context(request: StaffRequest, lead: Lead) -> dict[str, Any]:
    """Return the borrower's number and address, and whether each may be used now."""
    permissions = contact_permissions.permissions_of_lead(lead.pk, at=request.at)
    zone = lead_cards.borrower_zone(lead)
    buttons = lead_cards.build_contact_buttons(permissions, zone, request.at)
    return {
        "contacts": [button for button in buttons if button.medium != "call"],
        "call": next(button for button in buttons if button.medium == "call"),
        "phone": next(iter(contact_points.usable_phones(lead.person)), None),
        "email": next(iter(contact_points.usable_emails(lead.person)), None),
    }


def _composer_context(request: StaffRequest, lead: Lead, page: dict[str, Any]) -> dict[str, Any]:
    """Return the composer of the chosen medium, or of the other one if this one is blocked.

    Without a choice it is the medium of the borrower's last message.
    """
    contacts = {contact.medium: contact for contact in page["contacts"]}
    received = [entry.message for entry in page["entries"] if entry.is_from_borrower]
    last_medium = received[-1].medium if received else "text"
    medium = request.GET.get("medium", last_medium)
    medium = medium if medium in contacts else "text"
    blocked = None if contacts[medium].is_allowed else contacts[medium]
    if blocked and "medium" not in request.GET:
        medium = next((name for name, row in contacts.items() if row.is_allowed), medium)
    context = {"medium": medium, "blocked": blocked, "other": None}
    if not contacts[medium].is_allowed:
        return context
    [composer] = composers.build_composers(lead, user=request.user, at=request.at, media=[medium])
    if medium == "email" and last_medium == "email" and received and not composer.subject:
        subject = received[-1].subject.removeprefix("Re: ") or "Your message"
        composer = replace(composer, subject=f"Re: {subject}")
    context["composer"] = composers.with_snippet(composer, request.GET.get("snippet", ""))
    context["other"] = next((name for name in contacts if name != medium), None)
    return context
