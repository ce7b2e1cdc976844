"""The loaded do-not-contact lists and the days until each copy expires."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from rooftree.compliance.do_not_call.load_list import LISTS_WITHOUT_EXPIRY, NATIONAL, REGISTRIES
from rooftree.compliance.gate.rulebook import STATES_WITH_OWN_DNC_LIST
from rooftree.compliance.models import DncArea
from rooftree.compliance.rule_changes import approved_changes


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedList:
    """One list, or the area codes of a list that share a copy date."""

    registry: str
    dated: date
    areas: tuple[str, ...]  # empty for a list without area codes
    numbers: int  # listed
    days_left: int | None

    @property
    def file_count(self) -> int:
        """The number of registry files."""
        return len(self.areas) or 1


def max_copy_age_days(today: date) -> int:
    """Return the number of days a copy stays valid."""
    return approved_changes.effective_number_on("dnc_scrub_days", today)


def days_left(registry: str, dated: date, *, today: date, max_age_days: int) -> int | None:
    """Return the days until a copy expires: negative if expired, None if the list never expires.

    Numbers of an expired copy count as listed (`gate.do_not_call_check`).
    """
    return None if registry in LISTS_WITHOUT_EXPIRY else max_age_days - (today - dated).days


def loaded_lists(*, today: date) -> list[LoadedList]:
    """Return all loaded lists in the order of REGISTRIES, oldest copy of each first."""
    rows: dict[tuple[int, date], list[DncArea]] = {}
    max_age_days = max_copy_age_days(today)
    for dnc_area in DncArea.objects.order_by("area"):
        rows.setdefault((REGISTRIES.index(dnc_area.registry), dnc_area.dated), []).append(dnc_area)
    return [
        LoadedList(
            registry=REGISTRIES[place],
            dated=dated,
            areas=tuple(area.area for area in areas if area.area),
            numbers=sum(area.numbers for area in areas),
            days_left=days_left(REGISTRIES[place], dated, today=today, max_age_days=max_age_days),
        )
        for (place, dated), areas in sorted(rows.items(), key=lambda row: row[0])
    ]


def registries_without_current_copy(states: Collection[str], *, today: date) -> list[str]:
    """Return the registries that calls into `states` (codes) need but no current copy covers.

    The national registry is always among those needed.
    """
    current = {
        loaded_list.registry
        for loaded_list in loaded_lists(today=today)
        if loaded_list.days_left is not None and loaded_list.days_left >= 0
    }
    needed = [NATIONAL, *sorted(STATES_WITH_OWN_DNC_LIST.intersection(states))]
    return [registry for registry in needed if registry not in current]
