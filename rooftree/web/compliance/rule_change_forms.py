"""Forms to change a rule: fields for each kind of value, and their parsing to rule data."""

import re
from collections.abc import Callable
from datetime import date, datetime, time
from typing import Any

from django import forms

from rooftree.compliance.gate.rulebook import RULE_DATA
from rooftree.compliance.rule_changes.change_approval import (
    MAX_CITE_LENGTH,
    MAX_COUNSEL_LENGTH,
    MAX_WHY_LENGTH,
    ChangeGrounds,
)
from rooftree.compliance.rule_changes.rule_items import DAY_KEYS, RuleItem, cap_hours
from rooftree.compliance.rule_changes.value_wording import format_time, holiday_name
from rooftree.web.shared.staff_forms import (
    LinesField,
    StaffForm,
    checkbox_field,
    checkboxes_field,
    choice_field,
    date_field,
    integer_field,
    text_field,
)

HOURS_PATTERN = re.compile(r"(.+?)(?:-|–|—|to|until)(.+)", re.IGNORECASE)
CLOCK_FORMATS = ("%H:%M", "%I:%M %p", "%I %p", "%I:%M%p", "%I%p")
CAP_PATTERN = re.compile(r"(\d{1,2}) in (?:an|(\d{1,3})) (hour|day)s?", re.IGNORECASE)
MAX_LOOKBACK_HOURS = 168  # longest window of a limit: earlier attempts aren't loaded
SWITCH_CHOICES = [("on", "Yes"), ("", "No")]
WEEK_LABELS = {"mon_fri": "Monday to Friday", "sat": "Saturday", "sun": "Sunday"}
HOURS_FORMAT_HINT = "Enter hours as 9 AM - 8 PM, or closed."


class RuleChangeForm(StaffForm):
    """A new value, its first day and its reason. The value's fields come first."""

    from_date = date_field("In force from")
    cite = text_field(
        "Law, order or document", "For example 47 CFR 64.1200(c)(1)", max_length=MAX_CITE_LENGTH
    )
    why = text_field(
        "Reason", "Shown with the value permanently. Don’t name anyone.", max_length=MAX_WHY_LENGTH
    )
    counsel = text_field(
        "Counsel’s document", "Required if the change allows contact that the default rules stop",
        required=False, max_length=MAX_COUNSEL_LENGTH,
    )  # fmt: skip

    def __init__(self, *args: Any, item: RuleItem, now: Any, **kwargs: Any) -> None:
        self.item = item
        value_fields = FIELD_BUILDERS[item.kind](item)
        initial = {**INITIAL_BUILDERS[item.kind](now), **kwargs.pop("initial", {})}
        super().__init__(*args, extra_fields=value_fields, initial=initial, **kwargs)
        hint = f"By {item.clock_name}. Past decisions don’t change."
        self.fields["from_date"].help_text = hint
        self.CONDITIONALLY_REQUIRED = frozenset(
            name for name, field in value_fields.items() if isinstance(field, HoursField)
        )
        self.FIELDSETS = (
            (item.label, tuple(value_fields)),
            ("Date and reason", ("from_date", "cite", "why", "counsel")),
        )

    def clean(self) -> dict[str, Any]:
        """Return `value`, as the rule data write it, and `grounds`."""
        typed = super().clean() or self.cleaned_data
        if not self.errors:
            return {"value": build_value(self.item, typed), "grounds": build_grounds(typed)}
        return typed


class RuleChangeEndForm(StaffForm):
    """The end of a change: its first day without the change, and the reason."""

    from_date = date_field("First day without the change")
    cite = text_field("Law, order or document", max_length=MAX_CITE_LENGTH)
    why = text_field(
        "Reason", "Shown with the value permanently. Don’t name anyone.", max_length=MAX_WHY_LENGTH
    )
    counsel = text_field(
        "Counsel’s document", "Required if an earlier, looser change applies again",
        required=False, max_length=MAX_COUNSEL_LENGTH,
    )  # fmt: skip

    def __init__(self, *args: Any, item: RuleItem, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["from_date"].help_text = f"By {item.clock_name}"


def build_grounds(typed: dict[str, Any]) -> ChangeGrounds:
    """Build the grounds of a change from cleaned data."""
    return ChangeGrounds(**{name: typed[name] for name in ("from_date", "cite", "why", "counsel")})


class HoursField(forms.CharField):
    """The hours of one day, as `9 AM - 8 PM`; None when closed or empty."""

    def __init__(self, label: str, hint: str = "For example 9 AM - 8 PM, or closed") -> None:
        widget = forms.TextInput(attrs={"autocomplete": "off"})
        super().__init__(label=label, help_text=hint, required=False, widget=widget)

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, list):
            return f"{format_time(value[0])} - {format_time(value[1])}"
        return value

    def clean(self, value: Any) -> list[str] | None:
        typed = super().clean(value).strip()
        if not typed or typed.lower() in ("closed", "none"):
            return None
        pair = HOURS_PATTERN.fullmatch(typed)
        opens, closes = (
            (_parse_clock_time(group) for group in pair.groups()) if pair else (None, None)
        )
        if opens is None or closes is None:
            raise forms.ValidationError(HOURS_FORMAT_HINT)
        if opens >= closes:
            raise forms.ValidationError("Enter a closing time after the opening time.")
        return [f"{opens:%H:%M}", f"{closes:%H:%M}"]


