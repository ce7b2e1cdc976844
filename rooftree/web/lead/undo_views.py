"""Undo of an act of the last seconds: an outcome, a snooze, a finished task."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.flow import undo_window
from rooftree.leads import lead_tasks
from rooftree.leads.models import Task, UndoableAct
from rooftree.routing.permissions import leads_visible_to
from rooftree.web.shared.htmx_responses import respond_done, respond_redirect, respond_refused
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import staff_view


@staff_view("GET", "POST")
def undo_act(request: StaffRequest, act_id: UUID) -> HttpResponse:
    """Undo an outcome or a snooze, or show what the link would undo; refuse once it took effect."""
    acts = UndoableAct.objects.filter(by=request.user, lead__in=leads_visible_to(request.user))
    act = get_object_or_404(acts.select_related("lead__person"), pk=act_id)
    page = reverse("lead", args=[act.lead_id])
    if request.method == "GET":
        return render(request, "lead/undo.html", {"act": act, "person": act.lead.person})
    try:
        undo_window.undo_act(act.pk, by=request.user, at=request.at)
    except undo_window.CannotUndo as problem:
        return respond_refused(request, str(problem), back_to=page)
    was_snoozed = act.result == undo_window.SNOOZED
    words = (
        "Undone. The lead is as it was before." if was_snoozed else "Undone. Nothing was logged."
    )
    return respond_redirect(request, words, to=page)


@staff_view("POST")
def reopen_task(request: StaffRequest, task_id: UUID) -> HttpResponse:
    """Open a task again that the user finished in the last seconds; refuse any other."""
    visible = Task.objects.filter(lead__in=leads_visible_to(request.user))
    task = get_object_or_404(visible, pk=task_id)
    page = reverse("lead", args=[task.lead_id])
    is_reopened = lead_tasks.reopen_task(
        task_id=task.pk,
        by=request.user.pk,
        finished_after=request.at - undo_window.SETTLE_AFTER,
        at=request.at,
    )
    if not is_reopened:
        return respond_refused(
            request, "It’s too late to undo this. Add the task again.", back_to=page
        )
    return respond_done(request, "Undone. The task is open again.", back_to=page)
