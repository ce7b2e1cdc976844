"""The pause of all sending: why nothing leaves, and its end."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from rooftree.flow import after_restore
from rooftree.org import pause
from rooftree.web.answers import moved, refused
from rooftree.web.page import must, staff


@staff("GET", "POST")
def sending(request: HttpRequest) -> HttpResponse:
    """Whether anything may leave, what waits, and the button that ends a pause."""
    must(request.user, "edit_setup")
    here = reverse("setup_sending")
    if request.method == "POST":
        try:
            found = after_restore.release(by=request.user, at=request.at)
        except after_restore.CannotRelease as problem:
            return refused(request, str(problem), back_to=here)
        taken = f"; {found.messages} taken back" if found.messages else ""
        return moved(request, f"Messages and calls leave again{taken}", to=here)
    held = pause.current()
    context = {"pause": held, "waits": after_restore.in_line(held) if held else None}
    return render(request, "setup/sending.html", context)
