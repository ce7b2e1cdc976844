"""Compliance > Messages to review: messages that a person must send or discard."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.flow import message_reviews as flow
from rooftree.org.models import User
from rooftree.outreach.messages import message_review
from rooftree.outreach.models import Message
from rooftree.routing.permissions import leads_visible_to
from rooftree.web.compliance import contact_lookup
from rooftree.web.compliance.message_filter import MessageFilter
from rooftree.web.lists.list_page import get_page
from rooftree.web.lists.open_row import find_open_row
from rooftree.web.shared.htmx_responses import respond_done, respond_refused
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view

PAGE_SIZE = 25
OUTCOME_MESSAGES = {  # by the state that a decision leaves the message in
    "sent": "Message sent",
    "delivered": "Message sent",
    "waiting": "Approved. It goes out as soon as sending is possible",
    "held": "Approved. It goes out when quiet hours end",
    "uncertain": "Approved. We’re checking whether it arrived",
    "cancelled": "Message discarded. Your reason is on the lead",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewLine:
    """One message with the rules that stopped it."""

    message: Message
    rules: list[Any]
    is_own: bool  # the user's message: somebody else sends it
    is_judgment: bool  # False: a missing step must be done first, then it is checked again


@staff_view("GET")
def list_messages(request: StaffRequest) -> HttpResponse:
    """List messages in review, longest waiting first, with the open one's card.

    htmx gets only the list and the card.
    """
    require_permission(request.user, "decide_message")
    leads = leads_visible_to(request.user, "decide_message").values("pk")
    visible = Message.objects.filter(lead__in=leads)
    waiting = message_review.messages_in_review().filter(lead__in=leads)
    shown = MessageFilter(request.user, request.GET, waiting)
    rows = shown.narrow_messages(waiting)
    opened = find_open_row(request, rows, every_row=visible, moment="created_at")
    context = {
        "shown": shown,
        "page": get_page(request, rows, size=PAGE_SIZE),
        "opened": opened,
        "line": _build_line(opened.row, request.user) if opened else None,
        "from": request.GET.urlencode(),
    }
    template = "compliance/message_reviews.html"
    return render(request, f"{template}#waiting" if request.htmx else template, context)


@staff_view("POST")
def decide_message(request: StaffRequest, message_id: UUID) -> HttpResponse:
    """Send a message through the gate, or discard it; both need a reason."""
    require_permission(request.user, "decide_message")
    leads = leads_visible_to(request.user, "decide_message").values("pk")
    visible = Message.objects.filter(lead__in=leads)
    message = get_object_or_404(visible, pk=message_id)
    back = f"{reverse('reviews')}?{QueryDict(request.POST.get('from', '')).urlencode()}"
    try:
        decided = flow.decide_message(
            message_id=message.pk,
            is_release=request.POST.get("answer") == "release",
            reason=request.POST.get("reason", ""),
            by=request.user,
            at=request.at,
        )
    except flow.CannotReview as problem:
        return respond_refused(request, str(problem), back_to=back)
    if decided.state not in OUTCOME_MESSAGES:
        return respond_refused(request, f"Not sent. {decided.problem}", back_to=back)
    return respond_done(request, OUTCOME_MESSAGES[decided.state], back_to=back)


def _build_line(message: Message, user: User) -> ReviewLine:
    results = message.verdict.results if message.verdict else []
    against = [result for result in results if result.get("decision") != "allow"]
    return ReviewLine(
        message=message,
        rules=contact_lookup.rule_lines(against),
        is_own=message_review.is_own_message(message, user),
        is_judgment=message_review.needs_only_judgment(message),
    )
