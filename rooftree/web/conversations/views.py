"""The inbox of borrower messages, unread first, and one conversation with a reply form."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render

from rooftree.outreach.inbound import conversation_inbox
from rooftree.outreach.messages import contact_permissions
from rooftree.routing.permissions import has_permission, leads_visible_to
from rooftree.web.lead import lead_cards
from rooftree.web.lead.views import get_visible_lead
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import staff_view


@staff_view("GET")
def list_conversations(request: StaffRequest) -> HttpResponse:
    """List every conversation the user can see; htmx gets the list only."""
    context = {
        "threads": conversation_inbox.list_threads(leads_visible_to(request.user), at=request.at)
    }
    template = "conversations/index.html#threads" if request.htmx else "conversations/index.html"
    return render(request, template, context)


@staff_view("GET")
def show_conversation(request: StaffRequest, lead_id: UUID) -> HttpResponse:
    """Show one conversation; mark it read if the user can reply."""
    lead = get_visible_lead(request.user, lead_id)
    can_answer = has_permission(request.user, "contact_lead")
    if can_answer:
        conversation_inbox.mark_read(lead_id=lead.pk, by=request.user.pk, at=request.at)
    zone = lead_cards.borrower_zone(lead)
    buttons = lead_cards.build_contact_buttons(
        contact_permissions.permissions_of_lead(lead.pk, at=request.at), zone, request.at
    )
    messages = conversation_inbox.list_messages_of_lead(lead)
    received = [message for message in messages if message.direction == "in"]
    context = {
        "lead": lead,
        "person": lead.person,
        "messages_of_lead": messages,
        "medium": received[-1].medium if received else "text",
        "contacts": [button for button in buttons if button.medium != "call"],
        "can_answer": can_answer,
    }
    template = "conversations/show.html#thread" if request.htmx else "conversations/show.html"
    return render(request, template, context)
