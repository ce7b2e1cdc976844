"""Forms for what comes next on a lead: a task, a snooze, an appointment."""

from datetime import datetime
from typing import Any

from django import forms
from django.utils.timezone import localtime

from rooftree.leads.appointments import DURATIONS, AppointmentDetails
from rooftree.leads.models import MEETINGS, Task
from rooftree.web.lead.due_choices import DueForm
from rooftree.web.shared.staff_forms import Select, StaffForm, choice_field, text_field

LOCAL_TIME = "%Y-%m-%dT%H:%M"  # of an input for a date and a time
DEFAULT_MINUTES = 30


class TaskForm(DueForm):
    """A new task."""

    title = text_field("Task")
    default = "day"


class MoveTaskForm(DueForm):
    """A new due time of a task."""


class SnoozeForm(DueForm):
    """When a lead comes back to the queue, and why it was snoozed."""

    because = text_field("Reason", required=False)


class NurtureForm(DueForm):
    """Why a borrower isn't ready now, and when to follow up."""

    because = text_field("Reason")


class AppointmentForm(StaffForm):
    """An appointment with the borrower."""

    meeting = choice_field("How", MEETINGS.items())
    starts_at = forms.DateTimeField(
        label="Date and time",
        input_formats=[LOCAL_TIME, "%Y-%m-%dT%H:%M:%S"],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format=LOCAL_TIME),
        error_messages={"invalid": "Choose a date and a time."},
    )
    minutes = forms.TypedChoiceField(
        label="Length",
        coerce=int,
        choices=[(minutes, f"{minutes} minutes") for minutes in DURATIONS],
        widget=Select,
    )
    note = text_field("Note", "Only your team sees it.", required=False, max_length=500)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("auto_id", "appointment-%s")  # the lead page has other forms
        super().__init__(*args, **kwargs)

    def details(self) -> AppointmentDetails:
        """Return what was typed."""
        return AppointmentDetails(**self.cleaned_data)


def initial_appointment(appointment: Task | None, starts_at: datetime) -> dict[str, Any]:
    """Return the first values of the form: the open appointment, else a suggested time."""
    if appointment is None:
        return {
            "meeting": "phone",
            "starts_at": localtime(starts_at),
            "minutes": DEFAULT_MINUTES,
        }
    return {
        "meeting": appointment.meeting,
        "starts_at": localtime(appointment.due_at),
        "minutes": appointment.minutes,
        "note": appointment.note,
    }