class CapsField(forms.CharField):
    """Contact limits, one per line, as `3 in 24 hours`."""

    def __init__(self, label: str, hint: str) -> None:
        widget = forms.Textarea(attrs={"rows": 2})
        super().__init__(label=label, help_text=hint, required=False, widget=widget)

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, list):
            return "\n".join(_cap_text(cap) if isinstance(cap, dict) else cap for cap in value)
        return value

    def clean(self, value: Any) -> list[dict[str, int]]:
        """Return the limits as the rule data write them."""
        return [_parse_cap(line) for line in super().clean(value).splitlines() if line.strip()]


class DatesField(LinesField):
    """Dates, one per line."""

    def clean(self, value: Any) -> list[str]:
        return sorted({_parse_date(line) for line in super().clean(value)})


def _parse_clock_time(typed: str) -> time | None:
    text = typed.strip().upper().replace(".", "")
    for time_format in CLOCK_FORMATS:
        try:
            return datetime.strptime(text, time_format).time()  # noqa: DTZ007  a time of day
        except ValueError:
            continue
    return None


def _parse_cap(line: str) -> dict[str, int]:
    match = CAP_PATTERN.fullmatch(" ".join(line.split()))
    if not match:
        raise forms.ValidationError(f"Can’t read “{line[:40]}”. Enter a limit as 3 in 24 hours.")
    count, span = int(match[1]), int(match[2] or 1)
    cap = {"n": count, f"{match[3].lower()}s": span}
    if count < 1 or not 1 <= cap_hours(cap) <= MAX_LOOKBACK_HOURS:
        raise forms.ValidationError("Enter at least 1 contact, within at most 7 days.")
    if cap_hours(cap) > 24 and cap_hours(cap) % 24:
        raise forms.ValidationError("For more than 24 hours, use whole days.")
    return cap


def _cap_text(cap: dict[str, int]) -> str:
    span = cap_hours(cap)
    return f"{cap['n']} in {span // 24} days" if span > 24 else f"{cap['n']} in {span} hours"


def _parse_date(line: str) -> str:
    for date_format in ("%Y-%m-%d", "%m/%d/%Y"):
        try:
            return datetime.strptime(line, date_format).date().isoformat()  # noqa: DTZ007  a day
        except ValueError:
            continue
    raise forms.ValidationError(f"Can’t read “{line[:40]}”. Enter a date as 12/24/2026.")


def _week_fields(item: RuleItem) -> dict[str, forms.Field]:
    fields: dict[str, forms.Field] = {
        name: HoursField(label) for name, label in WEEK_LABELS.items()
    }
    if item.key == "live":
        fields["is_plain"] = checkbox_field("Use federal hours: the state has none of its own")
    if item.is_optional:
        fields["is_plain"] = checkbox_field("No separate hours: use the hours for all messages")
    return fields


def _week_initial(now: Any) -> dict[str, Any]:
    if not isinstance(now, dict):
        return {"is_plain": True}
    return {day: now[day] or "closed" for day in DAY_KEYS}


def build_value(item: RuleItem, typed: dict[str, Any]) -> Any:
    """Build the typed value as the rule data write it."""
    if item.kind == "switch":
        return typed["value"] == "on"
    if item.kind != "week":
        return typed["value"]
    if typed.get("is_plain"):
        return "federal" if item.key == "live" else None
    return {day: typed[day] for day in DAY_KEYS}


FIELD_BUILDERS: dict[str, Callable[[RuleItem], dict[str, forms.Field]]] = {
    "week": _week_fields,
    "hours": lambda item: {
        "value": HoursField(item.label, "For example 1 PM - 9 PM. Empty: no such hours")
    },
    "caps": lambda item: {
        "value": CapsField(item.label, "One per line, for example 3 in 24 hours. Empty: no limit")
    },
    "holidays": lambda item: {
        "value": checkboxes_field(
            item.label, [(name, holiday_name(name)) for name in RULE_DATA["holiday_defs"]]
        )
    },
    "dates": lambda item: {"value": DatesField(item.label, "One per line, for example 12/24/2026")},
    "switch": lambda item: {"value": choice_field(item.label, SWITCH_CHOICES, required=False)},
    "number": lambda item: {
        "value": integer_field(
            item.label, item.unit.capitalize(), min_value=item.least, max_value=item.most
        )
    },
}
INITIAL_BUILDERS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "week": _week_initial,
    "dates": lambda now: {"value": [f"{date.fromisoformat(day):%m/%d/%Y}" for day in now]},
    "switch": lambda now: {"value": "on" if now else ""},
} | dict.fromkeys(("hours", "caps", "holidays", "number"), lambda now: {"value": now})
