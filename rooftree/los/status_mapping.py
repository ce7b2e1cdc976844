"""What one status of an LOS means: the shipped map with the lender's own laid over it."""

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
    """The map gives a status a meaning that is none of ours."""


def build_status_map(los: str, changes: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The map of one LOS, entry by entry the lender's where there is one.

    `changes` has the form of data/<los>_status.json; a bare code in place of an
    entry is enough: `{"57": "processing"}`. Raises `Misconfigured` for another form.
    """
    base, over = dict(load_status_map(los)), dict(changes or {})
    _validate_changes(over)
    if los != "encompass":
        return {**base, **{key: _as_entry(value) for key, value in over.items()}}
    for part in ENCOMPASS_TABLES:
        base[part] = {**base[part], **over.pop(part, {})}
    patterns = over.pop("custom_milestone_patterns", [])
    base["custom_milestone_patterns"] = [*patterns, *base["custom_milestone_patterns"]]
    base["milestones"] |= {key: value for key, value in over.items() if not key.startswith("_")}
    return base


def milestone_for_status(
    los: str, status: str, held: Mapping[str, Any]
) -> CanonicalMilestone | None:
    """The milestone that `status` means in the map `held`; None where it means none.

    Args:
        status: the LOS's code or its name. Encompass: the name of a finished
            milestone, `1393=<value>`, or the id of a date field.

    Raises `Unmapped` when the map does not say, or says two things.
    """
    if los == "encompass":
        return _encompass_milestone(status.strip(), held)
    if los == "calyx":
        return _milestone_by_name(
            {_normalize_name(key): value for key, value in held.items()},
            _normalize_name(status),
            status,
        )
    text = status.strip()
    if text in held and not text.startswith("_"):
        return _single_milestone([held[text]], status)
    named = [
        entry
        for key, entry in held.items()
        if not key.startswith("_") and str(entry.get("name", "")).casefold() == text.casefold()
    ]
    return _single_milestone(named, status)


def _encompass_milestone(status: str, held: Mapping[str, Any]) -> CanonicalMilestone | None:
    if status in held["date_fields"]:
        return _milestone_by_code(held["date_fields"][status], status)
    field, equals, value = status.partition("=")
    if equals and field.strip() == "1393":
        actions = {key.casefold(): code for key, code in held["action_taken_1393"].items()}
        return _milestone_by_name(actions, value.strip().casefold(), status)
    names = {key.casefold(): code for key, code in held["milestones"].items()}
    if status.casefold() in names:
        return _milestone_by_code(names[status.casefold()], status)
    for pattern, code in held["custom_milestone_patterns"]:
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
    said = {entry["canonical"] for entry in entries}
    if len(said) != 1 or any(entry.get("unmapped") for entry in entries):
        raise UnmappedStatus(f"unmapped: {status!r}")
    return _milestone_by_code(said.pop(), status)


def _milestone_by_code(code: str | None, status: str) -> CanonicalMilestone | None:
    if code is None:
        return None
    if code not in all_milestones():
        raise UnknownMilestone(f"unmapped: {status!r} is mapped to {code!r}, which is no milestone")
    return all_milestones()[code]


def _validate_changes(changes: Mapping[str, Any]) -> None:
    """Every entry is a code, a whole entry, a table of codes, or a list of patterns."""
    for name, value in changes.items():
        if name == "custom_milestone_patterns":
            ok = isinstance(value, list) and all(map(_is_pattern, value))
        elif name in ENCOMPASS_TABLES:
            ok = isinstance(value, dict) and all(map(_is_code, value.values()))
        else:
            ok = name.startswith("_") or _is_code(value) or _is_entry(value)
        if not ok:
            raise Misconfigured(f"The status map has no meaning that we can read for {name!r}.")


def _is_code(value: object) -> bool:
    return value is None or isinstance(value, str)


def _is_entry(value: object) -> bool:
    return isinstance(value, dict) and "canonical" in value and _is_code(value["canonical"])


def _is_pattern(value: object) -> bool:
    if not isinstance(value, list) or len(value) != 2 or not all(map(_is_code, value)):
        return False
    try:
        re.compile(value[0])
    except (re.error, TypeError):
        return False
    return True


def _as_entry(value: Any) -> Any:
    """A bare code, or none, as a whole entry."""
    return {"name": "", "canonical": value} if value is None or isinstance(value, str) else value


def _normalize_name(text: str) -> str:
    """Folded, with everything but letters and digits as single spaces."""
    spaced = "".join(sign if sign.isalnum() else " " for sign in text.casefold())
    return ("_" if text.startswith("_") else "") + " ".join(spaced.split())
