"""The form of a change of a rule: fields as the kind of the value needs, read to its data."""

import re
from collections.abc import Callable
from datetime import date, datetime, time
from typing import Any

from django import forms

from rooftree.compliance.amending.acts import CITE, COUNSEL, WHY, Grounds
from rooftree.compliance.amending.value_words import clock, holiday
from rooftree.compliance.rule_items import DAYS, Item, hours
from rooftree.compliance.rulebook import DATA
from rooftree.web.staff_forms import Lines, StaffForm, choice, day, number, several, text, yes

HOURS = re.compile(r"(.+?)\s*(?:-|–|—|to|until)\s*(.+)", re.IGNORECASE)
CLOCKS = ("%H:%M", "%I:%M %p", "%I %p", "%I:%M%p", "%I%p")
CAP = re.compile(r"(\d{1,2}) in (?:an|(\d{1,3})) (hour|day)s?", re.IGNORECASE)
LONGEST = 168  # hours that a limit may look back: earlier attempts are not read
SWITCH = [("on", "Yes"), ("", "No")]
NAMES = {"mon_fri": "Monday to Friday", "sat": "Saturday", "sun": "Sunday"}
AS_HOURS = "Write hours as 9 AM - 8 PM, or closed."


class ChangeForm(StaffForm):
    """A value, from when on, and why. The fields of the value come before the others."""

    from_date = day("In force from")
    cite = text("The law, order or document it rests on", "As 47 CFR 64.1200(c)(1)", longest=CITE)
    why = text("The reason", "Shown beside the value for good; names nobody", longest=WHY)
    counsel = text(
        "Counsel’s document", "Needed where it lets through what the rules as they came stop",
        required=False, longest=COUNSEL,
    )  # fmt: skip

    def __init__(self, *args: Any, item: Item, now: Any, **kwargs: Any) -> None:
        self.item = item
        made = FIELDS[item.kind](item)
        begun = {**SHOWN[item.kind](now), **kwargs.pop("initial", {})}
        super().__init__(*args, more=made, initial=begun, **kwargs)
        hint = f"By {item.clock}; what was decided before stays"
        self.fields["from_date"].help_text = hint
        self.PARTS = (
            (item.label, tuple(made)),
            ("When and why", ("from_date", "cite", "why", "counsel")),
        )

    def clean(self) -> dict[str, Any]:
        """With `value`, as the rule data write it, and `grounds`."""
        typed = super().clean() or self.cleaned_data
        if not self.errors:
            return {"value": read(self.item, typed), "grounds": grounds_of(typed)}
        return typed


class EndForm(StaffForm):
    """The end of a change: from when on it counts no more, and why."""

    from_date = day("The first day without it")
    cite = text("The law, order or document it rests on", longest=CITE)
    why = text("The reason", "Shown beside the value for good; names nobody", longest=WHY)
    counsel = text(
        "Counsel’s document", "Needed where an earlier change then counts that lets more through",
        required=False, longest=COUNSEL,
    )  # fmt: skip

    def __init__(self, *args: Any, item: Item, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["from_date"].help_text = f"By {item.clock}"


def grounds_of(typed: dict[str, Any]) -> Grounds:
    """From when on, and why."""
    return Grounds(**{name: typed[name] for name in ("from_date", "cite", "why", "counsel")})


class Hours(forms.CharField):
    """From when until when on one day, as `9 AM - 8 PM`; closed is None."""

    is_awaited = True  # empty says something, too

    def __init__(self, label: str, hint: str = "As 9 AM - 8 PM, or closed") -> None:
        widget = forms.TextInput(attrs={"autocomplete": "off"})
        super().__init__(label=label, help_text=hint, required=False, widget=widget)

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, list):
            return f"{clock(value[0])} - {clock(value[1])}"
        return value

    def clean(self, value: Any) -> list[str] | None:
        typed = super().clean(value).strip()
        if not typed or typed.lower() in ("closed", "none"):
            return None
        pair = HOURS.fullmatch(typed)
        opens, closes = (_clock(one) for one in pair.groups()) if pair else (None, None)
        if opens is None or closes is None:
            raise forms.ValidationError(AS_HOURS)
        if opens >= closes:
            raise forms.ValidationError("A day closes after it opens.")
        return [f"{opens:%H:%M}", f"{closes:%H:%M}"]


