"""The list of declared emergencies, which somebody checks every day (EMG-01)."""

from collections.abc import Mapping
from datetime import date, datetime

from django.db.transaction import atomic

from rooftree.core.us_states import STATES
from rooftree.ledger.write_events import write_event
from rooftree.org.models import Company, User


class BadEmergency(Exception):
    """A declaration that cannot be so. The text is fit to show."""


def confirm_list(*, by: User, at: datetime) -> None:
    """Somebody compared our list with the states' own, and it is right today."""
    _save_list(None, "compliance.emergencies.checked", by, at)


def declare_emergency(
    *, state: str, county: str, from_date: date, until_date: date | None, by: User, at: datetime
) -> None:
    """Sales contact into a state, or one county of it, stops. Raises `BadEmergency`.

    Args:
        county: its name, or "*" for the whole state.
        until_date: the first day without it; None while no end is declared.
    """
    if state not in STATES:
        raise BadEmergency(f"{state or 'This'} is not a state; use its two letters, as NY.")
    if until_date and until_date <= from_date:
        raise BadEmergency("An emergency ends after it begins.")
    one = {
        "state": state,
        "county": county.strip() or "*",
        "from": from_date.isoformat(),
        "until": until_date.isoformat() if until_date else None,
    }
    held = _declared_emergencies()
    _save_list([*held, one], "compliance.emergency.declared", by, at, one)


def lift_emergency(*, number: int, by: User, at: datetime) -> None:
    """A declaration of the list has ended today. Raises `BadEmergency`."""
    held = _declared_emergencies()
    if not 0 <= number < len(held):
        raise BadEmergency("This declaration is no longer on the list.")
    today = at.date().isoformat()
    ended = {**held[number], "until": today}
    left = [one for nth, one in enumerate(held) if nth != number]
    if str(ended["from"]) < today:
        left.append(ended)
    _save_list(left, "compliance.emergency.lifted", by, at, ended)


def _declared_emergencies() -> list[dict[str, str | None]]:
    return list(Company.objects.get().emergencies)


def _save_list(
    listed: list[dict[str, str | None]] | None,
    kind: str,
    by: User,
    at: datetime,
    data: Mapping[str, str | None] | None = None,
) -> None:
    with atomic():
        changes = {} if listed is None else {"emergencies": listed}
        Company.objects.update(emergencies_checked_at=at, **changes)
        write_event(kind, at=at, actor=f"user:{by.pk}", **dict(data or {}))
