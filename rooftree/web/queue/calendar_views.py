"""The user's calendar feed: the page that gives its address, and the feed itself."""

from datetime import timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from rooftree.core.icalendar_text import CalendarEvent, write_calendar
from rooftree.flow import clock
from rooftree.leads import calendar_feeds
from rooftree.leads.models import MEETINGS, CalendarFeed, Task
from rooftree.routing import task_lists
from rooftree.web.shared.htmx_responses import respond_done
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view

PAST, AHEAD = timedelta(days=30), timedelta(days=366)  # what a feed covers
CALLBACK_LENGTH = timedelta(minutes=15)


@staff_view("GET")
def show_calendar(request: StaffRequest) -> HttpResponse:
    """Show whether the user has a calendar feed, and how to get or replace its address."""
    require_permission(request.user, "see_queue")
    return render(request, "queue/calendar.html", _feed_context(request))


@staff_view("POST")
def replace_address(request: StaffRequest) -> HttpResponse:
    """Create the feed's address or replace it, and show it this once."""
    require_permission(request.user, "see_queue")
    token = calendar_feeds.replace_address(user_id=request.user.pk, at=request.at)
    address = f"{settings.PUBLIC_URL}{reverse('calendar_feed', args=[token])}"
    context = {**_feed_context(request), "address": address}
    return render(request, "queue/calendar.html", context)


@staff_view("POST")
def turn_off(request: StaffRequest) -> HttpResponse:
    """End the feed's address."""
    require_permission(request.user, "see_queue")
    calendar_feeds.turn_off(user_id=request.user.pk, at=request.at)
    return respond_done(request, "Calendar feed turned off", back_to=reverse("calendar"))


@never_cache
@require_safe
def serve_feed(request: HttpRequest, token: str) -> HttpResponse:
    """Serve a user's appointments and callbacks; the address is the proof, so 404 without one.

    A borrower appears as `Ben O.`, without a number, an address or a note.
    """
    at = clock.now()
    user = calendar_feeds.find_user(token, at=at)
    if user is None:
        raise Http404
    tasks = task_lists.calendar_of_user(user, since=at - PAST, until=at + AHEAD)
    text = write_calendar(
        [_build_event(task) for task in tasks], name=f"Rooftree: {user.name}", at=at
    )
    response = HttpResponse(text.encode(), content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = 'inline; filename="rooftree.ics"'
    response["X-Robots-Tag"] = "noindex"
    response["Referrer-Policy"] = "no-referrer"
    return response


def _feed_context(request: StaffRequest) -> dict[str, object]:
    feeds = CalendarFeed.objects.filter(user=request.user, token_hash__isnull=False)
    return {"feed": feeds.first()}


def _build_event(task: Task) -> CalendarEvent:
    label = f"{MEETINGS[task.meeting]} appointment" if task.meeting else "Callback"
    return CalendarEvent(
        uid=f"{task.pk}@{urlsplit(settings.PUBLIC_URL).hostname}",
        starts_at=task.due_at,
        length=timedelta(minutes=task.minutes) if task.minutes else CALLBACK_LENGTH,
        title=f"{label}: {task.lead.person.short_name}",
        location="" if task.meeting in ("", "phone") else MEETINGS[task.meeting],
        url=f"{settings.PUBLIC_URL}{reverse('lead', args=[task.lead_id])}",
    )
