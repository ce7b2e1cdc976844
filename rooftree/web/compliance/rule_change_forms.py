"""The form of a change of a rule: fields as the kind of the value needs, read to its data."""

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

HOURS_PATTERN = re.compile(r"(.+?)\s*(?:-|–|—|to|until)\s*(.+)", re.IGNORECASE)
CLOCK_FORMATS = ("%H:%M", "%I:%M %p", "%I %p", "%I:%M%p", "%I%p")
CAP_PATTERN = re.compile(r"(\d{1,2}) in (?:an|(\d{1,3})) (hour|day)s?", re.IGNORECASE)
MAX_LOOKBACK_HOURS = 168  # hours that a limit may look back: earlier attempts are not read
SWITCH_CHOICES = [("on", "Yes"), ("", "No")]
WEEK_LABELS = {"mon_fri": "Monday to Friday", "sat": "Saturday", "sun": "Sunday"}
HOURS_FORMAT_HINT = "Write hours as 9 AM - 8 PM, or closed."


class RuleChangeForm(StaffForm):
    """A value, from when on, and why. The fields of the value come before the others."""

    from_date = date_field("In force from")
    cite = text_field(
        "The law, order or document it rests on", "As 47 CFR 64.1200(c)(1)", max_length=MAX_CITE_LENGTH
    )
    why = text_field(
        "The reason", "Shown beside the value for good; names nobody", max_length=MAX_WHY_LENGTH
    )
    counsel = text_field(
        "Counsel’s document", "Needed where it lets through what the rules as they came stop",
        required=False, max_length=MAX_COUNSEL_LENGTH,
    )  # fmt: skip

    def __init__(self, *args: Any, item: RuleItem, now: Any, **kwargs: Any) -> None:
        self.item = item
        made = FIELD_BUILDERS[item.kind](item)
        begun = {**INITIAL_BUILDERS[item.kind](now), **kwargs.pop("initial", {})}
        super().__init__(*args, more=made, initial=begun, **kwargs)
        hint = f"By {item.clock_name}; what was decided before stays"
        self.fields["from_date"].help_text = hint
        self.FIELDSETS = (
            (item.label, tuple(made)),
            ("When and why", ("from_date", "cite", "why", "counsel")),
        )

    def clean(self) -> dict[str, Any]:
        """With `value`, as the rule data write it, and `grounds`."""
        typed = super().clean() or self.cleaned_data
        if not self.errors:
            return {"value": build_value(self.item, typed), "grounds": build_grounds(typed)}
        return typed


class RuleChangeEndForm(StaffForm):
    """The end of a change: from when on it counts no more, and why."""

    from_date = date_field("The first day without it")
    cite = text_field("The law, order or document it rests on", max_length=MAX_CITE_LENGTH)
    why = text_field(
        "The reason", "Shown beside the value for good; names nobody", max_length=MAX_WHY_LENGTH
    )
    counsel = text_field(
        "Counsel’s document", "Needed where an earlier change then counts that lets more through",
        required=False, max_length=MAX_COUNSEL_LENGTH,
    )  # fmt: skip

    def __init__(self, *args: Any, item: RuleItem, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["from_date"].help_text = f"By {item.clock_name}"


def build_grounds(typed: dict[str, Any]) -> ChangeGrounds:
    """From when on, and why."""
    return ChangeGrounds(**{name: typed[name] for name in ("from_date", "cite", "why", "counsel")})


class HoursField(forms.CharField):
    """From when until when on one day, as `9 AM - 8 PM`; closed is None."""

    is_awaited = True  # empty says something, too

    def __init__(self, label: str, hint: str = "As 9 AM - 8 PM, or closed") -> None:
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
            raise forms.ValidationError("A day closes after it opens.")
        return [f"{opens:%H:%M}", f"{closes:%H:%M}"]


class CapsField(LinesField):
    """Limits, one a line, as `3 in 24 hours`."""

    def clean(self, value: Any) -> list[dict[str, int]]:
        return [_parse_cap(line) for line in super().clean(value)]

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, list):
            return "\n".join(_cap_text(one) if isinstance(one, dict) else one for one in value)
        return value


class DatesField(LinesField):
    """Dates, one a line."""

    def clean(self, value: Any) -> list[str]:
        return sorted({_parse_date(line) for line in super().clean(value)})


def _parse_clock_time(typed: str) -> time | None:
    said = typed.strip().upper().replace(".", "")
    for shape in CLOCK_FORMATS:
        try:
            return datetime.strptime(said, shape).time()  # noqa: DTZ007  an hour of a clock
        except ValueError:
            continue
    return None


def _parse_cap(line: str) -> dict[str, int]:
    found = CAP_PATTERN.fullmatch(" ".join(line.split()))
    if not found:
        raise forms.ValidationError(f"“{line[:40]}” is no limit; write it as 3 in 24 hours.")
    count, span = int(found[1]), int(found[2] or 1)
    made = {"n": count, f"{found[3].lower()}s": span}
    if count < 1 or not 1 <= cap_hours(made) <= MAX_LOOKBACK_HOURS:
        raise forms.ValidationError("A limit is of at least one contact, in at most 7 days.")
    if cap_hours(made) > 24 and cap_hours(made) % 24:
        raise forms.ValidationError("Beyond 24 hours, write whole days.")
    return made


def _cap_text(cap: dict[str, int]) -> str:
    span = cap_hours(cap)
    return f"{cap['n']} in {span // 24} days" if span > 24 else f"{cap['n']} in {span} hours"


def _parse_date(line: str) -> str:
    for shape in ("%Y-%m-%d", "%m/%d/%Y"):
        try:
            return datetime.strptime(line, shape).date().isoformat()  # noqa: DTZ007  a day
        except ValueError:
            continue
    raise forms.ValidationError(f"“{line[:40]}” is no date; write it as 12/24/2026.")


def _week_fields(item: RuleItem) -> dict[str, forms.Field]:
    found: dict[str, forms.Field] = {name: HoursField(said) for name, said in WEEK_LABELS.items()}
    if item.key == "live":
        found["is_plain"] = checkbox_field("The federal hours; the state has none of its own")
    if item.is_optional:
        found["is_plain"] = checkbox_field(
            "No such hours; what holds for all messages holds for these"
        )
    return found


def _week_initial(now: Any) -> dict[str, Any]:
    if not isinstance(now, dict):
        return {"is_plain": True}
    return {day: now[day] or "closed" for day in DAY_KEYS}


def build_value(item: RuleItem, typed: dict[str, Any]) -> Any:
    """The value that was typed, as the rule data write it."""
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
        "value": HoursField(item.label, "As 1 PM - 9 PM; empty is no such hours")
    },
    "caps": lambda item: {
        "value": CapsField(item.label, "One a line, as 3 in 24 hours; empty is none")
    },
    "holidays": lambda item: {
        "value": checkboxes_field(
            item.label, [(one, holiday_name(one)) for one in RULE_DATA["holiday_defs"]]
        )
    },
    "dates": lambda item: {"value": DatesField(item.label, "One a line, as 12/24/2026")},
    "switch": lambda item: {"value": choice_field(item.label, SWITCH_CHOICES, required=False)},
    "number": lambda item: {
        "value": integer_field(item.label, item.unit.capitalize(), min_value=item.least, max_value=item.most)
    },
}
INITIAL_BUILDERS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "week": _week_initial,
    "dates": lambda now: {"value": [f"{date.fromisoformat(one):%m/%d/%Y}" for one in now]},
    "switch": lambda now: {"value": "on" if now else ""},
} | dict.fromkeys(("hours", "caps", "holidays", "number"), lambda now: {"value": now})
