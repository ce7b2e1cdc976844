"""Next steps on a lead: add, move and finish tasks, snooze it, book an appointment."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.timezone import localtime

from rooftree.flow import appointments as flow
from rooftree.flow import lead_nurture, undo_window
from rooftree.leads import appointments, lead_tasks, snooze
from rooftree.leads.models import Task
from rooftree.org.models import User
from rooftree.routing import task_lists
from rooftree.routing.permissions import leads_visible_to
from rooftree.web.lead.action_views import get_permitted_lead
from rooftree.web.lead.next_step_forms import (
    AppointmentForm,
    MoveTaskForm,
    NurtureForm,
    SnoozeForm,
    TaskForm,
    initial_appointment,
)
from rooftree.web.lead.next_steps import suggest_start
from rooftree.web.shared import display_formats
from rooftree.web.shared.htmx_responses import respond_done, respond_refused
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import staff_view

NOT_YOURS = {
    "compliance": "This task is compliance’s. Only they can mark it done.",
    "manager": "This task is your manager’s. Only they can mark it done.",
}
ENDINGS = {"no_show": appointments.NO_SHOW, "canceled": "canceled"}


def _lead_url(lead_id: UUID) -> str:
    return reverse("lead", args=[lead_id])


@staff_view("POST")
def add_task(request: StaffRequest, lead_id: UUID) -> HttpResponse:
    """Add a task to the lead, due on the next workday at 9 AM unless the form says otherwise."""
    lead = get_permitted_lead(request, "change_lead", lead_id)
    form = TaskForm(request.POST, user=request.user, at=request.at)
    if not form.is_valid():
        return respond_refused(request, form.first_error, back_to=_lead_url(lead_id), status=422)
    try:
        task = lead_tasks.add_task(
            lead_id=lead.pk,
            user_id=request.user.pk,
            title=form.cleaned_data["title"],
            due_at=form.cleaned_data["due_at"],
            at=request.at,
        )
    except lead_tasks.InvalidTask as problem:
        return respond_refused(request, str(problem), back_to=_lead_url(lead_id), status=422)
    return respond_done(
        request, f"Task added, due {_format_time(task.due_at, request)}", back_to=_lead_url(lead_id)
    )


@staff_view("POST")
def move_task(request: StaffRequest, task_id: UUID) -> HttpResponse:
    """Move the due time of a task that staff typed."""
    task = _get_finishable_task(request, task_id)
    back_to = _back_to(request, task)
    form = MoveTaskForm(request.POST, user=request.user, at=request.at)
    if not form.is_valid():
        return respond_refused(request, form.first_error, back_to=back_to, status=422)
    due_at = form.cleaned_data["due_at"]
    try:
        is_moved = lead_tasks.move_task(
            task_id=task.pk, due_at=due_at, by=request.user.pk, at=request.at
        )
    except lead_tasks.InvalidTask as problem:
        return respond_refused(request, str(problem), back_to=back_to, status=422)
    if not is_moved:
        return respond_refused(request, "This task keeps its time.", back_to=back_to)
    return respond_done(request, f"Task due {_format_time(due_at, request)}", back_to=back_to)


@staff_view("POST")
def complete_task(request: StaffRequest, task_id: UUID) -> HttpResponse:
    """Mark a task as done."""
    task = _get_finishable_task(request, task_id)
    lead_tasks.finish_task(task_id=task.pk, by=request.user.pk, at=request.at)
    text = "Appointment kept" if task.meeting else "Task done"
    undo_url = reverse("task_reopening", args=[task.pk])
    return respond_done(request, text, back_to=_back_to(request, task), undo_url=undo_url)


@staff_view("POST")
def snooze_lead(request: StaffRequest, lead_id: UUID) -> HttpResponse:
    """Snooze the lead until a time; `due=now` ends the snooze."""
    lead = get_permitted_lead(request, "change_lead", lead_id)
    if request.POST.get("due") == "now":
        snooze.wake_lead(lead_id=lead.pk, because="page", at=request.at)
        return respond_done(request, "Back in the queue", back_to=_lead_url(lead_id))
    form = SnoozeForm(request.POST, user=request.user, at=request.at)
    if not form.is_valid():
        return respond_refused(request, form.first_error, back_to=_lead_url(lead_id), status=422)
    try:
        act = undo_window.snooze_lead(
            lead_id=lead.pk,
            until=form.cleaned_data["due_at"],
            because=form.cleaned_data["because"],
            by=request.user,
            at=request.at,
        )
    except snooze.CannotSnooze as problem:
        return respond_refused(request, str(problem), back_to=_lead_url(lead_id), status=422)
    until = _format_time(form.cleaned_data["due_at"], request)
    return respond_done(
        request,
        f"Snoozed until {until}",
        back_to=_lead_url(lead_id),
        undo_url=reverse("undo", args=[act.pk]),
    )


@staff_view("POST")
def nurture_lead(request: StaffRequest, lead_id: UUID) -> HttpResponse:
    """Move a lead to nurture: the borrower isn't ready now; a task follows up on a date."""
    lead = get_permitted_lead(request, "change_lead", lead_id)
    form = NurtureForm(request.POST, user=request.user, at=request.at)
    if not form.is_valid():
        return respond_refused(request, form.first_error, back_to=_lead_url(lead_id), status=422)
    until, because = form.cleaned_data["due_at"], form.cleaned_data["because"]
    try:
        lead_nurture.move_to_nurture(
            lead_id=lead.pk, until=until, because=because, by=request.user, at=request.at
        )
    except (snooze.CannotSnooze, lead_tasks.InvalidTask) as problem:
        return respond_refused(request, str(problem), back_to=_lead_url(lead_id), status=422)
    words = f"Moved to nurture. Follow up {_format_time(until, request)}"
    return respond_done(request, words, back_to=_lead_url(lead_id))


