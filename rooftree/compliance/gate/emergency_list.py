"""The list of declared emergencies, which staff check every day (EMG-01)."""

from collections.abc import Mapping
from datetime import date, datetime

from django.db.transaction import atomic

from rooftree.core.us_states import STATES
from rooftree.ledger.write_events import write_event
from rooftree.org.models import Company, User


class BadEmergency(Exception):
    """A declaration is invalid. The message can be shown to staff."""


def confirm_list(*, by: User, at: datetime) -> None:
    """Record that a user compared the list with the states' own today and found it right."""
    _save_list(None, "compliance.emergencies.checked", by, at)


def declare_emergency(
    *, state: str, county: str, from_date: date, until_date: date | None, by: User, at: datetime
) -> None:
    """Stop sales contact into a state, or one of its counties. Raises `BadEmergency`.

    Args:
        county: its name, or "*" for the whole state.
        until_date: the first day without the ban; None while no end is declared.
    """
    if state not in STATES:
        raise BadEmergency(f"{state or 'This'} isn’t a state. Use a two-letter code such as NY.")
    if until_date and until_date <= from_date:
        raise BadEmergency("The end date must be after the start date.")
    declaration = {
        "state": state,
        "county": county.strip() or "*",
        "from": from_date.isoformat(),
        "until": until_date.isoformat() if until_date else None,
    }
    declared = _declared_emergencies()
    _save_list([*declared, declaration], "compliance.emergency.declared", by, at, declaration)


def lift_emergency(*, number: int, by: User, at: datetime) -> None:
    """End a declaration today, by its index in the list. Raises `BadEmergency`."""
    declared = _declared_emergencies()
    if not 0 <= number < len(declared):
        raise BadEmergency("This declaration is no longer on the list.")
    today = at.date().isoformat()
    ended = {**declared[number], "until": today}
    remaining = [row for index, row in enumerate(declared) if index != number]
    if str(ended["from"]) < today:
        remaining.append(ended)
    _save_list(remaining, "compliance.emergency.lifted", by, at, ended)


def _declared_emergencies() -> list[dict[str, str | None]]:
    return list(Company.objects.get().emergencies)


def _save_list(
    emergencies: list[dict[str, str | None]] | None,
    kind: str,
    by: User,
    at: datetime,
    data: Mapping[str, str | None] | None = None,
) -> None:
    with atomic():
        changes = {} if emergencies is None else {"emergencies": emergencies}
        Company.objects.update(emergencies_checked_at=at, **changes)
        write_event(kind, at=at, actor=f"user:{by.pk}", **dict(data or {}))
