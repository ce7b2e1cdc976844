"""Values of the rule data as people say them, and what changes from one to another."""

from collections.abc import Callable
from datetime import date, time
from typing import Any

from rooftree.compliance import law
from rooftree.compliance.rule_items import Item, hours
from rooftree.core.zones import STATE_NAMES

NAMES = {
    "new_year": "New Year’s Day", "mlk": "Martin Luther King Day", "presidents": "Presidents’ Day",
    "confederate_memorial_al": "Confederate Memorial Day", "ri_independence": "Independence (RI)",
    "memorial": "Memorial Day", "jefferson_davis": "Jefferson Davis’ birthday",
    "labor": "Labor Day", "columbus": "Columbus Day", "election": "Election Day",
    "veterans": "Veterans Day", "independence": "Independence Day", "rosa_parks": "Rosa Parks Day",
    "bill_of_rights": "Bill of Rights Day",
}  # fmt: skip
NATURES = {"law": "Law", "house": "House limit", "counsel": "Counsel’s choice"}


def place_name(place: str) -> str:
    """A state's name, or what holds in all of them."""
    return "Everywhere" if place == law.EVERYWHERE else STATE_NAMES.get(place, place)


def in_words(one: Item, value: Any) -> str:
    """The value, to stand after the label."""
    return WORDS[one.kind](one, value)


def difference(one: Item, was: Any, now: Any) -> str:
    """What changes, in one sentence."""
    if one.kind in ("holidays", "dates"):
        word = holiday if one.kind == "holidays" else _date
        added = [word(each) for each in now if each not in was]
        gone = [word(each) for each in was if each not in now]
        parts = [f"adds {_list(added)}"] if added else []
        parts += [f"takes away {_list(gone)}"] if gone else []
        return "; ".join(parts) or "nothing changes"
    return f"from {in_words(one, was)} to {in_words(one, now)}"


def holiday(name: str) -> str:
    """A holiday of the rule data by its name."""
    return NAMES.get(name) or name.replace("_", " ").capitalize()


def clock(text: str) -> str:
    """An hour as `8 AM`, or `8:30 AM`."""
    at = time.fromisoformat(text)
    said = f"{at:%I:%M %p}".lstrip("0")
    return said.replace(":00", "")


def _hours(pair: Any) -> str:
    return f"{clock(pair[0])}–{clock(pair[1])}" if pair else "closed"


def _week(one: Item, value: Any) -> str:
    if value is None:
        return "none of its own"
    if value == "federal":
        return "the federal hours"
    weekdays, saturday, sunday = (_hours(value[day]) for day in ("mon_fri", "sat", "sun"))
    if weekdays == saturday == sunday:
        return f"every day {weekdays}"
    if weekdays == saturday:
        return f"Mon–Sat {weekdays}, Sun {sunday}"
    return f"Mon–Fri {weekdays}, Sat {saturday}, Sun {sunday}"


def _one_day(one: Item, value: Any) -> str:
    return _hours(value) if value else "none of its own"


def _caps(one: Item, value: Any) -> str:
    return _list([f"{cap['n']} in {_span(hours(cap))}" for cap in value]) or "no limit"


def _span(number: int) -> str:
    if number > 24:
        return f"{number // 24} days"
    return "an hour" if number == 1 else f"{number} hours"


def _holidays(one: Item, value: Any) -> str:
    return _list([holiday(name) for name in value]) or "none"


def _dates(one: Item, value: Any) -> str:
    return _list([_date(text) for text in value]) or "none"


def _date(text: str) -> str:
    day = date.fromisoformat(text)
    return f"{day:%b} {day.day}, {day.year}"


def _switch(one: Item, value: Any) -> str:
    return "yes" if value else "no"


def _number(one: Item, value: Any) -> str:
    unit = one.unit.removesuffix("s") if value == 1 else one.unit
    return f"{value:,} {unit}".strip()


def _list(parts: list[str]) -> str:
    return "; ".join(parts) if any("," in part for part in parts) else ", ".join(parts)


WORDS: dict[str, Callable[[Item, Any], str]] = {
    "week": _week,
    "hours": _one_day,
    "caps": _caps,
    "holidays": _holidays,
    "dates": _dates,
    "switch": _switch,
    "number": _number,
}
