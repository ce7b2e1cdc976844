"""Texts from unknown numbers: attach each to a lead, or close it."""

from uuid import UUID

from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.core.user_errors import UserError
from rooftree.flow import borrower_replies
from rooftree.outreach.inbound import unmatched_texts
from rooftree.outreach.models import UnmatchedText
from rooftree.routing.permissions import leads_visible_to
from rooftree.web.lead.views import get_visible_lead
from rooftree.web.lists.list_page import get_page
from rooftree.web.shared.htmx_responses import respond_done, respond_refused
from rooftree.web.shared.search_views import search_leads
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view

PAGE_SIZE = 50
MAX_LEADS = 8  # leads offered to attach a text to


@staff_view("GET")
def list_texts(request: StaffRequest) -> HttpResponse:
    """List the texts that nobody has decided about, longest waiting first."""
    require_permission(request.user, "attach_unknown_texts")
    page = get_page(request, unmatched_texts.list_open_texts(), size=PAGE_SIZE)
    return render(request, "conversations/unknown_texts.html", {"page": page})


@staff_view("GET")
def show_text(request: StaffRequest, text_id: UUID) -> HttpResponse:
    """Show one text with a search for its lead."""
    require_permission(request.user, "attach_unknown_texts")
    text = get_object_or_404(UnmatchedText, pk=text_id)
    query = " ".join(request.GET.get("q", "").split())
    leads = leads_visible_to(request.user)
    matches = search_leads(leads, query) if len(query) >= 2 else leads.none()
    context = {
        "text": text,
        "query": query,
        "leads": matches.select_related("person", "source").order_by("-created_at")[:MAX_LEADS],
    }
    return render(request, "conversations/unknown_text.html", context)


@staff_view("POST")
def attach_text(request: StaffRequest, text_id: UUID, lead_id: UUID) -> HttpResponse:
    """Attach a text to a lead, and its number to the borrower."""
    require_permission(request.user, "attach_unknown_texts")
    text = get_object_or_404(UnmatchedText, pk=text_id)
    lead = get_visible_lead(request.user, lead_id)
    back_to = reverse("unknown_texts")
    try:
        borrower_replies.attach_text(
            text_id=text.pk, lead_id=lead.pk, by=request.user, at=request.at
        )
    except UserError as problem:
        return respond_refused(request, str(problem), back_to=back_to)
    return respond_done(request, f"Attached to {lead.person.name}", back_to=back_to)


@staff_view("POST")
def dismiss_text(request: StaffRequest, text_id: UUID) -> HttpResponse:
    """Close a text that belongs to no lead."""
    require_permission(request.user, "attach_unknown_texts")
    text = get_object_or_404(UnmatchedText, pk=text_id)
    back_to = reverse("unknown_texts")
    try:
        with transaction.atomic():
            unmatched_texts.dismiss_text(text_id=text.pk, by=request.user, at=request.at)
    except UserError as problem:
        return respond_refused(request, str(problem), back_to=back_to)
    return respond_done(request, "Text closed", back_to=back_to)
