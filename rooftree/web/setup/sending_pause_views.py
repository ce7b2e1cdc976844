"""The pause of all sending: why nothing leaves, and its end."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from rooftree.flow import restore_recovery
from rooftree.org import sending_pause
from rooftree.web.shared.htmx_responses import respond_redirect, respond_refused
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view


@staff_view("GET", "POST")
def show_sending_pause(request: StaffRequest) -> HttpResponse:
    """Whether anything may leave, what waits, and the button that ends a pause."""
    require_permission(request.user, "edit_setup")
    here = reverse("setup_sending")
    if request.method == "POST":
        try:
            found = restore_recovery.resume_sending(by=request.user, at=request.at)
        except restore_recovery.CannotResume as problem:
            return respond_refused(request, str(problem), back_to=here)
        taken = f"; {found.messages_to_cancel} taken back" if found.messages_to_cancel else ""
        return respond_redirect(request, f"Messages and calls leave again{taken}", to=here)
    held = sending_pause.current_pause()
    context = {"pause": held, "waits": restore_recovery.count_paused_work(held) if held else None}
    return render(request, "setup/sending.html", context)
