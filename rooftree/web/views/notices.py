"""What a member of staff was told: a bell in the shell, and the page behind it."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.org import notices
from rooftree.org.models import StaffNotice
from rooftree.web.answers import done
from rooftree.web.page import staff

SHOWN = 60


@staff("GET")
def show(request: HttpRequest) -> HttpResponse:
    """The newest notices; for htmx the bell and what is unread, which the shell holds."""
    if request.htmx:
        return render(request, "_bell.html", {})
    mine = StaffNotice.objects.filter(user=request.user).order_by("-at", "-id")
    return render(request, "notices/show.html", {"notices": mine[:SHOWN]})


@staff("POST")
def reading(request: HttpRequest, notice_id: UUID) -> HttpResponse:
    """Mark one read and go where it leads."""
    notice = get_object_or_404(StaffNotice, pk=notice_id, user=request.user)
    notices.read(notice_id=notice.pk, user_id=request.user.pk, at=request.at)
    return HttpResponseRedirect(notice.link or reverse("notices"), status=303)


@staff("POST")
def all_read(request: HttpRequest) -> HttpResponse:
    """Mark everything read that this user was told until now."""
    notices.read_all(user_id=request.user.pk, at=request.at)
    return done(request, "All read", back_to=reverse("notices"))
