"""The user's notifications: the bell on every page, and the list behind it."""

from uuid import UUID

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.org import staff_notices
from rooftree.org.models import StaffNotice
from rooftree.web.shared.htmx_responses import respond_done
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import staff_view

MAX_LISTED = 60


@staff_view("GET")
def list_notices(request: StaffRequest) -> HttpResponse:
    """Show the newest notifications; htmx gets the bell and the unread ones."""
    if request.htmx:
        return render(request, "_bell.html", {})
    notices = StaffNotice.objects.filter(user=request.user).order_by("-at", "-id")
    return render(request, "notices/show.html", {"notices": notices[:MAX_LISTED]})


@staff_view("POST")
def mark_notice_read(request: StaffRequest, notice_id: UUID) -> HttpResponse:
    """Mark one notification as read and redirect to its link."""
    notice = get_object_or_404(StaffNotice, pk=notice_id, user=request.user)
    staff_notices.mark_read(notice_id=notice.pk, user_id=request.user.pk, at=request.at)
    return HttpResponseRedirect(notice.link or reverse("notices"), status=303)


@staff_view("POST")
def mark_all_read(request: StaffRequest) -> HttpResponse:
    """Mark all of the user's notifications up to now as read."""
    staff_notices.mark_all_read(user_id=request.user.pk, at=request.at)
    return respond_done(request, "All notifications marked as read", back_to=reverse("notices"))
