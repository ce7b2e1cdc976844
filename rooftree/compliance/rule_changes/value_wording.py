"""Rule values and their differences as text for staff."""

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
    """Return a state's name, or `Everywhere` for federal and house rules."""
    return "Everywhere" if place == effective_rules.EVERYWHERE else STATE_NAMES.get(place, place)


def format_value(item: RuleItem, value: Any) -> str:
    """Format a value to follow its label."""
    match item.kind:
        case "week":
            text = _format_week(value)
        case "hours":
            text = _format_hours(value) if value else "no separate hours"
        case "caps":
            text = _format_caps(value)
        case "holidays":
            text = _join_parts([holiday_name(name) for name in value]) or "none"
        case "dates":
            text = _join_parts([_format_date(day) for day in value]) or "none"
        case "switch":
            text = "yes" if value else "no"
        case _:
            unit = item.unit.removesuffix("s") if value == 1 else item.unit
            text = f"{value:,} {unit}".strip()
    return text


def describe_difference(item: RuleItem, was: Any, now: Any) -> str:
    """Describe a change in one sentence."""
    if item.kind in ("holidays", "dates"):
        format_day = holiday_name if item.kind == "holidays" else _format_date
        added = [format_day(day) for day in now if day not in was]
        removed = [format_day(day) for day in was if day not in now]
        parts = [f"adds {_join_parts(added)}"] if added else []
        parts += [f"removes {_join_parts(removed)}"] if removed else []
        return "; ".join(parts) or "no change"
    return f"from {format_value(item, was)} to {format_value(item, now)}"


def holiday_name(name: str) -> str:
    """Return the name of a holiday in the rule data."""
    return HOLIDAY_NAMES.get(name) or name.replace("_", " ").capitalize()


def format_time(text: str) -> str:
    """Format a time as `8 AM` or `8:30 AM`."""
    return f"{time.fromisoformat(text):%I:%M %p}".lstrip("0").replace(":00", "")


def _format_hours(pair: Any) -> str:
    return f"{format_time(pair[0])}–{format_time(pair[1])}" if pair else "closed"


def _format_week(value: Any) -> str:
    if value is None:
        return "no separate hours"
    if value == "federal":
        return "the federal hours"
    weekdays, saturday, sunday = (_format_hours(value[day]) for day in ("mon_fri", "sat", "sun"))
    if weekdays == saturday == sunday:
        return f"every day {weekdays}"
    if weekdays == saturday:
        return f"Mon–Sat {weekdays}, Sun {sunday}"
    return f"Mon–Fri {weekdays}, Sat {saturday}, Sun {sunday}"


def _format_caps(caps: Any) -> str:
    parts = []
    for cap in caps:
        hours = cap_hours(cap)
        span = (
            f"{hours // 24} days" if hours > 24 else "an hour" if hours == 1 else f"{hours} hours"
        )
        parts.append(f"{cap['n']} in {span}")
    return _join_parts(parts) or "no limit"


def _format_date(text: str) -> str:
    day = date.fromisoformat(text)
    return f"{day:%b} {day.day}, {day.year}"


def _join_parts(parts: list[str]) -> str:
    return "; ".join(parts) if any("," in part for part in parts) else ", ".join(parts)