class Caps(Lines):
    """Limits, one a line, as `3 in 24 hours`."""

    def clean(self, value: Any) -> list[dict[str, int]]:
        return [_cap(line) for line in super().clean(value)]

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, list):
            return "\n".join(_cap_words(one) if isinstance(one, dict) else one for one in value)
        return value


class Days(Lines):
    """Dates, one a line."""

    def clean(self, value: Any) -> list[str]:
        return sorted({_day(line) for line in super().clean(value)})


def _clock(typed: str) -> time | None:
    said = typed.strip().upper().replace(".", "")
    for shape in CLOCKS:
        try:
            return datetime.strptime(said, shape).time()  # noqa: DTZ007  an hour of a clock
        except ValueError:
            continue
    return None


def _cap(line: str) -> dict[str, int]:
    found = CAP.fullmatch(" ".join(line.split()))
    if not found:
        raise forms.ValidationError(f"“{line[:40]}” is no limit; write it as 3 in 24 hours.")
    count, span = int(found[1]), int(found[2] or 1)
    made = {"n": count, f"{found[3].lower()}s": span}
    if count < 1 or not 1 <= hours(made) <= LONGEST:
        raise forms.ValidationError("A limit is of at least one contact, in at most 7 days.")
    if hours(made) > 24 and hours(made) % 24:
        raise forms.ValidationError("Beyond 24 hours, write whole days.")
    return made


def _cap_words(cap: dict[str, int]) -> str:
    span = hours(cap)
    return f"{cap['n']} in {span // 24} days" if span > 24 else f"{cap['n']} in {span} hours"


def _day(line: str) -> str:
    for shape in ("%Y-%m-%d", "%m/%d/%Y"):
        try:
            return datetime.strptime(line, shape).date().isoformat()  # noqa: DTZ007  a day
        except ValueError:
            continue
    raise forms.ValidationError(f"“{line[:40]}” is no date; write it as 12/24/2026.")


def _week_fields(item: Item) -> dict[str, forms.Field]:
    found: dict[str, forms.Field] = {name: Hours(said) for name, said in NAMES.items()}
    if item.key == "live":
        found["is_plain"] = yes("The federal hours; the state has none of its own")
    if item.is_optional:
        found["is_plain"] = yes("No such hours; what holds for all messages holds for these")
    return found


def _week_shown(now: Any) -> dict[str, Any]:
    if not isinstance(now, dict):
        return {"is_plain": True}
    return {day: now[day] or "closed" for day in DAYS}


def read(item: Item, typed: dict[str, Any]) -> Any:
    """The value that was typed, as the rule data write it."""
    if item.kind == "switch":
        return typed["value"] == "on"
    if item.kind != "week":
        return typed["value"]
    if typed.get("is_plain"):
        return "federal" if item.key == "live" else None
    return {day: typed[day] for day in DAYS}


FIELDS: dict[str, Callable[[Item], dict[str, forms.Field]]] = {
    "week": _week_fields,
    "hours": lambda item: {"value": Hours(item.label, "As 1 PM - 9 PM; empty is no such hours")},
    "caps": lambda item: {"value": Caps(item.label, "One a line, as 3 in 24 hours; empty is none")},
    "holidays": lambda item: {
        "value": several(item.label, [(one, holiday(one)) for one in DATA["holiday_defs"]])
    },
    "dates": lambda item: {"value": Days(item.label, "One a line, as 12/24/2026")},
    "switch": lambda item: {"value": choice(item.label, SWITCH, required=False)},
    "number": lambda item: {
        "value": number(item.label, item.unit.capitalize(), least=item.least, most=item.most)
    },
}
SHOWN: dict[str, Callable[[Any], dict[str, Any]]] = {
    "week": _week_shown,
    "dates": lambda now: {"value": [f"{date.fromisoformat(one):%m/%d/%Y}" for one in now]},
    "switch": lambda now: {"value": "on" if now else ""},
} | dict.fromkeys(("hours", "caps", "holidays", "number"), lambda now: {"value": now})
