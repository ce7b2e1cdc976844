"""The meaning of each LOS status: the shipped map with the lender's own entries over it."""

import re
from collections.abc import Mapping
from typing import Any

from rooftree.core.vendor_errors import Misconfigured
from rooftree.los.loan_milestones import (
    CanonicalMilestone,
    UnmappedStatus,
    all_milestones,
    load_status_map,
)

ENCOMPASS_TABLES = ("milestones", "action_taken_1393", "date_fields")


class UnknownMilestone(UnmappedStatus):
    """The map gives a status a meaning that is not one of our milestones."""


def build_status_map(los: str, changes: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Build the map of one LOS; the lender's entry wins over the shipped one.

    `changes` has the form of data/<los>_status.json; a bare code in place of an
    entry is enough: `{"57": "processing"}`. Raises `Misconfigured` for another form.
    """
    base, lender_map = dict(load_status_map(los)), dict(changes or {})
    _validate_changes(lender_map)
    if los != "encompass":
        return {**base, **{key: _as_entry(value) for key, value in lender_map.items()}}
    for part in ENCOMPASS_TABLES:
        base[part] = {**base[part], **lender_map.pop(part, {})}
    patterns = lender_map.pop("custom_milestone_patterns", [])
    base["custom_milestone_patterns"] = [*patterns, *base["custom_milestone_patterns"]]
    base["milestones"] |= {
        key: value for key, value in lender_map.items() if not key.startswith("_")
    }
    return base


def list_status_names(los: str) -> list[str]:
    """Return the statuses of the shipped map, by the names that staff of the lender know.

    Without those that mean nothing until a lender uses them, such as Byte's custom statuses.
    """
    shipped = build_status_map(los)
    if los == "encompass":
        return list(shipped["milestones"])
    names = [
        str(entry.get("name") or key)
        for key, entry in shipped.items()
        if not key.startswith("_") and isinstance(entry, dict) and not entry.get("unmapped")
    ]
    return list(dict.fromkeys(names))


def milestone_for_code(
    code: str, name: str, los: str, status_map: Mapping[str, Any]
) -> CanonicalMilestone | None:
    """Return the milestone of a status that the LOS gives by code and, if it does, by name.

    The lender's entry for the name wins. A code whose name differs from the shipped one was
    renamed by the lender, so its shipped meaning doesn't hold. Raises `UnmappedStatus`.
    """
    entry, named = status_map.get(code), name.strip()
    own = next((key for key in status_map if named and key.casefold() == named.casefold()), None)
    if own is not None:
        return milestone_for_status(los, own, status_map)
    shipped_name = str(entry.get("name") or "") if isinstance(entry, dict) else ""
    if named and shipped_name and _normalize_name(named) != _normalize_name(shipped_name):
        return milestone_for_status(los, named, status_map)
    return milestone_for_status(los, code if entry is not None else named or code, status_map)


def milestone_for_status(
    los: str, status: str, status_map: Mapping[str, Any]
) -> CanonicalMilestone | None:
    """Return the milestone that `status` means in `status_map`; None if it means none.

    Args:
        status: the LOS's code or its name. Encompass: the name of a finished
            milestone, `1393=<value>`, or the id of a date field.

    Raises `UnmappedStatus` when the map has no entry, or two that disagree.
    """
    if los == "encompass":
        return _encompass_milestone(status.strip(), status_map)
    if los == "calyx":
        return _milestone_by_name(
            {_normalize_name(key): value for key, value in status_map.items()},
            _normalize_name(status),
            status,
        )
    text = status.strip()
    if text in status_map and not text.startswith("_"):
        return _single_milestone([status_map[text]], status)
    entries = [
        entry
        for key, entry in status_map.items()
        if not key.startswith("_") and str(entry.get("name", "")).casefold() == text.casefold()
    ]
    return _single_milestone(entries, status)


def _encompass_milestone(status: str, status_map: Mapping[str, Any]) -> CanonicalMilestone | None:
    if status in status_map["date_fields"]:
        return _milestone_by_code(status_map["date_fields"][status], status)
    field, equals, value = status.partition("=")
    if equals and field.strip() == "1393":
        actions = {key.casefold(): code for key, code in status_map["action_taken_1393"].items()}
        return _milestone_by_name(actions, value.strip().casefold(), status)
    names = {key.casefold(): code for key, code in status_map["milestones"].items()}
    if status.casefold() in names:
        return _milestone_by_code(names[status.casefold()], status)
    for pattern, code in status_map["custom_milestone_patterns"]:
        if status and re.search(pattern, status, re.IGNORECASE):
            return _milestone_by_code(code, status)
    raise UnmappedStatus(f"unmapped: {status!r}")


def _milestone_by_name(
    entries: Mapping[str, Any], key: str, status: str
) -> CanonicalMilestone | None:
    if key not in entries or key.startswith("_"):
        raise UnmappedStatus(f"unmapped: {status!r}")
    return _single_milestone([_as_entry(entries[key])], status)


def _single_milestone(entries: list[Mapping[str, Any]], status: str) -> CanonicalMilestone | None:
    codes = {entry["canonical"] for entry in entries}
    if len(codes) != 1 or any(entry.get("unmapped") for entry in entries):
        raise UnmappedStatus(f"unmapped: {status!r}")
    return _milestone_by_code(codes.pop(), status)


def _milestone_by_code(code: str | None, status: str) -> CanonicalMilestone | None:
    if code is None:
        return None
    if code not in all_milestones():
        raise UnknownMilestone(
            f"unmapped: {status!r} is mapped to {code!r}, which is not a milestone"
        )
    return all_milestones()[code]


def _validate_changes(changes: Mapping[str, Any]) -> None:
    """Require that every entry is a code, a full entry, a table of codes, or patterns."""
    for name, value in changes.items():
        if name == "custom_milestone_patterns":
            is_valid = isinstance(value, list) and all(map(_is_pattern, value))
        elif name in ENCOMPASS_TABLES:
            is_valid = isinstance(value, dict) and all(map(_is_code, value.values()))
        else:
            is_valid = (
                name.startswith("_")
                or _is_code(value)
                or (isinstance(value, dict) and _is_code(value.get("canonical", 0)))
            )
        if not is_valid:
            raise Misconfigured(f"The status map has an invalid entry for {name!r}.")


def _is_code(value: object) -> bool:
    return value is None or isinstance(value, str)


def _is_pattern(value: object) -> bool:
    if not isinstance(value, list) or len(value) != 2 or not all(map(_is_code, value)):
        return False
    try:
        re.compile(value[0])
    except (re.error, TypeError):
        return False
    return True


def _as_entry(value: Any) -> Any:
    """Return a bare code, or None, as a full entry."""
    return {"name": "", "canonical": value} if value is None or isinstance(value, str) else value


def _normalize_name(text: str) -> str:
    """Casefold, and turn everything but letters and digits into single spaces."""
    spaced = "".join(char if char.isalnum() else " " for char in text.casefold())
    return ("_" if text.startswith("_") else "") + " ".join(spaced.split())
