"""Values of the rule data as people say them, and what changes from one to another."""

from collections.abc import Callable
from datetime import date, time
from typing import Any

from rooftree.compliance.gate import effective_rules
from rooftree.compliance.rule_changes.rule_items import RuleItem, cap_hours
from rooftree.core.area_codes_and_zones import STATE_NAMES

HOLIDAY_NAMES = {
    "new_year": "New Year’s Day", "mlk": "Martin Luther King Day", "presidents": "Presidents’ Day",
    "confederate_memorial_al": "Confederate Memorial Day", "ri_independence": "Independence (RI)",
    "memorial": "Memorial Day", "jefferson_davis": "Jefferson Davis’ birthday",
    "labor": "Labor Day", "columbus": "Columbus Day", "election": "Election Day",
    "veterans": "Veterans Day", "independence": "Independence Day", "rosa_parks": "Rosa Parks Day",
    "bill_of_rights": "Bill of Rights Day",
}  # fmt: skip
NATURE_LABELS = {"law": "Law", "house": "House limit", "counsel": "Counsel’s choice"}


def place_name(place: str) -> str:
    """A state's name, or what holds in all of them."""
    return "Everywhere" if place == effective_rules.EVERYWHERE else STATE_NAMES.get(place, place)


def format_value(one: RuleItem, value: Any) -> str:
    """The value, to stand after the label."""
    return FORMATTERS[one.kind](one, value)


def describe_difference(one: RuleItem, was: Any, now: Any) -> str:
    """What changes, in one sentence."""
    if one.kind in ("holidays", "dates"):
        word = holiday_name if one.kind == "holidays" else _format_date
        added = [word(each) for each in now if each not in was]
        gone = [word(each) for each in was if each not in now]
        parts = [f"adds {_join_parts(added)}"] if added else []
        parts += [f"takes away {_join_parts(gone)}"] if gone else []
        return "; ".join(parts) or "nothing changes"
    return f"from {format_value(one, was)} to {format_value(one, now)}"


def holiday_name(name: str) -> str:
    """A holiday of the rule data by its name."""
    return HOLIDAY_NAMES.get(name) or name.replace("_", " ").capitalize()


def format_time(text: str) -> str:
    """An hour as `8 AM`, or `8:30 AM`."""
    at = time.fromisoformat(text)
    said = f"{at:%I:%M %p}".lstrip("0")
    return said.replace(":00", "")


def _format_hours(pair: Any) -> str:
    return f"{format_time(pair[0])}–{format_time(pair[1])}" if pair else "closed"


def _format_week(one: RuleItem, value: Any) -> str:
    if value is None:
        return "none of its own"
    if value == "federal":
        return "the federal hours"
    weekdays, saturday, sunday = (_format_hours(value[day]) for day in ("mon_fri", "sat", "sun"))
    if weekdays == saturday == sunday:
        return f"every day {weekdays}"
    if weekdays == saturday:
        return f"Mon–Sat {weekdays}, Sun {sunday}"
    return f"Mon–Fri {weekdays}, Sat {saturday}, Sun {sunday}"


def _format_optional_hours(one: RuleItem, value: Any) -> str:
    return _format_hours(value) if value else "none of its own"


def _format_caps(one: RuleItem, value: Any) -> str:
    return (
        _join_parts([f"{cap['n']} in {_format_span(cap_hours(cap))}" for cap in value])
        or "no limit"
    )


def _format_span(number: int) -> str:
    if number > 24:
        return f"{number // 24} days"
    return "an hour" if number == 1 else f"{number} hours"


def _format_holidays(one: RuleItem, value: Any) -> str:
    return _join_parts([holiday_name(name) for name in value]) or "none"


def _format_dates(one: RuleItem, value: Any) -> str:
    return _join_parts([_format_date(text) for text in value]) or "none"


def _format_date(text: str) -> str:
    day = date.fromisoformat(text)
    return f"{day:%b} {day.day}, {day.year}"


def _format_switch(one: RuleItem, value: Any) -> str:
    return "yes" if value else "no"


def _format_number(one: RuleItem, value: Any) -> str:
    unit = one.unit.removesuffix("s") if value == 1 else one.unit
    return f"{value:,} {unit}".strip()


def _join_parts(parts: list[str]) -> str:
    return "; ".join(parts) if any("," in part for part in parts) else ", ".join(parts)


FORMATTERS: dict[str, Callable[[RuleItem, Any], str]] = {
    "week": _format_week,
    "hours": _format_optional_hours,
    "caps": _format_caps,
    "holidays": _format_holidays,
    "dates": _format_dates,
    "switch": _format_switch,
    "number": _format_number,
}
