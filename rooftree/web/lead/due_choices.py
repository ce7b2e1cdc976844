"""Due times that staff pick with one tap: an hour, tomorrow at 9 AM, a week, or a typed time."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils.timezone import get_current_timezone_name, localtime

from rooftree.org import working_hours
from rooftree.org.models import User
from rooftree.web.shared.staff_forms import StaffForm
from rooftree.web.shared.staff_view import user_officer

HOUR = "hour"
DAYS_AHEAD = {"day": 1, "week": 7, "month": 30}  # at 9 AM, on a workday
TASK_CHOICES = ("day", HOUR, "week")
SNOOZE_CHOICES = ("day", "week", "month")
TYPED = "at"  # the time typed in the field beside the choices


@dataclass(frozen=True, slots=True, kw_only=True)
class DueChoice:
    """One button: the value it posts, and the time it means."""

    key: str
    label: str


def due_time(choice: str, user: User, at: datetime) -> datetime | None:
    """Return the time a choice means, in the user's zone; None for a choice that isn't one.

    Choices of days mean 9 AM of that day, or of the officer's next workday.
    """
    if choice == HOUR:
        return at + timedelta(hours=1)
    if choice not in DAYS_AHEAD:
        return None
    officer = user_officer(user)
    return working_hours.workday_morning(
        officer.hours if officer else {},
        zone=get_current_timezone_name(),
        at=at,
        days=DAYS_AHEAD[choice],
    )


def due_choices(keys: tuple[str, ...], user: User, at: datetime) -> list[DueChoice]:
    """Return the buttons for some choices, each labeled with the time it means."""
    return [DueChoice(key=key, label=_label(key, user, at)) for key in keys]


def _label(choice: str, user: User, at: datetime) -> str:
    due_at = due_time(choice, user, at)
    if choice == HOUR or due_at is None:
        return "In an hour"
    day, days = localtime(due_at), (localtime(due_at).date() - localtime(at).date()).days
    if days == 1:
        return "Tomorrow, 9 AM"
    if days < 7:
        return f"{day:%A}, 9 AM"
    return f"{day:%a, %b} {day.day}, 9 AM"


class DueForm(StaffForm):
    """The base of forms with a due time: a choice in `due`, or a time typed in `due_at`."""

    due = forms.CharField(required=False)
    due_at = forms.DateTimeField(
        required=False,
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
        error_messages={"invalid": "Choose a date and a time."},
    )
    default = ""  # the choice when none is given

    def __init__(self, *args: Any, user: User, at: datetime, **kwargs: Any) -> None:
        self.user, self.at = user, at
        super().__init__(*args, **kwargs)

    def clean(self) -> dict[str, Any]:
        """Put the chosen time in `due_at`."""
        cleaned = super().clean() or {}
        choice = cleaned.get("due") or ("" if cleaned.get("due_at") else self.default)
        chosen = due_time(choice, self.user, self.at)
        if chosen is None and not cleaned.get("due_at") and "due_at" not in self.errors:
            raise forms.ValidationError("Choose a date and a time.")
        return {**cleaned, "due_at": chosen or cleaned.get("due_at")}

    @property
    def first_error(self) -> str:
        """The first error as a sentence."""
        return next(str(text) for errors in self.errors.values() for text in errors)
