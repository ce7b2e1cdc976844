"""A week of hours in a form: two times a day, empty for a day off."""

from collections.abc import Mapping, Sequence
from typing import Any

from rooftree.org.working_hours import WEEKDAYS
from rooftree.routing.rule_sentences import DAY_NAMES
from rooftree.web.shared.staff_forms import StaffForm, text_field


class WeeklyHoursForm(StaffForm):
    """A form with the hours of a week among its fields."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for key, said in DAY_NAMES.items():
            for end in ("from", "until"):
                field = text_field(f"{said} {end}", required=False, max_length=5)
                field.widget.attrs |= {"class": "input", "placeholder": "off"}
                self.fields[f"{key}_{end}"] = field

    @property
    def week(self) -> list[dict[str, Any]]:
        """The days with their two times."""
        return [
            {"day": said, "from": self[f"{key}_from"], "until": self[f"{key}_until"]}
            for key, said in DAY_NAMES.items()
        ]


def pop_hours(typed: dict[str, Any]) -> dict[str, list[str]]:
    """The hours of the week, taken out of what was typed."""
    ends = {key: (typed.pop(f"{key}_from"), typed.pop(f"{key}_until")) for key in WEEKDAYS}
    return {key: list(span) for key, span in ends.items() if any(span)}


def hours_to_initial(hours: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Hours as the form shows them."""
    shown = {}
    for key, span in hours.items():
        if span:
            shown[f"{key}_from"], shown[f"{key}_until"] = span
    return shown
