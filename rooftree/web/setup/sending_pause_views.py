"""The pause of all sending: why nothing is sent, and how to resume."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from rooftree.flow import restore_recovery
from rooftree.org import sending_pause
from rooftree.web.shared.display_formats import count_noun
from rooftree.web.shared.htmx_responses import respond_redirect, respond_refused
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view


@staff_view("GET", "POST")
def show_sending_pause(request: StaffRequest) -> HttpResponse:
    """Show whether sending is paused and what is waiting; a POST ends the pause."""
    require_permission(request.user, "edit_setup")
    page_url = reverse("setup_sending")
    if request.method == "POST":
        pause = sending_pause.current_pause()
        try:
            resumed = restore_recovery.resume_sending(by=request.user, at=request.at)
        except restore_recovery.CannotResume as problem:
            return respond_refused(request, str(problem), back_to=page_url)
        toast = "Sending resumed"
        if pause and pause.backup_at and resumed.messages_to_cancel:
            toast += f". {count_noun(resumed.messages_to_cancel, 'message')} canceled"
        return respond_redirect(request, toast, to=page_url)
    pause = sending_pause.current_pause()
    waiting = restore_recovery.count_paused_work(pause) if pause else None
    return render(request, "setup/sending.html", {"pause": pause, "waiting": waiting})
