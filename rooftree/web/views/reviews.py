"""Messages that wait for a person: read with reason and facts, then released or refused."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.flow import reviews as flow
from rooftree.outreach import review
from rooftree.outreach.models import Message
from rooftree.routing.visible import leads_visible_to
from rooftree.web import look_up
from rooftree.web.answers import done, refused
from rooftree.web.page import must, staff

PAGE = 20
BECAME = {
    "sent": "Released, and sent",
    "delivered": "Released, and sent",
    "waiting": "Released: it goes as soon as sending is possible",
    "held": "Released: it goes when its hour comes",
    "uncertain": "Released: whether it arrived is being looked up",
    "cancelled": "It never goes; your reason is on the lead",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One message with the rules that stopped it."""

    message: Message
    rules: list[Any]
    is_judgment: bool  # else something must be done first, and it is asked again then


@staff("GET")
def index(request: HttpRequest) -> HttpResponse:
    """All of them, those that wait longest first; for htmx the list alone."""
    must(request.user, "decide_message")
    rows = review.waiting().filter(lead__in=leads_visible_to(request.user).values("pk"))
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "lines": [_line(one) for one in page.object_list]}
    template = "compliance/review.html#waiting" if request.htmx else "compliance/review.html"
    return render(request, template, context)


@staff("POST")
def decide(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """Release it through the gate, or refuse it, with a reason."""
    must(request.user, "decide_message")
    mine = Message.objects.filter(lead__in=leads_visible_to(request.user).values("pk"))
    message = get_object_or_404(mine, pk=message_id)
    back = reverse("reviews")
    try:
        left = flow.decide(
            message_id=message.pk,
            releases=request.POST.get("answer") == "release",
            reason=request.POST.get("reason", ""),
            by=request.user,
            at=request.at,
        )
    except flow.CannotDecide as problem:
        return refused(request, str(problem), back_to=back)
    if left.state not in BECAME:
        return refused(request, f"It did not go. {left.problem}", back_to=back)
    return done(request, BECAME[left.state], back_to=back)


def _line(message: Message) -> Line:
    asked = message.verdict.results if message.verdict else []
    against = [one for one in asked if one.get("decision") != "allow"]
    return Line(
        message=message, rules=look_up.rules(against), is_judgment=review.is_judgment(message)
    )
