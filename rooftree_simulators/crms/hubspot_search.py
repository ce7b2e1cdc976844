"""HubSpot's search over CRM objects: filter groups, free text, sorts and pages.

After developers.hubspot.com (CRM search): filters of a group must all match, groups are
alternatives, at most five groups; values are text, and dates milliseconds or ISO.
"""

from datetime import datetime
from typing import Any

from rooftree_simulators.vendor_base import Json

MAX_SEARCH_SIZE, DEFAULT_SEARCH_SIZE, MAX_GROUPS = 200, 10, 5
_ORDERED = {
    "LT": lambda found, value: found < value,
    "LTE": lambda found, value: found <= value,
    "GT": lambda found, value: found > value,
    "GTE": lambda found, value: found >= value,
}
_OPERATORS = {
    *_ORDERED,
    *("EQ", "NEQ", "BETWEEN", "IN", "NOT_IN", "HAS_PROPERTY", "NOT_HAS_PROPERTY"),
    *("CONTAINS_TOKEN", "NOT_CONTAINS_TOKEN"),
}


class InvalidSearch(ValueError):
    """The search can't be run. The text says why."""


def search_rows(rows: list[Json], search: Json) -> tuple[list[Json], list[Json], int]:
    """Return the page of matching rows, all that match, and where the next page begins.

    Raises `InvalidSearch`.
    """
    groups = search.get("filterGroups") or []
    limit = search.get("limit", DEFAULT_SEARCH_SIZE)
    after = str(search.get("after") or "0")
    if not isinstance(groups, list) or len(groups) > MAX_GROUPS or not after.isdigit():
        raise InvalidSearch("Invalid input JSON")
    if not isinstance(limit, int) or not 1 <= limit <= MAX_SEARCH_SIZE:
        raise InvalidSearch(f"limit must be between 1 and {MAX_SEARCH_SIZE}")
    words = str(search.get("query") or "").casefold()
    found = [
        row
        for row in rows
        if (
            not groups
            or any(
                all(_matches_filter(row, wanted) for wanted in group.get("filters") or [])
                for group in groups
            )
        )
        and (not words or any(words in str(v).casefold() for v in row["properties"].values()))
    ]
    for sort in reversed(search.get("sorts") or []):
        name = sort if isinstance(sort, str) else sort.get("propertyName", "")
        is_descending = not isinstance(sort, str) and sort.get("direction") == "DESCENDING"
        found.sort(key=lambda row: _as_ordered(row["properties"].get(name)), reverse=is_descending)
    begins = int(after)
    return found[begins : begins + limit], found, begins + limit


def _matches_filter(row: Json, wanted: Json) -> bool:
    operator, name = wanted.get("operator", ""), wanted.get("propertyName", "")
    if operator not in _OPERATORS or not name:
        raise InvalidSearch(f"{operator or 'operator'} is not a valid operator")
    found, value = row["properties"].get(name), wanted.get("value")
    if operator in ("HAS_PROPERTY", "NOT_HAS_PROPERTY"):
        return bool((found not in (None, "")) == (operator == "HAS_PROPERTY"))
    if operator in ("IN", "NOT_IN"):
        is_in = _as_text(found) in {_as_text(each) for each in wanted.get("values") or []}
        return bool(is_in == (operator == "IN"))
    if operator in ("CONTAINS_TOKEN", "NOT_CONTAINS_TOKEN"):
        is_in = _as_text(value).strip("*") in _as_text(found)
        return bool(is_in == (operator == "CONTAINS_TOKEN"))
    if operator in ("EQ", "NEQ"):
        return bool((_as_ordered(found) == _as_ordered(value)) == (operator == "EQ"))
    if found is None:
        return False
    if operator == "BETWEEN":
        high = _as_ordered(wanted.get("highValue"))
        return bool(_as_ordered(value) <= _as_ordered(found) <= high)
    return bool(_ORDERED[operator](_as_ordered(found), _as_ordered(value)))


def _as_text(value: Any) -> str:
    return str("" if value is None else value).casefold()


def _as_ordered(value: Any) -> tuple[int, Any]:
    """Return what a value is compared by: a number, the milliseconds of a time, or text."""
    text = _as_text(value)
    try:
        return (0, float(text))
    except ValueError:
        pass
    try:
        return (0, datetime.fromisoformat(text.upper()).timestamp() * 1000)
    except ValueError:
        return (1, text)
