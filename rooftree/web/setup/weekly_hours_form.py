"""Weekly hours in a form: two times per day, empty for a day off."""

from collections.abc import Mapping, Sequence
from typing import Any

from rooftree.org.working_hours import WEEKDAYS
from rooftree.routing.rule_sentences import DAY_NAMES
from rooftree.web.shared.staff_forms import ClockField, StaffForm


class WeeklyHoursForm(StaffForm):
    """A form with weekly hours among its fields."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for key, day_name in DAY_NAMES.items():
            for end in ("from", "until"):
                field = ClockField(f"{day_name} {end}", placeholder="off")
                field.widget.attrs["class"] = "input"
                self.fields[f"{key}_{end}"] = field

    @property
    def week(self) -> list[dict[str, Any]]:
        """The days, each with its two time fields."""
        return [
            {"day": day_name, "from": self[f"{key}_from"], "until": self[f"{key}_until"]}
            for key, day_name in DAY_NAMES.items()
        ]


def pop_hours(typed: dict[str, Any]) -> dict[str, list[str]]:
    """Remove the hours from the typed values and return them by weekday, without days off."""
    ends = {key: (typed.pop(f"{key}_from"), typed.pop(f"{key}_until")) for key in WEEKDAYS}
    return {key: list(span) for key, span in ends.items() if any(span)}


def hours_to_initial(hours: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return stored hours as initial values of the form."""
    initial = {}
    for key, span in hours.items():
        if span:
            initial[f"{key}_from"], initial[f"{key}_until"] = span
    return initial
