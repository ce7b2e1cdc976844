"""The do-not-contact lists that we hold, and for how long each copy still counts."""

from dataclasses import dataclass
from datetime import date

from rooftree.compliance.do_not_call.load_list import LISTS_WITHOUT_EXPIRY, REGISTRIES
from rooftree.compliance.models import DncArea
from rooftree.compliance.rule_changes import approved_changes


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedList:
    """One list, or the area codes of one that are of the same day."""

    registry: str
    dated: date
    areas: tuple[str, ...]  # none: a list that is one whole
    numbers: int  # listed
    days_left: int | None

    @property
    def file_count(self) -> int:
        """How many files of the registry's it is."""
        return len(self.areas) or 1


def max_copy_age_days(today: date) -> int:
    """For how many days a copy counts."""
    return approved_changes.effective_number_on("dnc_scrub_days", today)


def days_left(registry: str, dated: date, *, today: date, max_age_days: int) -> int | None:
    """For how long a copy still counts: below 0 it is too old, None for a list that stays good.

    The numbers of a copy that is too old count as listed (`compliance.dnc`).
    """
    return None if registry in LISTS_WITHOUT_EXPIRY else max_age_days - (today - dated).days


def loaded_lists(*, today: date) -> list[LoadedList]:
    """All of them, in the order of REGISTRIES, the oldest copies of each first."""
    rows: dict[tuple[int, date], list[DncArea]] = {}
    lasts = max_copy_age_days(today)
    for dnc_area in DncArea.objects.order_by("area"):
        rows.setdefault((REGISTRIES.index(dnc_area.registry), dnc_area.dated), []).append(dnc_area)
    return [
        LoadedList(
            registry=REGISTRIES[place],
            dated=dated,
            areas=tuple(area.area for area in areas if area.area),
            numbers=sum(area.numbers for area in areas),
            days_left=days_left(REGISTRIES[place], dated, today=today, max_age_days=lasts),
        )
        for (place, dated), areas in sorted(rows.items(), key=lambda row: row[0])
    ]