@staff_view("GET", "POST")
def book_appointment(request: StaffRequest, lead_id: UUID) -> HttpResponse:
    """Show the appointment form; a POST books or moves the lead's appointment."""
    lead = get_permitted_lead(request, "change_lead", lead_id)
    open_one = appointments.open_appointment(lead.pk)
    form = AppointmentForm(
        request.POST if request.method == "POST" else None,
        initial=initial_appointment(open_one, suggest_start(request.user, request.at)),
    )

    def book(_: dict[str, Any]) -> tuple[Task, bool]:
        return flow.book_appointment(form.details(), lead=lead, by=request.user, at=request.at)

    if request.method == "POST" and form.submit(book):
        appointment, is_new = form.result
        verb = "booked for" if is_new else "moved to"
        text = f"Appointment {verb} {_format_time(appointment.due_at, request)}"
        return respond_done(request, text, back_to=_lead_url(lead_id))
    context = {"lead": lead, "person": lead.person, "form": form, "appointment": open_one}
    if request.htmx and request.method == "POST":
        response = render(request, "lead/appointment.html#fields", context, status=422)
        response["HX-Retarget"], response["HX-Reswap"] = "#appointment-fields", "outerHTML"
        return response
    status = 422 if form.errors else 200
    return render(request, "lead/appointment.html", context, status=status)


@staff_view("POST")
def end_appointment(request: StaffRequest, lead_id: UUID) -> HttpResponse:
    """Cancel the lead's appointment, or record that the borrower didn't come."""
    lead = get_permitted_lead(request, "change_lead", lead_id)
    ending = request.POST.get("ending", "")
    is_ended = lead_tasks.cancel_tasks_of_kind(
        lead_id=lead.pk,
        kind=appointments.APPOINTMENT,
        because=ENDINGS.get(ending, "canceled"),
        at=request.at,
    )
    if not is_ended:
        why = "This lead has no open appointment."
        return respond_refused(request, why, back_to=_lead_url(lead_id))
    text = "Logged: no-show" if ending == "no_show" else "Appointment canceled"
    return respond_done(request, text, back_to=_lead_url(lead_id))


def _get_finishable_task(request: StaffRequest, task_id: UUID) -> Task:
    """Return the task; 404 if the user can't see its lead, 403 if it is someone else's."""
    visible = Task.objects.filter(lead__in=leads_visible_to(request.user))
    task = get_object_or_404(visible.select_related("user", "lead__officer"), pk=task_id)
    if not task_lists.can_finish(request.user, task):
        raise PermissionDenied(_refusal(request.user, task))
    return task


def _refusal(user: User, task: Task) -> str:
    if task_lists.closes_with_deadline(task):
        return "This task closes when its disclosure deadline does."
    owners = [task.role] if task.role else task.user.roles if task.user else []
    for role, refusal in NOT_YOURS.items():
        if role in owners and not user.has_role(role):
            return refusal
    return "You can view this lead, but only its loan officer can change it."


def _back_to(request: StaffRequest, task: Task) -> str:
    """Return the page that a plain form came from: the task list, or the lead."""
    return reverse("my_tasks") if request.POST.get("from") == "tasks" else _lead_url(task.lead_id)


def _format_time(moment: datetime, request: StaffRequest) -> str:
    return display_formats.date_and_time(localtime(moment), localtime(request.at))
